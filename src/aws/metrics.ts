/** What both tiers did, minute by minute, read from CloudWatch. */
import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
} from "@aws-sdk/client-cloudwatch";
import type { RecentTraffic, Sample, Tier } from "../core/index.ts";
import { periodMs, type SeriesName } from "./metric-queries.ts";

/** Values by the start of their minute. */
export type Series = Readonly<Record<SeriesName, ReadonlyMap<number, number>>>;

/**
 * A minute counts as closed this long after its end: API Gateway, Lambda and the balancer deliver
 * within one to two minutes, and a window that was consumed is never looked at again.
 */
export const metricDelayMs: number = 2 * 60_000;

/** Minutes that were not seen while asleep are made up for, but not more than a day of them. */
export const backfillMsMax: number = 24 * 60 * 60_000;

/** Span of the traffic that guards look at. */
const recentMs = 3 * 60_000;

/** Newest windows that are always read: guards need the latency of what was consumed already. */
const lookBackMs = 10 * 60_000;

/** Pages of one answer at most: a day of all series fits into the first. */
const pagesMax = 10;

const names: readonly SeriesName[] = [
  "lambdaRequests",
  "lambdaErrors",
  "lambdaLatency",
  "throttles",
  "concurrency",
  "duration",
  "accountConcurrency",
  "fargateRequests",
  "fargateErrors",
  "balancerErrors",
  "fargateLatency",
  "fargateMean",
];

/** From when on to read: unseen windows, within bounds, and what guards and the drain look at. */
export function readFromMs(windowSeenMs: number, drainQuietMs: number, nowMs: number): number {
  const leastMs = Math.max(lookBackMs, drainQuietMs) + metricDelayMs + 2 * periodMs;
  const unseenMs = windowSeenMs < 0 ? nowMs : windowSeenMs + periodMs;
  const fromMs = Math.max(nowMs - backfillMsMax, Math.min(unseenMs, nowMs - leastMs));
  return Math.floor(fromMs / periodMs) * periodMs;
}

/**
 * Reads all pages of all queries from `fromMs` to now. Throws if any series is not whole: what is
 * missing would count as zero, and a balancer that nobody could read as one that nobody asks.
 */
export async function readSeries(
  client: CloudWatchClient,
  queries: MetricDataQuery[],
  fromMs: number,
  nowMs: number,
): Promise<Series> {
  const series = Object.fromEntries(names.map((name) => [name, new Map<number, number>()]));
  const states = new Map<string, string>(queries.map(({ Id: id = "" }) => [id, "missing"]));
  let next: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await client.send(
      new GetMetricDataCommand({
        MetricDataQueries: queries,
        StartTime: new Date(fromMs),
        // The open minute has no end yet; its first values are of use to guards.
        EndTime: new Date((Math.floor(nowMs / periodMs) + 1) * periodMs),
        ScanBy: "TimestampAscending",
        ...(next ? { NextToken: next } : {}),
      }),
    );
    for (const {
      Id: id = "",
      Timestamps: times = [],
      Values: values = [],
      StatusCode: code = "Complete",
    } of answer.MetricDataResults ?? []) {
      // All pages but the last are partial.
      states.set(id, code);
      for (const [at, time] of times.entries()) series[id]?.set(time.getTime(), values[at] ?? 0);
    }
    next = answer.NextToken;
    if (next === undefined) {
      requireWhole(states);
      return series as unknown as Series;
    }
  }
  throw new Error(`CloudWatch's answer has more than ${pagesMax} pages`);
}

function requireWhole(states: ReadonlyMap<string, string>): void {
  const broken = [...states].filter(([, code]) => code !== "Complete");
  if (broken.length === 0) return;
  const list = broken.map(([id, code]) => `${id} (${code})`).join(", ");
  throw new Error(`CloudWatch could not read ${list}`);
}

/** The closed windows from `fromMs` on, oldest first, Fargate's only while there is a balancer. */
export function closedSamples(
  series: Series,
  fromMs: number,
  nowMs: number,
  hasFargate: boolean,
): readonly Sample[] {
  const samples: Sample[] = [];
  const untilMs = nowMs - metricDelayMs;
  for (let startMs = fromMs; startMs + periodMs <= untilMs; startMs += periodMs) {
    samples.push(lambdaSample(series, startMs));
    if (hasFargate) samples.push(fargateSample(series, startMs));
  }
  return samples;
}

function lambdaSample(series: Series, startMs: number): Sample {
  const at = (name: SeriesName): number => series[name].get(startMs) ?? 0;
  const requests = at("lambdaRequests");
  const durationMsMean = series.duration.get(startMs);
  return {
    tier: "lambda",
    startMs,
    periodMs,
    requests,
    errors: at("lambdaErrors"),
    throttles: at("throttles"),
    concurrencyMax: at("concurrency"),
    latencyMsP99: requests === 0 ? null : at("lambdaLatency"),
    ...(durationMsMean === undefined ? {} : { durationMsMean }),
  };
}

function fargateSample(series: Series, startMs: number): Sample {
  const at = (name: SeriesName): number => series[name].get(startMs) ?? 0;
  const requests = at("fargateRequests");
  return {
    tier: "fargate",
    startMs,
    periodMs,
    requests,
    errors: at("fargateErrors") + at("balancerErrors"),
    throttles: 0,
    // The balancer does not report requests in flight: Little's law, over the minute's mean.
    concurrencyMax: Math.ceil((requests / (periodMs / 1000)) * at("fargateMean")),
    latencyMsP99: requests === 0 ? null : at("fargateLatency") * 1000,
  };
}

/**
 * Traffic of the last minutes, the open one included. The newest minute that any series knows ends
 * the span, so that late data do not look like less traffic.
 */
export function recentTraffic(
  series: Series,
  nowMs: number,
): Readonly<Record<Tier, RecentTraffic>> {
  const newestMs = Math.max(
    ...[series.lambdaRequests, series.fargateRequests].flatMap((one) => [...one.keys()]),
    nowMs - recentMs,
  );
  const toMs = Math.min(nowMs, Math.floor(newestMs / periodMs) * periodMs + periodMs);
  const fromMs = Math.floor((toMs - recentMs) / periodMs) * periodMs;
  const sum = (...parts: readonly ReadonlyMap<number, number>[]): number => {
    let total = 0;
    for (const part of parts) {
      for (const [startMs, value] of part) if (startMs >= fromMs && startMs < toMs) total += value;
    }
    return total;
  };
  const windowMs = toMs - fromMs;
  return {
    lambda: {
      windowMs,
      requests: sum(series.lambdaRequests),
      errors: sum(series.lambdaErrors),
    },
    fargate: {
      windowMs,
      requests: sum(series.fargateRequests),
      errors: sum(series.fargateErrors, series.balancerErrors),
    },
  };
}

/**
 * When the balancer last forwarded a request, at the latest: silence only counts from when the
 * metrics could have shown that somebody came.
 */
export function lastRequestMs(series: Series, nowMs: number): number | null {
  let last: number | null = null;
  for (const [startMs, requests] of series.fargateRequests) {
    if (requests > 0) last = Math.max(last ?? 0, startMs + periodMs + metricDelayMs);
  }
  return last === null ? null : Math.min(nowMs, last);
}

/** The most environments of the account in use in the newest minutes that are known. */
export function accountInUse(series: Series, nowMs: number): number {
  const fromMs = nowMs - metricDelayMs - recentMs;
  let most = 0;
  for (const [startMs, value] of series.accountConcurrency) {
    if (startMs >= fromMs) most = Math.max(most, value);
  }
  return most;
}
