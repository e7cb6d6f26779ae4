/**
 * What the bridge costs: `node src/runtime/bridge.perf.ts` (about 15 s, needs esbuild).
 *
 * The bundle is measured, since that is what images contain. Prefix with `taskset -c 0` to have
 * the service, the bridge and this fake Lambda share one core.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createHttpClient } from "./http-client.ts";
import { waitReady } from "./readiness.ts";

const warmUp = 3000;
const measured = 12_000;
const starts = 9;

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-perf-"));
const bundle = join(folder, "bootstrap.mjs");
const service = join(folder, "service.mjs");
const trivial = `
import { createServer } from "node:http";
const body = JSON.stringify({ pets: ["rex"] });
const head = { "content-type": "application/json", "content-length": body.length };
createServer((request, response) => response.writeHead(200, head).end(body))
  .listen(Number(process.env.PORT), "127.0.0.1");
`;

/** Answers `next` at once and takes the answer; parses only as much as it must. */
interface Lambda {
  readonly address: string;
  /** Resolves when the runtime asks for work. */
  readonly asked: () => Promise<void>;
  /** Runs one invocation, resolves with the real milliseconds it took. */
  readonly invoke: () => Promise<number>;
  readonly close: () => void;
}

const event = JSON.stringify({
  version: "2.0",
  routeKey: "$default",
  rawPath: "/pets",
  rawQueryString: "limit=10",
  headers: { accept: "*/*", host: "pets.example", "user-agent": "perf", "x-forwarded-for": "::1" },
  requestContext: {
    accountId: "123456789012",
    apiId: "api",
    domainName: "pets.example",
    http: { method: "GET", path: "/pets", protocol: "HTTP/1.1", sourceIp: "::1", userAgent: "p" },
    requestId: "id",
    stage: "$default",
    timeEpoch: 1,
  },
  isBase64Encoded: false,
});

async function startLambda(): Promise<Lambda> {
  let waiting: Socket | null = null;
  let onAsked = (): void => undefined;
  let onAnswered = (): void => undefined;
  const deliver = (socket: Socket): void => {
    socket.write(
      "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: request-1\r\n" +
        `Lambda-Runtime-Deadline-Ms: ${Date.now() + 30_000}\r\n` +
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n" +
        `Content-Length: ${event.length}\r\n\r\n${event}`,
    );
  };
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      if (text.startsWith("GET /2018-06-01/runtime/invocation/next ")) {
        waiting = socket;
        onAsked();
      } else if (text.startsWith("POST /2018-06-01/")) {
        assert.match(text, /"statusCode":200.*rex/);
        socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        onAnswered();
      } else socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const asked = (): Promise<void> =>
    waiting ? Promise.resolve() : new Promise((resolve) => (onAsked = resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async invoke() {
      await asked();
      assert(waiting);
      const socket = waiting;
      waiting = null;
      const begunMs = performance.now();
      const answered = new Promise<void>((resolve) => (onAnswered = resolve));
      deliver(socket);
      await answered;
      return performance.now() - begunMs;
    },
    close: () => server.close(),
  };
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: "inherit" });
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function startBridged(lambda: Lambda, port: number): ChildProcess {
  const env = { AWS_LAMBDA_RUNTIME_API: lambda.address, AWS_LWA_PORT: String(port) };
  return run([bundle, process.execPath, service], env);
}

async function ready(port: number): Promise<void> {
  const check = { protocol: "http", port, path: "/", healthy: [[200, 299]] } as const;
  await waitReady("127.0.0.1", check, new AbortController().signal, () => undefined);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function residentMB(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6;
}

/** Latencies in real milliseconds, and the rate at which they came. */
async function series(once: () => Promise<number>): Promise<{ ms: number[]; perSecond: number }> {
  for (let index = 0; index < warmUp; index += 1) await once();
  const ms: number[] = [];
  const begunMs = performance.now();
  for (let index = 0; index < measured; index += 1) ms.push(await once());
  return { ms, perSecond: measured / ((performance.now() - begunMs) / 1000) };
}

async function measureRequests(): Promise<void> {
  const port = await freePort();
  const plain = run([service], { PORT: String(port) });
  await ready(port);
  const client = createHttpClient({ host: "127.0.0.1", port, bodyBytesMax: 1_000_000 });
  const headers = [["host", "x"]] as const;
  const request = { method: "GET", target: "/pets?limit=10", headers, body: "" };
  const direct = await series(async () => {
    const begunMs = performance.now();
    await client.exchange(request);
    return performance.now() - begunMs;
  });
  client.abort("done");
  await stop(plain);

  const lambda = await startLambda();
  const bridged = startBridged(lambda, port);
  const through = await series(lambda.invoke);
  const resident = residentMB(bridged.pid);
  await stop(bridged);
  lambda.close();

  const line = (name: string, { ms, perSecond }: typeof direct): void => {
    const [p50, p99] = [percentile(ms, 0.5), percentile(ms, 0.99)].map((one) => one.toFixed(3));
    print(`${name}  p50 ${p50} ms  p99 ${p99} ms  ${Math.round(perSecond)} requests/s`);
  };
  line("service directly   ", direct);
  line("through the bridge ", through);
  const over = percentile(through.ms, 0.5) - percentile(direct.ms, 0.5);
  const over99 = percentile(through.ms, 0.99) - percentile(direct.ms, 0.99);
  print(`overhead             p50 ${over.toFixed(3)} ms (max 0.35)  p99 ${over99.toFixed(3)} ms`);
  print(`sequential           ${Math.round(through.perSecond)} requests/s (min 2500)`);
  print(`resident             ${resident.toFixed(1)} MB (max 60)`);
}

async function measureStart(): Promise<void> {
  const plainMs: number[] = [];
  const bridgedMs: number[] = [];
  // In turns, so that a busy machine disturbs both alike.
  for (let index = 0; index < starts; index += 1) {
    const port = await freePort();
    let begunMs = performance.now();
    const plain = run([service], { PORT: String(port) });
    await ready(port);
    plainMs.push(performance.now() - begunMs);
    await stop(plain);
    const lambda = await startLambda();
    begunMs = performance.now();
    const bridged = startBridged(lambda, port);
    await lambda.asked();
    bridgedMs.push(performance.now() - begunMs);
    await stop(bridged);
    lambda.close();
  }
  const [plain, bridged] = [percentile(plainMs, 0.5), percentile(bridgedMs, 0.5)];
  const over = (bridged - plain).toFixed(1);
  print(`ready                ${bridged.toFixed(1)} ms, plain Node ${plain.toFixed(1)} ms`);
  print(`start-up overhead    ${over} ms (max 60)`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const source = fileURLToPath(new URL("./bootstrap.ts", import.meta.url));
const esbuild = fileURLToPath(new URL("../../node_modules/.bin/esbuild", import.meta.url));
const options = ["--bundle", "--platform=node", "--format=esm", "--target=node20", "--minify"];
const built = spawnSync(esbuild, [source, ...options, `--outfile=${bundle}`], { stdio: "pipe" });
assert.equal(built.status, 0, String(built.stderr));
writeFileSync(service, trivial);
try {
  await measureRequests();
  await measureStart();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
