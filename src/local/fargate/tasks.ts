/**
 * Keeps the desired number of healthy tasks, as an ECS service does.
 *
 * One function, `reconcile`, compares what runs with what should run and is called after every
 * change; scaling, rolling deployments and replacements are the same comparison.
 */
import type { Clock } from "../clock.ts";
import { bootstrapCommand } from "../launcher.ts";
import type { ServiceSpec } from "../service.ts";
import type { Balancer } from "./balancer.ts";
import { createTask, type Task, type TaskState } from "./task.ts";

/** How a service runs its tasks. */
export interface TaskServiceOptions {
  readonly service: ServiceSpec;
  /** Size of a task; without a container runtime it is told, not enforced. */
  readonly vcpu: number;
  readonly memoryMB: number;
  readonly tasksMin: number;
  readonly tasksMax: number;
  readonly clock: Clock;
  readonly balancer: Balancer;
  /** Draws what passes before a process starts (placing, image pull), virtual milliseconds. */
  readonly startDelayMs: () => number;
  /** Real milliseconds between SIGTERM and SIGKILL. */
  readonly stopTimeoutMs: number;
  /** Virtual milliseconds that a task serves on after leaving the balancer. */
  readonly drainMs: number;
  /** Processes starting at once on this machine. */
  readonly startsMax: number;
  /** Tasks to begin with. @default `tasksMin` */
  readonly tasks?: number;
  /** What runs the service's command. @default the bootstrap of this package */
  readonly launcher?: readonly string[];
  readonly onLog?: (line: string) => void;
  /** A task that had been healthy has ended by itself. */
  readonly onCrash?: (reason: string) => void;
  /** The deployment is given up: no task becomes healthy. */
  readonly onGivenUp?: (reason: string) => void;
}

/** What is to be seen of a task. */
export interface TaskView {
  readonly id: string;
  readonly state: TaskState;
  readonly digest: string;
  readonly port: number;
  readonly pid: number | null;
}

/** A running service. */
export interface TaskService {
  readonly desired: number;
  /** Why no task gets healthy, until `scaleTo` or `deploy` is called; else `null`. */
  readonly failure: string | null;
  /** Digest of the last deployment that has completed. */
  readonly digest: string;
  tasks(): readonly TaskView[];
  /** Sets the number of tasks, bounded to the limits of the service. */
  scaleTo(desired: number): void;
  /**
   * Rolling: old tasks leave when new ones are healthy (at least 100 %, at most 200 %). The digest
   * that is deployed already is only tried again if it had failed.
   */
  deploy(service: ServiceSpec): void;
  /** Ends all tasks within 3 s. */
  stop(): Promise<void>;
}

/** Consecutive tasks that never became healthy before a deployment is given up. */
const failuresMax = 3;
/** Back-off between replacements: the first is at once, then doubling; virtual milliseconds. */
const backoffMs = 10_000;
const backoffMsMax = 300_000;
/** A task that was healthy for so long clears the record, virtual milliseconds. */
const provenMs = 60_000;

/** Starts `tasks` tasks. */
export function startTaskService(options: TaskServiceOptions): TaskService {
  const { clock, tasksMin, tasksMax } = options;
  const onLog = options.onLog ?? ((): void => undefined);
  const launcher = options.launcher ?? bootstrapCommand();
  const startSlot = slots(options.startsMax);
  const tasks = new Set<Task>();
  const bounded = (count: number): number => Math.min(tasksMax, Math.max(tasksMin, count));
  let service = options.service;
  /** The service of the last completed deployment, to fall back to. */
  let stable: ServiceSpec | null = null;
  let desired = bounded(options.tasks ?? tasksMin);
  let failure: string | null = null;
  let halted = false;
  let stopped = false;
  let created = 0;
  let failures = 0;
  let restarts = 0;
  let startableMs = Number.NEGATIVE_INFINITY;
  let cancelWake = (): void => undefined;

  const create = (): void => {
    created += 1;
    const id = `task-${created}`;
    onLog(`${id} of ${service.name}: ${options.vcpu} vCPU, ${options.memoryMB} MB`);
    const startDelayMs = options.startDelayMs();
    const task = createTask(
      id,
      service,
      { ...options, launcher, startDelayMs, startSlot, onLog },
      {
        onChange: () => onChange(task),
        onGone: (wasHealthy, reason) => onGone(task, wasHealthy, reason),
      },
    );
    tasks.add(task);
  };
  const retire = (task: Task, why: string): void => {
    onLog(`${task.id} leaves: ${why}`);
    void task.retire().then(() => {
      tasks.delete(task);
      reconcile();
    });
  };

  const onChange = (task: Task): void => {
    if (task.state === "healthy" && task.service === service) failures = 0;
    if (task.state === "unhealthy") backOff(task);
    reconcile();
  };
  const onGone = (task: Task, wasHealthy: boolean, reason: string): void => {
    tasks.delete(task);
    if (stopped) return;
    onLog(`${task.id} is gone: ${reason}`);
    if (wasHealthy) options.onCrash?.(`${task.id} ${reason}`);
    backOff(task);
    if (!wasHealthy && task.service === service) {
      failures += 1;
      if (failures >= failuresMax) giveUp(reason);
    }
    reconcile();
  };
  const backOff = (task: Task): void => {
    const sinceMs = task.healthySinceMs;
    if (sinceMs !== null && clock.nowMs() - sinceMs >= provenMs) restarts = 0;
    const waitMs = restarts === 0 ? 0 : Math.min(backoffMsMax, backoffMs * 2 ** (restarts - 1));
    restarts += 1;
    startableMs = Math.max(startableMs, clock.nowMs() + waitMs);
  };
  /** The circuit breaker: falls back to what ran before, or starts nothing any more. */
  const giveUp = (reason: string): void => {
    failure = `${failures} tasks in a row never became healthy; the last one ${reason}`;
    onLog(failure);
    options.onGivenUp?.(failure);
    failures = 0;
    if (stable && stable !== service) {
      onLog(`falling back to ${stable.digest}`);
      service = stable;
    } else halted = true;
  };
  const begin = (): void => {
    failure = null;
    halted = false;
    failures = 0;
    restarts = 0;
    startableMs = Number.NEGATIVE_INFINITY;
    reconcile();
  };

  const reconcile = (): void => {
    if (stopped) return;
    const plan = planTasks([...tasks], service, desired);
    for (const { task, why } of plan.leaving) retire(task, why);
    if (plan.complete && stable !== service) {
      stable = service;
      onLog(`deployment of ${service.digest} is complete`);
    }
    if (halted || plan.missing === 0) return;
    const waitMs = startableMs - clock.nowMs();
    if (waitMs > 0) {
      cancelWake();
      cancelWake = clock.after(waitMs, reconcile);
      return;
    }
    for (let count = 0; count < plan.missing; count += 1) create();
  };

  reconcile();
  return {
    get desired() {
      return desired;
    },
    get failure() {
      return failure;
    },
    get digest() {
      return (stable ?? service).digest;
    },
    tasks: () =>
      [...tasks].map(({ id, state, service: { digest }, port, pid }) => {
        return { id, state, digest, port, pid };
      }),
    scaleTo(count) {
      desired = bounded(count);
      begin();
    },
    deploy(next) {
      if (next.digest !== service.digest) service = next;
      else if (failure === null) return;
      begin();
    },
    async stop() {
      stopped = true;
      cancelWake();
      await Promise.all([...tasks].map((task) => task.abandon()));
      tasks.clear();
    },
  };
}

/** What must change for the desired number of healthy tasks. */
interface TaskPlan {
  readonly leaving: readonly { readonly task: Task; readonly why: string }[];
  readonly missing: number;
  /** Every task runs the service wanted, and enough of them are healthy. */
  readonly complete: boolean;
}

/**
 * Compares tasks with what is wanted. Healthy tasks never fall below `desired` by our own doing,
 * and there are never more than twice as many as wanted.
 */
function planTasks(all: readonly Task[], service: ServiceSpec, desired: number): TaskPlan {
  const leaving: { task: Task; why: string }[] = [];
  const live = all.filter(({ state }) => state !== "stopping");
  const current = live.filter((task) => task.service === service && task.state !== "unhealthy");
  let healthy = live.filter(({ state }) => state === "healthy").length;

  const surplus = [...current].sort(byWorth).slice(desired);
  for (const task of surplus) {
    leaving.push({ task, why: `${desired} tasks are enough` });
    if (task.state === "healthy") healthy -= 1;
  }
  for (const task of live) {
    if (task.service === service && task.state !== "unhealthy") continue;
    if (task.state === "healthy") {
      if (healthy - 1 < desired) continue;
      healthy -= 1;
      leaving.push({ task, why: "a newer one has taken its place" });
    } else if (task.state !== "unhealthy") {
      leaving.push({ task, why: "its deployment was replaced" });
    } else if (healthy > 0) {
      // The last target, though unhealthy, may still answer: it stays until another one can.
      leaving.push({ task, why: "it is unhealthy" });
    }
  }
  const room = 2 * desired - (live.length - leaving.length);
  const missing = Math.max(0, Math.min(desired - current.length, room));
  const complete = live.length === leaving.length + current.length - surplus.length;
  const enough = current.filter(({ state }) => state === "healthy").length >= desired;
  return { leaving, missing, complete: complete && enough };
}

const worth: Readonly<Record<TaskState, number>> = {
  healthy: 0,
  starting: 1,
  pending: 2,
  unhealthy: 3,
  stopping: 4,
};

/** Most useful first; of equals the older one, whose caches are warm. */
function byWorth(a: Task, b: Task): number {
  return worth[a.state] - worth[b.state];
}

/** Lets `count` hold a slot at once; those who wait are as many as there are tasks. */
function slots(count: number): (signal: AbortSignal) => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = count;
  const giveBack = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return (signal) =>
    new Promise((resolve, reject) => {
      const take = (): void => {
        signal.removeEventListener("abort", leave);
        resolve(giveBack);
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(signal.reason);
      };
      if (signal.aborted) reject(signal.reason);
      else if (free > 0) {
        free -= 1;
        take();
      } else {
        waiting.push(take);
        signal.addEventListener("abort", leave);
      }
    });
}
