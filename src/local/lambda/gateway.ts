/**
 * The front door: what API Gateway's HTTP API does between a client and a function.
 *
 * Limits and answers are those of the real service: 10,240 bytes of request line and header
 * values, 10 MB of body of which Lambda takes 6 MB as an event, 30 s for the function. Throttling
 * and the time limit are 503 "Service Unavailable"; whatever the function does wrong is 500.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Meter } from "../meter.ts";
import type { Endpoint } from "../service.ts";
import { type Answer, answerOf, isTimeout, streamHeadOf } from "./answer.ts";
import { eventOf } from "./event.ts";
import { type Invocation, type InvocationResult, requestPayloadBytesMax } from "./invocation.ts";
import { refuseBytes } from "./refusal.ts";
import { stampRequest } from "./stamp.ts";

/** Where the front door sends events. */
export interface FunctionBackend {
  /** Takes an invocation, or refuses it (`false`) because too many are in flight. */
  invoke(invocation: Invocation): boolean;
  /** The client has gone: an invocation that still waits need not run. */
  cancel(invocation: Invocation): void;
}

/** Settings of the front door. */
export interface GatewayOptions {
  readonly backend: FunctionBackend;
  readonly clock: Clock;
  readonly meter: Meter;
  /** 0 = any free port. */
  readonly port: number;
  /** Virtual age after which a connection is closed with its next answer. */
  readonly clientKeepAliveMs: number;
  /** Real milliseconds that a function may take. @default 30000, the limit of HTTP APIs */
  readonly integrationTimeoutMs?: number;
  /** A request, as "GET /path", fails because the function gave this instead of an answer. */
  readonly onFailed?: (request: string, result: InvocationResult) => void;
}

/** A listening front door. */
export interface Gateway {
  readonly endpoint: Endpoint;
  /** Stops listening, waits up to `graceMs` for requests in flight, then cuts all connections. */
  stop(graceMs: number): Promise<void>;
}

/** The quota "total combined size of request line and header values". */
const headBytesMax = 10_240;
const bodyBytesMax = 10 * 1024 * 1024;
/** A refused body is read and thrown away up to here, so that the client sees the refusal. */
const discardBytesMax = 64 * 1024 * 1024;
const connectionsMax = 10_000;
const nothing: Buffer = Buffer.alloc(0);
/** Clients close idle connections first: ours outlive the 60 s of a usual client pool. */
const idleConnectionMs = 75_000;

/** One client connection. */
interface Client {
  /** Virtual time. */
  readonly openedMs: number;
  /** Requests that have not been answered yet. */
  requests: number;
}

/** One request on its way; its fields change as it proceeds. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Client | undefined;
  readonly begunMs: number;
  status: number;
  throttled: boolean;
  /** When the function must have answered, real time. */
  dueMs: number;
  invocation: Invocation | null;
  /** What has come of a streamed answer before its head was complete; `null` once it has left. */
  begun: Buffer | null;
}

/** Starts the front door on the loopback interface. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const door = new FrontDoor(options);
  await door.listen();
  return door;
}

class FrontDoor implements Gateway {
  readonly #options: GatewayOptions;
  readonly #timeoutMs: number;
  readonly #server: Server;
  readonly #clients = new WeakMap<Socket, Client>();
  /** Exchanges that wait for the function, the oldest first; one timer watches over all. */
  readonly #pending = new Set<Exchange>();
  #overdue: NodeJS.Timeout | undefined;
  #port = 0;
  #inFlight = 0;
  #stopping = false;
  #idle: () => void = () => undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#timeoutMs = options.integrationTimeoutMs ?? 30_000;
    this.#server = createServer({
      keepAliveTimeout: idleConnectionMs,
      // Somewhat above the quota, so that the quota itself answers in the gateway's own words.
      maxHeaderSize: 32_768,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      connectionsCheckingInterval: 2_000,
      insecureHTTPParser: false,
    });
    this.#server.maxConnections = connectionsMax;
    this.#server.on("connection", (socket) => {
      this.#clients.set(socket, { openedMs: options.clock.nowMs(), requests: 0 });
    });
    this.#server.on("request", (request, response) => this.#receive(request, response));
    this.#server.on("clientError", (error, socket) => {
      const client = this.#clients.get(socket as Socket);
      refuseBytes(error, socket as Socket, (client?.requests ?? 0) > 0);
    });
  }

  get endpoint(): Endpoint {
    return { host: "127.0.0.1", port: this.#port };
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#options.port, "127.0.0.1");
    await once(this.#server, "listening");
    // From here on an error means one connection that could not be accepted.
    this.#server.on("error", () => undefined);
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    if (this.#inFlight > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, graceMs);
      });
      clearTimeout(timer);
    }
    this.#server.closeAllConnections();
    clearTimeout(this.#overdue);
    await closed;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const exchange: Exchange = {
      request,
      response,
      client: this.#clients.get(request.socket),
      begunMs: performance.now(),
      status: 499,
      throttled: false,
      dueMs: 0,
      invocation: null,
      begun: nothing,
    };
    this.#inFlight += 1;
    if (exchange.client) exchange.client.requests += 1;
    this.#options.meter.started();
    response.on("close", () => this.#finished(exchange));
    if (headBytes(request) > headBytesMax) {
      this.#refuse(exchange, 431, "Request Header Fields Too Large");
      return;
    }
    const { headers } = request;
    const length = headers["content-length"];
    const chunked = headers["transfer-encoding"] !== undefined;
    if (Number(length ?? 0) > bodyBytesMax) this.#refuse(exchange, 413, "Request Too Long");
    else if (chunked || (length !== undefined && length !== "0")) this.#collect(exchange);
    else this.#invoke(exchange, length === undefined ? null : Buffer.alloc(0));
  }

  /** The request is over, answered or not: `close` comes after both. */
  #finished(exchange: Exchange): void {
    this.#pending.delete(exchange);
    if (exchange.invocation !== null) this.#options.backend.cancel(exchange.invocation);
    exchange.invocation = null;
    const status = exchange.response.writableFinished ? exchange.status : 499;
    const latencyMs = performance.now() - exchange.begunMs;
    this.#options.meter.finished({ status, latencyMs, throttled: exchange.throttled });
    this.#inFlight -= 1;
    if (exchange.client) exchange.client.requests -= 1;
    if (this.#inFlight === 0) this.#idle();
  }

  #collect(exchange: Exchange): void {
    const { request } = exchange;
    const pieces: Buffer[] = [];
    let length = 0;
    let refused = false;
    request.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length <= bodyBytesMax) pieces.push(piece);
      else if (!refused) {
        refused = true;
        pieces.length = 0;
        this.#refuse(exchange, 413, "Request Too Long");
      }
    });
    request.on("end", () => {
      if (length > bodyBytesMax) return;
      const [only] = pieces;
      this.#invoke(exchange, pieces.length === 1 && only ? only : Buffer.concat(pieces));
    });
    request.on("error", () => undefined);
  }

  #invoke(exchange: Exchange, body: Buffer | null): void {
    const { request } = exchange;
    const stamp = stampRequest(request.headers["x-amzn-trace-id"]);
    const payload = eventOf(
      {
        method: request.method ?? "GET",
        target: request.url ?? "/",
        httpVersion: request.httpVersion,
        rawHeaders: request.rawHeaders,
        sourceIp: request.socket.remoteAddress ?? "127.0.0.1",
        port: this.#port,
        body,
      },
      stamp,
    );
    if (payload === null) {
      this.#refuse(exchange, 400, "Bad Request");
      return;
    }
    if (isTooLarge(payload)) {
      this.#refuse(exchange, 413, "Request Too Long");
      return;
    }
    const { requestId, traceId } = stamp;
    const done = (result: InvocationResult): void => this.#answered(exchange, result);
    const onPiece = (piece: Buffer, resume: () => void): boolean =>
      this.#receivePiece(exchange, piece, resume);
    const invocation: Invocation = { requestId, traceId, payload, onPiece, done };
    exchange.invocation = invocation;
    if (!this.#options.backend.invoke(invocation)) {
      exchange.invocation = null;
      exchange.throttled = true;
      this.#refuse(exchange, 503, "Service Unavailable");
      return;
    }
    if (exchange.invocation === null) return;
    exchange.dueMs = performance.now() + this.#timeoutMs;
    this.#pending.add(exchange);
    this.#overdue ??= setTimeout(() => this.#expire(), this.#timeoutMs);
  }

  /** Gives up on functions that take too long. */
  #expire(): void {
    this.#overdue = undefined;
    const nowMs = performance.now();
    for (const exchange of this.#pending) {
      if (exchange.dueMs > nowMs) {
        this.#overdue = setTimeout(() => this.#expire(), exchange.dueMs - nowMs);
        return;
      }
      this.#pending.delete(exchange);
      // The function goes on, as on Lambda; only an invocation that still waits is taken back.
      if (exchange.invocation !== null) this.#options.backend.cancel(exchange.invocation);
      exchange.invocation = null;
      this.#refuse(exchange, 503, "Service Unavailable");
    }
  }

  /** A streamed answer leaves as it comes, as from REST APIs and function URLs. */
  #receivePiece(exchange: Exchange, piece: Buffer, resume: () => void): boolean {
    const { request, response, begun } = exchange;
    if (exchange.invocation === null || response.destroyed) return true;
    let body: Buffer | string = piece;
    if (begun !== null) {
      const all = Buffer.concat([begun, piece]);
      const answer = streamHeadOf(all);
      exchange.begun = answer === "more" ? all : null;
      if (answer === "more") return true;
      this.#pending.delete(exchange);
      if (answer === null) {
        exchange.invocation = null;
        this.#refuse(exchange, 500, "Internal Server Error");
        return true;
      }
      exchange.status = answer.status;
      const { headers, contentLength, status } = answer;
      if (contentLength !== null && status !== 204) headers.push("content-length", contentLength);
      if (this.#stopping || this.#isOld(exchange.client)) headers.push("connection", "close");
      response.writeHead(status, headers);
      response.flushHeaders();
      body = answer.body;
    }
    if (request.method === "HEAD" || body.length === 0 || response.write(body)) return true;
    // Whichever comes first: the other one must not wait on with every pause.
    const goOn = (): void => {
      response.off("drain", goOn).off("close", goOn);
      resume();
    };
    response.on("drain", goOn).on("close", goOn);
    return false;
  }

  #answered(exchange: Exchange, result: InvocationResult): void {
    if (exchange.invocation === null) return;
    exchange.invocation = null;
    this.#pending.delete(exchange);
    if (exchange.begun === null) {
      // Only the end is missing; an answer that broke off must not look like a whole one.
      if (result.type === "response") exchange.response.end();
      else exchange.response.destroy();
      return;
    }
    const whole = result.type === "response" && result.received === true;
    const answer = answerOf(whole ? { ...result, body: exchange.begun } : result);
    const { method, url } = exchange.request;
    if (answer !== null) {
      if (isTimeout(answer)) this.#options.onFailed?.(`${method} ${url}`, result);
      this.#send(exchange, answer);
      return;
    }
    this.#options.onFailed?.(`${method} ${url}`, result);
    this.#refuse(exchange, 500, "Internal Server Error");
  }

  /** Answers with a message of the gateway's own, in the form that HTTP APIs use. */
  #refuse(exchange: Exchange, status: number, message: string): void {
    const body = JSON.stringify({ message });
    const headers = ["content-type", "application/json"];
    const answer = { status, headers, body, contentLength: null };
    discard(exchange.request, () => this.#send(exchange, answer));
  }

  #send(exchange: Exchange, answer: Answer): void {
    const { request, response } = exchange;
    if (response.destroyed || response.writableEnded) return;
    const { status, headers, body } = answer;
    exchange.status = status;
    const bodiless = status === 204 || status === 304 || request.method === "HEAD";
    // Without a body there is only what the function said of the one that a GET would have.
    const own = bodiless && status !== 204 ? answer.contentLength : null;
    if (own !== null) headers.push("content-length", own);
    else if (!bodiless) headers.push("content-length", String(Buffer.byteLength(body)));
    if (this.#stopping || this.#isOld(exchange.client)) headers.push("connection", "close");
    response.writeHead(status, headers);
    if (bodiless || body.length === 0) response.end();
    else response.end(body);
  }

  #isOld(client: Client | undefined): boolean {
    const { clock, clientKeepAliveMs } = this.#options;
    return client === undefined || clock.nowMs() - client.openedMs >= clientKeepAliveMs;
  }
}

/** Request line and header values, as the quota counts them. */
function headBytes(request: IncomingMessage): number {
  const { rawHeaders } = request;
  let bytes = (request.method?.length ?? 0) + (request.url?.length ?? 0) + 10;
  for (let index = 1; index < rawHeaders.length; index += 2) {
    bytes += (rawHeaders[index] as string).length;
  }
  return bytes;
}

/** A character takes three bytes at most, so that small events need not be counted. */
function isTooLarge(payload: string): boolean {
  if (payload.length * 3 <= requestPayloadBytesMax) return false;
  return Buffer.byteLength(payload) > requestPayloadBytesMax;
}

/**
 * Reads the rest of a request and throws it away before it calls `then`: a client that is still
 * sending would see a broken pipe instead of the refusal.
 */
function discard(request: IncomingMessage, then: () => void): void {
  if (request.complete) {
    then();
    return;
  }
  let length = 0;
  request.on("data", (piece: Buffer) => {
    length += piece.length;
    if (length > discardBytesMax) request.destroy();
  });
  request.on("end", then);
}
