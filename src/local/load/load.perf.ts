/**
 * What the load generator costs: CPU per request, and the rate that it can keep.
 *
 *     node src/local/load/load.perf.ts
 *
 * The service runs in a process of its own and does next to nothing, so that the CPU of this
 * process is the generator's.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { seededRandom } from "../../core/random.ts";
import { startDnsServer } from "../dns/server.ts";
import type { Endpoint } from "../service.ts";
import { type LoadStats, startLoad } from "./load.ts";
import { parseTrace } from "./shape.ts";

const host = "pet-store.lambdaflex.test";
const warmUpMs = 1000;
const measureMs = 3000;

const service = `
  const net = require("node:net");
  const body = JSON.stringify({ id: 1, name: "Rex", tag: "dog", born: "1998-07-12" });
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      const id = /x-request-id: (.*)\\r\\n/.exec(data.latin1Slice())?.[1];
      socket.write("HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\nx-request-id: " + id +
        "\\r\\nserver: perf\\r\\ncontent-length: " + body.length + "\\r\\n\\r\\n" + body);
    });
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

const line = (text: string): boolean => process.stdout.write(`${text}\n`);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Run {
  readonly usPerRequest: number;
  readonly coreShare: number;
  readonly perSecond: number;
  readonly stats: LoadStats;
}

async function run(endpoint: Endpoint, peakPerSecond: number): Promise<Run> {
  const dns = await startDnsServer({
    host,
    ttlSeconds: 60,
    random: seededRandom(1),
    records: () => [{ tier: "lambda", weight: 255, healthy: true, exists: true, endpoint }],
  });
  const load = await startLoad({
    shape: parseTrace("0,1\n60,1\n", "level"),
    peakPerSecond,
    seed: 1,
    clock: { speed: 60, startMs: 0 },
    durationMs: 3_600_000,
    ebbPerSecond: 0,
    dns: dns.endpoint,
    host,
    mix: [{ method: "GET", path: "/pets/{n}", weight: 1, expect: [200] }],
  });
  await sleep(warmUpMs);
  const before = load.stats().requests;
  const cpu = process.cpuUsage();
  const begunMs = performance.now();
  await sleep(measureMs);
  const used = process.cpuUsage(cpu);
  const tookMs = performance.now() - begunMs;
  const requests = load.stats().requests - before;
  const cpuUs = used.user + used.system;
  const stats = await load.stop(1000);
  await dns.stop();
  return {
    usPerRequest: cpuUs / requests,
    coreShare: cpuUs / (tookMs * 1000),
    perSecond: (requests * 1000) / tookMs,
    stats,
  };
}

const child = spawn(process.execPath, ["-e", service], { stdio: ["ignore", "pipe", "inherit"] });
try {
  const [port] = await once(child.stdout, "data");
  const endpoint = { host: "127.0.0.1", port: Number(port) };
  let sustained = 0;
  for (const rate of [1000, 4000, 8000, 16_000]) {
    const { usPerRequest, coreShare, perSecond, stats } = await run(endpoint, rate);
    const { p50Ms, p99Ms } = stats.byTier.lambda;
    const kept = stats.failed === 0 && perSecond > 0.97 * rate && (p50Ms ?? 1e9) < 20;
    if (kept) sustained = rate;
    line(
      `${rate}/s: ${usPerRequest.toFixed(1)} us CPU per request, ${coreShare.toFixed(3)} of a ` +
        `core, ${perSecond.toFixed(0)}/s reached, p50 ${p50Ms?.toFixed(2)} ms, ` +
        `p99 ${p99Ms?.toFixed(2)} ms, late at most ${stats.lateMsMax.toFixed(1)} ms, ` +
        `${stats.failed} failed`,
    );
    if (!kept) break;
  }
  line(`sustained: at least ${sustained}/s`);
} finally {
  child.kill();
}
