/** A story of one seed: rough weather, incidents, then calm, in which everything must end well. */
import { tableKeys } from "../../../src/core/deployment.ts";
import { burstStack, type ConfigKeys } from "../base-stack.ts";
import { type Cycle, roughWeather, startCycle } from "./cycle.ts";
import { drawnIncidents, type Incident } from "./incidents.ts";

/** What a story came to. */
export interface StoryResult {
  readonly seed: number;
  /** What is configured unlike the others. */
  readonly variant: string;
  readonly incidents: readonly string[];
  /** What must not be; empty when all is well. */
  readonly problems: readonly string[];
  /** Calls with faults, by action and kind. */
  readonly faults: ReadonlyMap<string, number>;
  /** Calls of the controller, by what IAM was asked. */
  readonly cycle: Pick<Cycle, "aws" | "base" | "ends" | "log" | "monitor" | "world">;
  readonly calls: number;
  readonly deaths: number;
  readonly reachedFargate: boolean;
}

/** How a story is told. */
export interface StoryOptions {
  readonly seed: number;
  readonly bundle: string;
  /** Share of the calls that go wrong. */
  readonly probability?: number;
  /** Incidents in place of the seed's own. */
  readonly incidents?: readonly Incident[];
}

const calmMinutes = 4;
const busyMinutes = 40;

/** Once nothing goes wrong any more, everything must be in order within this time. */
const convergenceMinutes = 150;

/** DNS needs this long to answer with the other tier when one has died, and clients to ask. */
const hurtMs = 4 * 60_000;

/** Deployments that the seeds take turns with. */
const variants: readonly ConfigKeys[] = [
  {},
  { standby: "cold" },
  { frontDoor: "rest" },
  { policy: "auto" },
  { standby: "cold", policy: "break-even" },
];

/** Tells the story of a seed. */
export async function tellStory(options: StoryOptions): Promise<StoryResult> {
  const { seed, bundle, probability = 0.03 } = options;
  const variant = variants[seed % variants.length] ?? {};
  const cycle = await startCycle({ seed, bundle, config: variant });
  const planned = options.incidents ?? drawnIncidents(seed);
  const hurt: { fromMs: number; untilMs: number }[] = [];
  try {
    await cycle.until(() => cycle.monitor.weights.length > 0, 5);
    await cycle.until(() => false, calmMinutes);
    cycle.faults = roughWeather(seed, probability);
    cycle.world.traffic.rate = () => 60;
    for (let minute = 1; minute <= busyMinutes; minute += 1) {
      for (const incident of planned.filter(({ atMinute }) => atMinute === minute)) {
        const { nowMs } = cycle.world;
        incident.happen(cycle);
        if (incident.hurts) hurt.push({ fromMs: nowMs, untilMs: nowMs + hurtMs });
      }
      await cycle.until(() => false, 1);
    }
    cycle.world.traffic.rate = () => 1;
    await cycle.until(() => false, 20);
    cycle.faults = () => null;
    const converged = await cycle.until(() => atRest(cycle), convergenceMinutes);
    return resultOf(cycle, seed, planned, problemsOf(cycle, converged, hurt));
  } finally {
    await cycle.stop();
  }
}

/** Nothing of the burst tier is left, and all traffic is on Lambda. */
export function atRest({ world, base }: Cycle): boolean {
  const records = base.zone.records.filter(({ SetIdentifier }) => SetIdentifier !== undefined);
  const [only] = records;
  const onLambda = records.length === 1 && only?.SetIdentifier === "lambda" && only.Weight === 255;
  const clean = world.balancers.size + world.services.size === 0;
  return onLambda && clean && burstStack(world) === null;
}

function problemsOf(
  cycle: Cycle,
  converged: boolean,
  hurt: readonly { fromMs: number; untilMs: number }[],
): readonly string[] {
  const { world, monitor, ends, base } = cycle;
  const problems = [...monitor.violations];
  if (!converged) {
    const stack = burstStack(world);
    problems.push(`6: not at rest after ${convergenceMinutes} minutes: ${stack?.status}`);
  }
  const lost = world.traffic.losses.filter(
    ({ atMs }) => !hurt.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs <= untilMs),
  );
  const sum = lost.reduce((total, { requests }) => total + requests, 0);
  const [first] = lost;
  if (first) {
    const at = new Date(first.atMs).toISOString();
    problems.push(`${Math.round(sum)} requests lost, the first at ${at}: ${first.why}`);
  }
  for (const end of ends) if (end.type === "threw") problems.push(`threw: ${end.error}`);
  const left = [...world.tagged].filter(
    ([, { tags }]) => tags["aws:cloudformation:stack-name"] === "shop-burst",
  );
  // Free pieces may be left by a removal that was given up; what is billed may not.
  const billed = left.filter(([, { type }]) => /LoadBalancer$|Service$|NatGateway|EIP/.test(type));
  for (const [arn] of billed) problems.push(`left behind: ${arn}`);
  if (base.zone.records.length === 0) problems.push("4: the name is gone");
  return [...problems, ...historyProblems(cycle)];
}

/** The history must tell of every stack that was made and of every time that weights moved up. */
function historyProblems({ world, base, monitor }: Cycle): readonly string[] {
  const table = world.tables.get(base.environment.LAMBDAFLEX_TABLE ?? "");
  const events = [...(table?.items.values() ?? [])].filter(
    (item) => item.pk?.S === tableKeys.event,
  );
  const text = JSON.stringify(events);
  const moved = monitor.weights.some(({ fargate }) => (fargate ?? 0) > 0);
  if (moved && !text.includes("target fargate")) return ["the history tells of no way up"];
  if (moved && !text.includes("target lambda")) return ["the history tells of no way down"];
  return [];
}

function resultOf(
  cycle: Cycle,
  seed: number,
  planned: readonly Incident[],
  problems: readonly string[],
): StoryResult {
  const faults = new Map<string, number>();
  for (const { action, fault } of cycle.aws.calls) {
    if (fault === null) continue;
    const key = `${action} ${fault}`;
    faults.set(key, (faults.get(key) ?? 0) + 1);
  }
  return {
    seed,
    variant: JSON.stringify(variants[seed % variants.length]),
    incidents: planned.map(({ atMinute, name }) => `${atMinute}: ${name}`),
    problems,
    faults,
    cycle,
    calls: cycle.aws.calls.length,
    deaths: cycle.ends.filter(({ type }) => type === "died").length,
    reachedFargate: cycle.monitor.weights.some(({ fargate }) => fargate === 255),
  };
}
