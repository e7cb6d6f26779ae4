/** What a person sees of a running rehearsal: every number comes from the engine's own data. */
import type { TickResult, Tier } from "../core/index.ts";
import type { LoadStats } from "../local/load/load.ts";
import type { Progress } from "../local/rehearsal.ts";
import type { Local } from "../local/start.ts";
import { eventLine } from "./event-line.ts";
import { bar, count, paint, type Screen, span, sparkline } from "./screen.ts";

/** Follows a rehearsal. */
export interface RehearsalView {
  onTick(result: TickResult, atMs: number): void;
  onAlarm(name: string, state: string, atMs: number): void;
  onProgress(progress: Progress): void;
}

/** A tick that succeeded, and when. */
interface Seen {
  readonly result: Extract<TickResult, { ok: true }>;
  readonly atMs: number;
}

/** Progress comes five times a second. */
const looksPerCell = 5;

/** Requests/s of both tiers, a value for each cell of their lines. */
type Rates = Readonly<Record<Tier, number[]>>;

/** Cells of a line of traffic. */
const cells = 56;

function noteRates(rates: Rates, { byTier }: LoadStats): void {
  for (const tier of ["lambda", "fargate"] as const) {
    rates[tier].push(byTier[tier].perSecond);
    if (rates[tier].length > cells) rates[tier].shift();
  }
}

/** Times are shown since the first thing that is seen. */
export function rehearsalView(screen: Screen): RehearsalView {
  let last: Seen | null = null;
  let lastPhase = "";
  let startMs: number | null = null;
  const rates: Rates = { lambda: [], fargate: [] };
  let looks = 0;
  let shownMs = 0;
  /** A tick is told when it ends, by the time of its beginning: what is shown never goes back. */
  const since = (ms: number): number => {
    startMs ??= ms;
    shownMs = Math.max(shownMs, ms - startMs);
    return shownMs;
  };
  const at = (ms: number): string => paint("dim", virtualTime(since(ms)));

  return {
    onTick(result, atMs) {
      if (!result.ok) {
        if (result.during === "conflict") return;
        screen.say(`${at(atMs)} ${paint("yellow", result.during)}: ${result.error.message}`);
        return;
      }
      last = { result, atMs };
      for (const event of result.step.events) screen.say(`${at(atMs)} ${eventLine(event)}`);
      if (result.step.phase !== lastPhase) {
        if (lastPhase !== "") screen.say(`${at(atMs)} ${paint("cyan", result.step.phase)}`);
        lastPhase = result.step.phase;
      }
    },
    onAlarm(name, state, atMs) {
      if (state === "INSUFFICIENT_DATA") return;
      const shown = state === "ALARM" ? paint("yellow", "ALARM") : "OK";
      screen.say(`${at(atMs)} alarm ${name}: ${shown}`);
    },
    onProgress({ stage, local, load }) {
      const nowMs = local?.clock.nowMs() ?? startMs ?? 0;
      if (local === null || load === null || last === null) {
        screen.plain(`${virtualTime(local === null ? 0 : since(nowMs))} ${stage}`);
        screen.picture([`${paint("bold", "lambdaflex")} ${stage} …`]);
        return;
      }
      // One cell of the line for each second of the load's own average.
      looks += 1;
      if (looks % looksPerCell === 0) noteRates(rates, load);
      screen.picture(picture(local, load, last, rates, since(nowMs)));
      screen.plain(plainLine(local, load, last, since(nowMs)));
    },
  };
}

function virtualTime(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  const seconds = Math.floor(Math.max(0, ms) / 1000) % 60;
  return `${String(minutes).padStart(3)}:${String(seconds).padStart(2, "0")}`;
}

function waitText({ result, atMs }: Seen, nowMs: number): string {
  const { wait } = result.step;
  if (wait === null) return result.decision.reason;
  if (wait.leftMs === null) return `waits for ${wait.kind}: ${wait.message}`;
  const leftMs = Math.max(0, wait.leftMs - (nowMs - atMs));
  return `waits for ${wait.kind}: ${wait.message}, ${span(leftMs)} left`;
}

function picture(
  local: Local,
  load: LoadStats,
  last: Seen,
  rates: Rates,
  elapsedMs: number,
): readonly string[] {
  const { lambda, fargate } = local.plane.facts.route;
  const environments = local.lambdaStats();
  const tasks = local.fargateStats();
  const { byTier, failed, requests } = load;
  const latency = (tier: "lambda" | "fargate"): string => {
    const { p50Ms, p99Ms } = byTier[tier];
    return p50Ms === null ? "" : `p50 ${p50Ms.toFixed(1)} ms  p99 ${p99Ms?.toFixed(0)} ms`;
  };
  const row = (name: string, share: number, perSecond: number, rest: string): string =>
    `  ${name} ${bar(share / 100, 20)} ${String(share).padStart(3)} %` +
    `${count(perSecond).padStart(7)} /s  ${rest}`;
  const fails = failed === 0 ? paint("green", "0 failed") : paint("red", `${count(failed)} failed`);
  const tasksText =
    tasks === null ? local.plane.burst().state : `${tasks.healthy} of ${tasks.desired} tasks`;
  return [
    "",
    `${paint("bold", last.result.step.phase.padEnd(14))} ${virtualTime(elapsedMs)} virtual   ` +
      `${count(requests)} requests, ${fails}`,
    row(
      "Lambda ",
      lambda,
      byTier.lambda.perSecond,
      `${environments.environments} environments, ${environments.coldStarts} cold starts  ` +
        latency("lambda"),
    ),
    row("Fargate", fargate, byTier.fargate.perSecond, `${tasksText}  ${latency("fargate")}`),
    ...trafficLines(rates),
    `  ${waitText(last, local.clock.nowMs())}`,
  ];
}

/** One line for each tier, both up to the same height, so that they can be compared. */
function trafficLines(rates: Rates): readonly string[] {
  const most = Math.max(1, ...rates.lambda, ...rates.fargate);
  return [
    `  Lambda  ${paint("cyan", sparkline(rates.lambda, cells, most))}`,
    `  Fargate ${paint("blue", sparkline(rates.fargate, cells, most))} ≤ ${count(most)}/s`,
  ];
}

function plainLine(local: Local, load: LoadStats, last: Seen, elapsedMs: number): string {
  const { lambda, fargate } = local.plane.facts.route;
  const tasks = local.fargateStats();
  const { byTier } = load;
  return (
    `${virtualTime(elapsedMs)} ${last.result.step.phase}: weights ${lambda}/${fargate}, ` +
    `${count(byTier.lambda.perSecond)} + ${count(byTier.fargate.perSecond)} requests/s, ` +
    `${local.lambdaStats().environments} environments, ${tasks?.healthy ?? 0} tasks, ` +
    `${count(load.requests)} requests, ${count(load.failed)} failed; ` +
    waitText(last, local.clock.nowMs())
  );
}
