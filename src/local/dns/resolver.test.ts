import assert from "node:assert/strict";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { type Answer, decode, encode } from "dns-packet";
import { seededRandom } from "../../core/random.ts";
import type { Endpoint } from "../service.ts";
import { createResolver, openResolverPool, type ResolverOptions } from "./resolver.ts";
import { startDnsServer } from "./server.ts";

const host = "pet-store.lambdaflex.test";
const service = `_http._tcp.${host}`;

type Script = (query: Buffer, answer: (packet: Buffer) => void, nth: number) => void;

/** A server that misbehaves as the script says. */
async function badServer(t: TestContext, script: Script): Promise<Endpoint> {
  const socket: Socket = createSocket("udp4");
  let nth = 0;
  socket.on("message", (query: Buffer, sender: RemoteInfo) => {
    nth += 1;
    script(query, (packet) => socket.send(packet, sender.port, sender.address), nth);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  return { host: "127.0.0.1", port: socket.address().port };
}

const goodAnswers: Answer[] = [
  { type: "SRV", name: service, ttl: 60, data: { target: `fargate.${host}`, port: 4002 } },
];
const goodAddress: Answer[] = [{ type: "A", name: `fargate.${host}`, ttl: 60, data: "127.0.0.1" }];

function respond(query: Buffer, change: Parameters<typeof encode>[0] = {}): Buffer {
  const { id, questions } = decode(query);
  const additionals = goodAddress;
  return encode({ type: "response", id, questions, answers: goodAnswers, additionals, ...change });
}

function resolverFor(t: TestContext, options: ResolverOptions) {
  const resolver = createResolver(options);
  t.after(() => resolver.close());
  return resolver;
}
function impatient(t: TestContext, server: Endpoint) {
  const pool = openResolverPool(server, 20);
  t.after(() => pool.close());
  return createResolver({ server, clock: still, pool });
}

const still = { nowMs: () => 0 };

test("an answer serves for its TTL on the virtual clock and not a moment longer", async (t) => {
  let nowMs = 1_000_000;
  let port = 4001;
  const server = await startDnsServer({
    host,
    ttlSeconds: 60,
    random: seededRandom(1),
    records: () => [
      {
        tier: "lambda",
        weight: 1,
        healthy: true,
        exists: true,
        endpoint: { host: "127.0.0.1", port },
      },
    ],
  });
  t.after(() => server.stop());
  const clock = { nowMs: () => nowMs };
  const resolver = resolverFor(t, { server: server.endpoint, clock });
  const first = { tier: "lambda", endpoint: { host: "127.0.0.1", port: 4001 } };
  assert.equal(resolver.cached(host), null);
  // Questions at the same time are asked once.
  const both = await Promise.all([resolver.resolve(host), resolver.resolve(host)]);
  assert.deepEqual(both, [first, first]);
  port = 4003;
  nowMs += 59_999;
  assert.deepEqual(await resolver.resolve(host), first);
  assert.equal(server.queries(), 1);
  nowMs += 1;
  assert.equal(resolver.cached(host), null, "nothing is served stale");
  assert.equal((await resolver.resolve(host)).endpoint.port, 4003);
  assert.equal(server.queries(), 2);
});

test("a lost packet is asked for again, silence ends in an error", async (t) => {
  const lossy = await badServer(t, (query, answer, nth) => {
    if (nth === 3) answer(respond(query));
  });
  const resolver = impatient(t, lossy);
  assert.equal((await resolver.resolve(host)).endpoint.port, 4002);

  let asked = 0;
  const silent = await badServer(t, () => {
    asked += 1;
  });
  const failing = impatient(t, silent);
  await assert.rejects(failing.resolve(host), { code: "TIMEOUT" });
  assert.equal(asked, 5);
});

test("a server that is not there yet is asked again", async (t) => {
  const probe = createSocket("udp4").bind(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  const resolver = impatient(t, { host: "127.0.0.1", port });
  await assert.rejects(resolver.resolve(host), { code: "TIMEOUT" });
});

test("forged, broken and foreign answers are ignored", async (t) => {
  const other: Answer = { type: "A", name: `fargate.${host}`, ttl: 60, data: "192.0.2.1" };
  const server = await badServer(t, (query, answer) => {
    const { id = 0 } = decode(query);
    answer(Buffer.from("garbage"));
    answer(query);
    answer(respond(query, { id: (id + 1) % 65_536, answers: [] }));
    answer(respond(query, { questions: [{ type: "SRV", name: "example.com" }], answers: [] }));
    answer(respond(query, { questions: [], answers: [] }));
    answer(respond(query, { flags: 1 << 9, answers: [] }));
    answer(respond(query).subarray(0, 40));
    answer(respond(query, { additionals: [other] }));
    answer(respond(query));
  });
  const resolver = resolverFor(t, { server, clock: still });
  assert.deepEqual(await resolver.resolve(host), {
    tier: "fargate",
    endpoint: { host: "127.0.0.1", port: 4002 },
  });
});

test("absence is an error at once and is not remembered", async (t) => {
  const server = await badServer(t, (query, answer, nth) => {
    if (nth === 1) answer(respond(query, { flags: 3, answers: [] }));
    else if (nth === 2) answer(respond(query, { answers: [] }));
    else if (nth === 3) answer(respond(query, { flags: 5, answers: [] }));
    else answer(respond(query));
  });
  const resolver = resolverFor(t, { server, clock: still });
  await assert.rejects(resolver.resolve(host), { code: "NXDOMAIN" });
  await assert.rejects(resolver.resolve(host), { code: "NODATA" });
  await assert.rejects(resolver.resolve(host), { code: "REFUSED" });
  assert.equal((await resolver.resolve(host)).tier, "fargate");
});

test("many resolvers share one socket and keep their own caches", async (t) => {
  const ports = new Set<number>();
  let asked = 0;
  const server = await badServer(t, (query, answer) => {
    asked += 1;
    answer(respond(query));
  });
  const pool = openResolverPool(server);
  t.after(() => pool.close());
  const resolvers = Array.from({ length: 64 }, () =>
    createResolver({ server, clock: still, pool }),
  );
  const all = await Promise.all(resolvers.map((resolver) => resolver.resolve(host)));
  for (const { endpoint } of all) ports.add(endpoint.port);
  assert.deepEqual([...ports], [4002]);
  assert.equal(asked, 64);
});

test("closing ends what is under way", async (t) => {
  const server = await badServer(t, () => undefined);
  const pool = openResolverPool(server);
  const resolver = createResolver({ server, clock: still, pool });
  const waiting = resolver.resolve(host);
  const rejected = assert.rejects(waiting, { code: "CLOSED" });
  await new Promise((resolve) => setImmediate(resolve));
  pool.close();
  pool.close();
  await rejected;
  await assert.rejects(resolver.resolve(host), { code: "CLOSED" });
});
