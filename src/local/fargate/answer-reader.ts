/**
 * Reads HTTP/1.1 answers of a task from bytes as they come.
 *
 * Strict on purpose: what does not say clearly where it ends is refused rather than guessed, since
 * a wrong guess would hand one client the answer of another. Bodies are passed on in pieces.
 */
import { fieldKind, hasToken, namedByConnection, withoutFields } from "./fields.ts";

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** End-to-end fields, names and values in turn, as they came. */
  readonly fields: readonly string[];
  /** How the body ends. */
  readonly framing: "none" | "length" | "chunked" | "close";
  readonly bodyLength: number;
  /** Whether the connection may carry another request. */
  readonly keepAlive: boolean;
  /** How long the task says that it keeps an idle connection, `null` if it does not say. */
  readonly keepAliveMs: number | null;
  readonly upgrade: string | null;
}

/** Receives one answer. */
export interface AnswerSink {
  /** An interim answer: 100 Continue, 103 Early Hints. */
  onInterim(head: AnswerHead): void;
  onHead(head: AnswerHead): void;
  onData(piece: Buffer): void;
  /** The answer is complete; `last` is the final piece of its body, if it was not passed yet. */
  onEnd(last: Buffer | null, trailers: readonly string[]): void;
  /** The connection has become a tunnel; `rest` are its first bytes. */
  onTunnel(head: AnswerHead, rest: Buffer): void;
}

/** Thrown for bytes that are no acceptable answer. */
export class BadAnswerError extends Error {
  override readonly name = "BadAnswerError";
}

/** Reads the answers of one connection. */
export interface AnswerReader {
  /** Announces a request, so that the next bytes are its answer. */
  expect(method: string, sink: AnswerSink): void;
  /** Takes bytes. Throws BadAnswerError. */
  push(chunk: Buffer): void;
  /** The connection was closed: completes a body that ends so. False if the answer is cut off. */
  close(): boolean;
  /** Whether bytes of the expected answer have come. */
  readonly started: boolean;
  /** Whether bytes came that belong to no answer. */
  readonly surplus: boolean;
}

/** As an application load balancer: the whole head of an answer. */
const headBytesMax = 32 * 1024;
const sizeLineMax = 1024;
const empty: Buffer = Buffer.alloc(0);

type State = "idle" | "head" | "length" | "close" | "size" | "chunk" | "chunk-end" | "trailers";

/** A reader for one connection. */
export function createAnswerReader(): AnswerReader {
  let state: State = "idle";
  let sink: AnswerSink | null = null;
  let method = "";
  let kept: Buffer = empty;
  let left = 0;
  let started = false;
  let surplus = false;

  const finish = (last: Buffer | null, trailers: readonly string[], rest: number): void => {
    const done = sink;
    sink = null;
    state = "idle";
    surplus = rest > 0;
    done?.onEnd(last, trailers);
  };

  const onHead = (text: string, bytes: Buffer): Buffer => {
    const head = parseHead(text, method);
    if (head.status === 101) {
      const tunnel = sink;
      state = "idle";
      sink = null;
      tunnel?.onTunnel(head, bytes);
      return empty;
    }
    if (head.status < 200) {
      sink?.onInterim(head);
      return bytes;
    }
    left = head.bodyLength;
    if (head.framing === "length") state = "length";
    else if (head.framing === "chunked") state = "size";
    else if (head.framing === "close") state = "close";
    sink?.onHead(head);
    if (head.framing !== "none" && !(head.framing === "length" && left === 0)) return bytes;
    finish(null, [], bytes.length);
    return empty;
  };

  /** Passes body bytes on; returns what follows them. */
  const onBody = (bytes: Buffer): Buffer => {
    if (bytes.length < left) {
      left -= bytes.length;
      sink?.onData(bytes);
      return empty;
    }
    const piece = bytes.length === left ? bytes : bytes.subarray(0, left);
    const rest = bytes.subarray(left);
    left = 0;
    if (state === "length") {
      finish(piece, [], rest.length);
      return empty;
    }
    state = "chunk-end";
    sink?.onData(piece);
    return rest;
  };

  /** Takes one line of a chunked body; `null` until it is complete. */
  const takeLine = (bytes: Buffer, max: number): { line: string; rest: Buffer } | null => {
    const all = kept.length > 0 ? Buffer.concat([kept, bytes]) : bytes;
    const end = all.indexOf("\r\n");
    if (end > max || (end < 0 && all.length > max + 1)) throw new BadAnswerError("line too long");
    kept = end < 0 ? all : empty;
    return end < 0 ? null : { line: all.toString("latin1", 0, end), rest: all.subarray(end + 2) };
  };

  const trailers: string[] = [];
  let trailerBytes = 0;
  const onChunkLine = (bytes: Buffer): Buffer => {
    const taken = takeLine(bytes, state === "trailers" ? headBytesMax : sizeLineMax);
    if (!taken) return empty;
    const { line, rest } = taken;
    if (state === "chunk-end") {
      if (line !== "") throw new BadAnswerError("chunk longer than it said");
      state = "size";
    } else if (state === "size") {
      left = chunkSize(line);
      state = left > 0 ? "chunk" : "trailers";
      trailers.length = 0;
      trailerBytes = 0;
    } else if (line === "") {
      finish(null, [...trailers], rest.length);
      return empty;
    } else {
      trailerBytes += line.length;
      if (trailerBytes > headBytesMax) throw new BadAnswerError("trailers too long");
      if (foreign.test(line)) throw new BadAnswerError("trailer with a control character");
      const [name, value] = parseField(line);
      if (fieldKind(name) === "pass") trailers.push(name, value);
    }
    return rest;
  };

  const step = (bytes: Buffer): Buffer => {
    if (state === "length" || state === "chunk") return onBody(bytes);
    if (state === "head") {
      const all = kept.length > 0 ? Buffer.concat([kept, bytes]) : bytes;
      const end = all.indexOf("\r\n\r\n");
      if (end > headBytesMax || (end < 0 && all.length > headBytesMax)) {
        throw new BadAnswerError(`head longer than ${headBytesMax} bytes`);
      }
      kept = end < 0 ? all : empty;
      return end < 0 ? empty : onHead(all.toString("latin1", 0, end), all.subarray(end + 4));
    }
    if (state === "close") {
      sink?.onData(bytes);
      return empty;
    }
    if (state === "idle") {
      surplus = true;
      return empty;
    }
    return onChunkLine(bytes);
  };

  return {
    expect(of, to) {
      method = of;
      sink = to;
      state = "head";
      kept = empty;
      started = false;
    },
    push(chunk) {
      started = true;
      let bytes = chunk;
      while (bytes.length > 0) bytes = step(bytes);
    },
    close() {
      if (state === "close") finish(null, [], 0);
      return state === "idle";
    },
    get started() {
      return started;
    },
    get surplus() {
      return surplus;
    },
  };
}

function chunkSize(line: string): number {
  const [digits = ""] = line.split(/[;\s]/, 1);
  if (!/^[0-9a-f]{1,12}$/i.test(digits)) throw new BadAnswerError("chunk without a valid size");
  return Number.parseInt(digits, 16);
}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: (.*))?$/;
/** Control characters, line ends that are not CRLF, and folded lines. */
const foreign = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|[^\r]\n|\r\n[\t ]/;
const fieldName = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;

function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon));
  if (!fieldName.test(name)) throw new BadAnswerError("malformed header field");
  return [name, withoutBlanks(line, colon + 1)];
}

/** The value from `start` on without blanks around it; not `trim`, which knows more blanks. */
function withoutBlanks(line: string, start: number): string {
  const blank = (at: number): boolean => line[at] === " " || line[at] === "\t";
  let from = start;
  let to = line.length;
  while (from < to && blank(from)) from++;
  while (to > from && blank(to - 1)) to--;
  return line.slice(from, to);
}

/** The facts that decide where an answer ends. */
interface Framing {
  length: string | null;
  lengths: number;
  coding: string | null;
  connection: string;
  keepAlive: string;
  upgrade: string | null;
}

function parseHead(text: string, method: string): AnswerHead {
  if (foreign.test(text)) throw new BadAnswerError("head with a control character or folded line");
  const lines = text.split("\r\n");
  const match = statusLine.exec(lines[0] ?? "");
  if (!match) throw new BadAnswerError("no HTTP/1.x status line");
  const status = Number(match[2]);
  const modern = match[1] === "1";
  const facts: Framing = {
    length: null,
    lengths: 0,
    coding: null,
    connection: "",
    keepAlive: "",
    upgrade: null,
  };
  let fields: string[] = [];
  for (let i = 1; i < lines.length; i++) readField(lines[i] ?? "", fields, facts);
  const named = namedByConnection(facts.connection);
  if (named.length > 0) fields = withoutFields(fields, named);

  const framing = framingOf(method, status, modern, facts);
  const bodyLength = framing === "length" ? lengthOf(facts) : 0;
  // Clients take a length with a 204 for a mistake, and RFC 9110 (8.6) forbids it.
  if (status === 204 && facts.length !== null) fields = withoutFields(fields, ["content-length"]);
  if (framing !== "chunked") fields = withoutTrailerField(fields);
  const persists = modern
    ? !hasToken(facts.connection, "close")
    : hasToken(facts.connection, "keep-alive");
  const seconds = /timeout=(\d{1,9})/i.exec(facts.keepAlive);
  return {
    status,
    reason: match[3] ?? "",
    fields,
    framing,
    bodyLength,
    keepAlive: persists && framing !== "close",
    keepAliveMs: seconds ? Number(seconds[1]) * 1000 : null,
    upgrade: facts.upgrade,
  };
}

function readField(line: string, fields: string[], facts: Framing): void {
  const [name, value] = parseField(line);
  switch (fieldKind(name)) {
    case "connection":
      facts.connection += facts.connection === "" ? value : `,${value}`;
      return;
    case "keep-alive":
      facts.keepAlive = value;
      return;
    case "transfer-encoding":
      facts.coding = facts.coding === null ? value : `${facts.coding},${value}`;
      return;
    case "upgrade":
      facts.upgrade = value;
      return;
    case "hop":
      return;
    case "content-length":
      facts.length = value;
      facts.lengths += 1;
  }
  fields.push(name, value);
}

function lengthOf({ length, lengths }: Framing): number {
  if (lengths !== 1 || length === null || !/^\d{1,15}$/.test(length)) {
    throw new BadAnswerError("invalid or repeated Content-Length");
  }
  return Number(length);
}

function framingOf(
  method: string,
  status: number,
  modern: boolean,
  { length, coding }: Framing,
): AnswerHead["framing"] {
  if (coding !== null && (length !== null || !modern)) {
    throw new BadAnswerError("Transfer-Encoding beside Content-Length or in HTTP/1.0");
  }
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return "none";
  if (coding !== null) {
    if (coding.toLowerCase() !== "chunked") throw new BadAnswerError("unknown Transfer-Encoding");
    return "chunked";
  }
  return length === null ? "close" : "length";
}

/** Announced trailers cannot follow a body that is not chunked. */
function withoutTrailerField(fields: string[]): string[] {
  for (let i = 0; i < fields.length; i += 2) {
    if (fieldKind(fields[i] ?? "") === "trailer") return withoutFields(fields, ["trailer"]);
  }
  return fields;
}
