/**
 * Access logs to requests per minute, in pieces of text as they come: what is kept is a count per
 * minute and the beginning of one line, however long the log is.
 *
 * Lines may be out of order. A broken line is counted and the first one is kept; a log that is
 * broken for more than a half is refused, because its counts would mean nothing.
 */
import {
  type LineReader,
  type LogFormat,
  lineReader,
  logFormatNames,
  logFormatOf,
} from "./logs-lines.ts";
import type { Trace } from "./traces.ts";

/** Why a log can not be used. */
export type LogFault =
  | "TRACE_EMPTY"
  | "TRACE_TOO_LARGE"
  | "TRACE_FORMAT"
  | "LOG_MIXED"
  | "LOG_BROKEN";

/** A mistake in a log, where it is, and what to do about it. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogFault;
  readonly hint: string;
  /** Line of the log, counted from 1; `null` when the whole log is meant. */
  readonly line: number | null;

  constructor(code: LogFault, source: string, line: number | null, message: string) {
    super(`${source}${line === null ? "" : `:${line}`}: ${message}`);
    this.code = code;
    this.hint = hints[code];
    this.line = line;
  }
}

const hints: Readonly<Record<LogFault, string>> = {
  TRACE_EMPTY: "A trace needs at least one request.",
  TRACE_TOO_LARGE: "Cut the lines out that are meant; a wrong clock writes times far away.",
  TRACE_FORMAT:
    "Known are CSV timestamp_seconds,requests; access logs of nginx, Apache (common, combined), " +
    "Elastic Load Balancing and CloudFront; CloudWatch's JSON. Each may be gzipped.",
  LOG_MIXED: "Give logs of one format; split the file with grep.",
  LOG_BROKEN: "Is this an access log? More than half of its lines must be readable.",
};

/** A line that could not be read. */
export interface BrokenLine {
  readonly line: number;
  /** Its beginning, with nothing in it that a terminal would obey. */
  readonly text: string;
}

/** What a log came to. */
export interface LogTrace {
  readonly trace: Trace;
  readonly format: LogFormat;
  readonly lines: number;
  readonly requests: number;
  readonly brokenLines: number;
  readonly firstBroken: BrokenLine | null;
  /** Minutes between the first and the last request in which there was none. */
  readonly emptyMinutes: number;
}

/** Takes a log in pieces. */
export interface LogCounter {
  /** Takes the next piece; it may end within a line. Throws LogError. */
  add(text: string): void;
  /** Ends the log. Throws LogError. */
  end(): LogTrace;
}

/** Lines longer than this are broken: no server writes such, and the rest need not be kept. */
const lineCharsMax = 256 * 1024;
/** The format must show within so many lines. */
const linesBeforeFormat = 100;
/** So many broken lines are compared with the other formats; each of them takes time. */
const comparedMax = 1000;
const shownChars = 80;

/** Counts the requests of a log. `source` is named in errors. */
export function logCounter(source: string): LogCounter {
  const minutes = minuteCounter(source);
  let rest = "";
  let tooLong = false;
  let lines = 0;
  let requests = 0;
  let brokenLines = 0;
  let firstBroken: BrokenLine | null = null;
  let format: LogFormat | null = null;
  let read: LineReader = () => null;

  const broken = (text: string): void => {
    brokenLines += 1;
    firstBroken ??= { line: lines, text: shown(text) };
    const other = brokenLines <= comparedMax ? logFormatOf(text) : null;
    if (format !== null && other !== null && other !== format) {
      const message = `a ${logFormatNames[other]} line in a ${logFormatNames[format]} log`;
      throw new LogError("LOG_MIXED", source, lines, `${message}: "${shown(text)}"`);
    }
    if (format === null && brokenLines === linesBeforeFormat) throw unknown();
  };
  const unknown = (): LogError => {
    const { line = 1, text = "" } = firstBroken ?? {};
    return new LogError("TRACE_FORMAT", source, line, `no known format: "${text}"`);
  };
  const take = (line: string): void => {
    lines += 1;
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text === "") return;
    if (format === null) {
      format = logFormatOf(text);
      if (format !== null) read = lineReader(format);
    }
    const reading = read(text);
    if (reading === null) broken(text);
    else if (reading !== "comment") {
      requests += 1;
      minutes.add(reading, lines);
    }
  };
  return {
    add(text) {
      let start = 0;
      for (;;) {
        const end = text.indexOf("\n", start);
        if (end === -1) break;
        const line = rest + text.slice(start, end);
        rest = "";
        start = end + 1;
        take(tooLong ? line.slice(0, lineCharsMax) : line);
        tooLong = false;
      }
      if (tooLong) return;
      rest += text.slice(start);
      tooLong = rest.length > lineCharsMax;
      if (tooLong) rest = rest.slice(0, lineCharsMax);
    },
    end() {
      if (rest !== "") take(rest);
      if (format === null && brokenLines > 0) throw unknown();
      if (brokenLines > requests) {
        const { line = 1, text = "" } = firstBroken ?? {};
        const message = `${brokenLines} of ${requests + brokenLines} lines are broken, the first`;
        throw new LogError("LOG_BROKEN", source, line, `${message} is "${text}"`);
      }
      if (format === null || requests === 0) {
        throw new LogError("TRACE_EMPTY", source, null, `no request in ${lines} lines`);
      }
      const { startMinute, counts } = minutes.end();
      const rps = Float64Array.from(counts, (count) => count / 60);
      const emptyMinutes = counts.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0);
      const trace = { source, startSeconds: startMinute * 60, bucketSeconds: 60, rps };
      return { trace, format, lines, requests, brokenLines, firstBroken, emptyMinutes };
    },
  };
}

/** The beginning of a line for a message; control characters must not reach a terminal. */
function shown(text: string): string {
  const begin = text.slice(0, shownChars);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const clean = begin.replace(/[\u0000-\u001f\u007f-\u009f]/g, "·");
  return text.length > shownChars ? `${clean}…` : clean;
}

const dayMinutes = 1440;
/** Ten years, as for traces. */
const spanMinutesMax = 10 * 366 * dayMinutes;

interface MinuteCounter {
  add(minute: number, line: number): void;
  end(): { readonly startMinute: number; readonly counts: Float64Array };
}

/** Counts by minute in pages of a day, so that lines may come in any order. */
function minuteCounter(source: string): MinuteCounter {
  const pages = new Map<number, Float64Array>();
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let pageNumber = -1;
  let page: Float64Array = new Float64Array(0);
  const turn = (number: number): void => {
    pageNumber = number;
    page = pages.get(number) ?? new Float64Array(dayMinutes);
    pages.set(number, page);
  };
  return {
    add(minute, line) {
      if (minute < first) first = minute;
      if (minute > last) last = minute;
      if (last - first >= spanMinutesMax) {
        const [from, to] = [first, last].map((at) => new Date(at * 60_000).toISOString());
        const message = `from ${from} to ${to} is more than ten years`;
        throw new LogError("TRACE_TOO_LARGE", source, line, message);
      }
      const number = Math.floor(minute / dayMinutes);
      if (number !== pageNumber) turn(number);
      const at = minute - number * dayMinutes;
      page[at] = (page[at] ?? 0) + 1;
    },
    end() {
      const counts = new Float64Array(last - first + 1);
      for (let minute = first; minute <= last; minute += 1) {
        const number = Math.floor(minute / dayMinutes);
        counts[minute - first] = pages.get(number)?.[minute - number * dayMinutes] ?? 0;
      }
      return { startMinute: first, counts };
    },
  };
}
