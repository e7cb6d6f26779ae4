import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Endpoint } from "../service.ts";
import { answer, join, serveRaw, startRig, until } from "./rig.test.ts";
import { createUpstream, type UpstreamFailure, type UpstreamSink } from "./upstream.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

/** What became of one request. */
interface Sent extends UpstreamSink {
  readonly onceOver: Promise<UpstreamFailure | null>;
  /** Whether its head was written. */
  readonly written: boolean;
}

function sent(): Sent {
  const { promise, resolve } = Promise.withResolvers<UpstreamFailure | null>();
  let written = false;
  let release = (): void => undefined;
  return {
    onceOver: promise,
    get written() {
      return written;
    },
    onReady(call) {
      written = true;
      release = () => call.release(true);
    },
    onPartial: () => undefined,
    onDrain: () => undefined,
    onInterim: () => undefined,
    onHead: () => undefined,
    onData: () => undefined,
    onEnd() {
      release();
      resolve(null);
    },
    onTunnel: () => undefined,
    onFailure: resolve,
    clientStalls: () => false,
  };
}

/** A target that answers everything, and the connections that it has. */
async function target(t: TestContext): Promise<{ endpoint: Endpoint; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const endpoint = await serveRaw(t, (socket) => {
    sockets.add(socket);
    socket.write(answer("ok"));
  });
  return { endpoint, sockets };
}

for (const how of ["destroy", "resetAndDestroy", "end"] as const) {
  test(`what cannot be sent twice is not written to a closed connection (${how})`, async (t) => {
    const { endpoint, sockets } = await target(t);
    const upstream = createUpstream(endpoint, 5_000);
    t.after(() => upstream.destroy());
    const first = sent();
    upstream.send(get, "GET", "any", first);
    assert.equal(await first.onceOver, null);

    // In one turn of the event loop, so that the closing cannot have been read; from a handler of
    // a socket, after which a single `setImmediate` runs before the next look.
    const other = connect(endpoint.port, endpoint.host).on("error", () => undefined);
    t.after(() => other.destroy());
    await new Promise<void>((resolve) => other.on("connect", resolve));
    const second = sent();
    other.on("data", () => {
      for (const socket of sockets) socket[how]();
      upstream.send(post, "POST", "recent", second);
    });
    other.write(get);
    const failure = await second.onceOver;
    assert.equal(failure?.kind, "refused");
    assert.equal(second.written, false);
  });
}

test("a connection that lives is used again after the look", async (t) => {
  const { endpoint, sockets } = await target(t);
  const upstream = createUpstream(endpoint, 5_000);
  t.after(() => upstream.destroy());
  for (let n = 0; n < 5; n += 1) {
    const request = sent();
    upstream.send(post, "POST", "recent", request);
    assert.equal(await request.onceOver, null);
  }
  assert.equal(sockets.size, 1);
});

test("an upstream that is destroyed during the look fails the request", async (t) => {
  const { endpoint } = await target(t);
  const upstream = createUpstream(endpoint, 5_000);
  const first = sent();
  upstream.send(post, "POST", "recent", first);
  await first.onceOver;
  const second = sent();
  upstream.send(post, "POST", "recent", second);
  upstream.destroy();
  assert.equal((await second.onceOver)?.kind, "refused");
  assert.equal(second.written, false);
});

test("a write that comes as its target dies goes to another one", async (t) => {
  const rig = await startRig(t, { healthCheck: { ...checkedOnce } });
  const dying = await target(t);
  const alive = await target(t);
  await join(rig, dying.endpoint, alive.endpoint);
  for (let round = 0; round < 20; round += 1) {
    const client = connect(rig.port, "127.0.0.1");
    let text = "";
    client.setEncoding("latin1").on("data", (data) => {
      text += data;
    });
    await once(client, "connect");
    const answers = (count: number): boolean => text.split(" 200 OK").length > count;
    // Two in turn, so that the next one finds an idle connection to either target.
    for (let n = 1; n <= 2; n += 1) {
      client.write(post);
      await until(() => answers(n) || text.includes(" 502 "), `answer ${n}`);
    }
    // The request and the end of its connection become readable together, in this order.
    client.write(post);
    for (const socket of dying.sockets) socket.destroy();
    await until(() => answers(3) || text.includes(" 502 "), "the last answer");
    client.destroy();
    assert.doesNotMatch(text, / 502 /);
  }
});

const checkedOnce = {
  path: "/health",
  intervalMs: 1e9,
  timeoutMs: 500,
  healthyThreshold: 1,
  unhealthyThreshold: 1,
};
