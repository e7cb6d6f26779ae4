/**
 * The receiving half of HTTP/1.1: bytes in whatever pieces, one answer out.
 *
 * Strict and bounded, because a service may answer garbage: anything ambiguous (two lengths, an
 * unknown transfer coding, a malformed line) is refused rather than guessed.
 */

/** Names as they came and values, in order. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** Status line and headers of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

/** An answer that breaks HTTP/1.1 or the bounds below. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/** Receives an answer as it comes. */
export interface AnswerSink {
  readonly onHead: (head: AnswerHead) => void;
  /** The chunk is overwritten after the call. */
  readonly onData: (chunk: Buffer) => void;
}

/** Feeds on bytes until the answer is complete. */
export interface AnswerParser {
  /** Whether the answer is complete now. Keeps no reference to `bytes`. Throws AnswerError. */
  push(bytes: Buffer): boolean;
  /** The peer has closed: whether that completes the answer. */
  end(): boolean;
  /** Whether a byte of the answer has come. */
  readonly begun: boolean;
  /** Whether the connection may carry another request. */
  readonly reusable: boolean;
}

/** Status line and headers, and likewise trailers, may take this many bytes. */
export const headBytesMax = 65_536;
const chunkLineBytesMax = 1024;

const tokenPattern = /^[\w!#$%&'*+.^`|~-]+$/;

type State =
  | "head"
  | "length"
  | "chunk-size"
  | "chunk"
  | "chunk-end"
  | "trailers"
  | "close"
  | "done";

/** A parser for one answer to a request with `method`. */
export function createAnswerParser(method: string, sink: AnswerSink): AnswerParser {
  let state: State = "head";
  let pending: Buffer | null = null;
  let left = 0;
  let trailerBytes = 0;
  let begun = false;
  let reusable = false;

  const begin = (text: string): void => {
    const head = parseHead(text);
    if (head.status === 101) throw new AnswerError("unasked upgrade");
    if (head.status < 200) return;
    const framing = framingOf(method, head);
    reusable = framing.reusable;
    left = framing.length;
    state = framing.body;
    sink.onHead(head);
    if (state === "length" && left === 0) state = "done";
  };

  /** Takes what `state` can use from `data` at `at`; returns the new position, -1 for "more". */
  const step = (data: Buffer, at: number): number => {
    if (state === "head") {
      const end = data.indexOf("\r\n\r\n", at, "latin1");
      if ((end < 0 ? data.length : end) - at > headBytesMax) throw new AnswerError("head too long");
      if (end < 0) return -1;
      begin(data.toString("latin1", at, end));
      return end + 4;
    }
    if (state === "length" || state === "chunk") {
      const take = Math.min(left, data.length - at);
      if (take > 0)
        sink.onData(at === 0 && take === data.length ? data : data.subarray(at, at + take));
      left -= take;
      if (left === 0) state = state === "chunk" ? "chunk-end" : "done";
      return at + take;
    }
    if (state === "close") {
      sink.onData(data.subarray(at));
      return data.length;
    }
    return line(data, at);
  };

  const line = (data: Buffer, at: number): number => {
    const end = data.indexOf("\r\n", at, "latin1");
    if ((end < 0 ? data.length : end) - at > chunkLineBytesMax)
      throw new AnswerError("line too long");
    if (end < 0) return -1;
    const text = data.toString("latin1", at, end);
    if (state === "chunk-end") {
      if (text !== "") throw new AnswerError("chunk longer than its size");
      state = "chunk-size";
    } else if (state === "chunk-size") {
      const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(text)?.[1];
      if (size === undefined) throw new AnswerError("malformed chunk size");
      left = Number.parseInt(size, 16);
      state = left === 0 ? "trailers" : "chunk";
    } else {
      trailerBytes += text.length;
      if (trailerBytes > headBytesMax) throw new AnswerError("trailers too long");
      if (text === "") state = "done";
    }
    return end + 2;
  };

  const push = (bytes: Buffer): boolean => {
    begun = true;
    const data = pending ? Buffer.concat([pending, bytes]) : bytes;
    pending = null;
    let at = 0;
    while (state !== "done" && at < data.length) {
      const next = step(data, at);
      if (next < 0) {
        pending = Buffer.from(data.subarray(at));
        return false;
      }
      at = next;
    }
    // Bytes beyond the answer belong to no request of ours.
    if (at < data.length) reusable = false;
    return state === "done";
  };

  return {
    push,
    end() {
      if (state === "close") state = "done";
      return state === "done";
    },
    get begun() {
      return begun;
    },
    get reusable() {
      return reusable;
    },
  };
}

function parseHead(text: string): AnswerHead & { readonly minor: number } {
  const lines = text.split("\r\n");
  const status = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/.exec(lines[0] ?? "");
  if (!status) throw new AnswerError("not an HTTP/1.1 status line");
  const headers: [string, string][] = [];
  for (let index = 1; index < lines.length; index += 1) {
    const entry = lines[index] ?? "";
    const colon = entry.indexOf(":");
    const name = entry.slice(0, Math.max(0, colon));
    const value = trimBlanks(entry.slice(colon + 1));
    if (!tokenPattern.test(name) || hasControl(value)) throw new AnswerError("malformed header");
    headers.push([name, value]);
  }
  return { status: Number(status[2]), headers, minor: Number(status[1]) };
}

/** `trim` would also take bytes such as 0xA0, which belong to the value. */
function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && (text[from] === " " || text[from] === "\t")) from += 1;
  while (to > from && (text[to - 1] === " " || text[to - 1] === "\t")) to -= 1;
  return text.slice(from, to);
}

/** Line ends and NUL in a value would let it become another header further on. */
export function hasControl(value: string): boolean {
  return /[\r\n\0]/.test(value);
}

interface Framing {
  readonly body: "length" | "chunk-size" | "close" | "done";
  readonly length: number;
  readonly reusable: boolean;
}

/** RFC 9112 section 6.3, with its "ought to be handled as an error" cases refused. */
function framingOf(method: string, head: AnswerHead & { readonly minor: number }): Framing {
  let length: string | undefined;
  let chunked = false;
  let persistent = head.minor === 1;
  for (const [rawName, value] of head.headers) {
    const name = rawName.toLowerCase();
    if (name === "content-length") {
      if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== value)) {
        throw new AnswerError("malformed content-length");
      }
      length = value;
    } else if (name === "transfer-encoding") {
      if (chunked || value.toLowerCase() !== "chunked") {
        throw new AnswerError("unknown transfer-encoding");
      }
      chunked = true;
    } else if (name === "connection") {
      const tokens = value.toLowerCase().split(/[ \t]*,[ \t]*/);
      if (tokens.includes("close")) persistent = false;
      else if (tokens.includes("keep-alive")) persistent = true;
    }
  }
  if (method === "HEAD" || head.status === 204 || head.status === 304) {
    return { body: "done", length: 0, reusable: persistent };
  }
  if (chunked && length !== undefined) throw new AnswerError("two body lengths");
  if (chunked) return { body: "chunk-size", length: 0, reusable: persistent };
  if (length !== undefined) return { body: "length", length: Number(length), reusable: persistent };
  return { body: "close", length: 0, reusable: false };
}
