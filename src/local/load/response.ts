/**
 * Reads HTTP/1.1 responses (RFC 9112), as little of them as the load generator judges.
 *
 * Bytes are taken as latin1 text: one character each, so that lengths stay exact and a token of
 * ASCII can be searched for.
 */

/** One answer. */
export interface Answer {
  readonly status: number;
  /** The `x-request-id` header, by which an answer to another request is told. */
  readonly requestId: string | null;
  /** The body as latin1 text, empty unless it was asked for. */
  readonly body: string;
  /** Whether the connection may carry another request. */
  readonly keepAlive: boolean;
  /** What the server said in `Keep-Alive: timeout`. */
  readonly keepAliveSeconds: number | null;
}

/** What the parser needs to know of the request that is answered. */
export interface Expected {
  /** HEAD: the answer ends with its headers. */
  readonly bodyless: boolean;
  readonly keepBody: boolean;
}

/** `partial`: more is to come. `garbage`: not HTTP, or more than its bounds. */
export type Parsed =
  | { readonly type: "partial" }
  | { readonly type: "answer"; readonly answer: Answer }
  | { readonly type: "garbage"; readonly reason: string };

/** Reads one answer after the other from one connection. */
export interface ResponseParser {
  /** Starts with the answer to the next request. */
  expect(expected: Expected): void;
  feed(text: string): Parsed;
  /** The server closed the connection. */
  end(): Parsed;
}

/** Longest block of headers, chunk line and trailer accepted. */
const headCharsMax = 65_536;
/** Largest body read. */
export const bodyBytesMax: number = 32 * 1024 * 1024;

type Framing = "head" | "length" | "chunk-size" | "chunk-data" | "trailer" | "close" | "done";

interface Head {
  readonly status: number;
  readonly framing: Framing;
  readonly length: number;
  readonly keepAlive: boolean;
  readonly keepAliveSeconds: number | null;
  readonly requestId: string | null;
}

interface State {
  expected: Expected;
  framing: Framing;
  head: Head | null;
  /** Bytes of the body or the chunk still to come. */
  left: number;
  bodyBytes: number;
  body: string;
  /** What was fed and not taken yet. */
  rest: string;
}

const partial: Parsed = { type: "partial" };
const garbage = (reason: string): Parsed => ({ type: "garbage", reason });

/** Creates a parser. */
export function createResponseParser(): ResponseParser {
  const expected = { bodyless: false, keepBody: false };
  const counts = { left: 0, bodyBytes: 0, body: "", rest: "" };
  const state: State = { ...counts, expected, framing: "done", head: null };
  return {
    expect(next) {
      state.expected = next;
      state.framing = "head";
      state.head = null;
      state.body = "";
      state.bodyBytes = 0;
    },
    feed(text) {
      if (state.framing === "done") return garbage("an answer without a request");
      state.rest = state.rest === "" ? text : state.rest + text;
      for (;;) {
        const parsed = takers[state.framing](state);
        if (state.bodyBytes > bodyBytesMax) return garbage("a body over 32 MB");
        if (parsed !== null) return parsed;
      }
    },
    end() {
      const ended = state.framing === "close";
      return ended ? finish(state) : garbage("the connection ended within the answer");
    },
  };
}

/** One step of each framing; `null` means that the next step can be made at once. */
const takers: Readonly<Record<Framing, (state: State) => Parsed | null>> = {
  head: takeHead,
  length: takeLength,
  "chunk-size": takeChunkSize,
  "chunk-data": takeChunk,
  trailer: takeTrailer,
  close: takeAll,
  done: finish,
};

function finish(state: State): Parsed {
  state.framing = "done";
  const { head, body, rest } = state;
  if (head === null) return garbage("no headers");
  // Who sends more than one answer to one request is out of step from here on.
  if (rest !== "") return garbage("the answer is longer than it says");
  const { status, requestId, keepAlive, keepAliveSeconds } = head;
  return { type: "answer", answer: { status, requestId, body, keepAlive, keepAliveSeconds } };
}

function takeHead(state: State): Parsed | null {
  const end = state.rest.indexOf("\r\n\r\n");
  if (end < 0) return state.rest.length > headCharsMax ? garbage("endless headers") : partial;
  const head = readHead(state.rest.slice(0, end), state.expected.bodyless);
  if (typeof head === "string") return garbage(head);
  state.rest = state.rest.slice(end + 4);
  // 1xx announces the answer, it is none.
  if (head.status < 200) return null;
  state.head = head;
  state.framing = head.framing;
  state.left = head.length;
  return null;
}

/** Takes up to `count` bytes of the body and returns how many there were. */
function takeBody(state: State, count: number): number {
  const taken = Math.min(count, state.rest.length);
  state.bodyBytes += taken;
  if (state.expected.keepBody) state.body += state.rest.slice(0, taken);
  state.rest = state.rest.slice(taken);
  return taken;
}

function takeAll(state: State): Parsed {
  takeBody(state, state.rest.length);
  return partial;
}

function takeLength(state: State): Parsed {
  state.left -= takeBody(state, state.left);
  return state.left === 0 ? finish(state) : partial;
}

function takeChunk(state: State): Parsed | null {
  state.left -= takeBody(state, state.left);
  if (state.left > 0 || state.rest.length < 2) return partial;
  if (!state.rest.startsWith("\r\n")) return garbage("a chunk longer than its size");
  state.rest = state.rest.slice(2);
  state.framing = "chunk-size";
  return null;
}

function takeChunkSize(state: State): Parsed | null {
  const line = takeLine(state);
  if (typeof line !== "string") return line;
  const size = /^([0-9a-f]{1,8})[ \t]*(;.*)?$/i.exec(line)?.[1];
  if (size === undefined) return garbage("a chunk without size");
  state.left = Number.parseInt(size, 16);
  state.framing = state.left === 0 ? "trailer" : "chunk-data";
  return null;
}

function takeTrailer(state: State): Parsed | null {
  const line = takeLine(state);
  if (typeof line !== "string") return line;
  return line === "" ? finish(state) : null;
}

/** One line without its end, or what to return when it is not complete. */
function takeLine(state: State): string | Parsed {
  const end = state.rest.indexOf("\r\n");
  if (end < 0) return state.rest.length > headCharsMax ? garbage("endless line") : partial;
  const line = state.rest.slice(0, end);
  state.rest = state.rest.slice(end + 2);
  return line;
}

/** The headers that matter, or what is wrong with them. */
function readHead(text: string, bodyless: boolean): Head | string {
  const lines = text.split("\r\n");
  const start = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(lines[0] ?? "");
  if (start === null) return "no HTTP/1.1 answer";
  const status = Number(start[2]);
  if (status === 101 || status < 100) return `status ${status}`;
  let length: number | null = null;
  let chunked = false;
  let keepAlive = start[1] === "1";
  let keepAliveSeconds: number | null = null;
  let requestId: string | null = null;
  for (let i = 1; i < lines.length; i += 1) {
    const line = lines[i] ?? "";
    const colon = line.indexOf(":");
    if (colon < 1) return "a header without name";
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case "content-length":
        if (!/^\d{1,15}$/.test(value)) return "a content-length that is no number";
        if (length !== null && length !== Number(value)) return "two lengths";
        length = Number(value);
        break;
      case "transfer-encoding":
        if (value.toLowerCase() !== "chunked") return "an unknown transfer encoding";
        chunked = true;
        break;
      case "connection":
        if (/(^|[\s,])close($|[\s,])/i.test(value)) keepAlive = false;
        else if (/(^|[\s,])keep-alive($|[\s,])/i.test(value)) keepAlive = true;
        break;
      case "keep-alive":
        keepAliveSeconds = readTimeout(value);
        break;
      case "x-request-id":
        requestId = value;
        break;
    }
  }
  // Both lengths at once are how answers get smuggled (RFC 9112, 6.3).
  if (chunked && length !== null) return "two lengths";
  const framing = framingOf(status, bodyless, chunked, length);
  if (framing === "close") keepAlive = false;
  return { status, framing, length: length ?? 0, keepAlive, keepAliveSeconds, requestId };
}

function framingOf(
  status: number,
  bodyless: boolean,
  chunked: boolean,
  length: number | null,
): Framing {
  if (bodyless || status === 204 || status === 304) return "done";
  if (chunked) return "chunk-size";
  return length === null ? "close" : "length";
}

function readTimeout(value: string): number | null {
  const seconds = /(?:^|[\s,])timeout=(\d{1,9})/i.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds);
}
