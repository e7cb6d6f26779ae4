/** The rig of the load tests: real DNS and one real server per tier. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../../core/random.ts";
import type { Tier } from "../../core/types.ts";
import { startDnsServer } from "../dns/server.ts";
import type { Endpoint } from "../service.ts";

export const host = "pet-store.lambdaflex.test";

/** What DNS answers; tests change it as they go. */
export interface Names {
  readonly dns: Endpoint;
  weights: Record<Tier, number>;
  endpoints: Record<Tier, Endpoint>;
  queries(): number;
}

export async function startNames(
  t: TestContext,
  endpoints: Record<Tier, Endpoint>,
  weights: Record<Tier, number>,
): Promise<Names> {
  const tiers: readonly Tier[] = ["lambda", "fargate"];
  const server = await startDnsServer({
    host,
    ttlSeconds: 60,
    random: seededRandom(11),
    records: () =>
      tiers.map((tier) => ({
        tier,
        weight: names.weights[tier],
        endpoint: names.endpoints[tier],
        healthy: true,
        exists: true,
      })),
  });
  t.after(() => server.stop());
  const names: Names = { dns: server.endpoint, weights, endpoints, queries: server.queries };
  return names;
}

/** A real HTTP server on a free port, closed with all its connections after the test. */
export async function startHttp(
  t: TestContext,
  listener: RequestListener,
): Promise<{ readonly server: Server; readonly endpoint: Endpoint }> {
  const server = createServer(listener);
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, endpoint: { host: "127.0.0.1", port } };
}

/** A server that speaks for itself: it is given each request's text. */
export async function startTcp(
  t: TestContext,
  onRequest: (text: string, socket: Socket, nthOnSocket: number) => void,
): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    let nth = 0;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      nth += 1;
      onRequest(data.toString("latin1"), socket, nth);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

/** An address where nobody listens. */
export async function closedEndpoint(): Promise<Endpoint> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { host: "127.0.0.1", port };
}

/** Waits for a condition, in vain for at most `withinMs`. */
export async function until(what: string, holds: () => boolean, withinMs = 8000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    assert.ok(performance.now() < deadline, `in vain: ${what}`);
    await sleep(5);
  }
}

/** Answers like a good service: the request's id and its body come back. */
export const echo: RequestListener = (request, response) => {
  const id = request.headers["x-request-id"] ?? "";
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    response.writeHead(200, { "x-request-id": id, "content-type": "application/json" });
    response.end(`{"path":"${request.url}","body":${body || "null"}}`);
  });
};

test("the rig's closed endpoint refuses", async () => {
  const socket = connect(await closedEndpoint());
  await assert.rejects(once(socket, "connect"), { code: "ECONNREFUSED" });
});
