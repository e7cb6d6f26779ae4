/**
 * Strict mode: on Fargate the doorkeeper stands before the service and lets through what Lambda
 * would let through, no more: the same sizes, the same time, the same word on who the client is.
 *
 * Requests and answers are collected whole, as Lambda does, unless answers are streamed there too.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { addClientAddress, passesHeader } from "./events.ts";
import type { AnswerHead, Headers } from "./http-answer.ts";
import { createHttpClient, type HttpClient, HttpError } from "./http-client.ts";
import type { Log } from "./log.ts";
import { isEndToEnd, responseBytesMax, responseOf } from "./responses.ts";
import type { Settings } from "./variables.ts";

/** A running doorkeeper. */
export interface Doorkeeper {
  /** Takes no more connections; resolves when the last request is answered, or time is up. */
  close(graceMs: number): Promise<void>;
}

/** What a doorkeeper needs to know. */
export interface DoorkeeperOptions {
  readonly settings: Settings;
  /** The address to listen on, as the service would. */
  readonly listenHost: string;
  /** Where the service listens on loopback. */
  readonly servicePort: number;
  readonly onLog: Log;
}

/** Limits of the front door and of Lambda's events, as the other tier enforces them. */
const limits = { headBytes: 10_240, bodyBytes: 10 * 1024 * 1024, eventBytes: 6 * 1024 * 1024 };
/** What an event holds beside the request's own head and body. */
const eventOverheadBytes = 1_500;
/** A refused body is read and thrown away up to here, so that the client sees the refusal. */
const discardBytesMax = 64 * 1024 * 1024;
/** Requests at once; a task of this tier has hundreds at most. */
const connectionsMax = 4096;
/** As much earlier than the balancer's own time-out, so that clients hear of it in one voice. */
const marginMs = 200;
/** Longer than the balancer keeps an idle connection. */
const idleConnectionMs = 75_000;
const refusals = {
  413: "Request Too Long",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  504: "Gateway Timeout",
} as const;
/** Bodies that arrive in an event as text; all others grow by a third. */
const textual = /^(?:text\/|application\/(?:json|xml|javascript)(?:$|[;\s]))/i;

/** Starts listening in place of the service. */
export async function startDoorkeeper(options: DoorkeeperOptions): Promise<Doorkeeper> {
  // Loaded only here: on Lambda it would cost 20 ms of each cold start.
  const { createServer } = await import("node:http");
  const { settings, listenHost } = options;
  const clients: HttpClient[] = [];
  let closing = false;
  let serving = 0;
  let onQuiet = (): void => undefined;
  const server: Server = createServer(
    { maxHeaderSize: 65_536, keepAliveTimeout: idleConnectionMs, requestTimeout: 60_000 },
    (request, response) => {
      serving += 1;
      response.on("close", () => {
        serving -= 1;
        if (serving === 0) onQuiet();
      });
      if (closing) response.shouldKeepAlive = false;
      void serve({ ...options, clients, request, response });
    },
  );
  server.maxConnections = connectionsMax;
  server.on("error", (error) => options.onLog(`doorkeeper: ${error.message}`));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, listenHost, resolve);
  });
  return {
    async close(graceMs) {
      closing = true;
      server.close();
      server.closeIdleConnections();
      if (serving > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, graceMs);
          onQuiet = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      server.closeAllConnections();
    },
  };
}

interface Task extends DoorkeeperOptions {
  /** Idle clients of the service, the last one used last. */
  readonly clients: HttpClient[];
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve(task: Task): Promise<void> {
  const { request, settings } = task;
  const headBytes = headBytesOf(request);
  if (headBytes > limits.headBytes) {
    refuse(task, 431);
    return;
  }
  const body = await bodyOf(request);
  if (body === null) return;
  const type = request.headers["content-type"];
  if (body === "too-long" || eventBytesOf(headBytes, body, type) > limits.eventBytes) {
    refuse(task, 413);
    return;
  }
  const streams = settings.invokeMode === "response_stream";
  const client = task.clients.pop() ?? openClient(task);
  const abort = (): void => client.abort("the time is over");
  let late = false;
  const timer = setTimeout(
    () => {
      late = true;
      abort();
    },
    settings.timeoutMs - Math.min(marginMs, settings.timeoutMs / 10),
  );
  task.response.on("close", () => {
    if (!task.response.writableFinished) abort();
  });
  try {
    const sent = requestOf(task, body);
    if (streams) await client.exchange(sent, sinkOf(task));
    else await answerWhole(task, client.exchange(sent));
    if (streams) task.response.end();
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    task.onLog(`doorkeeper: ${request.method} ${request.url}: ${error.message}`);
    if (task.response.headersSent) task.response.destroy();
    else refuse(task, late ? 504 : 500);
  } finally {
    clearTimeout(timer);
    task.clients.push(client);
  }
}

function openClient({ servicePort, settings }: Task): HttpClient {
  return createHttpClient({
    host: settings.host,
    port: servicePort,
    bodyBytesMax: responseBytesMax,
  });
}

function headBytesOf({ method = "", url = "", rawHeaders }: IncomingMessage): number {
  let bytes = method.length + url.length + 10;
  for (let at = 1; at < rawHeaders.length; at += 2) bytes += rawHeaders[at]?.length ?? 0;
  return bytes;
}

/** `null` when the client has gone. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | "too-long" | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of request) {
      bytes += (piece as Buffer).length;
      if (bytes > discardBytesMax) request.destroy();
      if (bytes > limits.bodyBytes) pieces.length = 0;
      else pieces.push(piece as Buffer);
    }
  } catch {
    return null;
  }
  return bytes > limits.bodyBytes ? "too-long" : Buffer.concat(pieces);
}

/** How long the event would be that Lambda gets for the request. */
function eventBytesOf(headBytes: number, body: Buffer, type: string | undefined): number {
  const others = 2 * headBytes + eventOverheadBytes;
  // A byte of text takes six at most.
  if (6 * body.length + others <= limits.eventBytes) return 0;
  const isText = type !== undefined && textual.test(type) && isUtf8(body);
  const bodyBytes = isText
    ? Buffer.byteLength(JSON.stringify(body.toString()))
    : 4 * Math.ceil(body.length / 3);
  return bodyBytes + others;
}

function requestOf(
  { request, settings }: Task,
  body: Buffer,
): { method: string; target: string; headers: Headers; body: Buffer } {
  const { rawHeaders, method = "GET", url = "/" } = request;
  const headers: [string, string][] = [];
  const named = (request.headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    const lower = name.toLowerCase();
    if (lower === "x-forwarded-for") headers.push([lower, rawHeaders[at + 1] ?? ""]);
    else if (passesHeader(lower) && !named.includes(lower)) {
      headers.push([name, rawHeaders[at + 1] ?? ""]);
    }
  }
  addClientAddress(headers, "", settings.trustedProxies);
  // A body that came in chunks goes on in one piece.
  const stated = request.headers["content-length"] !== undefined;
  if (!stated && body.length > 0) headers.push(["Content-Length", String(body.length)]);
  return { method, target: url, headers, body };
}

async function answerWhole(
  { request, response }: Task,
  answering: Promise<AnswerHead & { readonly body: Buffer }>,
): Promise<void> {
  const answer = await answering;
  const { status, headers, body } = answer;
  const small = 6 * body.length + 65_536 <= responseBytesMax;
  if (!small && Buffer.byteLength(responseOf("http-2.0", answer)) > responseBytesMax) {
    throw new HttpError("too-large", "the answer is longer than Lambda's");
  }
  const bodiless = request.method === "HEAD" || status === 204 || status === 304;
  response.writeHead(status, flat(headers, status !== 204));
  response.end(bodiless ? undefined : body);
}

/** Names and values in turn, without those of the connection to the service. */
function flat(headers: Headers, withLength: boolean): string[] {
  return headers.flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    const goesOn = isEndToEnd(lower) && (withLength || lower !== "content-length");
    return goesOn ? [name, value] : [];
  });
}

function sinkOf({ response }: Task): Parameters<HttpClient["exchange"]>[1] {
  return {
    onHead: ({ status, headers }) => void response.writeHead(status, flat(headers, true)),
    onData(chunk) {
      if (response.write(chunk)) return undefined;
      return new Promise((resolve) => {
        // Whichever comes first: the other one must not wait on with every pause.
        const goOn = (): void => {
          response.off("drain", goOn).off("close", goOn);
          resolve();
        };
        response.on("drain", goOn).on("close", goOn);
      });
    },
  };
}

function refuse({ request, response }: Task, status: keyof typeof refusals): void {
  const body = JSON.stringify({ message: refusals[status] });
  request.resume();
  response.writeHead(status, [
    "Content-Type",
    "application/json",
    "Content-Length",
    String(body.length),
  ]);
  response.end(body);
}
