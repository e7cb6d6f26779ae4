import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { scaledClock } from "../clock.ts";
import { createMeter, type Meter } from "../meter.ts";
import type { ServiceSpec } from "../service.ts";
import { type LambdaTier, type LambdaTierOptions, startLambdaTier } from "./tier.ts";

const fixtures = fileURLToPath(new URL("fixtures/", import.meta.url));

/** A service that is a runtime itself. */
function rawService(env: Record<string, string> = {}): ServiceSpec {
  return {
    name: "demo service",
    command: [process.execPath, "raw-runtime.mjs"],
    cwd: fixtures,
    env,
    readiness: { path: "/ready", timeoutMs: 10_000 },
    digest: "sha256:one",
  };
}

interface Stage {
  readonly tier: LambdaTier;
  readonly meter: Meter;
  readonly lines: string[];
  readonly agent: Agent;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

const open: Stage[] = [];

async function stage(options: Partial<LambdaTierOptions> = {}): Promise<Stage> {
  const lines: string[] = [];
  const clock = options.clock ?? scaledClock(1, 0);
  const meter = createMeter("lambda", clock, 60_000);
  const tier = await startLambdaTier({
    service: rawService(),
    bootstrap: [],
    memoryMB: 512,
    timeoutMs: 10_000,
    concurrencyMax: 1000,
    startsMax: 2,
    idleMs: 600_000,
    clock,
    meter,
    clientKeepAliveMs: 60_000,
    onLog: (line) => lines.push(line),
    ...options,
  });
  const on = { tier, meter, lines, agent: new Agent({ keepAlive: true, maxSockets: 200 }) };
  open.push(on);
  return on;
}

afterEach(async () => {
  for (const { tier, agent } of open.splice(0)) {
    agent.destroy();
    await tier.stop();
  }
});

async function call(
  on: Stage,
  path: string,
  body?: Buffer,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const method = body ? "POST" : "GET";
  const { endpoint } = on.tier;
  const sent = httpRequest({ ...endpoint, agent: on.agent, path, method, headers });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(pieces),
  };
}

function json(reply: Reply): Record<string, unknown> {
  return JSON.parse(reply.body.toString()) as Record<string, unknown>;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(condition());
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("the Lambda tier with a runtime of its own", () => {
  test("holds the first request through a cold start and reuses the environment", async () => {
    const on = await stage();
    assert.equal(on.tier.stats().environments, 0);
    const first = await call(on, "/token?a");
    const second = await call(on, "/token?b");
    assert.equal(json(first).pid, json(second).pid);
    assert.equal(json(second).token, "b");
    const { environments, coldStarts, failure } = on.tier.stats();
    assert.deepEqual(
      { environments, coldStarts, failure },
      {
        environments: 1,
        coldStarts: 1,
        failure: null,
      },
    );
    assert.equal(on.meter.recent(1000).requests, 2);
  });

  test("gives the process what Lambda sets and nothing of ours", async () => {
    process.env.LAMBDAFLEX_TEST_SECRET = "ours";
    const on = await stage({ service: rawService({ COLOUR: "blue" }), memoryMB: 768 });
    const env = json(await call(on, "/env")) as Record<string, string>;
    delete process.env.LAMBDAFLEX_TEST_SECRET;
    assert.equal(env.LAMBDAFLEX_TEST_SECRET, undefined);
    assert.equal(env.COLOUR, "blue");
    assert.equal(env.AWS_LAMBDA_FUNCTION_NAME, "demo-service");
    assert.equal(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, "768");
    assert.equal(env.LAMBDAFLEX_TIER, "lambda");
    assert.equal(env.LAMBDAFLEX_DIGEST, "sha256:one");
    assert.equal(env.AWS_LWA_READINESS_CHECK_PATH, "/ready");
    assert.equal(env.AWS_LWA_PORT, env.PORT);
  });

  test("carries bytes, cookies and streamed answers", async () => {
    const on = await stage();
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) & 255));
    const echoed = await call(on, "/binary", bytes, { "content-type": "image/png" });
    assert.ok(echoed.body.equals(bytes));
    const cookies = await call(on, "/cookies", undefined, { cookie: "x=1; y=2" });
    assert.deepEqual(json(cookies), ["x=1", "y=2"]);
    assert.deepEqual(cookies.headers["set-cookie"], ["a=1; Path=/", "b=2; HttpOnly"]);
    const streamed = await call(on, "/streamed");
    assert.deepEqual([streamed.status, streamed.body.toString()], [201, "streamed"]);
    assert.equal(streamed.headers["x-mode"], "s");
  });

  test("turns what the function does wrong into a 500 and goes on", async () => {
    const on = await stage();
    for (const path of ["/error", "/garbage", "/large", "/crash", "/killed"]) {
      const reply = await call(on, path);
      assert.equal(reply.status, 500, path);
      assert.equal(reply.body.toString(), '{"message":"Internal Server Error"}');
    }
    assert.equal((await call(on, "/token?x")).status, 200);
    assert.equal(on.tier.stats().failure, null);
    assert.equal(on.tier.stats().coldStarts, 3, "only a crash costs the environment");
  });

  test("ends an environment whose function takes too long", async () => {
    const on = await stage({ timeoutMs: 300 });
    const before = json(await call(on, "/token?a"));
    const reply = await call(on, "/hang");
    assert.equal(reply.status, 500);
    assert.ok(on.lines.some((line) => line.includes("timed out after 0.30 seconds")));
    assert.notEqual(json(await call(on, "/token?b")).pid, before.pid);
  });

  test("bills what the function takes, and not what starting it did", async () => {
    const on = await stage({ clock: scaledClock(600, 0) });
    const begunMs = performance.now();
    await call(on, "/slow?ms=200");
    const latencyMs = performance.now() - begunMs;
    const billed = async (): Promise<number> => {
      for (const until = performance.now() + 10_000; performance.now() < until; await sleep(20)) {
        const means = on.meter.samples().map(({ durationMsMean }) => durationMsMean);
        const mean = means.find((one) => one !== undefined);
        if (mean !== undefined) return mean;
      }
      return assert.fail("nothing is billed");
    };
    const mean = await billed();
    // A timer of Node.js may end a millisecond early.
    assert.ok(mean >= 199 && mean < latencyMs, `${mean} ms of ${latencyMs} ms`);
  });

  test("replaces an environment that is killed while it is idle", async () => {
    const on = await stage();
    const pid = Number(json(await call(on, "/token?a")).pid);
    process.kill(pid, "SIGKILL");
    await until(() => on.tier.stats().environments === 0);
    const after = json(await call(on, "/token?b"));
    assert.equal(after.token, "b");
    assert.notEqual(after.pid, pid);
  });

  test("throttles beyond the account's concurrency", async () => {
    const on = await stage({ concurrencyMax: 2 });
    const replies = await Promise.all(
      Array.from({ length: 5 }, (_, index) => call(on, `/slow?ms=100&${index}`)),
    );
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 200, 503, 503, 503]);
    assert.equal(on.tier.stats().throttles, 3);
    assert.ok(on.tier.stats().environments <= 2);
  });

  test("reaps idle environments after their virtual time", async () => {
    const on = await stage({ clock: scaledClock(1000, 0), idleMs: 200_000 });
    const pid = Number(json(await call(on, "/token?a")).pid);
    assert.equal(on.tier.stats().environments, 1);
    await until(() => on.tier.stats().environments === 0);
    await until(() => !alive(pid));
    assert.equal((await call(on, "/token?b")).status, 200);
  });

  test("probes through an environment without counting it", async () => {
    const on = await stage();
    assert.equal(await on.tier.probe("/ready"), true);
    assert.equal(await on.tier.probe("/error"), false);
    assert.equal(await on.tier.probe("/crash"), false);
    assert.equal(on.meter.recent(1000).requests, 0);
  });

  test("leaves nothing behind and cuts what does not end", async () => {
    const on = await stage();
    const pid = Number(json(await call(on, "/token?a")).pid);
    const hanging = assert.rejects(call(on, "/hang"));
    await until(() => on.meter.inFlight === 1);
    const before = performance.now();
    await on.tier.stop();
    const tookMs = performance.now() - before;
    assert.ok(tookMs >= 1900 && tookMs < 10_000, `${tookMs} ms`);
    await hanging;
    await until(() => !alive(pid));
  });
});

describe("an environment that cannot start", () => {
  const failing = async (mode: string, timeoutMs: number): Promise<Stage> => {
    const service = rawService({ FIXTURE_FAILS: mode });
    return stage({ service: { ...service, readiness: { path: "/", timeoutMs } } });
  };

  test("names the exit code and the last words of the service", async () => {
    const on = await failing("exit", 10_000);
    assert.equal((await call(on, "/")).status, 500);
    const { failure } = on.tier.stats();
    assert.match(failure ?? "", /exited with code 4 before it was ready; last output: no database/);
    assert.equal(on.tier.stats().environments, 0);
  });

  test("passes on what the runtime reports", async () => {
    const on = await failing("report", 10_000);
    assert.equal((await call(on, "/")).status, 500);
    assert.match(on.tier.stats().failure ?? "", /could not initialise: no secret/);
  });

  test("is given up when it is not ready in time", async () => {
    const on = await failing("never", 200);
    assert.equal((await call(on, "/")).status, 500);
    assert.match(on.tier.stats().failure ?? "", /not ready within 0.2 s/);
  });

  test("tries other ports when the port is taken", async () => {
    const on = await failing("port", 10_000);
    assert.equal((await call(on, "/")).status, 500);
    const ports = new Set(on.lines.filter((line) => line.includes("] Error: listen EADDRINUSE")));
    assert.equal(ports.size, 6, "three ports for each of two environments");
    assert.match(on.tier.stats().failure ?? "", /EADDRINUSE/);
  });

  test("works again with code that works", async () => {
    const on = await failing("exit", 10_000);
    assert.equal((await call(on, "/")).status, 500);
    on.tier.deploy(rawService());
    assert.equal((await call(on, "/token?a")).status, 200);
    assert.equal(on.tier.stats().failure, null);
  });
});

describe("the Lambda tier under load", () => {
  const burst = async (on: Stage, requests: number, path: (index: number) => string) => {
    const replies = await Promise.all(
      Array.from({ length: requests }, (_, index) => call(on, path(index))),
    );
    return replies.map((reply, index) => ({ reply, index }));
  };

  test("never mixes answers up, whatever crashes meanwhile", async () => {
    for (const pipelining of ["0", "1"]) {
      const on = await stage({ service: rawService({ FIXTURE_PIPELINING: pipelining }) });
      const crashes = (index: number): boolean => index % 100 === 50;
      const answers = await burst(on, 400, (index) =>
        crashes(index) ? "/crash" : `/token?${pipelining}-${index}`,
      );
      for (const { reply, index } of answers) {
        assert.equal(reply.status, crashes(index) ? 500 : 200, String(index));
        if (!crashes(index)) assert.equal(json(reply).token, `${pipelining}-${index}`);
      }
      assert.equal(on.tier.stats().queued, 0);
    }
  });

  test("swaps the code without losing a request", async () => {
    const on = await stage();
    const [first] = await burst(on, 1, () => "/digest");
    assert.equal(first?.reply.body.toString(), '"sha256:one"');
    const during = burst(on, 100, (index) => `/slow?ms=3&${index}`);
    await until(() => on.tier.stats().busy > 0);
    on.tier.deploy({ ...rawService(), digest: "sha256:two" });
    for (const { reply, index } of await during) {
      assert.equal(reply.status, 200);
      assert.equal(json(reply).token, `ms=3&${index}`);
    }
    const after = await burst(on, 10, () => "/digest");
    assert.ok(after.every(({ reply }) => reply.body.toString() === '"sha256:two"'));
  });

  test("closes connections by age without losing a request", async () => {
    const on = await stage({ clock: scaledClock(1000, 0), clientKeepAliveMs: 20_000 });
    await call(on, "/token?first");
    let closed = 0;
    for (let round = 0; round < 20; round += 1) {
      for (const { reply, index } of await burst(on, 20, (index) => `/token?${round}-${index}`)) {
        assert.equal(json(reply).token, `${round}-${index}`);
        if (reply.headers.connection === "close") closed += 1;
      }
    }
    assert.ok(closed > 0);
  });
});

describe("the Lambda tier with our bootstrap", () => {
  const service = (port: string): ServiceSpec => ({
    ...rawService(),
    command: [process.execPath, "--input-type=module", "--eval", serverCode(port)],
  });

  /** A web service that knows nothing of Lambda. */
  const serverCode = (port: string): string => `
    import { createServer } from "node:http";
    createServer((request, response) => {
      if (request.url === "/crash") process.exit(7);
      const pieces = [];
      request.on("data", (piece) => pieces.push(piece));
      request.on("end", () => {
        response.setHeader("content-type", request.headers["content-type"] ?? "text/plain");
        response.setHeader("set-cookie", ["a=1", "b=2"]);
        response.setHeader("x-url", request.url);
        response.end(Buffer.concat(pieces));
      });
    }).listen(${port}, "127.0.0.1");`;

  test("serves a plain web service", async () => {
    const on = await stage({ service: service("process.env.PORT"), bootstrap: undefined });
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index & 255));
    const reply = await call(on, "/x?y=%2F", bytes, { "content-type": "image/png" });
    assert.equal(reply.status, 200);
    assert.ok(reply.body.equals(bytes));
    assert.equal(reply.headers["x-url"], "/x?y=%2F");
    assert.deepEqual(reply.headers["set-cookie"], ["a=1", "b=2"]);
    assert.equal((await call(on, "/crash")).status, 500);
    assert.equal((await call(on, "/again")).headers["x-url"], "/again");
  });
});
