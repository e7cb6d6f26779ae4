/**
 * Request traces: CSV `timestamp_seconds,requests` to requests per second, one entry per minute.
 *
 * A coarse bucket is held flat over its minutes, finer ones are added up. A gap is an error rather
 * than a silence: a missing bucket and no traffic are different facts.
 */

/** A trace at one-minute steps. */
export interface Trace {
  readonly source: string;
  /** Start of the first minute, seconds since the epoch of the trace. */
  readonly startSeconds: number;
  readonly bucketSeconds: number;
  /** Requests per second, one entry per minute. */
  readonly rps: Float64Array;
}

/** Why a trace can not be used. */
export type TraceFault =
  | "TRACE_EMPTY"
  | "TRACE_COLUMNS"
  | "TRACE_NOT_NUMERIC"
  | "TRACE_NEGATIVE"
  | "TRACE_UNSORTED"
  | "TRACE_DUPLICATED"
  | "TRACE_GAP"
  | "TRACE_RESOLUTION"
  | "TRACE_TOO_LARGE";

/** A mistake in a trace, where it is, and what to do about it. */
export class TraceFormatError extends Error {
  override readonly name = "TraceFormatError";
  readonly code: TraceFault;
  readonly hint: string;
  /** Line of the file, counted from 1; `null` when the whole file is meant. */
  readonly line: number | null;

  constructor(code: TraceFault, source: string, line: number | null, message: string) {
    super(`${source}${line === null ? "" : `:${line}`}: ${message}`);
    this.code = code;
    this.hint = hints[code];
    this.line = line;
  }
}

const hints: Readonly<Record<TraceFault, string>> = {
  TRACE_EMPTY: "a trace needs at least two rows and one request",
  TRACE_COLUMNS: "each row is timestamp_seconds,requests",
  TRACE_NOT_NUMERIC: "both columns are plain numbers; only the first line may be a header",
  TRACE_NEGATIVE: "a bucket holds zero requests or more",
  TRACE_UNSORTED: "sort the rows by time, oldest first",
  TRACE_DUPLICATED: "add the rows of one bucket up",
  TRACE_GAP: "write empty buckets as 0",
  TRACE_RESOLUTION: "use one bucket length that divides a minute or is whole minutes",
  TRACE_TOO_LARGE: "use longer buckets or a shorter span",
};

/** Ten years of minutes: far above any trace, far below the memory of a laptop. */
const minutesMax = 10 * 366 * 1440;

/** Reads a whole CSV file. Throws TraceFormatError with the line of the first mistake. */
export function parseTraceCsv(text: string, source: string): Trace {
  const seconds: number[] = [];
  const requests: number[] = [];
  const steps: Step[] = [];
  for (const [line, content] of linesOf(text)) {
    const row = parseRow(content, line, source);
    if (row === null) continue;
    const before = seconds.at(-1);
    if (before !== undefined) {
      const step = stepAfter(before, row.seconds, line, source);
      const latest = steps.at(-1);
      if (latest?.seconds === step) latest.rows += 1;
      else steps.push({ seconds: step, line, rows: 1 });
    }
    seconds.push(row.seconds);
    requests.push(row.requests);
  }
  if (seconds.length < 2) {
    throw new TraceFormatError("TRACE_EMPTY", source, null, `${seconds.length} rows`);
  }
  const bucketSeconds = wholeBucket(steps, source);
  const rps = perMinute(requests, bucketSeconds, source);
  if (!rps.some((rate) => rate > 0)) {
    throw new TraceFormatError("TRACE_EMPTY", source, null, "no request in any bucket");
  }
  return { source, startSeconds: seconds[0] ?? 0, bucketSeconds, rps };
}

function* linesOf(text: string): Generator<readonly [line: number, content: string]> {
  let line = 0;
  for (let start = text.startsWith("\ufeff") ? 1 : 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    line += 1;
    yield [line, text.slice(start, end)];
    start = end + 1;
  }
}

interface Row {
  readonly seconds: number;
  readonly requests: number;
}

const plainNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function parseRow(content: string, line: number, source: string): Row | null {
  const row = content.trim();
  if (row === "") return null;
  const columns = row.split(",");
  if (columns.length !== 2) {
    const message = `${columns.length} columns in "${row.slice(0, 40)}"`;
    throw new TraceFormatError("TRACE_COLUMNS", source, line, message);
  }
  const [time = "", count = ""] = columns.map((column) => column.trim());
  if (!plainNumber.test(time) || !plainNumber.test(count)) {
    if (line === 1 && /^[a-z_]/i.test(time)) return null;
    throw new TraceFormatError("TRACE_NOT_NUMERIC", source, line, `"${row.slice(0, 40)}"`);
  }
  const requests = Number(count);
  if (!Number.isFinite(requests) || !Number.isFinite(Number(time))) {
    throw new TraceFormatError("TRACE_NOT_NUMERIC", source, line, `"${row.slice(0, 40)}"`);
  }
  if (requests < 0) {
    throw new TraceFormatError("TRACE_NEGATIVE", source, line, `${requests} requests`);
  }
  return { seconds: Number(time), requests };
}

function stepAfter(before: number, seconds: number, line: number, source: string): number {
  if (seconds === before) {
    throw new TraceFormatError("TRACE_DUPLICATED", source, line, `${seconds} occurs twice`);
  }
  if (seconds < before) {
    throw new TraceFormatError("TRACE_UNSORTED", source, line, `${seconds} after ${before}`);
  }
  return seconds - before;
}

/** Rows in a row that are equally far from their predecessors. */
interface Step {
  readonly seconds: number;
  /** Of the first of them. */
  readonly line: number;
  rows: number;
}

/** The one length of all buckets. What else there is can only be told with all rows in sight. */
function wholeBucket(steps: readonly Step[], source: string): number {
  const most = steps.reduce((best, step) => (step.rows > best.rows ? step : best));
  const { seconds: bucket } = most;
  if (!Number.isInteger(bucket) || (bucket % 60 !== 0 && 60 % bucket !== 0)) {
    throw new TraceFormatError("TRACE_RESOLUTION", source, most.line, `buckets of ${bucket} s`);
  }
  const odd = steps.find(({ seconds }) => seconds !== bucket);
  if (odd === undefined) return bucket;
  // After missing rows the usual distance returns at once; another resolution stays.
  if (odd.rows === 1 && odd.seconds % bucket === 0) {
    const message = `${odd.seconds / bucket - 1} bucket(s) of ${bucket} s missing before this row`;
    throw new TraceFormatError("TRACE_GAP", source, odd.line, message);
  }
  const message = `a bucket of ${odd.seconds} s among buckets of ${bucket} s`;
  throw new TraceFormatError("TRACE_RESOLUTION", source, odd.line, message);
}

function perMinute(
  requests: readonly number[],
  bucketSeconds: number,
  source: string,
): Float64Array {
  const minutes = Math.floor((requests.length * bucketSeconds) / 60);
  if (minutes > minutesMax) {
    throw new TraceFormatError("TRACE_TOO_LARGE", source, null, `${minutes} minutes`);
  }
  const rps = new Float64Array(minutes);
  for (let minute = 0; minute < minutes; minute += 1) {
    if (bucketSeconds >= 60) {
      const bucket = Math.floor((minute * 60) / bucketSeconds);
      rps[minute] = (requests[bucket] ?? 0) / bucketSeconds;
      continue;
    }
    const buckets = 60 / bucketSeconds;
    let sum = 0;
    for (let k = 0; k < buckets; k += 1) sum += requests[minute * buckets + k] ?? 0;
    rps[minute] = sum / 60;
  }
  return rps;
}

/** The six scales of the benchmark. */
export const scaleNames = [
  "peak50",
  "peak500",
  "peak5000",
  "meanBE/3",
  "meanBE",
  "meanBE*3",
] as const;

/** How large a trace is made: its peak in requests/s, or its mean against break-even. */
export type ScaleName = (typeof scaleNames)[number];

/** The trace's rates multiplied so that its peak or its mean is what the scale says. */
export function scaledTo(rps: Float64Array, scale: ScaleName, breakEvenRps: number): Float64Array {
  let peak = 0;
  let sum = 0;
  for (const rate of rps) {
    peak = Math.max(peak, rate);
    sum += rate;
  }
  const mean = sum / rps.length;
  const factor = {
    peak50: 50 / peak,
    peak500: 500 / peak,
    peak5000: 5000 / peak,
    "meanBE/3": breakEvenRps / 3 / mean,
    meanBE: breakEvenRps / mean,
    "meanBE*3": (3 * breakEvenRps) / mean,
  }[scale];
  return rps.map((rate) => rate * factor);
}
