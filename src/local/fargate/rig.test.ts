/** What the tests of this folder stand on: balancers, targets and clients. */
import { once } from "node:events";
import {
  type Agent,
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, scaledClock } from "../clock.ts";
import { createMeter, type Meter, type RequestRecord } from "../meter.ts";
import type { Endpoint } from "../service.ts";
import { type Balancer, type BalancerOptions, startBalancer } from "./balancer.ts";

/** A balancer with what it reports. */
export interface Rig {
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly port: number;
  readonly finished: RequestRecord[];
  readonly meter: Meter;
  readonly lines: string[];
}

/** A balancer whose virtual second passes in ten real milliseconds. */
export async function startRig(
  t: TestContext,
  options: Partial<BalancerOptions> = {},
): Promise<Rig> {
  const clock = scaledClock(100, 0);
  const counted = createMeter("fargate", clock, 60_000);
  const finished: RequestRecord[] = [];
  const lines: string[] = [];
  const meter: Meter = {
    ...counted,
    finished(record) {
      finished.push(record);
      counted.finished(record);
    },
    get inFlight() {
      return counted.inFlight;
    },
    get lastRequestMs() {
      return counted.lastRequestMs;
    },
  };
  const balancer = await startBalancer({
    clock,
    meter,
    healthCheck: {
      path: "/health",
      intervalMs: 2_000,
      timeoutMs: 1_000,
      healthyThreshold: 1,
      unhealthyThreshold: 2,
    },
    deregistrationDelayMs: 30_000,
    clientKeepAliveMs: 1e9,
    idleTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    onLog: (line) => lines.push(line),
    ...options,
  });
  t.after(() => balancer.stop());
  const rig: Rig = { balancer, clock, port: balancer.endpoint.port, finished, meter, lines };
  return rig;
}

/** Waits for a condition, looking often, and fails when it does not come true. */
export async function until(check: () => boolean, what: string, ms = 5_000): Promise<void> {
  const begun = performance.now();
  while (!check()) {
    if (performance.now() - begun > ms) throw new Error(`${what} did not happen in ${ms} ms`);
    await sleep(2);
  }
}

/** Registers targets and waits until all of them are healthy. */
export async function join(rig: Rig, ...targets: readonly Endpoint[]): Promise<string[]> {
  const ids = targets.map((target) => rig.balancer.register(target));
  const healthy = (): boolean =>
    rig.balancer.targets().every(({ id, state }) => !ids.includes(id) || state === "healthy");
  await until(healthy, "healthy targets");
  return ids;
}

/** A web server that ends with the test. */
export async function serve(t: TestContext, listener: RequestListener): Promise<Endpoint> {
  const server = createHttpServer((request, response) => {
    if (request.url === "/health") response.end("ok");
    else listener(request, response);
  });
  return listen(t, server);
}

/** Lets a server listen on loopback until the end of the test. */
export async function listen(
  t: TestContext,
  server: Server | ReturnType<typeof createServer>,
): Promise<Endpoint> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const endpoint: Endpoint = { host: "127.0.0.1", port };
  return endpoint;
}

/**
 * A server that answers health checks and leaves everything else to `onRequest`, with the bytes of
 * one request head as text.
 */
export async function serveRaw(
  t: TestContext,
  onRequest: (socket: Socket, head: string, count: number) => void,
): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = "";
    let count = 0;
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = text.slice(0, end + 4);
      text = "";
      count += 1;
      if (head.startsWith("GET /health ")) socket.end(answer("ok", "Connection: close\r\n"));
      else onRequest(socket, head, count);
    });
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listen(t, server);
}

/** A complete answer. */
export function answer(body: string, fields = ""): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Sends bytes and returns all that comes until the connection ends or `enough` is satisfied. */
export async function talk(
  port: number,
  bytes: string | readonly string[],
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1");
  const closed = new Promise<void>((resolve) => {
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (enough(text)) resolve();
    });
  });
  for (const part of typeof bytes === "string" ? [bytes] : bytes) {
    socket.write(part, "latin1");
    await sleep(1);
  }
  await closed;
  socket.destroy();
  return text;
}

/** An answer as a client sees it. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly trailers: IncomingMessage["trailers"];
}

/** One request; rejects when its answer does not come whole. */
export function call(
  port: number,
  path: string,
  options: {
    method?: string;
    headers?: Record<string, string | string[]>;
    body?: string;
    agent?: Agent;
  } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body, agent } = options;
    const target = { host: "127.0.0.1", port, path, method, headers, agent: agent ?? false };
    const request = httpRequest(target, (response) => {
      let text = "";
      response.setEncoding("latin1");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers, rawHeaders, trailers } = response;
        resolve({ status, body: text, headers, rawHeaders, trailers });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** A server that upgrades, tells whom it takes the client for, and shouts everything back. */
export async function serveUpgrade(t: TestContext, sockets: Socket[]): Promise<Endpoint> {
  const server = createHttpServer((_, response) => response.end("ok"));
  server.on("upgrade", (request: IncomingMessage, socket: Socket, early: Buffer) => {
    sockets.push(socket);
    t.after(() => socket.destroy());
    const from = `x-forwarded-for=${request.headers["x-forwarded-for"]}\n`;
    const fields = "Connection: Upgrade\r\nUpgrade: chat\r\n";
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n${from}`);
    const shout = (chunk: Buffer): void => void socket.write(chunk.toString().toUpperCase());
    if (early.length > 0) shout(early);
    socket.on("data", shout);
    socket.on("error", () => undefined);
  });
  return listen(t, server);
}
