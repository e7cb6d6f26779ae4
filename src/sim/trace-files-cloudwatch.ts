/**
 * What `aws cloudwatch get-metric-data` and `get-metric-statistics` print, as a trace.
 *
 * CloudWatch stores no datapoint for a window without requests: a missing one is 0 here. The period
 * is not in the export; it is the shortest distance between two datapoints.
 */
import type { Trace } from "./traces.ts";

/** Why an export can not be used. */
export type CloudWatchFault =
  | "CLOUDWATCH_SHAPE"
  | "CLOUDWATCH_INCOMPLETE"
  | "CLOUDWATCH_SERIES"
  | "CLOUDWATCH_STATISTIC"
  | "TRACE_EMPTY"
  | "TRACE_TOO_LARGE"
  | "TRACE_NOT_NUMERIC"
  | "TRACE_NEGATIVE"
  | "TRACE_DUPLICATED"
  | "TRACE_RESOLUTION";

/** A mistake in an export, where it is, and what to do about it. */
export class CloudWatchError extends Error {
  override readonly name = "CloudWatchError";
  readonly code: CloudWatchFault;
  readonly hint: string;

  constructor(code: CloudWatchFault, source: string, message: string) {
    super(`${source}: ${message}`);
    this.code = code;
    this.hint = hints[code];
  }
}

const hints: Readonly<Record<CloudWatchFault, string>> = {
  CLOUDWATCH_SHAPE: "Give the output of get-metric-data or get-metric-statistics as it is.",
  CLOUDWATCH_INCOMPLETE: "Fetch the rest too: without --max-datapoints the CLI follows NextToken.",
  CLOUDWATCH_SERIES:
    "Export one metric, for example RequestCount or Count; add several up with SUM.",
  CLOUDWATCH_STATISTIC: "Ask for requests: --statistics Sum.",
  TRACE_EMPTY: "A trace needs at least two datapoints and one request.",
  TRACE_TOO_LARGE: "Ask for a shorter span.",
  TRACE_NOT_NUMERIC: "Times are ISO 8601 or seconds since 1970, values plain numbers.",
  TRACE_NEGATIVE: "Requests are counted from 0: is this another metric?",
  TRACE_DUPLICATED: "Each window may occur once; do not join overlapping exports.",
  TRACE_RESOLUTION: "Ask for one period of whole minutes: --period 60.",
};

/** A trace and what CloudWatch left out of it. */
export interface CloudWatchTrace {
  readonly trace: Trace;
  readonly label: string;
  /** Windows without a datapoint, taken as 0. */
  readonly missingBuckets: number;
}

interface Point {
  /** Where it is in the file. */
  readonly place: string;
  readonly seconds: number;
  readonly requests: number;
}

/** Ten years of minutes. */
const minutesMax = 10 * 366 * 1440;

/** Reads a parsed export. Throws CloudWatchError. */
export function cloudWatchTrace(raw: unknown, source: string): CloudWatchTrace {
  const fail = (code: CloudWatchFault, message: string): CloudWatchError =>
    new CloudWatchError(code, source, message);
  const { label, points } = seriesOf(raw, fail);
  const sorted = points.toSorted((a, b) => a.seconds - b.seconds);
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined || first === last) {
    throw fail("TRACE_EMPTY", `${sorted.length} datapoints`);
  }
  const bucketSeconds = periodOf(sorted, fail);
  const buckets = (last.seconds - first.seconds) / bucketSeconds + 1;
  if ((buckets * bucketSeconds) / 60 > minutesMax) {
    throw fail("TRACE_TOO_LARGE", `${buckets} windows of ${bucketSeconds} s`);
  }
  const minutesPerBucket = bucketSeconds / 60;
  const rps = new Float64Array(buckets * minutesPerBucket);
  for (const { seconds, requests } of sorted) {
    const at = ((seconds - first.seconds) / bucketSeconds) * minutesPerBucket;
    rps.fill(requests / bucketSeconds, at, at + minutesPerBucket);
  }
  if (!rps.some((rate) => rate > 0)) throw fail("TRACE_EMPTY", "no request in any window");
  const trace = { source, startSeconds: first.seconds, bucketSeconds, rps };
  return { trace, label, missingBuckets: buckets - sorted.length };
}

type Failure = (code: CloudWatchFault, message: string) => CloudWatchError;

interface Series {
  readonly label: string;
  readonly points: readonly Point[];
}

function seriesOf(raw: unknown, fail: Failure): Series {
  const document = recordOf(raw);
  if (Array.isArray(document?.Datapoints)) return statisticsSeries(document, fail);
  if (Array.isArray(document?.MetricDataResults)) return dataSeries(document, fail);
  throw fail("CLOUDWATCH_SHAPE", 'neither "Datapoints" nor "MetricDataResults" is in it');
}

function recordOf(raw: unknown): Readonly<Record<string, unknown>> | null {
  const isRecord = typeof raw === "object" && raw !== null && !Array.isArray(raw);
  return isRecord ? (raw as Record<string, unknown>) : null;
}

function statisticsSeries(document: Readonly<Record<string, unknown>>, fail: Failure): Series {
  const points = (document.Datapoints as readonly unknown[]).map((raw, index): Point => {
    const place = `Datapoints[${index}]`;
    const point = recordOf(raw) ?? {};
    // SampleCount counts requests where each request reports one sample, as of a duration.
    const value = point.Sum ?? point.SampleCount;
    if (value === undefined) {
      throw fail(
        "CLOUDWATCH_STATISTIC",
        `${place} has no Sum, only ${Object.keys(point).join(", ")}`,
      );
    }
    return pointOf(place, point.Timestamp, value, fail);
  });
  return { label: String(document.Label ?? "Datapoints"), points };
}

function dataSeries(document: Readonly<Record<string, unknown>>, fail: Failure): Series {
  const results = (document.MetricDataResults as readonly unknown[]).map(
    (raw) => recordOf(raw) ?? {},
  );
  const [result] = results;
  if (result === undefined) throw fail("TRACE_EMPTY", "MetricDataResults is empty");
  if (results.length > 1) {
    const names = results.map(({ Label, Id }) => String(Label ?? Id)).slice(0, 10);
    throw fail("CLOUDWATCH_SERIES", `${results.length} series: ${names.join(", ")}`);
  }
  const partial = result.StatusCode !== undefined && result.StatusCode !== "Complete";
  if (partial || typeof document.NextToken === "string") {
    throw fail("CLOUDWATCH_INCOMPLETE", `it ends early (${result.StatusCode ?? "NextToken"})`);
  }
  const { Timestamps: times, Values: values } = result;
  if (!Array.isArray(times) || !Array.isArray(values) || times.length !== values.length) {
    throw fail("CLOUDWATCH_SHAPE", "Timestamps and Values are not two lists of one length");
  }
  const points = times.map((time, index) => {
    return pointOf(`MetricDataResults[0] no. ${index}`, time, values[index], fail);
  });
  return { label: String(result.Label ?? result.Id ?? ""), points };
}

function pointOf(place: string, time: unknown, value: unknown, fail: Failure): Point {
  const seconds = secondsOf(time);
  if (seconds === null) {
    throw fail("TRACE_NOT_NUMERIC", `${place}: the time is ${JSON.stringify(time) ?? "missing"}`);
  }
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw fail("TRACE_NOT_NUMERIC", `${place}: the value is ${JSON.stringify(value) ?? "missing"}`);
  }
  if (value < 0) throw fail("TRACE_NEGATIVE", `${place}: ${value} requests`);
  return { place, seconds, requests: value };
}

/** ISO 8601 with its zone; some versions of the CLI print seconds since 1970. */
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

function secondsOf(time: unknown): number | null {
  if (typeof time === "number") return Number.isFinite(time) && time >= 0 ? time : null;
  if (typeof time !== "string" || !isoTime.test(time)) return null;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? null : ms / 1000;
}

function periodOf(sorted: readonly Point[], fail: Failure): number {
  let period = Number.POSITIVE_INFINITY;
  for (const [index, point] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before === undefined) continue;
    const step = point.seconds - before.seconds;
    if (step === 0) {
      throw fail("TRACE_DUPLICATED", `${before.place} and ${point.place} are of the same time`);
    }
    period = Math.min(period, step);
  }
  if (period % 60 !== 0) throw fail("TRACE_RESOLUTION", `windows ${period} s apart`);
  const start = sorted[0]?.seconds ?? 0;
  const odd = sorted.find(({ seconds }) => (seconds - start) % period !== 0);
  if (odd === undefined) return period;
  const message = `${odd.place} does not fit into windows of ${period} s`;
  throw fail("TRACE_RESOLUTION", message);
}
