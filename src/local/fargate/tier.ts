/** The Fargate tier: a balancer, the tasks behind it, and target tracking between them. */
import { type ScalingDirection, type ScalingInput, trackTarget } from "../../core/scaling.ts";
import type { Clock } from "../clock.ts";
import type { Meter } from "../meter.ts";
import type { Endpoint, ServiceSpec } from "../service.ts";
import { startBalancer } from "./balancer.ts";
import type { HealthCheck } from "./targets.ts";
import { startTaskService } from "./tasks.ts";

/** How the tier runs. Numbers without a default come from the configuration. */
export interface FargateTierOptions {
  readonly service: ServiceSpec;
  readonly vcpu: number;
  readonly memoryMB: number;
  readonly tasksMin: number;
  readonly tasksMax: number;
  /** Tasks to begin with. @default `tasksMin` */
  readonly tasks?: number;
  /** What target tracking holds. */
  readonly requestsPerTaskPerMinute: number;
  /**
   * Minutes in a row that must ask for it before tasks are added, and before they are removed.
   * @default 3 and 15, as the alarms that Application Auto Scaling makes
   */
  readonly scaleOutMinutes?: number;
  readonly scaleInMinutes?: number;
  /** Virtual milliseconds. @default 60,000 */
  readonly scaleOutCooldownMs?: number;
  /** Virtual milliseconds. @default 300,000, as Application Auto Scaling for ECS */
  readonly scaleInCooldownMs?: number;
  /** Its path is the service's readiness path. */
  readonly healthCheck: Omit<HealthCheck, "path">;
  /** Virtual milliseconds. */
  readonly deregistrationDelayMs: number;
  /** Virtual milliseconds. */
  readonly clientKeepAliveMs: number;
  /** Real milliseconds. @default 60,000, as an application load balancer */
  readonly idleTimeoutMs?: number;
  /** Real milliseconds. @default 60,000, as an application load balancer */
  readonly requestTimeoutMs?: number;
  /** Real milliseconds between SIGTERM and SIGKILL. */
  readonly stopTimeoutMs: number;
  /** Virtual milliseconds. @default 5,000 */
  readonly drainMs?: number;
  readonly startDelayMs: () => number;
  readonly startsMax: number;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly port?: number;
  readonly hosts?: readonly string[];
  readonly launcher?: readonly string[];
  readonly onLog?: (line: string) => void;
  /** A request, as "GET /path", got something from its task that is no answer. */
  readonly onMalformed?: (request: string, detail: string) => void;
  /** A request was given up without a byte of an answer; real milliseconds. */
  readonly onUnanswered?: (request: string, waitedMs: number) => void;
  /** A task that had been healthy has ended by itself. */
  readonly onCrash?: (reason: string) => void;
  /** No task of a deployment becomes healthy. */
  readonly onGivenUp?: (reason: string) => void;
}

/** What the tier is doing. */
export interface FargateStats {
  readonly desired: number;
  readonly healthy: number;
  /** Tasks that have a process, the ones that stop included: what is paid for. */
  readonly tasks: number;
  readonly failure: string | null;
  readonly digest: string;
  /** Requests being answered. */
  readonly outstanding: number;
}

/** A running Fargate tier. */
export interface FargateTier {
  readonly endpoint: Endpoint;
  stats(): FargateStats;
  /** One request through the balancer with the real Host; no meter counts it. */
  probe(path: string): Promise<boolean>;
  deploy(service: ServiceSpec): void;
  scaleTo(desired: number): void;
  /** Requests in flight get 2 s; then nothing is left. */
  stop(): Promise<void>;
}

const minuteMs = 60_000;
const probeTimeoutMs = 5_000;

/** Starts balancer and tasks. Rejects if the balancer can not listen. */
export async function startFargateTier(options: FargateTierOptions): Promise<FargateTier> {
  const { clock, meter, service } = options;
  const balancer = await startBalancer({
    ...options,
    healthCheck: { ...options.healthCheck, path: service.readiness.path },
    idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
  });
  const tasks = startTaskService({ ...options, drainMs: options.drainMs ?? 5000, balancer });
  const healthy = (): number =>
    balancer.targets().filter(({ state }) => state === "healthy").length;

  const minutes = { out: options.scaleOutMinutes ?? 3, in: options.scaleInMinutes ?? 15 };
  const asking = { out: 0, in: 0 };
  let lastScaledMs: number | null = null;
  let lastDirection: ScalingDirection | null = null;
  let seenMs = Number.NEGATIVE_INFINITY;
  /** Requests a minute in the newest closed window; `null` without traffic, as ELB reports. */
  const requestsPerMinute = (): number | null => {
    const window = meter.samples().at(-1);
    if (!window || window.startMs <= seenMs) return null;
    seenMs = window.startMs;
    return window.requests === 0 ? null : (window.requests * minuteMs) / window.periodMs;
  };
  const evaluate = (): void => {
    const requests = requestsPerMinute();
    const running = healthy();
    const input: ScalingInput = {
      desired: tasks.desired,
      min: options.tasksMin,
      max: options.tasksMax,
      running,
      metric: requests === null || running === 0 ? null : requests / running,
      target: options.requestsPerTaskPerMinute,
      scaleOutCooldownMs: options.scaleOutCooldownMs ?? 60_000,
      scaleInCooldownMs: options.scaleInCooldownMs ?? 300_000,
      lastScaledMs,
      lastDirection,
      nowMs: clock.nowMs(),
    };
    // The alarms know nothing of cooldowns: they go on counting while one lasts.
    const wish = trackTarget({ ...input, lastScaledMs: null }).desired;
    asking.out = wish > tasks.desired ? asking.out + 1 : 0;
    asking.in = wish < tasks.desired ? asking.in + 1 : 0;
    const outcome = trackTarget(input);
    if (outcome.desired === tasks.desired) return;
    const direction = outcome.desired > tasks.desired ? "out" : "in";
    if (asking[direction] < minutes[direction]) return;
    ({ lastScaledMs, lastDirection } = outcome);
    options.onLog?.(`target tracking: ${outcome.reason}`);
    tasks.scaleTo(outcome.desired);
  };
  const cancel = clock.every(minuteMs, evaluate);

  return {
    endpoint: balancer.endpoint,
    stats: () => ({
      desired: tasks.desired,
      healthy: healthy(),
      tasks: tasks.tasks().filter(({ pid }) => pid !== null).length,
      failure: tasks.failure,
      digest: tasks.digest,
      outstanding: balancer.targets().reduce((sum, { outstanding }) => sum + outstanding, 0),
    }),
    probe: (path) => balancer.probe(path, probeTimeoutMs),
    deploy: (next) => tasks.deploy(next),
    scaleTo: (count) => tasks.scaleTo(count),
    async stop() {
      cancel();
      await balancer.stop();
      await tasks.stop();
    },
  };
}
