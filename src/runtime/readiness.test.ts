import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { waitReady } from "./readiness.ts";
import type { Readiness } from "./variables.ts";

const never = new AbortController().signal;
const silent = (): void => undefined;

/** A service that answers with the statuses in turn, the last one for good. */
async function serve(
  t: TestContext,
  statuses: readonly number[],
): Promise<{ readonly readiness: Readiness; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(statuses[Math.min(asked.length, statuses.length) - 1] ?? 200).end("x");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { readiness: { protocol: "http", port, path: "/up?a", healthy: [[200, 299]] }, asked };
}

test("only a healthy status is ready", async (t) => {
  const { readiness, asked } = await serve(t, [503, 404, 301, 204]);
  assert.equal(await waitReady("127.0.0.1", readiness, never, silent), true);
  assert.deepEqual(asked, Array(4).fill("GET /up?a"));
});

test("a TCP check asks nothing", async (t) => {
  const { readiness, asked } = await serve(t, [503]);
  const tcp = { ...readiness, protocol: "tcp" } as const;
  assert.equal(await waitReady("127.0.0.1", tcp, never, silent), true);
  assert.deepEqual(asked, []);
});

test("it waits for the port, says why, and can be ended", async () => {
  const ending = new AbortController();
  const said: string[] = [];
  const closed = { protocol: "http", port: 1, path: "/", healthy: [[200, 299]] } as const;
  const waiting = waitReady("127.0.0.1", closed, ending.signal, (message) => {
    said.push(message);
    ending.abort();
  });
  assert.equal(await waiting, false);
  assert.match(said[0] ?? "", /not ready after 2\d\d\d ms: 127.0.0.1:1: .*ECONNREFUSED/);
});

test("a check without an answer can be ended", async (t) => {
  const ending = new AbortController();
  const server = createServer(() => ending.abort()).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const check = { protocol: "http", port, path: "/", healthy: [[200, 299]] } as const;
  assert.equal(await waitReady("127.0.0.1", check, ending.signal, silent), false);
});
