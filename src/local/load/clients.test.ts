import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate as immediate } from "node:timers/promises";
import type { Tier } from "../../core/types.ts";
import type { Endpoint } from "../service.ts";
import { type Clients, createClients, outstandingMax } from "./clients.ts";
import type { Outcome } from "./connection.ts";
import { createWriter, type LoadRequest } from "./request.ts";
import { closedEndpoint, echo, host, startHttp, startNames, startTcp, until } from "./rig.test.ts";

let serial = 0;
function request(method: string, path = "/"): LoadRequest {
  serial += 1;
  const template = { method, path, weight: 1, expect: [200] };
  return createWriter(template, host, 1)({ index: serial, atMs: 0, template: 0, client: 0, n: 1 });
}

interface Setup {
  readonly dns: Endpoint;
  readonly nowMs?: () => number;
  readonly count?: number;
  readonly timeoutMs?: number;
  readonly seed?: number;
}

function clientsFor(t: TestContext, { nowMs = () => 0, ...options }: Setup): Clients {
  const common = { count: 1, seed: 1, timeoutMs: 5000, host };
  const clients = createClients({ ...common, ...options, clock: { nowMs } });
  t.after(() => clients.close("test over"));
  return clients;
}

type Ended = Outcome & { readonly tier: Tier | null };

function send(clients: Clients, what: LoadRequest, client = 0): Promise<Ended> {
  return new Promise((resolve) => {
    clients.send(client, what, (tier, outcome) => resolve({ ...outcome, tier }));
  });
}

function answered(ended: Ended): number {
  assert.equal(ended.type, "answer", JSON.stringify(ended));
  return ended.type === "answer" ? ended.answer.status : 0;
}

async function single(t: TestContext, endpoint: Endpoint, options: Partial<Setup> = {}) {
  const both = { lambda: endpoint, fargate: endpoint };
  const names = await startNames(t, both, { lambda: 255, fargate: 0 });
  return { names, clients: clientsFor(t, { dns: names.dns, ...options }) };
}

/** A plain answer to a request. */
function answerTo(text: string, more = ""): string {
  const id = /x-request-id: (\S+)/.exec(text)?.[1];
  return `HTTP/1.1 200 OK\r\nx-request-id: ${id}\r\ncontent-length: 2\r\n${more}\r\nok`;
}

test("an idle connection is used again, a busy one is not waited for", async (t) => {
  let connections = 0;
  const waiting: (() => void)[] = [];
  const { server, endpoint } = await startHttp(t, (_request, response) => {
    waiting.push(() => response.end("x"));
  });
  server.on("connection", () => {
    connections += 1;
  });
  const { clients, names } = await single(t, endpoint);
  const release = async (count: number): Promise<void> => {
    await until("the requests arrive", () => waiting.length === count);
    for (const answer of waiting.splice(0)) answer();
  };
  const first = [send(clients, request("GET")), send(clients, request("GET"))];
  await release(2);
  await Promise.all(first);
  assert.equal(connections, 2);
  const second = [send(clients, request("GET")), send(clients, request("POST"))];
  await release(2);
  await Promise.all(second);
  assert.equal(connections, 2);
  assert.equal(names.queries(), 1);
  assert.equal(clients.outstanding, 0);
});

test("each client has connections and a cache of its own", async (t) => {
  let connections = 0;
  const { server, endpoint } = await startHttp(t, echo);
  server.on("connection", () => {
    connections += 1;
  });
  const { clients, names } = await single(t, endpoint, { count: 3 });
  for (let i = 0; i < 9; i += 1) answered(await send(clients, request("GET"), i % 3));
  assert.deepEqual([connections, names.queries()], [3, 3]);
});

test("a server's `connection: close` is honoured", async (t) => {
  let connections = 0;
  const { server, endpoint } = await startHttp(t, (_request, response) => {
    response.writeHead(200, { connection: "close" }).end("bye");
  });
  server.on("connection", () => {
    connections += 1;
  });
  const { clients } = await single(t, endpoint);
  for (let i = 0; i < 4; i += 1) assert.equal(answered(await send(clients, request("POST"))), 200);
  assert.equal(connections, 4);
});

test("a connection that closes under a request loses none that may be repeated", async (t) => {
  const endings: readonly ((socket: { destroy(): void; resetAndDestroy(): void }) => void)[] = [
    (socket) => socket.destroy(),
    (socket) => socket.resetAndDestroy(),
  ];
  for (const end of endings) {
    // Each connection answers once and closes at its second request, as in the keep-alive race.
    const endpoint = await startTcp(t, (text, socket, nth) => {
      if (nth === 1) socket.write(answerTo(text));
      else end(socket);
    });
    const { clients } = await single(t, endpoint, { count: 2 });
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS", "GET", "GET"]) {
      answered(await send(clients, request(method)));
    }
    answered(await send(clients, request("POST"), 1));
    const post = await send(clients, request("POST"), 1);
    assert.ok(post.type === "failure" && !post.responded && post.tier === "lambda");
  }
});

test("an answer that broke off is not asked for again", async (t) => {
  let requests = 0;
  const endpoint = await startTcp(t, (text, socket, nth) => {
    requests += 1;
    if (nth === 1) socket.write(answerTo(text));
    else socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbroken");
  });
  const { clients } = await single(t, endpoint);
  answered(await send(clients, request("GET")));
  const ended = await send(clients, request("GET"));
  assert.ok(ended.type === "failure" && ended.error.startsWith("bad answer"));
  assert.equal(requests, 2);
});

test("a fresh connection that is closed without an answer is a failure", async (t) => {
  let requests = 0;
  const endpoint = await startTcp(t, (_text, socket) => {
    requests += 1;
    socket.destroy();
  });
  const { clients } = await single(t, endpoint);
  assert.equal((await send(clients, request("GET"))).type, "failure");
  assert.equal(requests, 1);
});

test("a connection that the server closed while idle is not used", async (t) => {
  const sockets: Socket[] = [];
  const endpoint = await startTcp(t, (text, socket) => {
    sockets.push(socket);
    socket.write(answerTo(text));
  });
  const { clients } = await single(t, endpoint);
  for (let i = 1; i <= 20; i += 1) {
    // Writes can not be repeated, so each one proves that the closed connection was noticed.
    answered(await send(clients, request("POST")));
    await immediate();
    // The client's event loop has not seen this yet when the next request is made.
    sockets.at(-1)?.destroy();
    assert.equal(new Set(sockets).size, i);
  }
});

test("a promised keep-alive time is not used to its end", async (t) => {
  let connections = 0;
  const endpoint = await startTcp(t, (text, socket, nth) => {
    if (nth === 1) connections += 1;
    socket.write(answerTo(text, "keep-alive: timeout=0\r\n"));
  });
  const { clients } = await single(t, endpoint);
  for (let i = 0; i < 3; i += 1) answered(await send(clients, request("GET")));
  assert.equal(connections, 3);
});

test("new requests follow DNS, sticky clients stay until the server closes", async (t) => {
  let nowMs = 0;
  const servers = {
    lambda: await startHttp(t, echo),
    fargate: await startHttp(t, echo),
  };
  const endpoints = { lambda: servers.lambda.endpoint, fargate: servers.fargate.endpoint };
  const names = await startNames(t, endpoints, { lambda: 255, fargate: 0 });
  const count = 64;
  const clients = clientsFor(t, { dns: names.dns, count, nowMs: () => nowMs });
  const tiers = async (): Promise<Record<string, number>> => {
    const ended = await Promise.all(
      Array.from({ length: count }, (_, client) => send(clients, request("GET"), client)),
    );
    const found: Record<string, number> = { lambda: 0, fargate: 0 };
    for (const one of ended) {
      answered(one);
      found[one.tier ?? "none"] = (found[one.tier ?? "none"] ?? 0) + 1;
    }
    return found;
  };
  assert.deepEqual(await tiers(), { lambda: count, fargate: 0 });
  names.weights = { lambda: 0, fargate: 255 };
  nowMs = 59_999;
  assert.deepEqual(await tiers(), { lambda: count, fargate: 0 }, "within the TTL");
  nowMs = 60_000;
  const after = await tiers();
  const sticky = after.lambda ?? 0;
  assert.ok(sticky >= 1 && sticky <= 14, `${sticky} of ${count} are sticky`);
  servers.lambda.server.closeIdleConnections();
  assert.deepEqual(await tiers(), { lambda: 0, fargate: count });
});

test("a refused connection fails, unless the address has expired meanwhile", async (t) => {
  const alive = await startHttp(t, echo);
  const endpoints = { lambda: await closedEndpoint(), fargate: alive.endpoint };
  const names = await startNames(t, endpoints, { lambda: 255, fargate: 0 });
  let nowMs = 0;
  const clients = clientsFor(t, { dns: names.dns, nowMs: () => nowMs });
  const refused = await send(clients, request("GET"));
  assert.ok(refused.type === "failure" && refused.error === "ECONNREFUSED");
  assert.equal(refused.tier, "lambda");
  names.weights = { lambda: 0, fargate: 255 };
  const late = send(clients, request("POST"));
  nowMs = 60_000;
  assert.equal((await late).tier, "fargate");
});

test("silence ends with the timeout, and late answers reach nobody", async (t) => {
  const endpoint = await startTcp(t, (text, socket) => {
    if (text.includes("/good")) socket.write(answerTo(text));
  });
  const { clients } = await single(t, endpoint, { timeoutMs: 200 });
  const ended = await send(clients, request("GET", "/silent"));
  assert.ok(ended.type === "failure" && ended.error === "no answer within 200 ms");
  answered(await send(clients, request("GET", "/good")));
});

test("without DNS requests fail and say so", async (t) => {
  const both = { lambda: await closedEndpoint(), fargate: await closedEndpoint() };
  const names = await startNames(t, both, { lambda: 1, fargate: 1 });
  const clients = clientsFor(t, { dns: names.dns });
  clients.close("stopped");
  const ended = await send(clients, request("GET"));
  assert.ok(ended.type === "failure" && /^dns: .*CLOSED/.test(ended.error));
  assert.equal(ended.tier, null);
});

test("beyond 20,000 outstanding requests the client is overloaded", async (t) => {
  const silent = createSocket("udp4").bind(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const dns = { host: "127.0.0.1", port: silent.address().port };
  const clients = clientsFor(t, { dns });
  const what = request("GET");
  const errors = new Map<string, number>();
  for (let i = 0; i < outstandingMax + 5; i += 1) {
    clients.send(0, what, (_tier, outcome) => {
      const error = outcome.type === "failure" ? outcome.error : "none";
      errors.set(error, (errors.get(error) ?? 0) + 1);
    });
  }
  assert.deepEqual([...errors], [["client overload", 5]]);
  assert.equal(clients.outstanding, outstandingMax);
  clients.close("stopped");
  assert.equal(errors.get("stopped"), outstandingMax);
});
