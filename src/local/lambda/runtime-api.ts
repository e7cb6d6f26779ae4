/**
 * The Lambda Runtime API of one environment, version 2018-06-01.
 *
 * The peer may be any runtime, well behaved or not: whatever it sends gets an answer or a closed
 * connection, and an answer counts only for the invocation that is in its hands.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Invocation, type InvocationResult, responsePayloadBytesMax } from "./invocation.ts";
import { RequestReader, WireError, type WireRequest } from "./wire.ts";

/** What the runtime does, as its environment hears it. */
export interface RuntimeEvents {
  /** It asks for work and waits; `deliver` may be called. */
  readonly onNext: () => void;
  /** The connection that waited for work is gone. */
  readonly onNextLost: () => void;
  /** The invocation in its hands has ended. */
  readonly onResult: (result: InvocationResult) => void;
  /** It could not initialise. */
  readonly onInitError: (reason: string) => void;
}

/** What the environment serves. */
export interface RuntimeApiOptions {
  readonly functionArn: string;
  readonly timeoutMs: number;
}

interface Connection {
  readonly socket: Socket;
  /** Answers are collected while bytes are being read, so that they leave in one write. */
  reading: boolean;
  out: string;
  /** `latin1` as long as all of `out` is ASCII: that is written without being encoded. */
  encoding: "latin1" | "utf8";
}

const extensions = "/2020-01-01/extension/";
const version = "/2018-06-01/runtime/";
/** A runtime needs one or two; more is a leak on its side. */
const connectionsMax = 32;
/**
 * Tells a runtime of ours that it may send `response` and the `next` after it in one go. The real
 * Runtime API promises no such thing.
 */
const mayPipeline = "Lambdaflex-Pipelining: 1\r\n";
const accepted = '{"status":"OK"}\n';
const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  202: "Accepted",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  413: "Payload Too Large",
};

/** The Runtime API server of one environment, on any free port. */
export class RuntimeApi {
  readonly #options: RuntimeApiOptions;
  readonly #events: RuntimeEvents;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The connection whose `next` is unanswered. */
  #waiting: Connection | null = null;
  /** The invocation that the runtime has and has not answered. */
  #current: string | null = null;
  /** That invocation, if its answer is taken as it comes. */
  #streaming: Invocation | null = null;
  #initialised = false;

  constructor(options: RuntimeApiOptions, events: RuntimeEvents) {
    this.#options = options;
    this.#events = events;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = connectionsMax;
    this.#server.on("error", () => undefined);
  }

  /** Listens where its environment can reach it and resolves to the port. */
  async listen(host = "127.0.0.1"): Promise<number> {
    this.#server.listen(0, host);
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Closes everything at once. */
  close(): void {
    this.#waiting = null;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Answers the waiting `next` with an invocation. */
  deliver(invocation: Invocation): void {
    const connection = this.#waiting;
    assert(connection !== null && this.#current === null);
    this.#waiting = null;
    this.#current = invocation.requestId;
    this.#streaming = invocation.onPiece ? invocation : null;
    const { payload } = invocation;
    const length = Buffer.byteLength(payload);
    // A runtime compares the deadline with its own clock, hence real epoch time.
    const deadline = Date.now() + this.#options.timeoutMs;
    const head =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
      `Lambda-Runtime-Aws-Request-Id: ${invocation.requestId}\r\n` +
      `Lambda-Runtime-Deadline-Ms: ${deadline}\r\n` +
      `Lambda-Runtime-Invoked-Function-Arn: ${this.#options.functionArn}\r\n` +
      `Lambda-Runtime-Trace-Id: ${invocation.traceId}\r\n` +
      `Content-Length: ${length}\r\n${mayPipeline}\r\n`;
    connection.out += head + payload;
    if (length !== payload.length) connection.encoding = "utf8";
    if (!connection.reading) this.#flush(connection);
  }

  #accept(socket: Socket): void {
    const connection: Connection = { socket, reading: false, out: "", encoding: "latin1" };
    const reader = new RequestReader({
      headBytesMax: 16_384,
      bodyBytesMax: responsePayloadBytesMax,
      onRequest: (request) => this.#handle(connection, request),
      onContinue: () => socket.write("HTTP/1.1 100 Continue\r\n\r\n"),
      receiverOf: (method, target, headers) => this.#receiverOf(socket, method, target, headers),
    });
    this.#sockets.add(socket);
    socket.on("data", (bytes: Buffer) => {
      if (socket.writableEnded) return;
      connection.reading = true;
      try {
        reader.feed(bytes);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        this.#refuse(connection, 400, "BadRequest", error.message);
        this.#flush(connection);
        socket.destroySoon();
      }
      connection.reading = false;
      // A receipt whose reader already waits for work behind it travels with that work.
      if (connection !== this.#waiting) this.#flush(connection);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#waiting !== connection) return;
      this.#waiting = null;
      this.#events.onNextLost();
    });
  }

  #flush(connection: Connection): void {
    if (connection.out === "") return;
    connection.socket.write(connection.out, connection.encoding);
    connection.out = "";
    connection.encoding = "latin1";
  }

  #reply(connection: Connection, status: number, body: string): void {
    connection.out +=
      `HTTP/1.1 ${status} ${reasons[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  #refuse(connection: Connection, status: number, errorType: string, errorMessage: string): void {
    this.#reply(connection, status, `${JSON.stringify({ errorMessage, errorType })}\n`);
  }

  /** An extension may register, as for a graceful end; no event ever comes. */
  #extension(connection: Connection, request: WireRequest): void {
    const path = request.target.slice(extensions.length);
    if (request.method === "POST" && path === "register") {
      const body = JSON.stringify({ functionVersion: "$LATEST", handler: "bootstrap" });
      connection.out +=
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n` +
        `Lambda-Extension-Identifier: ${randomUUID()}\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`;
    } else if (request.method !== "GET" || path !== "event/next") this.#unknown(connection);
  }

  /** Who takes the answer while it is still being written, if it is one and somebody does. */
  #receiverOf(
    socket: Socket,
    method: string,
    target: string,
    headers: ReadonlyMap<string, string>,
  ): ((piece: Buffer) => void) | null {
    const { onPiece } = this.#streaming ?? {};
    const isAnswer = target === `${version}invocation/${this.#current}/response`;
    if (!onPiece || method !== "POST" || !isAnswer || !isStreaming(headers)) return null;
    return (piece) => {
      // What is late belongs to nobody: another invocation may be in the runtime's hands.
      if (target !== `${version}invocation/${this.#current}/response`) return;
      if (!onPiece(piece, () => socket.resume())) socket.pause();
    };
  }

  #handle(connection: Connection, request: WireRequest): void {
    if (connection === this.#waiting) {
      // A request behind an unanswered `next` could never be answered in order.
      connection.socket.destroy();
      return;
    }
    const { method, target } = request;
    const path = target.startsWith(version) ? target.slice(version.length) : "";
    if (method === "GET" && path === "invocation/next") this.#next(connection);
    else if (method === "POST" && path === "init/error") this.#initError(connection, request);
    else if (method === "POST" && path.startsWith("invocation/")) {
      const [, id = "", verb = "", ...more] = path.split("/");
      if (more.length > 0 || (verb !== "response" && verb !== "error")) this.#unknown(connection);
      else if (id !== this.#current) {
        this.#refuse(connection, 400, "InvalidRequestID", "Invalid request ID");
      } else if (verb === "response") this.#response(connection, request);
      else this.#error(connection, request);
    } else if (target.startsWith(extensions)) this.#extension(connection, request);
    else this.#unknown(connection);
  }

  #unknown(connection: Connection): void {
    this.#refuse(connection, 404, "NotFound", "No such resource of the Runtime API");
  }

  #next(connection: Connection): void {
    if (this.#current !== null) {
      const message = "The invocation has not been answered yet";
      this.#refuse(connection, 403, "InvalidStateTransition", message);
      return;
    }
    this.#initialised = true;
    // A runtime that asks again on a new connection has given up the old one.
    this.#waiting?.socket.destroy();
    this.#waiting = connection;
    this.#events.onNext();
  }

  #response(connection: Connection, request: WireRequest): void {
    if (request.oversize) {
      const message = `Exceeded maximum allowed payload size (${responsePayloadBytesMax} bytes).`;
      this.#refuse(connection, 413, "RequestEntityTooLarge", message);
      const errorType = "Function.ResponseSizeTooLarge";
      this.#end({ type: "error", errorType, message: `Response payload: ${message}` });
      return;
    }
    this.#reply(connection, 202, accepted);
    // The runtime can go on while we still look at its answer, unless it has done so already.
    if (!request.pipelined) this.#flush(connection);
    const failed = request.headers.get("lambda-runtime-function-error-type");
    if (failed !== undefined) {
      const message = "The stream of the answer broke off";
      this.#end({ type: "error", errorType: failed.slice(0, 200), message });
      return;
    }
    const streaming = isStreaming(request.headers);
    const received = streaming && this.#streaming !== null;
    this.#end({ type: "response", body: request.body, streaming, ...(received && { received }) });
  }

  #error(connection: Connection, request: WireRequest): void {
    this.#reply(connection, 202, accepted);
    this.#end({ type: "error", ...errorOf(request) });
  }

  #initError(connection: Connection, request: WireRequest): void {
    if (this.#initialised) {
      const message = "The runtime is initialised already";
      this.#refuse(connection, 403, "InvalidStateTransition", message);
      return;
    }
    this.#reply(connection, 202, accepted);
    const { errorType, message } = errorOf(request);
    this.#events.onInitError(message === "" ? errorType : message);
  }

  #end(result: InvocationResult): void {
    this.#current = null;
    this.#streaming = null;
    this.#events.onResult(result);
  }
}

function isStreaming(headers: ReadonlyMap<string, string>): boolean {
  return headers.get("lambda-runtime-function-response-mode")?.toLowerCase() === "streaming";
}

/** Reads the standard error format; a runtime is free to send something else. */
function errorOf(request: WireRequest): { errorType: string; message: string } {
  const named = request.headers.get("lambda-runtime-function-error-type");
  let report: unknown = null;
  try {
    report = JSON.parse(request.body.toString("utf8"));
  } catch {
    // The header or the default has to do.
  }
  const { errorType, errorMessage } = (report ?? {}) as Record<string, unknown>;
  const type = typeof errorType === "string" ? errorType : (named ?? "Runtime.Unknown");
  const message = typeof errorMessage === "string" ? errorMessage : "";
  return { errorType: type.slice(0, 200), message: message.slice(0, 2000) };
}
