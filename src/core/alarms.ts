/**
 * CloudWatch alarms, pure: what they watch, and how a state follows from datapoints.
 *
 * The definitions are data. CloudFormation templates, the local cloud and the simulator are fed
 * from the same ones, so that a rehearsal crosses the thresholds that production would cross.
 *
 * Source of the semantics: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat
 * missing data" and "Using metric math".
 */
import type { AlarmName, AlarmState, Sample, Tier } from "./types.ts";

/** What a tier reports per window. */
export type MetricName = "requests" | "errors" | "throttles" | "concurrencyMax";

/** One metric of one tier: a CloudWatch time series. */
export interface MetricRef {
  readonly tier: Tier;
  readonly metric: MetricName;
}

/** What an alarm watches: one series, or `SUM([FILL(a, fill), FILL(b, fill), …])`. */
export type AlarmMetrics =
  | { readonly kind: "single"; readonly of: MetricRef }
  | { readonly kind: "sum"; readonly of: readonly MetricRef[]; readonly fill: number };

/** What CloudWatch makes of a datapoint that was never reported. */
export type TreatMissingData = "notBreaching" | "breaching" | "missing" | "ignore";

/** One alarm as CloudWatch would take it, in words of this project. */
export interface AlarmDefinition {
  readonly name: AlarmName;
  /** The stack that holds the alarm: the permanent one, or the one that comes with Fargate. */
  readonly stack: "base" | "burst";
  /** What the alarm means, for its description and for people. */
  readonly sentence: string;
  readonly metrics: AlarmMetrics;
  readonly statistic: "Sum" | "Maximum";
  readonly periodSeconds: number;
  /** N of "M out of N". */
  readonly evaluationPeriods: number;
  /** M of "M out of N". */
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: "GreaterThanOrEqualToThreshold" | "LessThanThreshold";
  readonly treatMissingData: TreatMissingData;
}

/** When it is busy enough to leave Lambda, and quiet enough to come back. */
export interface Thresholds {
  readonly up: {
    readonly requestsPerMinute: number;
    readonly concurrency: number;
    /** M: so many minutes must be busy … */
    readonly periods: number;
    /** N: … of so many. */
    readonly of: number;
  };
  readonly down: {
    readonly requestsPerMinute: number;
    /** So many minutes in a row must be quiet. */
    readonly minutes: number;
  };
}

/** Before the first evaluation nothing is known. */
export const alarmsAtStart: Readonly<Record<AlarmName, AlarmState>> = {
  "busy-requests": "INSUFFICIENT_DATA",
  "busy-concurrency": "INSUFFICIENT_DATA",
  throttled: "INSUFFICIENT_DATA",
  quiet: "INSUFFICIENT_DATA",
};

/** Concurrency that an account has by default; new accounts often start with 10. */
const concurrencyQuotaDefault = 1000;

/** The share of the quota at which it is time to leave: environments still start meanwhile. */
const concurrencyShareMax = 0.6;

/** API Gateway and the balancer cannot be read in shorter windows. */
const periodSeconds = 60;

/**
 * The four alarms. The concurrency alarm fires at the configured threshold or at 60 % of
 * `concurrencyQuota` (default 1,000), whichever is lower: before throttling, on any account.
 */
export function alarmDefinitions(
  thresholds: Thresholds,
  concurrencyQuota: number = concurrencyQuotaDefault,
): readonly AlarmDefinition[] {
  const { up, down } = thresholds;
  const ofQuota = Math.max(1, Math.floor(concurrencyQuota * concurrencyShareMax));
  const busy = {
    stack: "base",
    periodSeconds,
    evaluationPeriods: up.of,
    datapointsToAlarm: up.periods,
    comparison: "GreaterThanOrEqualToThreshold",
    treatMissingData: "notBreaching",
  } as const;
  return [
    {
      ...busy,
      name: "busy-requests",
      sentence: "Lambda answers so many requests that Fargate is worth its price.",
      metrics: { kind: "single", of: { tier: "lambda", metric: "requests" } },
      statistic: "Sum",
      threshold: up.requestsPerMinute,
    },
    {
      ...busy,
      name: "busy-concurrency",
      sentence: "So many requests are in flight that the account's concurrency may run out.",
      metrics: { kind: "single", of: { tier: "lambda", metric: "concurrencyMax" } },
      statistic: "Maximum",
      threshold: Math.min(up.concurrency, ofQuota),
    },
    {
      ...busy,
      name: "throttled",
      sentence: "Lambda refuses requests: waiting for a second minute would only refuse more.",
      metrics: { kind: "single", of: { tier: "lambda", metric: "throttles" } },
      statistic: "Sum",
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      threshold: 1,
    },
    {
      name: "quiet",
      stack: "burst",
      sentence: "Both tiers together see so little demand that Lambda alone is cheaper.",
      metrics: {
        kind: "sum",
        of: [
          { tier: "lambda", metric: "requests" },
          { tier: "fargate", metric: "requests" },
        ],
        fill: 0,
      },
      statistic: "Sum",
      periodSeconds,
      evaluationPeriods: down.minutes,
      datapointsToAlarm: down.minutes,
      threshold: down.requestsPerMinute,
      comparison: "LessThanThreshold",
      treatMissingData: "breaching",
    },
  ];
}

/**
 * Datapoints that CloudWatch retrieves: more than it needs, in case some are missing. AWS documents
 * one case only, 5 for 3 evaluation periods; this is the smallest rule that agrees with it.
 */
export function evaluationRange(definition: AlarmDefinition): number {
  return definition.evaluationPeriods + 2;
}

/**
 * The state that follows from the datapoints of the evaluation range: oldest first, `null` if
 * missing.
 *
 * The newest real datapoints count, as many as there are evaluation periods. Only if the whole
 * range has fewer than that does the treatment of missing data fill the difference. If all of them
 * breach and the oldest is at least M old, a *premature* alarm is raised although fewer than M
 * exist. AWS leaves open what `ignore` makes of younger ones; here it keeps the state.
 */
export function evaluateAlarm(
  definition: AlarmDefinition,
  points: readonly (number | null)[],
  previous: AlarmState,
): AlarmState {
  const { evaluationPeriods, datapointsToAlarm, treatMissingData } = definition;
  let real = 0;
  let breaching = 0;
  let oldestAge = 0;
  for (let at = points.length - 1; at >= 0 && real < evaluationPeriods; at -= 1) {
    const point = points[at] ?? null;
    if (point === null) continue;
    real += 1;
    oldestAge = points.length - at;
    if (breaches(definition, point)) breaching += 1;
  }
  const missing = evaluationPeriods - real;
  if (breaching >= datapointsToAlarm) return "ALARM";
  if (missing === 0 || treatMissingData === "notBreaching") return "OK";
  if (treatMissingData === "breaching") {
    return breaching + missing >= datapointsToAlarm ? "ALARM" : "OK";
  }
  if (breaching < real) return "OK";
  if (treatMissingData === "ignore") return previous;
  if (real === 0) return "INSUFFICIENT_DATA";
  return oldestAge >= datapointsToAlarm ? "ALARM" : "OK";
}

function breaches(definition: AlarmDefinition, point: number): boolean {
  return definition.comparison === "LessThanThreshold"
    ? point < definition.threshold
    : point >= definition.threshold;
}

/**
 * What the alarm's metrics report for the periods from `fromMs` to before `toMs`, oldest first.
 * A tier without requests reports nothing (`null`), as API Gateway, Lambda and the balancer do.
 * A sample belongs to the period in which it starts.
 */
export function datapoints(
  definition: AlarmDefinition,
  samples: readonly Sample[],
  fromMs: number,
  toMs: number,
): (number | null)[] {
  const { metrics } = definition;
  if (metrics.kind === "single") return series(definition, metrics.of, samples, fromMs, toMs);
  let sum: (number | null)[] | null = null;
  for (const ref of metrics.of) {
    const one = series(definition, ref, samples, fromMs, toMs);
    fillGaps(one, metrics.fill);
    sum = sum === null ? one : addSeries(sum, one);
  }
  return sum ?? [];
}

function series(
  definition: AlarmDefinition,
  ref: MetricRef,
  samples: readonly Sample[],
  fromMs: number,
  toMs: number,
): (number | null)[] {
  const periodMs = definition.periodSeconds * 1000;
  const points = new Array<number | null>(Math.ceil((toMs - fromMs) / periodMs)).fill(null);
  for (const sample of samples) {
    if (sample.startMs < fromMs || sample.startMs >= toMs || sample.tier !== ref.tier) continue;
    if (isSilent(sample, ref.metric)) continue;
    const at = Math.floor((sample.startMs - fromMs) / periodMs);
    const value = sample[ref.metric];
    const before = points[at] ?? null;
    if (before === null) points[at] = value;
    else points[at] = definition.statistic === "Sum" ? before + value : Math.max(before, value);
  }
  return points;
}

/** Requests that last longer than a window keep its concurrency reported, but nothing else. */
function isSilent(sample: Sample, metric: MetricName): boolean {
  return sample.requests === 0 && (metric !== "concurrencyMax" || sample.concurrencyMax === 0);
}

/** FILL(series, value): fills gaps, but cannot fill a series that has no datapoint at all. */
function fillGaps(points: (number | null)[], value: number): void {
  if (points.every((point) => point === null)) return;
  for (let at = 0; at < points.length; at += 1) points[at] ??= value;
}

/** SUM([a, b]): a datapoint that only one side lacks counts as 0. */
function addSeries(a: (number | null)[], b: readonly (number | null)[]): (number | null)[] {
  for (let at = 0; at < a.length; at += 1) {
    const addend = b[at] ?? null;
    if (addend !== null) a[at] = (a[at] ?? 0) + addend;
  }
  return a;
}

/** What `evaluateAlarms` must know of the world besides the samples. */
export interface AlarmWorld {
  /** Whether the burst stack exists; its alarms are INSUFFICIENT_DATA while it does not. */
  readonly burstExists: boolean;
}

/**
 * Evaluates all alarms over the periods that ended by `nowMs`. To model metrics that arrive late,
 * pass an earlier `nowMs`: the newest periods are then not looked at, as in CloudWatch.
 */
export function evaluateAlarms(
  definitions: readonly AlarmDefinition[],
  samples: readonly Sample[],
  nowMs: number,
  previous: Readonly<Record<AlarmName, AlarmState>>,
  { burstExists }: AlarmWorld,
): Record<AlarmName, AlarmState> {
  const states = { ...previous };
  for (const definition of definitions) {
    if (definition.stack === "burst" && !burstExists) {
      states[definition.name] = "INSUFFICIENT_DATA";
      continue;
    }
    const periodMs = definition.periodSeconds * 1000;
    const toMs = Math.floor(nowMs / periodMs) * periodMs;
    const fromMs = toMs - evaluationRange(definition) * periodMs;
    const points = datapoints(definition, samples, fromMs, toMs);
    states[definition.name] = evaluateAlarm(definition, points, previous[definition.name]);
  }
  return states;
}
