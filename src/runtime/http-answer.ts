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
  /** Makes ready for the answer to the next request, which has `method`. */
  begin(method: string): void;
  /** Whether the answer is complete now. Keeps no reference to `bytes`. Throws AnswerError. */
  push(bytes: Buffer): boolean;
  /** The peer has closed: whether that completes the answer. */
  end(): boolean;
  /** Whether a byte of the answer has come. */
  readonly begun: boolean;
  /** Bytes at the end of what was pushed last that lie beyond the answer. */
  readonly beyond: number;
  /** Whether the answer allows another one on its connection. */
  readonly persistent: boolean;
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

/** A parser for the answers of one connection, the first one to a request with `method`. */
export function createAnswerParser(method: string, sink: AnswerSink): AnswerParser {
  return new ConnectionParser(method, sink);
}

/** A head as it was read, kept because peers repeat themselves to the byte. */
interface KnownHead {
  readonly text: string;
  readonly head: AnswerHead;
  readonly framing: Framing;
}

/** Longer heads are read anew each time. */
const knownHeadMax = 2048;

class ConnectionParser implements AnswerParser {
  readonly #sink: AnswerSink;
  #method: string;
  #state: State = "head";
  #pending: Buffer | null = null;
  #left = 0;
  #trailerBytes = 0;
  #begun = false;
  #persistent = false;
  #beyond = 0;
  /** A head that came again, and the one that came last. */
  #known: KnownHead | null = null;
  #latest: KnownHead | null = null;

  constructor(method: string, sink: AnswerSink) {
    this.#method = method;
    this.#sink = sink;
  }

  get begun(): boolean {
    return this.#begun;
  }

  get beyond(): number {
    return this.#beyond;
  }

  get persistent(): boolean {
    return this.#persistent;
  }

  get reusable(): boolean {
    // Bytes beyond the answer belong to no request of ours.
    return this.#persistent && this.#beyond === 0;
  }

  begin(method: string): void {
    this.#method = method;
    this.#state = "head";
    this.#pending = null;
    this.#left = 0;
    this.#trailerBytes = 0;
    this.#begun = false;
    this.#persistent = false;
    this.#beyond = 0;
  }

  push(bytes: Buffer): boolean {
    this.#begun = true;
    const data = this.#pending ? Buffer.concat([this.#pending, bytes]) : bytes;
    this.#pending = null;
    let at = 0;
    while (this.#state !== "done" && at < data.length) {
      const next = this.#step(data, at);
      if (next < 0) {
        this.#pending = Buffer.from(data.subarray(at));
        return false;
      }
      at = next;
    }
    this.#beyond = data.length - at;
    return this.#state === "done";
  }

  end(): boolean {
    if (this.#state === "close") this.#state = "done";
    return this.#state === "done";
  }

  /** Takes what the state can use from `data` at `at`; returns the new position, -1 for "more". */
  #step(data: Buffer, at: number): number {
    switch (this.#state) {
      case "head": {
        const end = data.indexOf("\r\n\r\n", at, "latin1");
        const length = (end < 0 ? data.length : end) - at;
        if (length > headBytesMax) throw new AnswerError("head too long");
        if (end < 0) return -1;
        this.#takeHead(data.toString("latin1", at, end));
        return end + 4;
      }
      case "length":
      case "chunk": {
        const take = Math.min(this.#left, data.length - at);
        const whole = at === 0 && take === data.length;
        if (take > 0) this.#sink.onData(whole ? data : data.subarray(at, at + take));
        this.#left -= take;
        if (this.#left === 0) this.#state = this.#state === "chunk" ? "chunk-end" : "done";
        return at + take;
      }
      case "close":
        this.#sink.onData(data.subarray(at));
        return data.length;
      default:
        return this.#takeLine(data, at);
    }
  }

  #takeHead(text: string): void {
    const { head, framing } = this.#read(text);
    if (head.status === 101) throw new AnswerError("unasked upgrade");
    if (head.status < 200) return;
    this.#persistent = framing.reusable;
    this.#left = framing.length;
    this.#state = framing.body;
    this.#sink.onHead(head);
    if (this.#state === "length" && this.#left === 0) this.#state = "done";
  }

  #read(text: string): KnownHead {
    // What a HEAD request is answered with, is framed in a way of its own.
    const usual = this.#method !== "HEAD" && text.length <= knownHeadMax;
    if (usual && this.#known?.text === text) return this.#known;
    if (usual && this.#latest?.text === text) {
      this.#known = this.#latest;
      return this.#latest;
    }
    const { minor, ...head } = parseHead(text);
    const read = { text, head, framing: framingOf(this.#method, head, minor) };
    if (usual) this.#latest = read;
    return read;
  }

  #takeLine(data: Buffer, at: number): number {
    const end = data.indexOf("\r\n", at, "latin1");
    if ((end < 0 ? data.length : end) - at > chunkLineBytesMax)
      throw new AnswerError("line too long");
    if (end < 0) return -1;
    const text = data.toString("latin1", at, end);
    if (this.#state === "chunk-end") {
      if (text !== "") throw new AnswerError("chunk longer than its size");
      this.#state = "chunk-size";
    } else if (this.#state === "chunk-size") {
      const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(text)?.[1];
      if (size === undefined) throw new AnswerError("malformed chunk size");
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? "trailers" : "chunk";
    } else {
      this.#trailerBytes += text.length;
      if (this.#trailerBytes > headBytesMax) throw new AnswerError("trailers too long");
      if (text === "") this.#state = "done";
    }
    return end + 2;
  }
}

function parseHead(text: string): AnswerHead & { readonly minor: number } {
  let end = text.indexOf("\r\n");
  const status = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/.exec(end < 0 ? text : text.slice(0, end));
  if (!status) throw new AnswerError("not an HTTP/1.1 status line");
  const headers: [string, string][] = [];
  while (end >= 0) {
    const from = end + 2;
    end = text.indexOf("\r\n", from);
    const entry = text.slice(from, end < 0 ? text.length : end);
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
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
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
function framingOf(method: string, head: AnswerHead, minor: number): Framing {
  let length: string | undefined;
  let chunked = false;
  let persistent = minor === 1;
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
