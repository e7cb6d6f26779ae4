/**
 * A client for one request at a time over one kept-alive connection.
 *
 * An environment never has two requests in flight, so there is no pool and no pipelining. Loading
 * node:http instead costs 20 ms of cold start and 15 MB per environment.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import {
  type AnswerHead,
  type AnswerParser,
  createAnswerParser,
  type Headers,
} from "./http-answer.ts";

/** A request whose parts are already valid HTTP: see `headOf`. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, as they go on the wire. */
  readonly target: string;
  readonly headers: Headers;
  /** A text goes as UTF-8. */
  readonly body: Buffer | string;
}

/** A complete answer. */
export interface HttpAnswer extends AnswerHead {
  /** Empty if the body went to a sink. */
  readonly body: Buffer;
}

/** Takes the body as it comes; a returned promise holds the peer back until it settles. */
export interface BodySink {
  readonly onHead: (head: AnswerHead) => void;
  /** The chunk belongs to the sink. */
  readonly onData: (chunk: Buffer) => Promise<void> | undefined;
}

/** Why no complete answer came. */
export type HttpFailure = "refused" | "reset" | "garbage" | "too-large" | "aborted";

/** The exchange failed; `kind` says how. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly kind: HttpFailure;
  constructor(kind: HttpFailure, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A request body of unknown length, written piece by piece. */
export interface Upload {
  /** A promise means: wait for it before the next write. */
  write(chunk: Buffer | string): Promise<void> | undefined;
  /** Ends the body and waits for the answer. */
  end(trailers: Headers): Promise<HttpAnswer>;
}

/** One peer, one connection, one request at a time. */
export interface HttpClient {
  exchange(request: HttpRequest, sink?: BodySink): Promise<HttpAnswer>;
  upload(request: Omit<HttpRequest, "body">): Upload;
  /** Fails the exchange in flight, if any, and closes the connection. */
  abort(reason: string): void;
}

/** Where the peer is, and how much it may answer. */
export interface HttpClientOptions {
  readonly host: string;
  readonly port: number;
  /** A longer body fails with `too-large`; does not apply to bodies that go to a sink. */
  readonly bodyBytesMax: number;
}

/**
 * A connection idle for longer is not used again. Services close idle connections after 2 to 75
 * seconds, and a request written at that very moment is lost; a new loopback connection is cheap.
 */
const idleMsMax = 1000;

/** Methods that may be sent twice when a reused connection turns out to be closed. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

interface Exchange {
  readonly parser: AnswerParser;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

interface Link {
  readonly socket: Socket;
  connected: boolean;
  exchange: Exchange | null;
  idleSinceMs: number;
}

/**
 * What a connection reads into. Without it Node allocates as much anew for every packet, which
 * shows in the resident memory.
 */
const readBytesMax = 65_536;

/** Makes the client; it connects when first used. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  let link: Link | null = null;
  let readBuffer: Buffer | null = null;

  const drop = (dropped: Link, error: Error): void => {
    if (link === dropped) link = null;
    dropped.socket.destroy();
    const { exchange } = dropped;
    dropped.exchange = null;
    exchange?.fail(error);
  };

  const receive = (from: Link, bytes: Buffer): void => {
    const { exchange } = from;
    if (!exchange) {
      drop(from, new HttpError("garbage", "bytes without a request"));
      return;
    }
    try {
      if (exchange.parser.push(bytes)) complete(from, exchange);
    } catch (error) {
      const known = error instanceof HttpError;
      drop(from, known ? error : new HttpError("garbage", (error as Error).message));
    }
  };

  const complete = (from: Link, exchange: Exchange): void => {
    from.exchange = null;
    from.idleSinceMs = performance.now();
    if (!exchange.parser.reusable) {
      if (link === from) link = null;
      from.socket.destroySoon();
    }
    exchange.finish();
  };

  const closed = (from: Link): void => {
    const { exchange } = from;
    if (exchange?.parser.end()) complete(from, exchange);
    drop(from, new HttpError("reset", "the connection was closed before the answer was complete"));
  };

  const open = (): Link => {
    readBuffer ??= Buffer.allocUnsafeSlow(readBytesMax);
    const onread = {
      buffer: readBuffer,
      callback(bytesRead: number, buffer: Uint8Array): boolean {
        receive(made, Buffer.from(buffer.buffer, 0, bytesRead));
        return true;
      },
    };
    const { host, port } = options;
    const socket = connect({ host, port, noDelay: true, onread });
    const made: Link = { socket, connected: false, exchange: null, idleSinceMs: 0 };
    socket.on("connect", () => {
      made.connected = true;
    });
    socket.on("end", () => closed(made));
    socket.on("close", () => closed(made));
    socket.on("error", (error) => {
      drop(made, new HttpError(made.connected ? "reset" : "refused", error.message));
    });
    return made;
  };

  /** A usable connection and whether it has carried a request before. */
  const acquire = (): { readonly current: Link; readonly reused: boolean } => {
    assert(!link?.exchange, "one request at a time");
    if (link && performance.now() - link.idleSinceMs > idleMsMax) {
      drop(link, new HttpError("aborted", "idle"));
    }
    const reused = link !== null;
    link ??= open();
    return { current: link, reused };
  };

  const attempt = (request: HttpRequest, sink: BodySink | undefined): Promise<HttpAnswer> => {
    const { current, reused } = acquire();
    const { exchange, answer } = begin(current, request.method, sink, options.bodyBytesMax);
    send(current.socket, request);
    if (!reused || !idempotent.has(request.method)) return answer;
    return answer.catch((error: HttpError) => {
      if (error.kind !== "reset" || exchange.parser.begun) throw error;
      return attempt(request, sink);
    });
  };

  return {
    exchange: attempt,
    upload(request) {
      const { current } = acquire();
      const { answer } = begin(current, request.method, undefined, options.bodyBytesMax);
      // The failure is reported by `end`; until then it must not count as unhandled.
      answer.catch(() => undefined);
      return openUpload(current.socket, request, answer);
    },
    abort(reason) {
      if (link) drop(link, new HttpError("aborted", reason));
    },
  };
}

function begin(
  link: Link,
  method: string,
  sink: BodySink | undefined,
  bodyBytesMax: number,
): { readonly exchange: Exchange; readonly answer: Promise<HttpAnswer> } {
  let head: AnswerHead | null = null;
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  const onData = (borrowed: Buffer): void => {
    const chunk = Buffer.from(borrowed);
    if (sink) {
      const ready = sink.onData(chunk);
      if (!ready) return;
      link.socket.pause();
      const resume = (): unknown => link.socket.resume();
      ready.then(resume, resume);
      return;
    }
    bodyBytes += chunk.length;
    if (bodyBytes > bodyBytesMax) {
      throw new HttpError("too-large", `the body is longer than ${bodyBytesMax} bytes`);
    }
    chunks.push(chunk);
  };
  const onHead = (received: AnswerHead): void => {
    head = received;
    sink?.onHead(received);
  };
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const exchange: Exchange = {
    parser: createAnswerParser(method, { onHead, onData }),
    finish() {
      assert(head);
      const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
      resolve({ status: head.status, headers: head.headers, body });
    },
    fail: reject,
  };
  link.exchange = exchange;
  return { exchange, answer: promise };
}

/** Bodies up to this size are copied behind their head, so that both leave in one packet. */
const copyBytesMax = 65_536;

function send(socket: Socket, request: HttpRequest): void {
  const head = headOf(request);
  const { body } = request;
  const length = Buffer.byteLength(body);
  if (typeof body === "string" && length === body.length) {
    socket.write(head + body, "latin1");
  } else if (length <= copyBytesMax) {
    const packet = Buffer.allocUnsafe(head.length + length);
    packet.write(head, 0, "latin1");
    if (typeof body === "string") packet.write(body, head.length);
    else body.copy(packet, head.length);
    socket.write(packet);
  } else {
    socket.cork();
    socket.write(head, "latin1");
    socket.write(body);
    socket.uncork();
  }
}

/** Request line and headers, one character per byte. */
function headOf(request: Omit<HttpRequest, "body">): string {
  let head = `${request.method} ${request.target} HTTP/1.1\r\n`;
  for (const [name, value] of request.headers) head += `${name}: ${value}\r\n`;
  return `${head}\r\n`;
}

function openUpload(
  socket: Socket,
  request: Omit<HttpRequest, "body">,
  answer: Promise<HttpAnswer>,
): Upload {
  socket.write(headOf(request), "latin1");
  return {
    write(chunk) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      if (socket.destroyed) throw new HttpError("reset", "the upload was cut off");
      if (bytes.length === 0) return undefined;
      socket.cork();
      socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
      socket.write(bytes);
      const free = socket.write("\r\n", "latin1");
      socket.uncork();
      return free ? undefined : drained(socket, answer);
    },
    end(trailers) {
      let last = "0\r\n";
      for (const [name, value] of trailers) last += `${name}: ${value}\r\n`;
      if (!socket.destroyed) socket.write(`${last}\r\n`, "latin1");
      return answer;
    },
  };
}

/** A peer that answers or goes away while we wait for it to read must not hold us up. */
function drained(socket: Socket, answer: Promise<HttpAnswer>): Promise<void> {
  const free = new Promise<void>((resolve) => {
    socket.once("drain", resolve);
  });
  const over = answer.then(
    () => undefined,
    () => undefined,
  );
  return Promise.race([free, over]);
}
