import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, describe, test } from "node:test";
import { type Clock, scaledClock } from "../clock.ts";
import { createMeter, type RequestRecord } from "../meter.ts";
import { type Gateway, type GatewayOptions, startGateway } from "./gateway.ts";
import type { Invocation } from "./invocation.ts";

interface Stage {
  readonly gateway: Gateway;
  readonly invocations: Invocation[];
  readonly cancelled: Invocation[];
  readonly finished: RequestRecord[];
  nowMs: number;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

let current: Stage | null = null;

/** A front door whose function is `answer`; without one, invocations stay unanswered. */
async function stage(
  answer?: (invocation: Invocation) => unknown,
  options: Partial<GatewayOptions> & { capacity?: number } = {},
): Promise<Stage> {
  const invocations: Invocation[] = [];
  const cancelled: Invocation[] = [];
  const finished: RequestRecord[] = [];
  const real = scaledClock(1, 0);
  const clock: Clock = { ...real, nowMs: () => on.nowMs };
  const meter = createMeter("lambda", real, 60_000);
  const gateway = await startGateway({
    backend: {
      invoke(invocation) {
        if (invocations.length >= (options.capacity ?? Number.POSITIVE_INFINITY)) return false;
        invocations.push(invocation);
        if (!answer) return true;
        const body = Buffer.from(JSON.stringify(answer(invocation)));
        setImmediate(() => invocation.done({ type: "response", body, streaming: false }));
        return true;
      },
      cancel: (invocation) => cancelled.push(invocation),
    },
    clock,
    meter: {
      ...meter,
      started: () => meter.started(),
      finished: (record) => finished.push(record),
    },
    port: 0,
    clientKeepAliveMs: 60_000,
    ...options,
  });
  const on: Stage = { gateway, invocations, cancelled, finished, nowMs: 0 };
  current = on;
  return on;
}

afterEach(async () => {
  await current?.gateway.stop(0);
  current = null;
});

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: Buffer | string;
  readonly agent?: Agent;
}

async function call(on: Stage, { body, agent, ...options }: Call = {}): Promise<Reply> {
  const sent = httpRequest({ ...on.gateway.endpoint, agent: agent ?? false, ...options });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  response.setEncoding("latin1");
  for await (const piece of response) text += piece;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** Sends bytes as they are and returns everything until the connection closes. */
async function raw(on: Stage, bytes: string): Promise<string> {
  const socket = await connected(on);
  let text = "";
  socket.on("data", (piece) => {
    text += piece;
  });
  socket.write(bytes, "latin1");
  await once(socket, "close");
  return text;
}

async function connected(on: Stage): Promise<Socket> {
  const socket = connect(on.gateway.endpoint.port, "127.0.0.1");
  socket.setEncoding("latin1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 3000 && !condition(); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(condition());
}

const ok = () => ({ statusCode: 200, body: "ok" });
const message = (text: string): string => JSON.stringify({ message: text });

describe("the front door", () => {
  test("passes a request on and its answer back", async () => {
    const on = await stage(() => ({
      statusCode: 201,
      headers: { "x-a": "b" },
      cookies: ["c=1", "d=2"],
      body: "made",
    }));
    const reply = await call(on, {
      method: "POST",
      path: "/a%2Fb?x=1",
      headers: { "content-type": "text/plain", "x-forwarded-for": "6.6.6.6" },
      body: "hello",
    });
    assert.equal(reply.status, 201);
    assert.equal(reply.text, "made");
    assert.equal(reply.headers["x-a"], "b");
    assert.deepEqual(reply.headers["set-cookie"], ["c=1", "d=2"]);
    const event = JSON.parse(on.invocations[0]?.payload ?? "");
    assert.equal(event.rawPath, "/a/b");
    assert.equal(event.body, "hello");
    assert.equal(event.headers["x-forwarded-for"], "127.0.0.1");
    assert.equal(event.requestContext.requestId, on.invocations[0]?.requestId);
    await until(() => on.finished.length === 1);
    assert.equal(on.finished[0]?.status, 201);
  });

  test("keeps the type of a body: none, empty, chunked", async () => {
    const on = await stage(ok);
    await call(on);
    await call(on, { method: "POST", headers: { "content-length": "0" } });
    await call(on, {
      method: "POST",
      headers: { "transfer-encoding": "chunked", "content-type": "text/plain" },
      body: "ab",
    });
    const events = on.invocations.map(({ payload }) => JSON.parse(payload));
    assert.deepEqual(
      events.map(({ body, headers }) => [body, headers["content-length"]]),
      [
        [undefined, undefined],
        [undefined, "0"],
        ["ab", "2"],
      ],
    );
  });

  test("sends no body where HTTP forbids one", async () => {
    const on = await stage(({ payload }) => ({
      statusCode: payload.includes("/none") ? 204 : 200,
      headers: { "content-length": "12" },
      body: payload.includes("/head") ? "" : "body",
    }));
    const head = await call(on, { method: "HEAD", path: "/head" });
    assert.equal(head.headers["content-length"], "12");
    const none = await call(on, { path: "/none" });
    assert.deepEqual(
      [none.status, none.text, none.headers["content-length"]],
      [204, "", undefined],
    );
  });

  test("refuses more than the service allows", async () => {
    const on = await stage(ok);
    const body = (bytes: number): Buffer => Buffer.alloc(bytes, 120);
    const post = async (bytes: number, headers = {}): Promise<number> => {
      const type = { "content-type": "text/plain" };
      const sent = { method: "POST", headers: { ...type, ...headers }, body: body(bytes) };
      return (await call(on, sent)).status;
    };
    const chunked = { "transfer-encoding": "chunked" };
    assert.equal(await post(10 * 1024 * 1024 + 1), 413);
    assert.equal(await post(10 * 1024 * 1024 + 1, chunked), 413);
    assert.equal(await post(6 * 1024 * 1024), 413, "with the rest of the event above 6 MB");
    assert.equal(await post(5 * 1024 * 1024, { "content-type": "image/png" }), 413, "as base64");
    assert.equal(await post(6 * 1024 * 1024 - 4096), 200);
    const large = await call(on, { headers: { x: "x".repeat(10_300) } });
    assert.deepEqual([large.status, large.text], [431, message("Request Header Fields Too Large")]);
    assert.equal((await call(on, { headers: { x: "x".repeat(10_100) } })).status, 200);
    assert.equal((await call(on, { path: `/${"x".repeat(10_300)}` })).status, 431);
    assert.equal((await call(on, { path: "/%zz" })).status, 400);
  });

  test("goes on with the connection after it has refused a body", async () => {
    const on = await stage(ok);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const body = Buffer.alloc(11 * 1024 * 1024);
    assert.equal((await call(on, { method: "POST", body, agent })).status, 413);
    assert.equal((await call(on, { agent })).status, 200);
    agent.destroy();
  });

  test("is strict about HTTP", async () => {
    const on = await stage(ok);
    const post = "POST / HTTP/1.1\r\nHost: a\r\n";
    const bad = [
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
      `${post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
      "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
      "\x16\x03\x01\x02\r\n\r\n",
    ];
    for (const bytes of bad) assert.match(await raw(on, bytes), /^HTTP\/1.1 400 /, bytes);
    const flood = `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(40_000)}\r\n\r\n`;
    assert.match(await raw(on, flood), /^HTTP\/1.1 431 /);
    assert.equal(on.invocations.length, 0);
  });

  test("answers throttling, errors and silence as HTTP APIs do", async () => {
    const on = await stage(undefined, { capacity: 3, integrationTimeoutMs: 50 });
    const silent = await call(on);
    assert.deepEqual([silent.status, silent.text], [503, message("Service Unavailable")]);
    assert.deepEqual(on.cancelled, [on.invocations[0]], "it need not run if it still waits");
    const failing = call(on);
    await until(() => on.invocations.length === 2);
    on.invocations[1]?.done({ type: "error", errorType: "X", message: "y" });
    const failed = await failing;
    assert.deepEqual([failed.status, failed.text], [500, message("Internal Server Error")]);
    const garbling = call(on);
    await until(() => on.invocations.length === 3);
    on.invocations[2]?.done({ type: "response", body: Buffer.from("{"), streaming: false });
    assert.equal((await garbling).status, 500);
    const throttled = await call(on);
    assert.deepEqual([throttled.status, throttled.text], [503, message("Service Unavailable")]);
    on.invocations[0]?.done({ type: "response", body: Buffer.from("{}"), streaming: false });
    await until(() => on.finished.length === 4);
    assert.deepEqual(
      on.finished.map(({ status, throttled }) => [status, throttled]),
      [
        [503, false],
        [500, false],
        [500, false],
        [503, true],
      ],
    );
  });

  test("counts a client that leaves as 499 and takes its invocation back", async () => {
    const on = await stage();
    const socket = await connected(on);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => on.invocations.length === 1);
    socket.destroy();
    await until(() => on.finished.length === 1);
    assert.equal(on.finished[0]?.status, 499);
    assert.deepEqual(on.cancelled, on.invocations);
    on.invocations[0]?.done({ type: "response", body: Buffer.from("{}"), streaming: false });
    const half = await connected(on);
    half.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    half.destroySoon();
    await until(() => on.finished.length === 2);
    assert.equal(on.finished[1]?.status, 499);
  });

  test("closes old connections with an answer and loses no request", async () => {
    const on = await stage(ok);
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const before = await call(on, { agent });
    assert.equal(before.headers.connection, "keep-alive");
    on.nowMs = 59_999;
    assert.equal((await call(on, { agent })).headers.connection, "keep-alive");
    on.nowMs = 60_000;
    assert.equal((await call(on, { agent })).headers.connection, "close");
    assert.equal((await call(on, { agent })).headers.connection, "keep-alive", "a new one");
    for (let round = 0; round < 10; round += 1) {
      on.nowMs += 30_000;
      const replies = await Promise.all(Array.from({ length: 20 }, () => call(on, { agent })));
      assert.ok(replies.every(({ status }) => status === 200));
    }
    agent.destroy();
  });

  test("answers what is in flight before it stops, and cuts what takes too long", async () => {
    const on = await stage();
    const agent = new Agent({ keepAlive: true });
    const answered = call(on, { agent });
    await until(() => on.invocations.length === 1);
    const stopped = on.gateway.stop(5000);
    const body = Buffer.from('"done"');
    on.invocations[0]?.done({ type: "response", body, streaming: false });
    const reply = await answered;
    assert.deepEqual([reply.status, reply.headers.connection], [200, "close"]);
    await stopped;
    agent.destroy();
    const other = await stage();
    const cut = assert.rejects(call(other));
    await until(() => other.invocations.length === 1);
    await other.gateway.stop(10);
    await cut;
    await until(() => other.finished.length === 1);
    assert.equal(other.finished[0]?.status, 499);
  });
});
