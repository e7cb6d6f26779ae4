/**
 * A service reached in three ways: directly, through the Lambda tier and through the Fargate tier,
 * each with a process of its own that starts from nothing. The direct way exists twice, so that
 * what the service answers differently each time can be told from what the tiers do.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { scaledClock } from "./clock.ts";
import { startTaskProcess, type TaskProcess } from "./fargate/task-process.ts";
import { startFargateTier } from "./fargate/tier.ts";
import { ServiceFailed, startFaultKind } from "./fault.ts";
import { startLambdaTier } from "./lambda/tier.ts";
import { createLastWords } from "./last-words.ts";
import { createMeter } from "./meter.ts";
import type { Endpoint, ServiceSpec } from "./service.ts";

/** What is started. */
export interface ThreeWaysOptions {
  readonly service: ServiceSpec;
  readonly memoryMB: number;
  readonly vcpu: number;
  /** Longest time for one answer, real milliseconds. */
  readonly timeoutMs: number;
  /** The command in front of the service's on Lambda. @default our bootstrap */
  readonly bootstrap?: readonly string[];
  readonly onLog?: (line: string) => void;
}

/** The ways to a service. */
export interface ThreeWays {
  readonly direct: Endpoint;
  /** A second process of the service, asked the same. */
  readonly again: Endpoint;
  readonly lambda: Endpoint;
  readonly fargate: Endpoint;
  /** Leaves nothing running. */
  stop(): Promise<void>;
}

const pollMs = 20;
const stopMs = 2_000;

/** Starts all of them and waits until each can answer. Throws ServiceFailed if one cannot. */
export async function startThreeWays(options: ThreeWaysOptions): Promise<ThreeWays> {
  const { service } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.splice(0).map((one) => one()));
  };
  try {
    const direct = await startDirect(service, options, stops);
    const again = await startDirect(service, options, stops);
    const lambda = await startLambda(service, options, stops);
    const fargate = await startFargate(service, options, stops);
    return { direct, again, lambda, fargate, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Stops = (() => Promise<void>)[];

async function startDirect(
  service: ServiceSpec,
  { onLog, vcpu, memoryMB }: ThreeWaysOptions,
  stops: Stops,
): Promise<Endpoint> {
  const words = createLastWords();
  const task: TaskProcess = await startTaskProcess({
    id: `direct-${stops.length + 1}`,
    service,
    launcher: [],
    limits: { vcpu, memoryMB },
    stopTimeoutMs: stopMs,
    onLine(line) {
      words.hear(line);
      onLog?.(`[direct] ${line}`);
    },
  });
  stops.push(() => task.stop(stopMs));
  const { timeoutMs } = service.readiness;
  const state = await task.listening(timeoutMs, new AbortController().signal);
  if (state === "up") return task.endpoint;
  const seconds = timeoutMs / 1000;
  const late = `it did not listen on PORT within ${seconds} s; last output: ${words.words}`;
  const reason = state === "ended" ? await task.ended : late;
  throw new ServiceFailed(startFaultKind(reason), `started directly, ${reason}`);
}

async function startLambda(
  service: ServiceSpec,
  options: ThreeWaysOptions,
  stops: Stops,
): Promise<Endpoint> {
  const clock = scaledClock(1, 0);
  const tier = await startLambdaTier({
    service,
    memoryMB: options.memoryMB,
    timeoutMs: options.timeoutMs,
    concurrencyMax: 4,
    startsMax: 1,
    idleMs: 3_600_000,
    clock,
    meter: createMeter("lambda", clock, 60_000),
    clientKeepAliveMs: 3_600_000,
    ...(options.bootstrap && { bootstrap: options.bootstrap }),
    ...(options.onLog && { onLog: options.onLog }),
  });
  stops.push(tier.stop);
  const { path, timeoutMs } = service.readiness;
  let healthy: boolean | null = null;
  const probed = tier.probe(path, timeoutMs + options.timeoutMs).then((answer) => {
    healthy = answer;
  });
  // A start that has failed ends the wait: a probe would go on for as long as a request may.
  while (healthy === null && tier.stats().failure === null) {
    await Promise.race([probed, sleep(pollMs)]);
  }
  if (healthy) return tier.endpoint;
  const reason = tier.stats().failure ?? `no answer from 200 to 299 at ${path}`;
  throw new ServiceFailed(startFaultKind(reason), `on Lambda: ${reason}`);
}

async function startFargate(
  service: ServiceSpec,
  options: ThreeWaysOptions,
  stops: Stops,
): Promise<Endpoint> {
  const clock = scaledClock(1, 0);
  const tier = await startFargateTier({
    service,
    vcpu: options.vcpu,
    memoryMB: options.memoryMB,
    tasksMin: 1,
    tasksMax: 1,
    requestsPerTaskPerMinute: 1_000_000,
    healthCheck: {
      intervalMs: 250,
      timeoutMs: 2_000,
      healthyThreshold: 1,
      unhealthyThreshold: 3,
    },
    deregistrationDelayMs: 0,
    drainMs: 0,
    clientKeepAliveMs: 3_600_000,
    requestTimeoutMs: options.timeoutMs,
    stopTimeoutMs: stopMs,
    startDelayMs: () => 0,
    startsMax: 1,
    clock,
    meter: createMeter("fargate", clock, 60_000),
    ...(options.onLog && { onLog: options.onLog }),
  });
  stops.push(tier.stop);
  const dueMs = clock.nowMs() + service.readiness.timeoutMs;
  while (tier.stats().healthy === 0) {
    const { failure } = tier.stats();
    if (failure !== null || clock.nowMs() > dueMs) {
      const reason = failure ?? `no healthy task in ${service.readiness.timeoutMs / 1000} s`;
      throw new ServiceFailed(startFaultKind(reason), `on Fargate: ${reason}`);
    }
    await sleep(pollMs);
  }
  return tier.endpoint;
}
