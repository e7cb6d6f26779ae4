/** Serves the page: one document, a stream of records, and a way to ask for things. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { RunStream } from "../core/record.ts";
import {
  admitted,
  controlRefusal,
  type Door,
  hostAllowed,
  isCrossSite,
  isOpen,
  parseControl,
  passCookie,
} from "./access.ts";
import { entrancePage, livePage, type PageDocument, type Report, reportPage } from "./document.ts";
import { reachableAt } from "./reachable.ts";
import { createReaders, type Readers } from "./readers.ts";
import { followHistory, recordsOf } from "./run-history.ts";

/** Where the page is served. */
export interface DashboardOptions {
  /** @default 0, any free port */
  readonly port?: number;
  /** @default "127.0.0.1"; elsewhere nothing is shown without the token of this run */
  readonly host?: string;
  /** Names of a tunnel or a proxy that leads here; with any, a token is needed as well. */
  readonly names?: readonly string[];
}

/** A page that is being served. */
export interface Dashboard {
  /** The address to open; with the token behind the `#`, if there is one. */
  readonly url: string;
  /** The same without the token. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Longest body of a wish. */
const bodyMax = 4096;

/** Real time for a request to arrive: its head, and all of it. */
const headersTimeout = 5_000;
const requestTimeout = 10_000;

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
    ...server,
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
  const { host = "127.0.0.1", port = 0, names = [] } = options;
  const token = isOpen({ host, names }) ? randomBytes(18).toString("base64url") : null;
  const door: Door = { host, names, token };
  const entrance = token === null ? null : encoded(entrancePage());
  const serving: Serving = { door, page: encoded(page), entrance, live };
  // Slow or silent clients are looked for each second; the default would let them stay for 40 s.
  const patience = { connectionsCheckingInterval: 1000, headersTimeout, requestTimeout };
  const server = createServer(patience, (request, response) => {
    answer(request, response, serving).catch(() => {
      response.destroy();
    });
  });
  server.maxConnections = 128;
  server.listen(port, host);
  await once(server, "listening");
  server.on("error", () => undefined);
  // A run that has ended is not kept alive by its page; a report is all there is to a replay.
  if (live !== null) server.unref();
  const bound = (server.address() as AddressInfo).port;
  const address = `http://${reachableAt(host)}:${bound}/`;
  // Behind the # it is in no request, so in no log and no Referer either.
  const url = token === null ? address : `${address}#token=${token}`;
  return { url, address, stop: () => closed(server) };
}

async function closed(server: Server): Promise<void> {
  const done = once(server, "close");
  server.close();
  server.closeAllConnections();
  await done;
}

/** A page as it goes over the wire. */
interface Encoded {
  readonly br: Buffer;
  readonly gzip: Buffer;
  readonly identity: Buffer;
  readonly policy: string;
}

function encoded({ html, policy }: PageDocument): Encoded {
  const identity = Buffer.from(html);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 6 };
  const br = brotliCompressSync(identity, { params });
  return { identity, gzip: gzipSync(identity), br, policy };
}

interface Serving {
  readonly door: Door;
  readonly page: Encoded;
  /** What those see who have not shown the token; `null` where none is needed. */
  readonly entrance: Encoded | null;
  readonly live: Live | null;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { door, page, entrance, live }: Serving,
): Promise<void> {
  request.on("error", () => undefined);
  response.on("error", () => undefined);
  response.setHeader("content-security-policy", page.policy);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  response.setHeader("cache-control", "no-store");
  const { method, headers } = request;
  if (!hostAllowed(headers.host, door)) {
    request.resume();
    sayText(response, 421, "This address is not served under that name.\n");
    return;
  }
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  const looks = method === "GET" || method === "HEAD";
  // Another page at another port of this host has a cookie of its own.
  const cookie = `lambdaflex-${request.socket.localPort}`;
  if (!admitted(headers, door, cookie)) {
    request.resume();
    if (looks && path === "/" && entrance !== null) sendPage(request, response, entrance);
    else sayStranger(response);
    return;
  }
  if (path === "/control" && method === "POST" && live !== null) {
    await control(request, response, live.stream);
    return;
  }
  request.resume();
  if (path === "/enter" && method === "POST" && door.token !== null) {
    response.setHeader("set-cookie", passCookie(headers, door.token, cookie));
    sayJson(response, 200, { ok: true });
  } else if (!looks) {
    response.setHeader("allow", "GET, HEAD");
    sayText(response, 405, "Only GET and HEAD.\n");
  } else if (path === "/") sendPage(request, response, page);
  else if (path === "/events" && live !== null && method === "GET") {
    if (isCrossSite(headers)) sayText(response, 403, "Only the page itself may follow.\n");
    else live.readers.open(response);
  } else sayText(response, 404, "There is nothing here.\n");
}

function sayStranger(response: ServerResponse): void {
  response.setHeader("www-authenticate", "Bearer");
  const message = "the token is missing: open the whole address that lambdaflex printed";
  sayJson(response, 401, { ok: false, message });
}

function sendPage(request: IncomingMessage, response: ServerResponse, page: Encoded): void {
  const accepted = String(request.headers["accept-encoding"] ?? "");
  const encoding = (["br", "gzip"] as const).find((name) => {
    return new RegExp(`(^|[\\s,])${name}([\\s,;]|$)`).test(accepted);
  });
  const body = page[encoding ?? "identity"];
  response.setHeader("content-security-policy", page.policy);
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
  stream: RunStream,
): Promise<void> {
  const refusal = controlRefusal(request.headers);
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
