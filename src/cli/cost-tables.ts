/** Costs for people: tables, and under each what its numbers assume. */

import { breakEvenRequestsPerSecond } from "../core/cost.ts";
import type { Scenario } from "../sim/model.ts";
import {
  fargateIdleUsd,
  grid,
  type IdleLine,
  type Month,
  type Sensitivity,
  withOwn,
} from "./cost-estimate.ts";
import { columns, dollars, short } from "./simulate-assumptions.ts";

/** Break-even by duration and memory, and by front, architecture and fewest tasks. */
export function breakEvenText({ profile, prices }: Scenario): string {
  const rate = (changed: object): string =>
    short(breakEvenRequestsPerSecond({ ...profile, ...changed }, prices));
  const { lambdaMemoryMB: ownMemory, lambdaDurationMs: ownDuration, tasksMin: ownTasks } = profile;
  const memories = withOwn(grid.memoryMB, ownMemory);
  const star = (text: string, own: boolean): string => (own ? `*${text}` : text);
  const first = columns([
    ["ms billed", ...memories.map((memory) => star(`${memory} MB`, memory === ownMemory))],
    ...withOwn(grid.durationMs, ownDuration).map((lambdaDurationMs) => [
      star(short(lambdaDurationMs), lambdaDurationMs === ownDuration),
      ...memories.map((lambdaMemoryMB) => rate({ lambdaMemoryMB, lambdaDurationMs })),
    ]),
  ]);
  const tasks = withOwn(grid.tasksMin, ownTasks);
  const kinds = grid.front.flatMap((front) =>
    grid.architecture.map((architecture) => ({ front, architecture })),
  );
  const isOwn = ({ front, architecture }: (typeof kinds)[number]): boolean =>
    front === profile.front && architecture === profile.architecture;
  const second = columns([
    [
      "front, architecture",
      ...tasks.map((n) => star(`${n} ${n === 1 ? "task" : "tasks"}`, n === ownTasks)),
    ],
    ...kinds.map((kind) => [
      star(`${kind.front}, ${kind.architecture}`, isOwn(kind)),
      ...tasks.map((tasksMin) => rate({ ...kind, tasksMin })),
    ]),
  ]);
  return [
    "Break-even, requests/s: from there on Fargate costs less than Lambda (* your service)",
    "",
    first,
    `  (${profile.front}, ${profile.architecture}, at least ${ownTasks} tasks)`,
    "",
    second,
    `  (${ownMemory} MB, ${short(ownDuration)} ms)`,
  ].join("\n");
}

/** A month of the traffic. */
export function monthText(title: string, month: Month): string {
  const cheaper = Math.min(month.alwaysLambda, month.alwaysFargate);
  const rows = [
    ["", "USD/month", "of the cheaper one"],
    ["always Lambda", month.alwaysLambda],
    ["always Fargate", month.alwaysFargate],
    ...(month.flexible === null
      ? []
      : [
          ["lambdaflex, policy auto", month.flexible],
          ["optimum in hindsight", month.optimum],
        ]),
  ] as const;
  const cells = rows.map(([name, usd, note]) =>
    typeof usd === "number"
      ? [String(name), dollars(usd), percentOf(usd, cheaper)]
      : [String(name), String(usd), String(note)],
  );
  return [title, "", columns(cells)].join("\n");
}

function percentOf(usd: number, whole: number): string {
  return whole > 0 ? `${((100 * usd) / whole).toFixed(1)} %` : "–";
}

/** The idle bill, with Fargate's beside it. */
export function idleText(lines: readonly IdleLine[], scenario: Scenario): string {
  const total = lines.reduce((sum, { usd }) => sum + usd, 0);
  const fargateUsd = fargateIdleUsd(scenario);
  const width = Math.max(...lines.map(({ what }) => what.length));
  const row = (what: string, usd: number, rest: string): string =>
    `  ${what.padEnd(width)}  ${usd.toFixed(2).padStart(6)}  ${rest}`.trimEnd();
  return [
    "Idle: USD/month without a single request",
    "",
    ...lines.map(({ what, usd, assumes }) => row(what, usd, assumes)),
    row("together", total, "not included: stored logs"),
    "",
    `  Fargate left on: ${dollars(fargateUsd)} USD/month for the balancer, its addresses and ` +
      `${scenario.profile.tasksMin} × a task without a request`,
  ].join("\n");
}

/** What each setting would change. */
export function sensitivityText(
  all: readonly Sensitivity[],
  own: { readonly breakEven: number; readonly month: Month | null },
): string {
  const months = ["always Lambda", "always Fargate", "lambdaflex"];
  const cells = ({ month }: { readonly month: Month | null }): readonly string[] => {
    if (month === null) return [];
    const base = [dollars(month.alwaysLambda), dollars(month.alwaysFargate)];
    return month.flexible === null ? base : [...base, dollars(month.flexible)];
  };
  const shown = cells(own).length;
  const rate = (value: number | null): string => short(value ?? Number.POSITIVE_INFINITY);
  const rows = all.map((one) => [one.change, rate(one.breakEvenRequestsPerSecond), ...cells(one)]);
  const per = shown === 0 ? "" : "; USD/month of the same traffic";
  return [
    `What a setting would change, one at a time (break-even in requests/s${per})`,
    "",
    columns([
      ["", "break-even", ...months.slice(0, shown)],
      ["as it is", short(own.breakEven), ...cells(own)],
      ...rows,
    ]),
    "  More memory also means more processor: measure the duration before you believe a line.",
  ].join("\n");
}
