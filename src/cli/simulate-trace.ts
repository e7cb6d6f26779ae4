/**
 * A trace file of any known kind: CSV, access log or CloudWatch export, plain or gzipped. What it
 * is follows from its content, never from its name. Logs stream through; the others are small.
 */
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type ErrorCode, UserError } from "../config/errors.ts";
import { locateJsonError } from "../config/json.ts";
import { LogError, type LogTrace, logCounter } from "../sim/logs.ts";
import { logFormatNames, logFormatOf } from "../sim/logs-lines.ts";
import { CloudWatchError, cloudWatchTrace } from "../sim/trace-files-cloudwatch.ts";
import { parseTraceCsv, type Trace, TraceFormatError } from "../sim/traces.ts";
import { bar, count, type Screen } from "./screen.ts";

/** A trace, what kind of file it was, and what was assumed or left out while reading it. */
export interface LoadedTrace {
  readonly trace: Trace;
  readonly kind: string;
  readonly notes: readonly string[];
  /** What an access log held; `null` for the other kinds. */
  readonly log: LogFacts | null;
}

/** The counts of an access log. */
export type LogFacts = Pick<LogTrace, "lines" | "requests" | "brokenLines" | "firstBroken">;

/** Larger strings would not die young, and a long log would take hundreds of megabytes. */
const pieceBytes = 64 * 1024;
/** So much is looked at to tell what a file is. */
const headChars = 64 * 1024;
/** CSV files and CloudWatch exports are read as a whole. */
const wholeCharsMax = 50 * 1024 * 1024;
/** How often progress is drawn, in real milliseconds. */
const drawnEveryMs = 100;

/** Reads a trace. Throws UserError with a TRACE_, LOG_ or CLOUDWATCH_ code. */
export async function loadTrace(path: string, screen: Screen): Promise<LoadedTrace> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const magic = Buffer.alloc(2);
    await file.read(magic, 0, 2, 0);
    const zipped = magic[0] === 0x1f && magic[1] === 0x8b;
    const loaded = await read(path, pieces(path, zipped, progress(path, size, screen)));
    return zipped ? { ...loaded, kind: `${loaded.kind}, gzipped` } : loaded;
  } catch (error) {
    throw asMistake(path, error);
  } finally {
    screen.picture([]);
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  let why: string;
  try {
    const file = await open(path);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    why = "it is no file";
  } catch (error) {
    why = (error as NodeJS.ErrnoException).code ?? String(error);
  }
  const hint = "Give a CSV file timestamp_seconds,requests, an access log or a CloudWatch export.";
  throw new UserError("TRACE_NOT_FOUND", `cannot read ${path}: ${why}`, hint);
}

/** The content in pieces of single-byte characters: what is looked for in logs is ASCII. */
async function* pieces(
  path: string,
  zipped: boolean,
  onRead: (bytesRead: number) => void,
): AsyncGenerator<string> {
  const source = createReadStream(path, { highWaterMark: pieceBytes });
  let stream: Readable = source;
  if (zipped) {
    const unpacked = createGunzip({ chunkSize: pieceBytes });
    source.on("error", (error) => unpacked.destroy(error));
    stream = source.pipe(unpacked);
  }
  try {
    for await (const piece of stream) {
      onRead(source.bytesRead);
      yield (piece as Buffer).toString("latin1");
    }
  } finally {
    source.destroy();
  }
}

function progress(path: string, size: number, screen: Screen): (bytesRead: number) => void {
  const begunMs = performance.now();
  let drawnMs = begunMs;
  return (done) => {
    const nowMs = performance.now();
    if (nowMs - drawnMs < drawnEveryMs) return;
    drawnMs = nowMs;
    const share = size === 0 ? 1 : Math.min(1, done / size);
    const mb = (value: number): string => count(value / 1e6);
    const speed = done / 1e6 / ((nowMs - begunMs) / 1000);
    const percent = `${String(Math.floor(100 * share)).padStart(3)} %`;
    const numbers = `${percent}  ${mb(done)} of ${mb(size)} MB, ${count(speed)} MB/s`;
    screen.picture([`reading ${path} ${bar(share, 24)} ${numbers}`]);
    screen.plain(`reading ${path}: ${numbers.trim()}`);
  };
}

async function read(path: string, all: AsyncGenerator<string>): Promise<LoadedTrace> {
  let head = "";
  while (head.length < headChars) {
    const { done, value } = await all.next();
    if (done === true) break;
    head += value;
  }
  const kind = kindOf(head);
  if (kind === "log") return readLog(path, head, all);
  const text = await rest(path, head, all);
  return kind === "csv" ? readCsv(path, text) : readCloudWatch(path, text);
}

/** What begins like this. What is neither JSON nor a table goes to the logs, which refuse it. */
function kindOf(head: string): "log" | "csv" | "cloudwatch" {
  const text = head.replace(/^(\u00ef\u00bb\u00bf)?\s*/, "");
  if (text === "" || /^[{[]/.test(text)) return text === "" ? "csv" : "cloudwatch";
  const lines = text.split(/\r?\n/, 100);
  if (lines.some((line) => logFormatOf(line) !== null)) return "log";
  const [first = ""] = lines;
  return /^[^\s,"]*\s*,|^[-+\d.\s]+$/.test(first) ? "csv" : "log";
}

async function rest(path: string, head: string, all: AsyncGenerator<string>): Promise<string> {
  const parts = [head];
  let chars = head.length;
  for await (const piece of all) {
    chars += piece.length;
    if (chars > wholeCharsMax) {
      const hint = "Use longer buckets or a shorter span; only access logs may be larger.";
      throw new UserError("TRACE_TOO_LARGE", `${path} has over 50 MB of rows`, hint);
    }
    parts.push(piece);
  }
  return Buffer.from(parts.join(""), "latin1").toString("utf8");
}

function readCsv(path: string, text: string): LoadedTrace {
  const trace = parseTraceCsv(text, path);
  const notes = bucketNotes(trace);
  return { trace, kind: "CSV timestamp_seconds,requests", notes, log: null };
}

function readCloudWatch(path: string, text: string): LoadedTrace {
  let raw: unknown;
  try {
    raw = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    const found = locateJsonError(text);
    const where = found === null ? "" : `:${found.line}:${found.column}: ${found.message}`;
    const hint = "Give the output of get-metric-data or get-metric-statistics with --output json.";
    throw new UserError("CLOUDWATCH_SYNTAX", `${path}${where}`, hint);
  }
  const { trace, label, missingBuckets } = cloudWatchTrace(raw, path);
  const missing = `${count(missingBuckets)} windows without a datapoint count as 0 requests`;
  const notes = [...bucketNotes(trace), ...(missingBuckets === 0 ? [] : [missing])];
  return { trace, kind: `CloudWatch metric ${label}`, notes, log: null };
}

async function readLog(
  path: string,
  head: string,
  all: AsyncGenerator<string>,
): Promise<LoadedTrace> {
  const counter = logCounter(path);
  counter.add(head);
  for await (const piece of all) counter.add(piece);
  const { trace, format, emptyMinutes, ...log } = counter.end();
  const notes = [`each of ${count(log.requests)} lines is one request`];
  if (emptyMinutes > 0) notes.push(`${count(emptyMinutes)} minutes without a line: 0 requests`);
  if (log.firstBroken !== null) {
    const { line } = log.firstBroken;
    const broken = `${count(log.brokenLines)} of ${count(log.lines)} lines are broken and left out`;
    // Its text has a client's address in it, and notes go into reports that are handed on.
    notes.push(`${broken}, the first is line ${line}`);
  }
  const { lines, requests, brokenLines, firstBroken } = log;
  const facts = { lines, requests, brokenLines, firstBroken };
  return { trace, kind: `${logFormatNames[format]} access log`, notes, log: facts };
}

function bucketNotes({ bucketSeconds }: Trace): readonly string[] {
  if (bucketSeconds <= 60) return [];
  return [`the rate is held flat within each bucket of ${bucketSeconds} s`];
}

/** What can go wrong on the user's side while reading. */
function asMistake(path: string, error: unknown): unknown {
  const known =
    error instanceof TraceFormatError ||
    error instanceof LogError ||
    error instanceof CloudWatchError;
  if (known) return new UserError(error.code satisfies ErrorCode, error.message, sentence(error));
  const { code, message } = error as NodeJS.ErrnoException;
  const unreadable = code !== undefined && /^(Z_|E[A-Z]+$)/.test(code);
  if (error instanceof UserError || !unreadable) return error;
  const hint = "Is it complete? Try gunzip -t, or copy it again.";
  return new UserError("TRACE_UNREADABLE", `${path}: ${message} (${code})`, hint);
}

function sentence({ hint }: { readonly hint: string }): string {
  return `${hint.charAt(0).toUpperCase()}${hint.slice(1)}${hint.endsWith(".") ? "" : "."}`;
}
