/**
 * A client for one request at a time over one kept-alive connection.
 *
 * An environment never has two requests in flight, so there is no pool and no pipelining. Loading
 * node:http instead costs 20 ms of cold start and 15 MB per environment.
 */
import { connect, type Socket } from "node:net";
import {
  type AnswerHead,
  type AnswerParser,
  createAnswerParser,
  type Headers,
} from "./http-answer.ts";
import { uptimeMs } from "./uptime.ts";

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

/** The answers to two requests that were sent in one go. */
export interface Both {
  readonly receipt: Promise<HttpAnswer>;
  readonly next: Promise<HttpAnswer>;
}

/** One peer, one connection, one request at a time. */
export interface HttpClient {
  exchange(request: HttpRequest, sink?: BodySink): Promise<HttpAnswer>;
  /**
   * Sends two requests in one go, over a connection that is open already; `null` if there is none.
   * No request may follow before both are answered.
   */
  exchangeBoth(first: HttpRequest, second: HttpRequest): Both | null;
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
  readonly method: string;
  readonly sink: BodySink | undefined;
  readonly answer: Promise<HttpAnswer>;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
  head: AnswerHead | null;
  chunks: Buffer[];
  bodyBytes: number;
  /** Whether a byte of the answer has come. */
  begun: boolean;
}

interface Link {
  readonly socket: Socket;
  readonly parser: AnswerParser;
  connected: boolean;
  exchange: Exchange | null;
  /** Its request went out together with that of `exchange`. */
  following: Exchange | null;
  idleSinceMs: number;
}

/**
 * What a connection reads into. Without it Node allocates as much anew for every packet, which
 * shows in the resident memory.
 */
const readBytesMax = 65_536;

/** Makes the client; it connects when first used. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  return new LoneClient(options);
}

class LoneClient implements HttpClient {
  readonly #options: HttpClientOptions;
  #link: Link | null = null;
  #readBuffer: Buffer | null = null;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  exchange(request: HttpRequest, sink?: BodySink): Promise<HttpAnswer> {
    const { current, reused } = this.#acquire();
    const exchange = createExchange(request.method, sink);
    this.#expect(current, exchange);
    send(current.socket, request);
    return reused ? this.#repeatable(exchange, request) : exchange.answer;
  }

  exchangeBoth(first: HttpRequest, second: HttpRequest): Both | null {
    const { current, reused } = this.#acquire();
    if (!reused) return null;
    const former = createExchange(first.method, undefined);
    const latter = createExchange(second.method, undefined);
    this.#expect(current, former);
    current.following = latter;
    const [head, tail] = [textOf(first), textOf(second)];
    if (head !== null && tail !== null) current.socket.write(head + tail, "latin1");
    else for (const request of [first, second]) send(current.socket, request);
    return { receipt: former.answer, next: this.#repeatable(latter, second) };
  }

  upload(request: Omit<HttpRequest, "body">): Upload {
    const { current } = this.#acquire();
    const exchange = createExchange(request.method, undefined);
    this.#expect(current, exchange);
    // The failure is reported by `end`; until then it must not count as unhandled.
    exchange.answer.catch(() => undefined);
    return openUpload(current.socket, request, exchange.answer);
  }

  abort(reason: string): void {
    if (this.#link) this.#drop(this.#link, new HttpError("aborted", reason));
  }

  /** Sends once more what may be sent twice, if the kept connection turns out to be closed. */
  #repeatable(exchange: Exchange, request: HttpRequest): Promise<HttpAnswer> {
    if (!idempotent.has(request.method)) return exchange.answer;
    return exchange.answer.catch((error: HttpError) => {
      if (error.kind !== "reset" || exchange.begun) throw error;
      return this.exchange(request, exchange.sink);
    });
  }

  /** A usable connection and whether it has carried a request before. */
  #acquire(): { readonly current: Link; readonly reused: boolean } {
    if (this.#link?.exchange) throw new Error("one request at a time");
    if (this.#link && uptimeMs() - this.#link.idleSinceMs > idleMsMax) {
      this.#drop(this.#link, new HttpError("aborted", "idle"));
    }
    const reused = this.#link !== null;
    this.#link ??= this.#open();
    return { current: this.#link, reused };
  }

  #open(): Link {
    this.#readBuffer ??= Buffer.allocUnsafeSlow(readBytesMax);
    const onread = {
      buffer: this.#readBuffer,
      callback: (bytesRead: number, buffer: Uint8Array): boolean => {
        this.#receive(made, (buffer as Buffer).subarray(0, bytesRead));
        return true;
      },
    };
    const { host, port } = this.#options;
    const socket = connect({ host, port, noDelay: true, onread });
    const parser = createAnswerParser("GET", {
      onHead: (head) => {
        if (made.exchange) made.exchange.head = head;
        made.exchange?.sink?.onHead(head);
      },
      onData: (chunk) => this.#take(made, chunk),
    });
    const made: Link = {
      socket,
      parser,
      connected: false,
      exchange: null,
      following: null,
      idleSinceMs: 0,
    };
    socket.on("connect", () => {
      made.connected = true;
    });
    socket.on("end", () => this.#closed(made));
    socket.on("close", () => this.#closed(made));
    socket.on("error", (error) => {
      this.#drop(made, new HttpError(made.connected ? "reset" : "refused", error.message));
    });
    return made;
  }

  #expect(link: Link, exchange: Exchange): void {
    link.exchange = exchange;
    link.parser.begin(exchange.method);
  }

  #receive(from: Link, bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      const { exchange, parser } = from;
      if (!exchange) {
        this.#drop(from, new HttpError("garbage", "bytes without a request"));
        return;
      }
      exchange.begun = true;
      try {
        if (!parser.push(rest)) return;
      } catch (error) {
        const known = error instanceof HttpError;
        this.#drop(from, known ? error : new HttpError("garbage", (error as Error).message));
        return;
      }
      rest = rest.subarray(rest.length - parser.beyond);
      this.#complete(from, exchange);
      // The answer was the last one of its connection; what follows it is nobody's.
      if (this.#link !== from) return;
    }
  }

  #take({ exchange, socket }: Link, borrowed: Buffer): void {
    if (!exchange) return;
    const chunk = Buffer.from(borrowed);
    if (exchange.sink) {
      const ready = exchange.sink.onData(chunk);
      if (!ready) return;
      socket.pause();
      const resume = (): unknown => socket.resume();
      ready.then(resume, resume);
      return;
    }
    exchange.bodyBytes += chunk.length;
    if (exchange.bodyBytes > this.#options.bodyBytesMax) {
      const { bodyBytesMax } = this.#options;
      throw new HttpError("too-large", `the body is longer than ${bodyBytesMax} bytes`);
    }
    exchange.chunks.push(chunk);
  }

  #complete(from: Link, { head, chunks, resolve }: Exchange): void {
    if (!head) throw new Error("an answer without a head is not complete");
    const { following, parser } = from;
    from.exchange = null;
    from.following = null;
    if (following ? parser.persistent : parser.reusable) {
      if (following) this.#expect(from, following);
      else from.idleSinceMs = uptimeMs();
    } else {
      if (this.#link === from) this.#link = null;
      from.socket.destroySoon();
      following?.reject(new HttpError("reset", "the connection was closed"));
    }
    const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    resolve({ status: head.status, headers: head.headers, body });
  }

  #closed(from: Link): void {
    const { exchange } = from;
    if (exchange?.begun && from.parser.end()) this.#complete(from, exchange);
    const why = "the connection was closed before the answer was complete";
    this.#drop(from, new HttpError("reset", why));
  }

  #drop(dropped: Link, error: Error): void {
    if (this.#link === dropped) this.#link = null;
    dropped.socket.destroy();
    const { exchange, following } = dropped;
    dropped.exchange = null;
    dropped.following = null;
    exchange?.reject(error);
    following?.reject(error);
  }
}

function createExchange(method: string, sink: BodySink | undefined): Exchange {
  // `Promise.withResolvers` is younger than some images.
  let settle!: Pick<Exchange, "resolve" | "reject">;
  const answer = new Promise<HttpAnswer>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { method, sink, answer, ...settle, head: null, chunks: [], bodyBytes: 0, begun: false };
}

/** Bodies up to this size are copied behind their head, so that both leave in one packet. */
const copyBytesMax = 65_536;

/** A request as one text with one character per byte; `null` if that had better not be made. */
function textOf(request: HttpRequest): string | null {
  const { body } = request;
  if (body.length === 0) return headOf(request);
  // A character beyond ASCII makes more than one byte.
  if (typeof body === "string") {
    if (Buffer.byteLength(body) === body.length) return headOf(request) + body;
    return body.length > copyBytesMax
      ? null
      : headOf(request) + Buffer.from(body).toString("latin1");
  }
  return body.length > copyBytesMax ? null : headOf(request) + body.toString("latin1");
}

function send(socket: Socket, request: HttpRequest): void {
  const text = textOf(request);
  if (text !== null) {
    socket.write(text, "latin1");
    return;
  }
  socket.cork();
  socket.write(headOf(request), "latin1");
  socket.write(request.body);
  socket.uncork();
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
