/** The Lambda tier of the local cloud: a front door, and environments that come and go. */
import type { Clock } from "../clock.ts";
import { bootstrapCommand } from "../launcher.ts";
import type { Meter } from "../meter.ts";
import { openProcessorGauge } from "../processor-gauge.ts";
import type { Endpoint, ServiceSpec } from "../service.ts";
import { answerOf } from "./answer.ts";
import { startEnvironment } from "./environment.ts";
import { eventOf } from "./event.ts";
import { startGateway } from "./gateway.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import { createPool, type PoolStats as LambdaStats, type Pool } from "./pool.ts";
import { stampRequest } from "./stamp.ts";

export type { LambdaStats };

/** Settings of the Lambda tier. */
export interface LambdaTierOptions {
  readonly service: ServiceSpec;
  /** Told to the function; nothing is enforced. */
  readonly memoryMB: number;
  /** Real milliseconds that one invocation may take; the front door itself waits 30 s. */
  readonly timeoutMs: number;
  /** The account's concurrency: requests beyond it are throttled. */
  readonly concurrencyMax: number;
  /** Environments that may be starting at once: what this machine can bear. */
  readonly startsMax: number;
  /** Virtual milliseconds until an idle environment is reaped. */
  readonly idleMs: number;
  readonly clock: Clock;
  readonly meter: Meter;
  /** @default 0, any free port */
  readonly port?: number;
  /** Virtual age at which client connections are closed politely, so that clients re-resolve. */
  readonly clientKeepAliveMs: number;
  /** Receives the service's output and lifecycle lines, prefixed with the environment's id. */
  readonly onLog?: (line: string) => void;
  /**
   * The command in front of the service's own, `[]` for a service that is a runtime itself.
   * @default our bootstrap
   */
  readonly bootstrap?: readonly string[];
  /** A request, as "GET /path", was failed by the function, which gave this result. */
  readonly onFailed?: (request: string, result: InvocationResult) => void;
}

/** A running Lambda tier. */
export interface LambdaTier {
  readonly endpoint: Endpoint;
  stats(): LambdaStats;
  /**
   * Runs one request through an environment without the front door's meter; `false` without a
   * good answer within `timeoutMs`, real and by default 30 s.
   */
  probe(path: string, timeoutMs?: number): Promise<boolean>;
  /** New code: new environments take it, old ones finish what they do and stop. */
  deploy(service: ServiceSpec): void;
  /** Gives requests in flight 2 s and leaves nothing behind. */
  stop(): Promise<void>;
}

/** Real milliseconds that requests in flight get when the tier stops. */
const stopGraceMs = 2_000;
/** Real milliseconds that processes get after that. */
const killGraceMs = 500;
const probeTimeoutMs = 30_000;

/** Starts the front door; the first request starts the first environment. */
export async function startLambdaTier(options: LambdaTierOptions): Promise<LambdaTier> {
  let { service } = options;
  let started = 0;
  const onLog = options.onLog ?? (() => undefined);
  const bootstrap = options.bootstrap ?? bootstrapCommand();
  const { concurrencyMax, startsMax, idleMs, clock, meter, memoryMB, timeoutMs } = options;
  const pool = createPool({
    concurrencyMax,
    startsMax,
    idleMs,
    clock,
    onLog,
    idleShare: openProcessorGauge().idleShare,
    start: (events) => {
      started += 1;
      const id = `lambda-${started}`;
      onLog(`[${id}] starting`);
      const { billed: onBilled } = meter;
      const settings = { id, service, bootstrap, memoryMB, timeoutMs, onLog, onBilled };
      return startEnvironment(settings, events);
    },
  });
  const gateway = await startGateway({
    backend: pool,
    clock,
    meter,
    port: options.port ?? 0,
    clientKeepAliveMs: options.clientKeepAliveMs,
    ...(options.onFailed && { onFailed: options.onFailed }),
  });
  return {
    endpoint: gateway.endpoint,
    stats: () => pool.stats(),
    probe: (path, timeoutMs = probeTimeoutMs) =>
      probe(pool, path, gateway.endpoint, timeoutMs, options.onFailed),
    deploy(next) {
      service = next;
      pool.renew();
    },
    async stop() {
      await gateway.stop(stopGraceMs);
      await pool.stop(killGraceMs);
    },
  };
}

function probe(
  pool: Pool,
  path: string,
  endpoint: Endpoint,
  timeoutMs: number,
  onFailed: LambdaTierOptions["onFailed"],
): Promise<boolean> {
  const stamp = stampRequest();
  const payload = eventOf(
    {
      method: "GET",
      target: path,
      httpVersion: "1.1",
      rawHeaders: ["host", `${endpoint.host}:${endpoint.port}`, "user-agent", "lambdaflex-probe"],
      sourceIp: "127.0.0.1",
      port: endpoint.port,
      body: null,
    },
    stamp,
  );
  if (payload === null) return Promise.resolve(false);
  return new Promise((resolve) => {
    const invocation: Invocation = {
      requestId: stamp.requestId,
      traceId: stamp.traceId,
      payload,
      done: (result) => {
        clearTimeout(timer);
        const answer = answerOf(result);
        if (answer === null) onFailed?.(`GET ${path}`, result);
        const status = answer?.status ?? 500;
        resolve(status >= 200 && status <= 299);
      },
    };
    const timer = setTimeout(() => {
      pool.cancel(invocation);
      resolve(false);
    }, timeoutMs);
    if (pool.invoke(invocation)) return;
    clearTimeout(timer);
    resolve(false);
  });
}
