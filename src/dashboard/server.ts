/** Serves the page on loopback: one document, a stream of records, and a way to ask for things. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { RunStream } from "../core/record.ts";
import { controlRefusal, type Door, hostAllowed, isLoopback, parseControl } from "./access.ts";
import { livePage, type PageDocument, type Report, reportPage } from "./document.ts";
import { createReaders, type Readers } from "./readers.ts";
import { followHistory, recordsOf } from "./run-history.ts";

/** Where the page is served. */
export interface DashboardOptions {
  /** @default 0, any free port */
  readonly port?: number;
  /** @default "127.0.0.1"; elsewhere a token is needed to control */
  readonly host?: string;
  /** Needed to control when `host` is not this machine alone. */
  readonly token?: string;
}

/** A page that is being served. */
export interface Dashboard {
  /** The address to open; with the token, if there is one. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Longest body of a wish. */
const bodyMax = 4096;

/** Serves a running system. Rejects when it cannot listen. */
export async function startDashboard(
  stream: RunStream,
  options: DashboardOptions = {},
): Promise<Dashboard> {
  const past = followHistory(stream);
  const readers = createReaders(() => recordsOf(past.history));
  const unsubscribe = stream.subscribe(readers.tell);
  const page = livePage(stream.controls);
  const server = await startServer(page, options, { stream, readers });
  return {
    url: server.url,
    async stop() {
      past.stop();
      unsubscribe();
      await readers.close();
      await server.stop();
    },
  };
}

/** Serves a report, which changes no more. Rejects when it cannot listen. */
export async function startReport(
  title: string,
  report: Report,
  options: DashboardOptions = {},
): Promise<Dashboard> {
  return startServer(reportPage(title, report), options, null);
}

/** The part of a server that is alive. */
interface Live {
  readonly stream: RunStream;
  readonly readers: Readers;
}

async function startServer(
  page: PageDocument,
  options: DashboardOptions,
  live: Live | null,
): Promise<Dashboard> {
  const { host = "127.0.0.1", port = 0, token = null } = options;
  if (!isLoopback(host) && live !== null && token === null) {
    throw new TypeError("a dashboard that others can reach needs a token");
  }
  const door: Door = { host, token };
  const bodies = encodedBodies(page.html);
  const server = createServer((request, response) => {
    answer(request, response, { door, bodies, policy: page.policy, live }).catch(() => {
      response.destroy();
    });
  });
  server.maxConnections = 128;
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  server.listen(port, host);
  await once(server, "listening");
  server.on("error", () => undefined);
  // A run that has ended is not kept alive by its page; a report is all there is to a replay.
  if (live !== null) server.unref();
  const bound = (server.address() as AddressInfo).port;
  const shown = isLoopback(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  const secret = token === null ? "" : `#token=${encodeURIComponent(token)}`;
  return { url: `http://${shown}:${bound}/${secret}`, stop: () => closed(server) };
}

async function closed(server: Server): Promise<void> {
  const done = once(server, "close");
  server.close();
  server.closeAllConnections();
  await done;
}

interface Bodies {
  readonly br: Buffer;
  readonly gzip: Buffer;
  readonly identity: Buffer;
}

function encodedBodies(html: string): Bodies {
  const identity = Buffer.from(html);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 6 };
  return { identity, gzip: gzipSync(identity), br: brotliCompressSync(identity, { params }) };
}

interface Answering {
  readonly door: Door;
  readonly bodies: Bodies;
  readonly policy: string;
  readonly live: Live | null;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { door, bodies, policy, live }: Answering,
): Promise<void> {
  request.on("error", () => undefined);
  response.on("error", () => undefined);
  response.setHeader("content-security-policy", policy);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  response.setHeader("cache-control", "no-store");
  if (!hostAllowed(request.headers.host, door)) {
    request.resume();
    sayText(response, 421, "This address is not served under that name.\n");
    return;
  }
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  const { method } = request;
  if (path === "/control" && method === "POST" && live !== null) {
    await control(request, response, door, live.stream);
    return;
  }
  request.resume();
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    sayText(response, 405, "Only GET and HEAD.\n");
  } else if (path === "/") sendPage(request, response, bodies);
  else if (path === "/events" && live !== null && method === "GET") live.readers.open(response);
  else sayText(response, 404, "There is nothing here.\n");
}

function sendPage(request: IncomingMessage, response: ServerResponse, bodies: Bodies): void {
  const accepted = String(request.headers["accept-encoding"] ?? "");
  const encoding = (["br", "gzip"] as const).find((name) => {
    return new RegExp(`(^|[\\s,])${name}([\\s,;]|$)`).test(accepted);
  });
  const body = bodies[encoding ?? "identity"];
  if (encoding !== undefined) response.setHeader("content-encoding", encoding);
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "content-length": body.length,
    vary: "accept-encoding",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function control(
  request: IncomingMessage,
  response: ServerResponse,
  door: Door,
  stream: RunStream,
): Promise<void> {
  const refusal = controlRefusal(request.headers, door);
  if (refusal !== null) {
    request.resume();
    sayJson(response, 403, { ok: false, message: refusal });
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyMax) {
      sayJson(response, 413, { ok: false, message: "that is too long for a wish" });
      return;
    }
    chunks.push(chunk);
  }
  const wish = parseControl(Buffer.concat(chunks).toString());
  if (wish === null || !stream.controls.includes(wish.type)) {
    sayJson(response, 400, { ok: false, message: "nobody can do that here" });
    return;
  }
  try {
    sayJson(response, 200, { ok: true, message: await stream.control(wish) });
  } catch (error) {
    sayJson(response, 409, { ok: false, message: (error as Error).message });
  }
}

function sayJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function sayText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
}
