/** The shape of a trace: how its rate rises and falls, without its size and its duration. */

/** A trace as relative rates over relative time. Plain data that can be sent to a worker. */
export interface TraceShape {
  /** Where the trace came from, for messages. */
  readonly source: string;
  /** Time from the start of the first bucket to the end of the last one. */
  readonly spanSeconds: number;
  /** Requests of the busiest bucket, which is rate 1. */
  readonly requestsMax: number;
  /** Centres of the buckets, ascending, as a share of the span. */
  readonly fractions: Float64Array;
  /** Rates at the centres relative to the busiest bucket, 0 to 1. */
  readonly rates: Float64Array;
}

/** Why a trace can not be used. */
export type TraceErrorCode =
  | "TRACE_EMPTY"
  | "TRACE_TOO_LARGE"
  | "TRACE_COLUMNS"
  | "TRACE_NOT_NUMERIC"
  | "TRACE_NEGATIVE"
  | "TRACE_UNSORTED"
  | "TRACE_DUPLICATED"
  | "TRACE_SINGLE_BUCKET";

/** A mistake in a trace file, with what to do about it. */
export class TraceError extends Error {
  override readonly name = "TraceError";
  readonly code: TraceErrorCode;
  readonly hint: string;
  /** Line of the file, counted from 1; `null` when the whole file is meant. */
  readonly line: number | null;

  constructor(code: TraceErrorCode, message: string, hint: string, line: number | null) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.line = line;
  }
}

/** Longest trace file; check the file's size before reading it. */
export const traceBytesMax: number = 50 * 1024 * 1024;
const rowsMax = 2_000_000;

interface Row {
  readonly seconds: number;
  readonly requests: number;
}

/** Reads CSV `timestamp_seconds,requests`; a header line is optional. Throws TraceError. */
export function parseTrace(text: string, source: string): TraceShape {
  const fail = failureOf(source);
  if (text.length > traceBytesMax) throw fail("TRACE_TOO_LARGE", null, "it is over 50 MB");
  const seconds: number[] = [];
  const requests: number[] = [];
  for (const [line, content] of linesOf(text)) {
    const row = parseRow(content, line, seconds.length === 0, fail);
    if (row === null) continue;
    const before = seconds.at(-1) ?? Number.NEGATIVE_INFINITY;
    const now = String(row.seconds);
    if (row.seconds === before) throw fail("TRACE_DUPLICATED", line, `${now} occurs twice`);
    if (row.seconds < before) throw fail("TRACE_UNSORTED", line, `${now} after ${before}`);
    if (seconds.length === rowsMax) throw fail("TRACE_TOO_LARGE", line, "over 2,000,000 rows");
    seconds.push(row.seconds);
    requests.push(row.requests);
  }
  if (seconds.length === 0) throw fail("TRACE_EMPTY", null, "it has no rows");
  if (seconds.length === 1) throw fail("TRACE_SINGLE_BUCKET", null, "one row has no shape");
  const requestsMax = requests.reduce((max, count) => Math.max(max, count), 0);
  if (requestsMax === 0) throw fail("TRACE_EMPTY", null, "all its buckets are 0");
  return shapeOf(source, seconds, requests, requestsMax);
}

/** Blank lines are passed over; the last line needs no end. */
function* linesOf(text: string): Generator<readonly [line: number, content: string]> {
  let line = 0;
  for (let start = text.startsWith("\ufeff") ? 1 : 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    line += 1;
    const content = text.slice(start, end).trim();
    if (content !== "") yield [line, content];
    start = end + 1;
  }
}

const numeric = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** `null` for a header, which only the first line can be. */
function parseRow(content: string, line: number, first: boolean, fail: Failure): Row | null {
  const fields = content.split(",", 3).map((field) => field.trim());
  const [time = "", count = ""] = fields;
  const found = `found "${content.slice(0, 40)}"`;
  if (fields.length !== 2) throw fail("TRACE_COLUMNS", line, found);
  if (first && /^[a-z_ ]+$/i.test(time) && /^[a-z_ ]+$/i.test(count)) return null;
  if (!numeric.test(time) || !numeric.test(count)) throw fail("TRACE_NOT_NUMERIC", line, found);
  const row = { seconds: Number(time), requests: Number(count) };
  if (!Number.isFinite(row.seconds) || !Number.isFinite(row.requests)) {
    throw fail("TRACE_NOT_NUMERIC", line, found);
  }
  if (row.seconds < 0 || row.requests < 0) throw fail("TRACE_NEGATIVE", line, found);
  return row;
}

type Failure = (code: TraceErrorCode, line: number | null, what: string) => TraceError;

const hints: Readonly<Record<TraceErrorCode, string>> = {
  TRACE_EMPTY: "A trace needs rows of timestamp_seconds,requests and at least one request.",
  TRACE_TOO_LARGE: "Cut a part out of it, or count its requests into longer buckets.",
  TRACE_COLUMNS: "Each row has two columns: timestamp_seconds,requests.",
  TRACE_NOT_NUMERIC: "Write both columns as plain numbers, for example 899870400,11240.",
  TRACE_NEGATIVE: "Times are seconds since 1970 or since the start, counts are 0 or more.",
  TRACE_UNSORTED: "Sort the rows by time, for example with `sort -n`.",
  TRACE_DUPLICATED: "Add up the requests of rows with the same timestamp.",
  TRACE_SINGLE_BUCKET: "A shape needs at least two buckets.",
};

function failureOf(source: string): Failure {
  return (code, line, what) => {
    const where = line === null ? source : `${source}:${line}`;
    return new TraceError(code, `The trace ${where} can not be used: ${what}.`, hints[code], line);
  };
}

function shapeOf(
  source: string,
  seconds: readonly number[],
  requests: readonly number[],
  requestsMax: number,
): TraceShape {
  const start = seconds[0] ?? 0;
  // The shortest distance is the length of a bucket: a longer one is a gap in the records, and the
  // rate is then interpolated across it.
  let bucketSeconds = Number.POSITIVE_INFINITY;
  for (let i = 1; i < seconds.length; i += 1) {
    bucketSeconds = Math.min(bucketSeconds, (seconds[i] ?? 0) - (seconds[i - 1] ?? 0));
  }
  const spanSeconds = (seconds.at(-1) ?? 0) + bucketSeconds - start;
  const centre = (time: number): number => (time + bucketSeconds / 2 - start) / spanSeconds;
  return {
    source,
    spanSeconds,
    requestsMax,
    fractions: Float64Array.from(seconds, centre),
    rates: Float64Array.from(requests, (count) => count / requestsMax),
  };
}

/**
 * The rate at a point of the trace's span, 0 to 1, relative to its busiest bucket. Between the
 * centres of two buckets it runs straight, before the first and after the last one it is level.
 */
export function rateAt(shape: TraceShape, fraction: number): number {
  const { fractions, rates } = shape;
  let low = 0;
  let high = fractions.length;
  // The first centre behind `fraction`.
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fractions[middle] ?? 0) > fraction) high = middle;
    else low = middle + 1;
  }
  const after = rates[low];
  const before = rates[low - 1];
  if (before === undefined) return after ?? 0;
  if (after === undefined) return before;
  const from = fractions[low - 1] ?? 0;
  const to = fractions[low] ?? 0;
  return before + ((after - before) * (fraction - from)) / (to - from);
}
