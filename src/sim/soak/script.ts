/** What will happen in a run: drawn from a seed, plain data, so that it can be shortened. */
import type { Thresholds } from "../../core/alarms.ts";
import { between, type Random, seededRandom } from "../../core/random.ts";
import type { EngineSettings, Tier } from "../../core/types.ts";

const secondMs = 1000;
const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;

/** Calls of the port that can go wrong. */
export type Call = "observe" | "commit" | "apply";

/**
 * What happens to the next such call: it fails before or after taking effect, takes effect only
 * after it has failed, hangs, or tells what was true a while ago.
 */
export type Mishap = "before" | "after" | "late" | "stall" | "stale";

/** Something that happens at a moment. Spans are milliseconds. */
export type Happening =
  | { readonly kind: "call"; readonly call: Call; readonly mishap: Mishap; readonly forMs: number }
  | { readonly kind: "ticks lost"; readonly forMs: number }
  | { readonly kind: "tick doubled" }
  | { readonly kind: "next creation"; readonly how: "fails" | "is removed" | "is slow" }
  | { readonly kind: "next removal"; readonly how: "fails" | "leaves an orphan" | "is slow" }
  | { readonly kind: "targets die"; readonly forMs: number }
  | { readonly kind: "stack fails" }
  | { readonly kind: "stack deleted by hand" }
  | { readonly kind: "weights set by hand"; readonly fargate: number | null }
  | { readonly kind: "DNS is slow"; readonly forMs: number }
  | { readonly kind: "Lambda throttled"; readonly forMs: number }
  | { readonly kind: "Lambda down"; readonly forMs: number }
  | { readonly kind: "errors"; readonly tier: Tier; readonly forMs: number }
  | { readonly kind: "deploy"; readonly image: number }
  | { readonly kind: "pin"; readonly tier: Tier | null; readonly forMs: number | null }
  | { readonly kind: "traffic"; readonly requestsPerMinute: number };

/** A happening with its time. */
export interface ScriptEvent {
  readonly atMs: number;
  readonly what: Happening;
}

/** Everything that decides about a run. */
export interface Script {
  readonly seed: number;
  readonly policy: "threshold" | "auto" | "work-function" | "break-even";
  readonly settings: EngineSettings;
  readonly thresholds: Thresholds;
  /** How far the clocks of the two controllers are off. */
  readonly clockSkewMs: readonly [number, number];
  /** How long clients keep an answer beyond its TTL, one entry per client. */
  readonly clientsKeepMs: readonly number[];
  /** How long the requests of each client take. */
  readonly clientsTakeMs: readonly number[];
  readonly endMs: number;
  readonly events: readonly ScriptEvent[];
}

/** The script of a seed. */
export function scriptOf(seed: number, days = 1): Script {
  const random = seededRandom(seed);
  const endMs = days * dayMs;
  const settings = settingsFrom(random);
  const skew = (): number => Math.round(between(random, -1, 1) * pick(random, [0, 0, 200, 2000]));
  const happenings = eventsFrom(random, endMs, pick(random, [0, 10, 40, 120]) * days);
  const traffic = trafficFrom(random, endMs);
  return {
    seed,
    policy: pick(random, policies),
    settings,
    thresholds: {
      up: { requestsPerMinute: 3000, concurrency: 1000, ...pick(random, reactions) },
      down: { requestsPerMinute: 300, minutes: pick(random, [1, 2, 3, 15]) },
    },
    clockSkewMs: [skew(), skew()],
    clientsKeepMs: Array.from({ length: 6 }, () => pick(random, keeps) * minuteMs),
    clientsTakeMs: Array.from({ length: 6 }, () => pick(random, takes) * secondMs),
    endMs,
    events: [...happenings, ...traffic].sort((a, b) => a.atMs - b.atMs),
  };
}

const policies = ["threshold", "threshold", "break-even", "auto", "work-function"] as const;

/** How many of how many minutes must be busy. */
const reactions = [
  { periods: 1, of: 1 },
  { periods: 1, of: 2 },
  { periods: 2, of: 3 },
] as const;

/** Minutes beyond the TTL: most are prompt, a connection lives a minute, some never ask again. */
const keeps = [0, 0, 0, 0, 1, 1, 12, 600] as const;

/** Seconds that a request takes: most are quick, none takes longer than either tier allows. */
const takes = [0.05, 0.05, 0.05, 0.05, 2, 29] as const;

function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[Math.floor(random() * from.length)] ?? from[0];
  if (found === undefined) throw new RangeError("nothing to pick from");
  return found;
}

function settingsFrom(random: Random): EngineSettings {
  const quick = random() < 0.8;
  const minutes = (few: number, many: number): number => (quick ? few : many) * minuteMs;
  const drainMaxMs = minutes(6, 60);
  return {
    ttlMs: pick(random, quick ? [10, 20, 60] : [60]) * secondMs,
    stepPercents: pick(random, [[10, 50, 100], [100], [50, 100], [1, 5, 25, 100]]),
    stepPercentsDown: pick(random, [[50, 0], [0], [80, 40, 0]]),
    bakeMs: pick(random, quick ? [0, 10, 20] : [0, 60]) * secondMs,
    healthyMs: pick(random, [10, 30]) * secondMs,
    probesMin: pick(random, [1, 3, 5]),
    tasksMin: 2,
    tasksMax: 20,
    drainQuietMs: minutes(1, 10),
    drainMaxMs,
    dwellFargateMs: minutes(pick(random, [0, 2, 5]), 50),
    dwellLambdaMs: minutes(pick(random, [0, 1, 2]), 10),
    errorMargin: 0.05,
    errorRequestsMin: 50,
    deadlineMs: {
      provisioning: 15 * minuteMs,
      shifting: 15 * minuteMs,
      deprovisioning: 15 * minuteMs,
    },
    backoffMs: minutes(1, 5),
    backoffMaxMs: minutes(8, 60),
    pollMs: pick(random, [5, 10, 15]) * secondMs,
    idleMs: minuteMs,
  };
}

/** Quiet, busy and in between, long or short, so that traffic returns at every moment. */
function trafficFrom(random: Random, endMs: number): readonly ScriptEvent[] {
  const events: ScriptEvent[] = [];
  const pace = pick(random, [3, 6, 12, 30]);
  const levels = [0, 3, 40, 200, 1200, 4000, 9000] as const;
  for (let atMs = 0; atMs < endMs; ) {
    const requestsPerMinute = pick(random, levels);
    events.push({ atMs: Math.round(atMs), what: { kind: "traffic", requestsPerMinute } });
    atMs += between(random, 0.2, 2) * pace * minuteMs;
  }
  return events;
}

function eventsFrom(random: Random, endMs: number, count: number): readonly ScriptEvent[] {
  return Array.from({ length: count }, () => ({
    atMs: Math.round(random() * endMs),
    what: happeningFrom(random),
  }));
}

function happeningFrom(random: Random): Happening {
  const forMs = Math.round(pick(random, [5, 30, 120, 600, 1800]) * secondMs * (0.5 + random()));
  const draws: readonly (() => Happening)[] = [
    () => callFrom(random, forMs),
    () => callFrom(random, forMs),
    () => callFrom(random, forMs),
    () => ({ kind: "ticks lost", forMs }),
    () => ({ kind: "tick doubled" }),
    () => ({ kind: "next creation", how: pick(random, ["fails", "is removed", "is slow"]) }),
    () => ({ kind: "next removal", how: pick(random, ["fails", "leaves an orphan", "is slow"]) }),
    () => ({ kind: "targets die", forMs }),
    () => ({ kind: "stack fails" }),
    () => ({ kind: "stack deleted by hand" }),
    () => ({ kind: "weights set by hand", fargate: pick(random, [null, 0, 30, 100]) }),
    () => ({ kind: "DNS is slow", forMs }),
    () => ({ kind: "Lambda throttled", forMs }),
    () => ({ kind: "Lambda down", forMs }),
    () => ({ kind: "errors", tier: pick(random, ["lambda", "fargate"]), forMs }),
    () => ({ kind: "deploy", image: pick(random, [1, 2, 3]) }),
    () => ({
      kind: "pin",
      tier: pick(random, ["lambda", "fargate", null]),
      forMs: pick(random, [null, forMs]),
    }),
  ];
  return pick(random, draws)();
}

function callFrom(random: Random, forMs: number): Happening {
  const call = pick(random, ["observe", "commit", "apply"] as const);
  const mishaps = {
    observe: ["before", "stall", "stale"],
    commit: ["before", "after", "stall"],
    apply: ["before", "after", "late", "stall"],
  } as const;
  return { kind: "call", call, mishap: pick<Mishap>(random, mishaps[call]), forMs };
}
