/** The target group: which targets there are, how they are, and which one answers next. */
import { get } from "node:http";
import type { Clock } from "../clock.ts";
import type { Endpoint } from "../service.ts";
import { createUpstream, type Upstream } from "./upstream.ts";

/** When a target counts as healthy. */
export interface HealthCheck {
  readonly path: string;
  /** Virtual milliseconds between two checks of one target. */
  readonly intervalMs: number;
  /** Real milliseconds that a target has to answer. */
  readonly timeoutMs: number;
  /** Successful checks in a row that make a target healthy. */
  readonly healthyThreshold: number;
  /** Failed checks in a row that make it unhealthy. */
  readonly unhealthyThreshold: number;
}

/** How a target is; only `healthy` ones get requests, unless there are none. */
export type TargetState = "initial" | "healthy" | "unhealthy" | "draining";

/** One target as the balancer keeps it. */
export interface Target {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly upstream: Upstream;
  state: TargetState;
  /** What the last health check found wrong, `null` if it passed. */
  reason: string | null;
  /** Requests that it is answering now, tunnels included. */
  outstanding: number;
  /** Requests that it was given so far. */
  requests: number;
}

/** How a target group behaves. */
export interface TargetGroupOptions {
  readonly clock: Clock;
  readonly healthCheck: HealthCheck;
  /** Virtual milliseconds. */
  readonly deregistrationDelayMs: number;
  /** Real milliseconds. */
  readonly requestTimeoutMs: number;
  readonly onLog: (line: string) => void;
  /** A target's state has changed. */
  readonly onChange: () => void;
}

/** The targets behind one balancer. */
export interface TargetGroup {
  readonly targets: readonly Target[];
  register(endpoint: Endpoint): string;
  deregister(id: string): Promise<void>;
  /** The target for the next request, already charged with it; `null` if there is none. */
  take(not: readonly Target[]): Target | null;
  /** A request given by `take` is over. */
  done(target: Target): void;
  stop(): void;
}

/** Checks do not come faster than this however fast the clock, real milliseconds. */
const checkIntervalRealMsMin = 20;

/** A target group without targets. */
export function createTargetGroup(options: TargetGroupOptions): TargetGroup {
  const { clock, onLog } = options;
  const targets: Target[] = [];
  const stops = new Map<Target, () => void>();
  const drained = new Map<Target, () => void>();
  let count = 0;
  let turn = 0;

  const remove = (target: Target): void => {
    const at = targets.indexOf(target);
    if (at >= 0) targets.splice(at, 1);
    stops.get(target)?.();
    stops.delete(target);
    target.upstream.destroy();
  };

  /**
   * Least outstanding requests; ties go round. Without any healthy target the unhealthy ones are
   * used: an answer that may fail is better than a certain failure.
   */
  const least = (state: TargetState, not: readonly Target[]): Target | null => {
    let best: Target | null = null;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(turn + i) % targets.length];
      if (!target || target.state !== state || not.includes(target)) continue;
      if (!best || target.outstanding < best.outstanding) best = target;
    }
    turn = best ? targets.indexOf(best) + 1 : turn;
    return best;
  };

  return {
    targets,
    register(endpoint) {
      count += 1;
      const target: Target = {
        id: `target-${count}`,
        endpoint,
        upstream: createUpstream(endpoint, options.requestTimeoutMs),
        state: "initial",
        reason: null,
        outstanding: 0,
        requests: 0,
      };
      targets.push(target);
      stops.set(target, watchHealth(target, options));
      return target.id;
    },
    async deregister(id) {
      const target = targets.find((one) => one.id === id && one.state !== "draining");
      if (!target) return;
      target.state = "draining";
      stops.get(target)?.();
      target.upstream.closeIdle();
      if (target.outstanding > 0) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(options.deregistrationDelayMs, resolve);
          drained.set(target, () => {
            cancel();
            resolve();
          });
        });
        drained.delete(target);
      }
      if (target.outstanding > 0) {
        onLog(`${id} left with ${target.outstanding} requests cut off`);
      }
      remove(target);
    },
    take(not) {
      const target = least("healthy", not) ?? least("unhealthy", not);
      if (!target) return null;
      target.outstanding += 1;
      target.requests += 1;
      return target;
    },
    done(target) {
      target.outstanding -= 1;
      if (target.outstanding === 0) drained.get(target)?.();
    },
    stop() {
      for (const target of [...targets]) remove(target);
      for (const resolve of [...drained.values()]) resolve();
    },
  };
}

/** Checks a target until the returned function is called. */
function watchHealth(target: Target, options: TargetGroupOptions): () => void {
  const { clock, healthCheck, onLog, onChange } = options;
  const intervalMs = Math.max(healthCheck.intervalMs, checkIntervalRealMsMin * clock.speed);
  const stopped = new AbortController();
  let successes = 0;
  let failures = 0;
  let cancel = (): void => undefined;

  const check = async (): Promise<void> => {
    const begunMs = clock.nowMs();
    const failure = await probe(target.endpoint, healthCheck, stopped.signal);
    if (stopped.signal.aborted) return;
    successes = failure === null ? successes + 1 : 0;
    failures = failure === null ? 0 : failures + 1;
    target.reason = failure;
    if (target.state !== "healthy" && successes >= healthCheck.healthyThreshold) {
      target.state = "healthy";
      onChange();
    } else if (target.state !== "unhealthy" && failures >= healthCheck.unhealthyThreshold) {
      target.state = "unhealthy";
      onLog(`${target.id} is unhealthy: ${failure}`);
      onChange();
    }
    const leftMs = Math.max(0, begunMs + intervalMs - clock.nowMs());
    cancel = clock.after(leftMs, () => void check());
  };
  void check();
  return () => {
    stopped.abort();
    cancel();
  };
}

/** One health check; resolves with `null` if it passed, else with the reason. */
function probe(
  endpoint: Endpoint,
  check: HealthCheck,
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const request = get({
      host: endpoint.host,
      port: endpoint.port,
      path: check.path,
      agent: false,
      signal,
      headers: { "user-agent": "ELB-HealthChecker/2.0", connection: "close" },
    });
    const timer = setTimeout(() => settle("timed out"), check.timeoutMs);
    const settle = (failure: string | null): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(failure);
    };
    request.on("response", ({ statusCode = 0 }) => {
      settle(statusCode >= 200 && statusCode < 300 ? null : `answered ${statusCode}`);
    });
    request.on("error", (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  });
}
