/** One task from its start to its end: wait, start, become healthy, drain, stop. */
import type { Clock } from "../clock.ts";
import type { ServiceSpec } from "../service.ts";
import type { Balancer, TargetView } from "./balancer.ts";
import { startTaskProcess, type TaskProcess } from "./task-process.ts";

/** How a task is. `unhealthy` means that it has been healthy and is no longer. */
export type TaskState = "pending" | "starting" | "healthy" | "unhealthy" | "stopping";

/** A task as the scheduler sees it. */
export interface Task {
  readonly id: string;
  readonly service: ServiceSpec;
  readonly state: TaskState;
  /** 0 before there is a process. */
  readonly port: number;
  readonly pid: number | null;
  /** Virtual time since when it has been healthy for the first time, `null` before. */
  readonly healthySinceMs: number | null;
  /** Deregister, drain, SIGTERM, wait, SIGKILL. Resolves when nothing is left. */
  retire(): Promise<void>;
  /** The same in haste: at most 2 s altogether. */
  abandon(): Promise<void>;
}

/** How tasks are started and stopped. */
export interface TaskOptions {
  readonly clock: Clock;
  readonly balancer: Balancer;
  readonly launcher: readonly string[];
  readonly vcpu: number;
  readonly memoryMB: number;
  /** Virtual milliseconds before the process starts. */
  readonly startDelayMs: number;
  /** Real milliseconds between SIGTERM and SIGKILL. */
  readonly stopTimeoutMs: number;
  /** Virtual milliseconds of serving on after the balancer sends no more. */
  readonly drainMs: number;
  /** Waits for permission to start a process; the result gives it back. */
  readonly startSlot: (signal: AbortSignal) => Promise<() => void>;
  readonly onLog: (line: string) => void;
}

/** What the scheduler hears of a task; never while `createTask` runs, nor after its retirement. */
export interface TaskEvents {
  /** Its state has changed. */
  readonly onChange: () => void;
  /** It has ended by itself, or did not become healthy in time. Nothing of it is left. */
  readonly onGone: (wasHealthy: boolean, reason: string) => void;
}

/** How far a process came. */
interface Attempt {
  readonly started: TaskProcess;
  readonly wasHealthy: boolean;
  readonly reason: string;
}

/** Attempts with another port when the service finds its port taken. */
const portAttempts = 3;
/** Bounds of a hasty end, real milliseconds. */
const hasteDeregisterMs = 500;
const hasteStopMs = 1500;

/** Creates a task; all that happens to it is told by events. */
export function createTask(
  id: string,
  service: ServiceSpec,
  options: TaskOptions,
  events: TaskEvents,
): Task {
  const { clock, balancer, onLog } = options;
  const cancelled = new AbortController();
  const hurried = new AbortController();
  let state: TaskState = "pending";
  let child: TaskProcess | null = null;
  let targetId: string | null = null;
  let healthySinceMs: number | null = null;
  let ending: Promise<void> | null = null;

  const become = (next: TaskState): void => {
    if (state === next || state === "stopping") return;
    state = next;
    events.onChange();
  };
  const target = (): TargetView | undefined =>
    balancer.targets().find((one) => one.id === targetId);

  const launch = (): Promise<TaskProcess> => {
    const { stopTimeoutMs, launcher, vcpu, memoryMB } = options;
    return startTaskProcess({
      id,
      service,
      launcher,
      limits: { vcpu, memoryMB },
      stopTimeoutMs,
      onLine: (line) => onLog(`[${id}] ${line}`),
    });
  };

  /** Waits until the process serves; gives the reason if it does not, else `null`. */
  const untilServing = async (started: TaskProcess): Promise<string | null> => {
    const { timeoutMs } = service.readiness;
    const outcome = await started.listening(timeoutMs, cancelled.signal);
    if (outcome === "late") return `did not listen within ${timeoutMs} ms`;
    if (outcome === "ended") return started.ended;
    targetId = balancer.register(started.endpoint);
    return untilHealthy(started);
  };

  /** Resolves with `null` once the balancer finds the task healthy, else with the reason. */
  const untilHealthy = (started: TaskProcess): Promise<string | null> =>
    new Promise((resolve) => {
      const { timeoutMs } = service.readiness;
      const settle = (reason: string | null): void => {
        clearTimeout(timer);
        stopWatching();
        resolve(reason);
      };
      const timer = setTimeout(() => {
        const last = target()?.reason ?? "none has ended";
        settle(`not healthy within ${timeoutMs} ms, last health check: ${last}`);
      }, timeoutMs);
      const stopWatching = balancer.watch(() => {
        if (target()?.state === "healthy") settle(null);
      });
      cancelled.signal.addEventListener("abort", () => settle("stopped"));
      void started.ended.then(settle);
    });

  const stopChild = async (graceMs: number): Promise<void> => {
    const started = child;
    if (!started) return;
    const hurry = (): void => {
      const timer = setTimeout(() => started.kill(), hasteStopMs);
      void started.ended.then(() => clearTimeout(timer));
    };
    if (hurried.signal.aborted) hurry();
    else hurried.signal.addEventListener("abort", hurry);
    await started.stop(graceMs);
    hurried.signal.removeEventListener("abort", hurry);
  };

  /** Takes the task out of service; `orderly` lets its requests end and its clients leave. */
  const end = async (orderly: boolean): Promise<void> => {
    state = "stopping";
    cancelled.abort();
    unwatch();
    if (targetId !== null) {
      await Promise.race([balancer.deregister(targetId), afterHurry(hurried.signal)]);
      const drainMs = orderly ? options.drainMs : 0;
      await clock.sleep(drainMs, hurried.signal).catch(() => undefined);
    }
    await running;
    await stopChild(orderly ? options.stopTimeoutMs : 0);
  };
  const fail = (wasHealthy: boolean, reason: string): void => {
    if (ending) return;
    ending = end(false);
    void ending.then(() => events.onGone(wasHealthy, reason));
  };

  /** Starts a process and lets it serve; resolves when it has ended, or never began to serve. */
  const attempt = async (): Promise<Attempt> => {
    const giveBack = await options.startSlot(cancelled.signal);
    let started: TaskProcess;
    try {
      become("starting");
      started = await launch();
      child = started;
      const reason = await untilServing(started);
      if (reason !== null) return { started, wasHealthy: false, reason };
    } finally {
      giveBack();
    }
    if (cancelled.signal.aborted) return { started, wasHealthy: true, reason: "stopped" };
    healthySinceMs = clock.nowMs();
    become("healthy");
    const reason = await Promise.race([started.ended, untilAborted(cancelled.signal)]);
    return { started, wasHealthy: true, reason };
  };

  const run = async (): Promise<void> => {
    await clock.sleep(options.startDelayMs, cancelled.signal);
    for (let attempts = 1; ; attempts += 1) {
      const { started, wasHealthy, reason } = await attempt();
      if (cancelled.signal.aborted) return;
      if (!started.portTaken || attempts >= portAttempts) {
        fail(wasHealthy, reason);
        return;
      }
      // Whoever has the port may even have passed the health check: it was never this service.
      onLog(`[${id}] port ${started.endpoint.port} was taken, trying another one`);
      become("starting");
      if (targetId !== null) void balancer.deregister(targetId);
      targetId = null;
      healthySinceMs = null;
      await started.stop(0);
    }
  };
  const unwatch = balancer.watch(() => {
    const now = healthySinceMs === null ? undefined : target()?.state;
    if (now === "healthy" || now === "unhealthy") become(now);
  });
  const running = run().catch((error: unknown) => {
    if (!cancelled.signal.aborted) fail(false, error instanceof Error ? error.message : `${error}`);
  });

  return {
    id,
    service,
    get state() {
      return state;
    },
    get port() {
      return child?.endpoint.port ?? 0;
    },
    get pid() {
      return child?.pid ?? null;
    },
    get healthySinceMs() {
      return healthySinceMs;
    },
    retire() {
      ending ??= end(true);
      return ending;
    },
    abandon() {
      hurried.abort();
      ending ??= end(true);
      return ending;
    },
  };
}

/** Resolves at the signal, with a reason that nobody is told. */
function untilAborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("stopped");
    else signal.addEventListener("abort", () => resolve("stopped"));
  });
}

/** Resolves a moment after the signal: requests in flight get that long, real milliseconds. */
function afterHurry(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wait = (): void => void setTimeout(resolve, hasteDeregisterMs);
    if (signal.aborted) wait();
    else signal.addEventListener("abort", wait);
  });
}
