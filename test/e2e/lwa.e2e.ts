/**
 * AWS's own Lambda Web Adapter in the local cloud, unmodified, and our bootstrap beside it: the
 * same service behind the same front door. LAMBDAFLEX_ADAPTER names its program (docs/adapter.md).
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { scaledClock } from "../../src/local/clock.ts";
import { type LambdaTier, startLambdaTier } from "../../src/local/lambda/tier.ts";
import { createMeter } from "../../src/local/meter.ts";
import { makeFolder, nothingLeft, patienceMs } from "./rig.ts";

const adapter = process.env.LAMBDAFLEX_ADAPTER ?? "";
const skip = existsSync(adapter) ? false : "LAMBDAFLEX_ADAPTER names no Lambda Web Adapter";
const entrypoint = fileURLToPath(new URL("../../src/runtime/entrypoint.sh", import.meta.url));
const mirror = fileURLToPath(new URL("./mirror.mjs", import.meta.url));
const folder = skip ? "" : makeFolder({});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

interface Shape {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

const every = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
const json = { "content-type": "application/json" };
const shapes: readonly Shape[] = [
  ...["GET", "DELETE", "OPTIONS", "HEAD"].map((method) => ({ method, path: "/pets" })),
  ...["POST", "PUT", "PATCH"].map((method) => ({
    ...{ method, path: "/pets/7", headers: json, body: Buffer.from('{"name":"Rex"}') },
  })),
  { method: "GET", path: "/pets?a=1&a=2&b=%20%2B&c" },
  { method: "GET", path: "/a-b_c.d~e/@f" },
  { method: "GET", path: "/", headers: { cookie: "x=1", "x-own": "kept", accept: "text/*" } },
  { method: "POST", path: "/binary", body: every },
  { method: "POST", path: "/text", headers: { "content-type": "text/plain" }, body: every },
  ...[200, 201, 204, 301, 304, 400, 404, 418, 500, 503].map((status) => ({
    ...{ method: "GET", path: `/?status=${status}` },
  })),
  ...[0, 1, 256, 300_000].map((length) => ({ method: "GET", path: `/bytes?length=${length}` })),
];

/** What is said of one connection or one moment; the rest is the service's. */
const passing = new Set(["date", "connection", "keep-alive", "apigw-requestid"]);
/** Each front door has a port, each request a trace. */
const own = ["host", "x-forwarded-port", "x-amzn-trace-id"];
/** JSON about the invocation: both have to say the same things of it. */
const contexts = ["x-amzn-request-context", "x-amzn-lambda-context"];

interface Told {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Difference {
  readonly what: string;
  readonly shape: Shape;
  readonly pick: (told: Told) => string | undefined;
  readonly adapter: string | undefined;
  readonly bootstrap: string | undefined;
}

/** Each is said in docs/bootstrap.md; what is not listed here has to be the same. */
const differences: readonly Difference[] = [
  {
    what: "a request without a body has a length",
    shape: { method: "GET", path: "/" },
    pick: ({ headers }) => headers["content-length"],
    adapter: "0",
    bootstrap: undefined,
  },
  {
    what: "cookies are joined without a blank",
    shape: { method: "GET", path: "/", headers: { cookie: "x=1; y=2" } },
    pick: ({ headers }) => headers.cookie,
    adapter: "x=1;y=2",
    bootstrap: "x=1; y=2",
  },
  {
    what: "addresses that a client claims go on",
    shape: { method: "GET", path: "/", headers: { "x-real-ip": "198.51.100.1" } },
    pick: ({ headers }) => headers["x-real-ip"],
    adapter: "198.51.100.1",
    bootstrap: undefined,
  },
  {
    what: "a path is decoded twice",
    shape: { method: "GET", path: "/a%2541" },
    pick: ({ target }) => target,
    adapter: "/a%41",
    bootstrap: "/a%2541",
  },
];

for (const mode of ["buffered", "response_stream"]) {
  describe(`a service with the adapter, in the local cloud, ${mode}`, { skip }, () => {
    conversation(mode);
  });
}

function conversation(mode: string): void {
  let theirs: LambdaTier;
  let ours: LambdaTier;
  before(async () => {
    const program = [process.execPath, mirror];
    const env = { AWS_LWA_INVOKE_MODE: mode };
    const adapted = ["sh", entrypoint, ...program];
    theirs = await startTier(adapted, [], { ...env, LAMBDAFLEX_ADAPTER: adapter });
    ours = await startTier(program, undefined, env);
  });
  after(async () => {
    await Promise.all([theirs?.stop(), ours?.stop()]);
    await nothingLeft(folder, patienceMs);
  });

  test("answers as it does with the bootstrap", async () => {
    for (const shape of shapes) {
      const [from, beside] = [await send(theirs, shape), await send(ours, shape)];
      assert.deepEqual(seen(from), seen(beside), `${shape.method} ${shape.path}`);
    }
  });

  test("differs where docs/bootstrap.md says so", async () => {
    for (const { what, shape, pick, adapter: one, bootstrap: other } of differences) {
      const answers = [await send(theirs, shape), await send(ours, shape)];
      const picked = answers.map(({ body }) => pick(JSON.parse(body.toString())));
      assert.deepEqual(picked, [one, other], what);
    }
  });

  test("keeps its environment, and is paused and asked in turn", async () => {
    const first = await send(theirs, { method: "GET", path: "/count" });
    const before = JSON.parse(first.body.toString()).served;
    for (let round = 1; round <= 50; round += 1) {
      const answer = await send(theirs, { method: "GET", path: "/count" });
      assert.equal(JSON.parse(answer.body.toString()).served, before + round);
    }
    assert.equal(theirs.stats().environments, 1);
  });

  test("serves several clients in environments of their own", async () => {
    const slow = Array.from({ length: 4 }, () => send(theirs, { method: "GET", path: "/slow" }));
    for (const { status } of await Promise.all(slow)) assert.equal(status, 200);
    assert.ok(theirs.stats().environments > 1);
  });
}

function startTier(
  command: readonly string[],
  bootstrap: readonly string[] | undefined,
  env: Readonly<Record<string, string>>,
): Promise<LambdaTier> {
  const clock = scaledClock(1, 0);
  const readiness = { path: "/ready", timeoutMs: patienceMs };
  return startLambdaTier({
    service: { name: "pets", command, cwd: folder, env, readiness, digest: "sha256:one" },
    ...(bootstrap && { bootstrap }),
    memoryMB: 1769,
    timeoutMs: 20_000,
    concurrencyMax: 10,
    startsMax: 2,
    idleMs: 600_000,
    clock,
    meter: createMeter("lambda", clock, 60_000),
    clientKeepAliveMs: 60_000,
  });
}

function send({ endpoint }: LambdaTier, { method, path, headers, body }: Shape): Promise<Answer> {
  const { host, port } = endpoint;
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path, agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { statusCode: status = 0 } = response;
        resolve({ status, headers: response.headers, body: Buffer.concat(chunks) });
      });
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** What the client and the service saw, without what no two requests share. */
function seen({ status, headers, body }: Answer): unknown {
  const kept = Object.entries(headers).filter(([name]) => !passing.has(name));
  const told = { status, headers: Object.fromEntries(kept) };
  if (headers["content-type"] !== "application/json" || body.length === 0) {
    return { ...told, content: body.toString("base64") };
  }
  const { served: _, headers: received, ...rest } = JSON.parse(body.toString());
  for (const name of own) assert.ok(received[name], name);
  const facts = contexts.map((name) => keysOf(JSON.parse(received[name])));
  for (const name of [...own, ...contexts]) delete received[name];
  if (received["content-length"] === "0" && rest.body === "") delete received["content-length"];
  // The length of the answer hangs on what was left out.
  const { "content-length": __, ...others } = told.headers;
  return { status, headers: others, content: { ...rest, headers: received, facts } };
}

function keysOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return typeof value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, keysOf(inner)]));
}
