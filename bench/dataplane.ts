/**
 * `npm run bench:dataplane`: what the data plane costs, beside the service alone, in one run.
 *
 * Each path is measured with the same client, the same connections and the same request; the rounds
 * take turns, so that a change of the machine's mood hits all of them. A first round warms all of
 * them up and does not count: V8 compiles each process anew. Then the memory of the lambdaflex
 * process, load generator included, under a steady open-loop load.
 *
 * Options: --seconds N (of each measurement, 5) --rounds N (3) --minutes N (of the memory run, 1;
 * 0 leaves it out) --connections N (4) --path P (/pets?limit=10) --json
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import "../src/local/footprint.ts";
import { scaledClock } from "../src/local/clock.ts";
import { startDnsServer } from "../src/local/dns/server.ts";
import { startTaskProcess } from "../src/local/fargate/task-process.ts";
import { startFargateTier } from "../src/local/fargate/tier.ts";
import { startLambdaTier } from "../src/local/lambda/tier.ts";
import { startLoad } from "../src/local/load/load.ts";
import { parseTrace } from "../src/local/load/shape.ts";
import { createMeter } from "../src/local/meter.ts";
import type { Endpoint, ServiceSpec } from "../src/local/service.ts";
import type { Throughput } from "./closed-loop.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    minutes: { type: "string", default: "1" },
    connections: { type: "string", default: "4" },
    path: { type: "string", default: "/pets?limit=10" },
    json: { type: "boolean", default: false },
  },
});

const host = "bench.lambdaflex.test";
const run = promisify(execFile);
const service: ServiceSpec = {
  name: "bench",
  command: ["node", "server.js"],
  cwd: fileURLToPath(new URL("../examples/pet-store-node", import.meta.url)),
  env: { HOST: "127.0.0.1" },
  readiness: { path: "/healthz", timeoutMs: 30_000 },
  digest: "sha256:bench",
};
const clock = scaledClock(1, 1_000_000_000_000);
const meters = {
  lambda: createMeter("lambda", clock, 60_000),
  fargate: createMeter("fargate", clock, 60_000),
};

async function measure(endpoint: Endpoint): Promise<Throughput> {
  const script = fileURLToPath(new URL("./closed-loop.ts", import.meta.url));
  const { port } = endpoint;
  const words = [port, values.connections, values.seconds, host, values.path].map(String);
  const { stdout } = await run(process.execPath, [script, ...words]);
  return JSON.parse(stdout) as Throughput;
}

function median(results: readonly Throughput[]): Throughput {
  const sorted = results.toSorted((a, b) => a.requestsPerSecond - b.requestsPerSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error("no round was measured");
  return { ...middle, failed: results.reduce((sum, { failed }) => sum + failed, 0) };
}

/** The most memory that this process held while both tiers served 500 requests/s each half. */
async function memoryMBMax(minutes: number, lambda: Endpoint, fargate: Endpoint): Promise<number> {
  const records = (["lambda", "fargate"] as const).map((tier) => {
    const endpoint = tier === "lambda" ? lambda : fargate;
    return { tier, weight: 50, healthy: true, exists: true, endpoint };
  });
  const dns = await startDnsServer({
    host,
    ttlSeconds: 60,
    random: () => (clock.nowMs() % 97) / 97,
    records: () => records,
  });
  const load = await startLoad({
    shape: parseTrace("0,1\n60,1\n", "a steady rate"),
    peakPerSecond: 500,
    ebbPerSecond: 500,
    seed: 1,
    clock: { speed: 1, startMs: clock.nowMs() },
    durationMs: minutes * 60_000,
    dns: dns.endpoint,
    host,
    clients: 64,
    mix: [{ method: "GET", path: values.path, weight: 1, expect: [200] }],
    timeoutMs: 30_000,
  });
  let most = 0;
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    most = Math.max(most, process.memoryUsage.rss() / 1e6);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const stats = await load.stop();
  await dns.stop();
  process.stderr.write(`memory run: ${stats.requests} requests, ${stats.failed} failed\n`);
  return most;
}

const tierOptions = { service, clock, startsMax: 2, clientKeepAliveMs: 3_600_000, memoryMB: 1024 };
const lambda = await startLambdaTier({
  ...tierOptions,
  timeoutMs: 29_000,
  concurrencyMax: 1000,
  idleMs: 3_600_000,
  meter: meters.lambda,
});
const fargate = await startFargateTier({
  ...tierOptions,
  vcpu: 0.5,
  tasksMin: 1,
  tasksMax: 1,
  tasks: 1,
  requestsPerTaskPerMinute: 1_000_000,
  healthCheck: { intervalMs: 1000, timeoutMs: 3000, healthyThreshold: 2, unhealthyThreshold: 3 },
  deregistrationDelayMs: 1000,
  stopTimeoutMs: 2000,
  startDelayMs: () => 0,
  meter: meters.fargate,
});
const direct = await startTaskProcess({
  id: "direct",
  service,
  launcher: [],
  limits: { vcpu: 0.5, memoryMB: 1024 },
  stopTimeoutMs: 2000,
  onLine: () => undefined,
});
await direct.listening(30_000, new AbortController().signal);
while (fargate.stats().healthy === 0) await new Promise((resolve) => setTimeout(resolve, 100));

const paths = {
  direct: direct.endpoint,
  "balancer + task": fargate.endpoint,
  "front door + environment": lambda.endpoint,
};
type Path = keyof typeof paths;
const names = Object.keys(paths) as Path[];
const rounds: Record<Path, Throughput[]> = {
  direct: [],
  "balancer + task": [],
  "front door + environment": [],
};
for (let round = 0; round <= Number(values.rounds); round += 1) {
  for (const name of names) {
    process.stderr.write(`${round === 0 ? "warm-up" : `round ${round}`}: ${name}\n`);
    const measured = await measure(paths[name]);
    if (round > 0) rounds[name].push(measured);
  }
}
const minutes = Number(values.minutes);
const memoryMB = minutes > 0 ? await memoryMBMax(minutes, lambda.endpoint, fargate.endpoint) : null;
await Promise.all([lambda.stop(), fargate.stop(), direct.stop(2000)]);

const medians = Object.fromEntries(names.map((name) => [name, median(rounds[name])]));
const share = (name: Path): number =>
  ((medians[name]?.requestsPerSecond ?? 0) / (medians.direct?.requestsPerSecond ?? 1)) * 100;
if (values.json) {
  process.stdout.write(`${JSON.stringify({ medians, memoryMB })}\n`);
} else {
  console.log(
    `\nGET ${values.path} of pet-store-node, ${values.connections} connections, median of`,
  );
  console.log(`${values.rounds} rounds of ${values.seconds} s each\n`);
  console.log("path                       requests/s  of direct   p50 ms   p99 ms  failed");
  for (const name of names) {
    const { requestsPerSecond, p50Ms, p99Ms, failed } = median(rounds[name]);
    const cells = [
      name.padEnd(26),
      requestsPerSecond.toFixed(0).padStart(10),
      `${share(name).toFixed(0)} %`.padStart(10),
      p50Ms.toFixed(2).padStart(8),
      p99Ms.toFixed(2).padStart(8),
      String(failed).padStart(7),
    ];
    console.log(cells.join(" "));
  }
  console.log("\nto reach: balancer 40 % of direct, front door 20 %");
  if (memoryMB !== null) {
    const load = `500 requests/s for ${minutes} min, half through each tier`;
    console.log(`memory: at most ${memoryMB.toFixed(0)} MB under ${load} (to reach: 250 MB)`);
  }
}
