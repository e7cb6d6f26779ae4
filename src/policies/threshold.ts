/**
 * The threshold policy: leave Lambda while a busy alarm is in ALARM, come back when it is quiet.
 *
 * The alarms decide; the windows only supply the numbers for the reasons and the size of the burst.
 * Dwell times, back-offs and overrides are the engine's business.
 */
import type { Thresholds } from "../core/alarms.ts";
import type {
  AlarmName,
  Decision,
  Policy,
  PolicyState,
  PolicyView,
  Sample,
} from "../core/types.ts";
import { holdFor } from "./wording.ts";

/** Settings of the threshold policy. */
export interface ThresholdPolicyOptions {
  readonly tasksMin: number;
  readonly tasksMax: number;
  /** Requests per minute that one task serves with ease: the size of the burst follows from it. */
  readonly requestsPerTaskPerMinute: number;
  readonly thresholds: Thresholds;
}

/** Total demand of one closed window, scaled to a minute. */
interface Demand {
  readonly startMs: number;
  readonly requestsPerMinute: number;
  readonly throttles: number;
  /** Lambda's, because only there is concurrency scarce. */
  readonly concurrency: number;
}

/** What is remembered: the latest windows by themselves, the others, oldest first. */
interface Memory {
  readonly windows: readonly Demand[];
  readonly latest: readonly Demand[];
}

const latestMax = 12;

const busyAlarms = [
  "busy-requests",
  "busy-concurrency",
  "throttled",
] as const satisfies readonly AlarmName[];

/** Makes the policy. Its state is the demand of the latest windows, as each is shown only once. */
export function thresholdPolicy(options: ThresholdPolicyOptions): Policy {
  const { up, down } = options.thresholds;
  const windowsKept = Math.max(up.of, down.minutes);
  return {
    name: "threshold",
    decide(view, state) {
      const known = recall(state);
      const fresh = view.samples.length > 0;
      const memory = fresh ? remember(known, view.samples, windowsKept) : known;
      const windows = (): readonly Demand[] => windowsOf(memory, windowsKept);
      const decision =
        view.target === "lambda"
          ? onLambda(view, windows, options)
          : onFargate(view, windows, options);
      // The same object says that nothing must be committed.
      return { decision, policyState: fresh ? { ...memory } : state };
    },
  };
}

/** A busy alarm while Lambda is the target also means: traffic came back during the way down. */
function onLambda(
  view: PolicyView,
  windows: () => readonly Demand[],
  options: ThresholdPolicyOptions,
): Decision {
  const { up } = options.thresholds;
  const busy = busyOf(view);
  if (busy.length === 0) {
    return holdFor(() => {
      const rule = `bursts at ${count(up.requestsPerMinute)} in ${up.periods} of ${up.of} minutes`;
      return `${latest(windows())}, ${rule}`;
    });
  }
  const recent = windows().slice(-up.of);
  const peak = highest(recent, "requestsPerMinute");
  const wanted = Math.ceil((peak ?? 0) / options.requestsPerTaskPerMinute);
  const tasks = Math.min(options.tasksMax, Math.max(options.tasksMin, wanted));
  const bound = wanted > tasks ? ` (${count(wanted)} wanted, at most ${tasks} allowed)` : "";
  const causes = busy.map((name) => `${name}: ${busyNumbers(name, recent, options.thresholds)}`);
  const reason = `${causes.join("; ")} → ${plural(tasks, "task")}${bound}`;
  return { type: "target", tier: "fargate", tasks, reason };
}

function onFargate(
  view: PolicyView,
  windows: () => readonly Demand[],
  options: ThresholdPolicyOptions,
): Decision {
  const { down } = options.thresholds;
  const below = (): string => `below ${count(down.requestsPerMinute)}`;
  const rule = (): string => `${down.minutes} of ${plural(down.minutes, "minute")}`;
  const busy = busyOf(view);
  if (busy.length > 0) return holdFor(() => `${latest(windows())}, ${busy.join(", ")} in ALARM`);
  if (view.alarms.quiet === "ALARM") {
    const peak = highest(windows().slice(-down.minutes), "requestsPerMinute");
    const most = peak === null ? "no request seen" : `at most ${count(peak)} requests/min`;
    const reason = `quiet: ${most}, ${below()} in ${rule()}`;
    return { type: "target", tier: "lambda", tasks: options.tasksMin, reason };
  }
  return holdFor(() => {
    const quiet = quietWindows(windows(), down.requestsPerMinute);
    const so = quiet > 0 ? `, ${quiet} so far` : "";
    return `${latest(windows())}, leaves ${below()} for ${rule()}${so}`;
  });
}

const none: readonly (typeof busyAlarms)[number][] = [];

/** The busy alarms that are in ALARM; mostly none, and then without a new list. */
function busyOf(view: PolicyView): readonly (typeof busyAlarms)[number][] {
  const inAlarm = (name: AlarmName): boolean => view.alarms[name] === "ALARM";
  return busyAlarms.some(inAlarm) ? busyAlarms.filter(inAlarm) : none;
}

function busyNumbers(
  name: (typeof busyAlarms)[number],
  recent: readonly Demand[],
  { up }: Thresholds,
): string {
  const rule = `in ${up.periods} of ${up.of} minutes`;
  if (name === "throttled") {
    const refused = highest(recent, "throttles");
    return refused === null ? "Lambda refuses requests" : `${count(refused)} requests/min refused`;
  }
  if (name === "busy-concurrency") {
    const most = highest(recent, "concurrency");
    return most === null ? `concurrency above its limit ${rule}` : `${count(most)} at once ${rule}`;
  }
  const peak = highest(recent, "requestsPerMinute");
  const limit = `≥ ${count(up.requestsPerMinute)} ${rule}`;
  return peak === null ? `requests/min ${limit}` : `${count(peak)} requests/min ${limit}`;
}

/**
 * Adds the new windows, one entry per minute for both tiers, and forgets the oldest. The latest few
 * are kept apart: each state is a new one, and hours of windows need not be copied every minute.
 */
function remember(known: Memory, samples: readonly Sample[], windowsKept: number): Memory {
  let { windows } = known;
  let latest = known.latest.slice();
  for (const sample of samples) {
    if (latest.at(-1)?.startMs !== sample.startMs && latest.length >= latestMax) {
      windows = [...windows, ...latest].slice(-windowsKept);
      latest = [];
    }
    const other = latest.at(-1)?.startMs === sample.startMs ? latest.pop() : undefined;
    const perMinute = 60_000 / sample.periodMs;
    latest.push({
      startMs: sample.startMs,
      requestsPerMinute: (other?.requestsPerMinute ?? 0) + sample.requests * perMinute,
      throttles: (other?.throttles ?? 0) + sample.throttles * perMinute,
      concurrency: sample.tier === "lambda" ? sample.concurrencyMax : (other?.concurrency ?? 0),
    });
  }
  return { windows, latest };
}

function windowsOf({ windows, latest }: Memory, windowsKept: number): readonly Demand[] {
  return [...windows, ...latest].slice(-windowsKept);
}

const nothing: Memory = { windows: [], latest: [] };

/** A state that another policy left behind is as good as none. */
function recall({ windows, latest }: PolicyState): Memory {
  if (!Array.isArray(windows)) return nothing;
  const apart = Array.isArray(latest) ? (latest as readonly Demand[]) : [];
  return { windows: windows as readonly Demand[], latest: apart };
}

function latest(windows: readonly Demand[]): string {
  const demand = windows.at(-1);
  return demand ? `${count(demand.requestsPerMinute)} requests/min` : "no window seen yet";
}

function quietWindows(windows: readonly Demand[], threshold: number): number {
  const loud = windows.findLastIndex((demand) => demand.requestsPerMinute >= threshold);
  return windows.length - 1 - loud;
}

function highest(
  windows: readonly Demand[],
  key: "requestsPerMinute" | "throttles" | "concurrency",
): number | null {
  return windows.length === 0 ? null : Math.max(...windows.map((demand) => demand[key]));
}

/** Whole numbers with separators; `toLocaleString` is too slow for a simulated year of minutes. */
function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

function plural(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}
