import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import type { SrvRecord } from "node:dns";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { type DecodedPacket, decode, encode, type Packet } from "dns-packet";
import fc from "fast-check";
import { seededRandom } from "../../core/random.ts";
import { type DnsServer, startDnsServer } from "./server.ts";
import type { DnsRecord } from "./zone.ts";

const host = "pet-store.lambdaflex.test";
const service = `_http._tcp.${host}`;

function records(lambda: number, fargate: number, fargateExists = true): DnsRecord[] {
  const common = { healthy: true, exists: true };
  return [
    { ...common, tier: "lambda", weight: lambda, endpoint: { host: "127.0.0.1", port: 4001 } },
    {
      ...common,
      tier: "fargate",
      weight: fargate,
      exists: fargateExists,
      endpoint: fargateExists ? { host: "127.0.0.1", port: 4002 } : null,
    },
  ];
}

async function serve(t: TestContext, list: () => readonly DnsRecord[]): Promise<DnsServer> {
  const random = seededRandom(7);
  const server = await startDnsServer({ host, ttlSeconds: 60, records: list, random });
  t.after(() => server.stop());
  return server;
}

async function clientOf(t: TestContext, server: DnsServer): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.connect(server.endpoint.port, server.endpoint.host);
  await once(socket, "connect");
  t.after(() => socket.close());
  return socket;
}

async function exchange(socket: Socket, packet: Buffer): Promise<DecodedPacket> {
  socket.send(packet);
  const [message] = (await once(socket, "message")) as [Buffer];
  return decode(message);
}

const ask = (socket: Socket, name: string, type: "A" | "AAAA" | "SRV" | "NS" | "SOA" | "AXFR") =>
  exchange(socket, encode({ type: "query", id: 7, questions: [{ type, name }] }));
const codeOf = (packet: Packet): number => (packet.flags ?? 0) & 0xf;

test("Node's own resolver finds both tiers in the share of their weights", async (t) => {
  const server = await serve(t, () => records(90, 10));
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${server.endpoint.port}`]);
  const found: SrvRecord[][] = [];
  // More at once overflow the socket's buffer, and a retry takes seconds.
  for (let round = 0; round < 25; round += 1) {
    const asked = Array.from({ length: 20 }, () => resolver.resolveSrv(service));
    found.push(...(await Promise.all(asked)));
  }
  const fargate = found.filter(([srv]) => srv?.name === `fargate.${host}`);
  assert.ok(fargate.length > 20 && fargate.length < 90, `${fargate.length} of 500`);
  for (const [srv] of found) assert.equal(srv?.port, srv?.name === `fargate.${host}` ? 4002 : 4001);
  assert.deepEqual(await resolver.resolve4(host, { ttl: true }), [
    { address: "127.0.0.1", ttl: 60 },
  ]);
  for (const name of [`lambda.${host}`, `fargate.${host}`]) {
    assert.deepEqual(await resolver.resolve4(name), ["127.0.0.1"]);
  }
  assert.equal((await resolver.resolveSoa(host)).nsname, `ns.${host}`);
  assert.deepEqual(await resolver.resolveNs(host), [`ns.${host}`]);
  await assert.rejects(resolver.resolve4(`other.${host}`), { code: "ENOTFOUND" });
  await assert.rejects(resolver.resolve6(host), { code: "ENODATA" });
  assert.ok(server.queries() >= 507);
});

test("an SRV answer carries the TTL and the address of its target", async (t) => {
  const socket = await clientOf(t, await serve(t, () => records(0, 255)));
  const reply = await ask(socket, service.toUpperCase(), "SRV");
  assert.equal(reply.id, 7);
  assert.ok(reply.flag_qr && reply.flag_aa && !reply.flag_tc);
  assert.equal(reply.questions?.[0]?.name, service.toUpperCase(), "the question is echoed");
  const [srv] = reply.answers ?? [];
  assert.ok(srv?.type === "SRV");
  assert.equal(srv.ttl, 60);
  assert.deepEqual([srv.data.target, srv.data.port], [`fargate.${host}`, 4002]);
  const [address] = reply.additionals ?? [];
  assert.ok(address?.type === "A" && address.data === "127.0.0.1");
});

test("records are read anew for each question", async (t) => {
  let list = records(255, 0);
  const socket = await clientOf(t, await serve(t, () => list));
  const target = async (): Promise<string> => {
    const [srv] = (await ask(socket, service, "SRV")).answers ?? [];
    return srv?.type === "SRV" ? srv.data.target : "none";
  };
  assert.equal(await target(), `lambda.${host}`);
  list = records(0, 255);
  assert.equal(await target(), `fargate.${host}`);
  list = list.map((one) => (one.tier === "fargate" ? { ...one, healthy: false } : one));
  assert.equal(await target(), `lambda.${host}`, "weight 0 answers for the unhealthy one");
  list = records(0, 255, false);
  assert.equal(await target(), `lambda.${host}`);
});

test("absence is told apart: no name, no data, not ours", async (t) => {
  const socket = await clientOf(t, await serve(t, () => []));
  const noName = await ask(socket, `www.${host}`, "A");
  assert.equal(codeOf(noName), 3);
  assert.equal(noName.authorities?.[0]?.type, "SOA");
  for (const name of [service, `_tcp.${host}`, host]) {
    const noData = await ask(socket, name, name === host ? "AAAA" : "SRV");
    assert.equal(codeOf(noData), 0);
    assert.deepEqual(noData.answers, []);
    assert.equal(noData.authorities?.[0]?.type, "SOA");
  }
  for (const name of ["example.com", `x${host}`, "test"]) {
    const refused = await ask(socket, name, "A");
    assert.equal(codeOf(refused), 5);
    assert.ok(!refused.flag_aa);
  }
  assert.equal(codeOf(await ask(socket, host, "AXFR")), 5);
  const chaos = encode({ questions: [{ type: "TXT", name: "version.bind", class: "CH" }] });
  assert.equal(codeOf(await exchange(socket, chaos)), 5);
  const update = encode({ id: 9, flags: 5 << 11, questions: [{ type: "SOA", name: host }] });
  const refusedUpdate = await exchange(socket, update);
  assert.deepEqual([codeOf(refusedUpdate), refusedUpdate.id], [4, 9]);
});

test("EDNS is tolerated, an unknown version of it is refused", async (t) => {
  const socket = await clientOf(t, await serve(t, () => records(1, 0)));
  const withEdns = (ednsVersion: number): Promise<DecodedPacket> =>
    exchange(
      socket,
      encode({
        id: 3,
        questions: [{ type: "SRV", name: service }],
        additionals: [
          {
            type: "OPT",
            name: ".",
            udpPayloadSize: 4096,
            extendedRcode: 0,
            ednsVersion,
            flags: 0x8000,
            flag_do: true,
            options: [{ code: 12, type: 12, length: 16 } as never],
          },
        ],
      }),
    );
  const reply = await withEdns(0);
  assert.equal(reply.answers?.length, 1);
  assert.equal(reply.additionals?.at(-1)?.type, "OPT");
  const option = (await withEdns(1)).additionals?.at(-1);
  assert.ok(option?.type === "OPT" && option.extendedRcode === 1);
});

test("an answer that does not fit is truncated, not broken", async (t) => {
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.test`;
  const random = seededRandom(1);
  const list = (): DnsRecord[] => records(1, 0);
  const server = await startDnsServer({ host: long, ttlSeconds: 60, records: list, random });
  t.after(() => server.stop());
  const socket = await clientOf(t, server);
  const reply = await ask(socket, `_http._tcp.${long}`, "SRV");
  assert.ok(reply.flag_tc);
  assert.deepEqual(reply.answers, []);
});

test("no packet whatever stops the server, and only queries are answered", async (t) => {
  const server = await serve(t, () => records(50, 50));
  const socket = await clientOf(t, server);
  const valid = encode({ type: "query", id: 1, questions: [{ type: "SRV", name: service }] });
  const response = encode({ type: "response", id: 1, questions: [{ type: "A", name: host }] });
  const mutated = fc
    .tuple(fc.nat(valid.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(valid.length))
    .map(([at, byte, length]) => {
      const packet = Buffer.from(valid);
      packet[at] = byte;
      return packet.subarray(0, length);
    });
  const packets = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.concat([valid, Buffer.from(bytes)])),
    mutated,
    fc.constant(response),
    fc.constant(Buffer.alloc(5000)),
  );
  const replies: Buffer[] = [];
  socket.on("message", (message: Buffer) => replies.push(message));
  await fc.assert(
    fc.asyncProperty(packets, async (packet) => {
      replies.length = 0;
      socket.send(packet);
      const marker = encode({ type: "query", id: 777, questions: [{ type: "A", name: host }] });
      socket.send(marker);
      // UDP on loopback keeps the order, so the marker's answer is the last one.
      while (replies.at(-1)?.readUInt16BE(0) !== 777) await once(socket, "message");
      for (const reply of replies) assert.ok(decode(reply).flag_qr);
      const trailing = packet.length > valid.length && packet.indexOf(valid) === 0;
      const impossible = packet.length < 12 || packet.length > 1232;
      if (packet.equals(response) || impossible || trailing) {
        assert.equal(replies.length, 1, "dropped");
      }
    }),
    { numRuns: 1500 },
  );
});

test("a taken port is reported, a stopped server frees it", async (t) => {
  const server = await serve(t, () => []);
  const { port } = server.endpoint;
  const options = { host, ttlSeconds: 60, records: () => [], random: seededRandom(1), port };
  await assert.rejects(startDnsServer(options), { code: "EADDRINUSE" });
  await server.stop();
  await (await startDnsServer(options)).stop();
});
