import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { createArrivals } from "./arrivals.ts";
import { type Load, type LoadOptions, type RequestTemplate, startLoad } from "./load.ts";
import { closedEndpoint, echo, host, startHttp, startNames, until } from "./rig.test.ts";
import { parseTrace } from "./shape.ts";

const level = parseTrace("0,1\n60,1\n", "level");
const read: RequestTemplate = { method: "GET", path: "/pets/{n}", weight: 3, expect: [200] };
const write: RequestTemplate = {
  method: "POST",
  path: "/pets",
  body: '{"name":"{token}"}',
  weight: 1,
  expect: [200],
  echo: true,
};

/** At this speed the TTL of 60 s lasts 100 ms. */
const speed = 600;
const startMs = 1_000_000;

async function start(
  t: TestContext,
  options: Pick<LoadOptions, "dns"> & Partial<LoadOptions>,
): Promise<Load> {
  const load = await startLoad({
    shape: level,
    peakPerSecond: 400,
    seed: 1,
    clock: { speed, startMs },
    durationMs: 600_000,
    ebbPerSecond: 400,
    host,
    mix: [read, write],
    ...options,
  });
  t.after(() => load.stop(0));
  return load;
}

test("every request is answered, counted and divided as DNS says", async (t) => {
  const seen = { lambda: 0, fargate: 0 };
  const lambda = await startHttp(t, (request, response) => {
    seen.lambda += 1;
    echo(request, response);
  });
  const fargate = await startHttp(t, (request, response) => {
    seen.fargate += 1;
    echo(request, response);
  });
  const endpoints = { lambda: lambda.endpoint, fargate: fargate.endpoint };
  const names = await startNames(t, endpoints, { lambda: 75, fargate: 25 });
  const load = await start(t, { dns: names.dns, durationMs: 900_000, ebbPerSecond: 0 });
  assert.equal(load.phase, "replay");
  await until("the trace is over", () => load.phase === "ebb");
  assert.ok(load.stats().perSecond > 200);
  const stats = await load.stop();
  assert.deepEqual(stats.failures, []);
  assert.equal(stats.failed, 0);
  assert.equal(stats.outstanding, 0);
  // 600 arrivals of a Poisson process: five standard deviations.
  assert.ok(Math.abs(stats.requests - 600) < 125, `${stats.requests}`);
  assert.equal(stats.byTier.lambda.requests, seen.lambda);
  assert.equal(stats.byTier.fargate.requests, seen.fargate);
  assert.equal(seen.lambda + seen.fargate, stats.requests);
  const share = seen.fargate / stats.requests;
  assert.ok(share > 0.12 && share < 0.4, `share of fargate ${share}`);
  assert.deepEqual(stats.byTier.lambda.statuses, { 200: seen.lambda });
  const { p50Ms, p99Ms } = stats.byTier.lambda;
  assert.ok(p50Ms !== null && p99Ms !== null && p50Ms > 0 && p50Ms <= p99Ms);
});

test("once the TTL is over nobody opens a connection to the old tier", async (t) => {
  const lambda = await startHttp(t, echo);
  const fargate = await startHttp(t, echo);
  const endpoints = { lambda: lambda.endpoint, fargate: fargate.endpoint };
  const names = await startNames(t, endpoints, { lambda: 255, fargate: 0 });
  const load = await start(t, { dns: names.dns, mix: [read] });
  await until("lambda answers", () => load.stats().byTier.lambda.requests > 100);
  assert.equal(load.stats().byTier.fargate.requests, 0);
  names.weights = { lambda: 0, fargate: 255 };
  const shiftedMs = performance.now();
  await until("the TTL is over", () => performance.now() > shiftedMs + 60_000 / speed + 50);
  let opened = 0;
  let requests = 0;
  lambda.server.on("connection", () => {
    opened += 1;
  });
  lambda.server.on("request", () => {
    requests += 1;
  });
  const before = load.stats().byTier.fargate.requests;
  await until("fargate answers", () => load.stats().byTier.fargate.requests > before + 200);
  assert.equal(opened, 0);
  assert.ok(requests > 0, "sticky clients stay on their open connections");
  lambda.server.removeAllListeners("request");
  lambda.server.on("request", (request, response) => {
    response.setHeader("connection", "close");
    echo(request, response);
  });
  lambda.server.closeIdleConnections();
  const idle = (): Promise<boolean> =>
    new Promise((resolve) => lambda.server.getConnections((_, count) => resolve(count === 0)));
  let empty = false;
  await until("lambda is left by all", () => {
    void idle().then((now) => {
      empty = now;
    });
    return empty;
  });
  assert.equal((await load.stop()).failed, 0);
});

test("a dead tier costs failures only until the TTL is over", async (t) => {
  const lambda = await startHttp(t, echo);
  const endpoints = { lambda: lambda.endpoint, fargate: await closedEndpoint() };
  const names = await startNames(t, endpoints, { lambda: 0, fargate: 255 });
  const load = await start(t, { dns: names.dns });
  await until("requests fail", () => load.stats().failed > 20);
  names.weights = { lambda: 255, fargate: 0 };
  await until("lambda answers", () => load.stats().byTier.lambda.requests > 100);
  const { failed } = load.stats();
  const stats = await load.stop();
  assert.equal(stats.failed, failed, "no more failures");
  assert.equal(stats.byTier.fargate.failed, failed);
  assert.equal(stats.byTier.lambda.failed, 0);
  for (const { error, status, tier, atMs } of stats.failures) {
    assert.deepEqual([error, status, tier], ["ECONNREFUSED", null, "fargate"]);
    assert.ok(atMs > startMs && atMs < startMs + 30_000 * speed);
  }
});

type Held = readonly [IncomingMessage, ServerResponse];

/** Lets answers cross over: each of two requests gets what belongs to the other. */
function swapping(swap: (first: Held, second: Held) => void) {
  let held: Held | null = null;
  return (request: IncomingMessage, response: ServerResponse): void => {
    const now: Held = [request, response];
    if (held) {
      swap(held, now);
      held = null;
    } else held = now;
  };
}

test("answers that belong to other requests are failures, every one of them", async (t) => {
  const byId = swapping(([first, one], [second, two]) => {
    one.setHeader("x-request-id", second.headers["x-request-id"] ?? "").end("{}");
    two.setHeader("x-request-id", first.headers["x-request-id"] ?? "").end("{}");
  });
  // Nothing but the content tells these apart.
  const byBody = swapping(([first, one], [second, two]) => {
    first.pipe(two);
    second.pipe(one);
  });
  const cases = [
    [byId, /belongs to another request/],
    [byBody, /does not contain the request's token/],
  ] as const;
  for (const [listener, error] of cases) {
    const { endpoint } = await startHttp(t, listener);
    const both = { lambda: endpoint, fargate: endpoint };
    const names = await startNames(t, both, { lambda: 255, fargate: 0 });
    const load = await start(t, { dns: names.dns, mix: [write] });
    await until("answers come", () => load.stats().requests >= 60);
    const { requests, failed, failures } = await load.stop(200);
    assert.equal(failed, requests);
    assert.match(failures[0]?.error ?? "", error);
  }
});

test("statuses that the service did not mean are failures, by kind", async (t) => {
  const { endpoint } = await startHttp(t, (request, response) => {
    const id = request.headers["x-request-id"] ?? "";
    response.writeHead(request.url === "/missing" ? 404 : 500, { "x-request-id": id }).end("x");
  });
  const both = { lambda: endpoint, fargate: endpoint };
  const names = await startNames(t, both, { lambda: 255, fargate: 0 });
  const missing = { method: "GET", path: "/missing", weight: 1, expect: [404] };
  const load = await start(t, { dns: names.dns, mix: [missing, read] });
  await until("answers come", () => load.stats().requests > 100);
  const { byTier, failures, failed } = await load.stop();
  assert.deepEqual(byTier.lambda.statuses, {
    404: byTier.lambda.requests - failed,
    500: failed,
  });
  assert.equal(failures.length, 1);
  const [{ atMs, ...failure } = { atMs: 0 }] = failures;
  assert.ok(atMs >= startMs);
  assert.deepEqual(failure, {
    tier: "lambda",
    method: "GET",
    path: "/pets/{n}",
    status: 500,
    error: "unexpected status",
    count: failed,
  });
});

test("a server that stalls does not slow the arrivals", async (t) => {
  const stalled: ServerResponse[] = [];
  const { endpoint } = await startHttp(t, (_request, response) => {
    stalled.push(response);
  });
  const both = { lambda: endpoint, fargate: endpoint };
  const names = await startNames(t, both, { lambda: 255, fargate: 0 });
  const calledMs = performance.now();
  const load = await start(t, {
    dns: names.dns,
    mix: [read],
    seed: 5,
    clients: 8,
    // The TTL outlasts the test, since DNS is on the main thread as well.
    clock: { speed: 10, startMs },
    durationMs: 10_000,
  });
  const arrival = createArrivals({
    shape: level,
    peakPerSecond: 400,
    replayMs: 1000,
    ebbPerSecond: 400,
    seed: 5,
    clients: 8,
    weights: [3],
  });
  await until("a second of requests is outstanding", () => load.stats().outstanding > 400);
  // The main thread, and with it the server, is as good as dead for a while.
  const begunMs = performance.now();
  while (performance.now() - begunMs < 1000);
  await until("requests went on meanwhile", () => load.stats().outstanding > 750);
  const { outstanding, lateMsMax, requests } = load.stats();
  assert.equal(requests, 0);
  assert.ok(lateMsMax < 900, `the generator was ${lateMsMax} ms late`);
  let lastMs = 0;
  for (let i = 0; i < outstanding; i += 1) lastMs = arrival()?.atMs ?? 0;
  const elapsedMs = performance.now() - calledMs;
  // Behind is only the start of the thread and the age of its report.
  assert.ok(lastMs < elapsedMs && lastMs > elapsedMs - 1500, `${lastMs} of ${elapsedMs} ms`);
  const stats = await load.stop(0);
  assert.equal(stats.failed, stats.requests, "what is never answered has failed");
  assert.equal(stats.failures[0]?.error, "stopped before the answer came");
});

test("a pause of the service shows in the latencies, as every request of it waited", async (t) => {
  const { endpoint } = await startHttp(t, (_request, response) => void response.end("{}"));
  const both = { lambda: endpoint, fargate: endpoint };
  const names = await startNames(t, both, { lambda: 255, fargate: 0 });
  const load = await start(t, { dns: names.dns, mix: [read] });
  await until("answers come", () => load.stats().requests > 20);
  const begunMs = performance.now();
  while (performance.now() - begunMs < 400);
  const { requests } = load.stats();
  await until("the pause is answered", () => load.stats().requests > requests + 100);
  const { p50Ms, p99Ms } = (await load.stop()).byTier.lambda;
  assert.ok(p50Ms !== null && p99Ms !== null && p99Ms > 200 && p50Ms > 0 && p50Ms <= p99Ms);
});

test("a seed replays the same requests", async (t) => {
  const runs: string[][] = [];
  for (let run = 0; run < 2; run += 1) {
    const seen: string[] = [];
    const { endpoint } = await startHttp(t, (request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        seen.push(`${request.headers["x-request-id"]} ${request.method} ${request.url} ${body}`);
        response.end(body);
      });
    });
    const both = { lambda: endpoint, fargate: endpoint };
    const names = await startNames(t, both, { lambda: 255, fargate: 0 });
    const load = await start(t, { dns: names.dns, durationMs: 300_000, ebbPerSecond: 0, seed: 9 });
    await until("the trace is over", () => load.phase === "ebb");
    assert.equal((await load.stop()).failed, 0);
    runs.push(seen.sort());
  }
  // A busy machine may end a run before its very last arrivals have been sent.
  const common = Math.min(...runs.map((run) => run.length));
  assert.ok(common > 90);
  assert.deepEqual(runs[0]?.slice(0, common), runs[1]?.slice(0, common));
});

test("a template that could smuggle a request is refused", async () => {
  const dns = await closedEndpoint();
  const broken = { ...read, path: "/ HTTP/1.1\r\nhost: x" };
  await assert.rejects(start({ after: () => undefined } as never, { dns, mix: [broken] }));
});
