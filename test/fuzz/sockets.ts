/**
 * Front door, balancer and Runtime API over real sockets: whatever peers send, each answer belongs
 * to the request that it answers, and what comes after is served as ever.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import fc from "fast-check";
import { scaledClock } from "../../src/local/clock.ts";
import { startBalancer } from "../../src/local/fargate/balancer.ts";
import { startGateway } from "../../src/local/lambda/gateway.ts";
import { RuntimeApi } from "../../src/local/lambda/runtime-api.ts";
import { createMeter } from "../../src/local/meter.ts";
import { createHttpClient } from "../../src/runtime/http-client.ts";
import { answerBytes, cuts, pieces, requestBytes } from "./bytes.ts";
import { type Target, target } from "./target.ts";

/** Fuzzing over sockets needs servers, which stop with it. */
export interface SocketTargets {
  readonly targets: readonly Target[];
  stop(): Promise<void>;
}

const host = "127.0.0.1";
/** A peer that says nothing more gets this long to be answered or cut off; real milliseconds. */
const quietMs = 30;
/** A good request is answered within this time, however busy the machine is; real milliseconds. */
const answerMs = 4_000;

/**
 * Sends `first`, and when it has been answered the other bytes in pieces; gives back all that came.
 * A slow peer pauses between the pieces.
 */
function exchange(
  port: number,
  first: string,
  parts: readonly Buffer[],
  slow: boolean,
  /** Answers that must come; without any, silence is an outcome too. */
  answers = 0,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, noDelay: true });
    let text = "";
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(finish, answers > 0 ? answerMs : quietMs);
    };
    const send = (at: number): void => {
      const part = parts[at];
      if (part === undefined || socket.destroyed) {
        wait();
        return;
      }
      socket.write(part);
      if (slow) setImmediate(() => setImmediate(send, at + 1));
      else send(at + 1);
    };
    let begun = first === "";
    socket.setEncoding("latin1");
    socket.on("data", (data) => {
      text += data;
      if (begun) {
        if (answers > 0 && idsIn(text).length >= answers) finish();
        else wait();
      } else if (text.includes(";")) {
        begun = true;
        send(0);
      }
    });
    socket.on("connect", () => {
      if (begun) send(0);
      else socket.write(first);
    });
    socket.on("error", () => undefined);
    socket.on("close", finish);
  });
}

/** Identities in the answers on one connection, in order. */
const idsIn = (text: string): readonly string[] =>
  [...text.matchAll(/\bid=([\w-]*);/g)].map((match) => match[1] ?? "");

let serial = 0;

/**
 * A good request, broken bytes, and a good request again on one connection, beside another
 * connection with good requests of its own: the answers must carry the ids of their own connection.
 */
async function checkServer(
  port: number,
  broken: string,
  at: readonly number[],
  slow: boolean,
): Promise<void> {
  serial += 1;
  const [mine, other] = [`mine-${serial}`, `other-${serial}`];
  const good = (id: string): string => `GET / HTTP/1.1\r\nHost: a\r\nX-Id: ${id}\r\n\r\n`;
  const dirty = exchange(port, good(mine), pieces(broken + good(mine), at), slow);
  const clean = exchange(port, good(other), [Buffer.from(good(other))], false, 2);
  const [found, cleanText] = await Promise.all([dirty, clean]);
  assert.deepEqual(idsIn(cleanText), [other, other], "another connection is answered as ever");
  const ids = idsIn(found);
  assert.equal(
    ids[0],
    mine,
    `the request before is answered: ${JSON.stringify(found.slice(0, 200))}`,
  );
  for (const id of ids) {
    assert.ok(id === mine || id === "" || id === "smuggled", `an answer of ${id}`);
  }
}

const input = fc.tuple(requestBytes, cuts, fc.boolean());
const meterOf = (tier: "lambda" | "fargate"): ReturnType<typeof createMeter> =>
  createMeter(tier, scaledClock(1, 0), 60_000);

async function doorTarget(stops: (() => Promise<void>)[]): Promise<Target> {
  const gateway = await startGateway({
    backend: {
      invoke({ payload, done }) {
        const { headers } = JSON.parse(payload) as { headers: Record<string, string> };
        const body = JSON.stringify({ statusCode: 200, body: `id=${headers["x-id"] ?? ""};` });
        setImmediate(done, { type: "response", body: Buffer.from(body), streaming: false });
        return true;
      },
      cancel: () => undefined,
    },
    clock: scaledClock(1, 0),
    meter: meterOf("lambda"),
    port: 0,
    clientKeepAliveMs: 1e9,
  });
  stops.push(() => gateway.stop(0));
  return target(
    "front-door",
    input,
    ([text, at, slow]) => checkServer(gateway.endpoint.port, text, at, slow),
    20,
  );
}

async function listening(server: Server): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function balancerTarget(stops: (() => Promise<void>)[]): Promise<Target> {
  const service = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end(`id=${request.headers["x-id"] ?? ""};`));
  });
  const port = await listening(service);
  const balancer = await startBalancer({
    clock: scaledClock(1, 0),
    meter: meterOf("fargate"),
    healthCheck: {
      path: "/",
      intervalMs: 250,
      timeoutMs: 200,
      healthyThreshold: 1,
      unhealthyThreshold: 100,
    },
    deregistrationDelayMs: 0,
    clientKeepAliveMs: 1e9,
    idleTimeoutMs: 60_000,
    requestTimeoutMs: 60_000,
  });
  stops.push(async () => {
    await balancer.stop();
    service.closeAllConnections();
    service.close();
  });
  balancer.register({ host, port });
  while (balancer.targets()[0]?.state !== "healthy")
    await new Promise((resolve) => setTimeout(resolve, 5));
  return target(
    "balancer",
    input,
    ([text, at, slow]) => checkServer(balancer.endpoint.port, text, at, slow),
    20,
  );
}

/** A runtime that sends anything: the API answers or hangs up, and counts no result twice. */
async function runtimePeerTarget(stops: (() => Promise<void>)[]): Promise<Target> {
  let results = 0;
  let waiting = false;
  const api = new RuntimeApi(
    { functionArn: "arn", timeoutMs: 1000 },
    {
      onNext: () => {
        waiting = true;
      },
      onNextLost: () => {
        waiting = false;
      },
      onResult: () => {
        results += 1;
      },
      onInitError: () => undefined,
    },
  );
  const port = await api.listen();
  stops.push(async () => api.close());
  const verbs = fc.constantFrom(
    "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n",
    "POST /2018-06-01/runtime/invocation/none/response HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "POST /2018-06-01/runtime/invocation/../error HTTP/1.1\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Length: 999\r\n\r\n",
    "POST /2020-01-01/extension/register HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
  );
  const talk = fc.array(fc.oneof(verbs, requestBytes), { maxLength: 4 }).map((all) => all.join(""));
  return target(
    "runtime-api-peers",
    fc.tuple(talk, cuts, fc.boolean()),
    async ([text, at, slow]) => {
      const found = await exchange(port, "", pieces(text, at), slow);
      assert.equal(results, 0, "nobody was given anything to answer");
      const goneMs = performance.now();
      while (waiting) {
        assert.ok(performance.now() - goneMs < answerMs, "a runtime that hung up is waited for");
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      if (found !== "") assert.match(found, /^HTTP\/1\.1 \d\d\d /);
    },
    20,
  );
}

/** A Lambda or a service that answers anything: the bridge's client fails or answers, and ends. */
async function bridgePeerTarget(stops: (() => Promise<void>)[]): Promise<Target> {
  const { createServer: listen } = await import("node:net");
  let answer: readonly Buffer[] = [];
  const server = listen({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      for (const part of answer) socket.write(part);
      socket.end();
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  stops.push(async () => void server.close());
  const { port } = server.address() as AddressInfo;
  return target(
    "bridge-peers",
    fc.tuple(answerBytes, cuts),
    async ([text, at]) => {
      answer = pieces(text, at);
      const client = createHttpClient({ host, port, bodyBytesMax: 100_000 });
      const request = { method: "GET", target: "/", headers: [["host", "a"]] as const, body: "" };
      try {
        const { status } = await client.exchange(request);
        assert.ok(status >= 200 && status <= 999);
      } catch (error) {
        assert.equal((error as Error).name, "HttpError");
      } finally {
        client.abort("checked");
      }
    },
    5,
  );
}

/** Starts what the targets need. */
export async function startSocketTargets(): Promise<SocketTargets> {
  const stops: (() => Promise<void>)[] = [];
  const targets = [
    await doorTarget(stops),
    await balancerTarget(stops),
    await runtimePeerTarget(stops),
    await bridgePeerTarget(stops),
  ];
  return {
    targets,
    async stop() {
      for (const stop of stops) await stop();
    },
  };
}
