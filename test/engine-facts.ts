/** Facts at rest, and the few that a test changes: for the rules of the engine, one at a time. */
import {
  initialStatus,
  lambdaOnly,
  type Observation,
  type RecentTraffic,
  type Status,
} from "../src/core/index.ts";

/** A round moment. */
export const nowMs = 100_000_000;

/** Changes of an observation, each part on its own. */
export interface WorldChanges {
  readonly lambda?: Partial<Observation["lambda"]>;
  readonly fargate?: Partial<Observation["fargate"]>;
  readonly dns?: Partial<Observation["dns"]>;
  readonly recent?: Partial<Observation["recent"]>;
  readonly samples?: Observation["samples"];
  readonly balancerLastRequestMs?: number | null;
}

/** Traffic of three minutes. */
export function traffic(requests: number, errors = 0): RecentTraffic {
  return { windowMs: 180_000, requests, errors };
}

/** A world with a burst tier that serves what Lambda serves, and without traffic. */
export function worldWith(changes: WorldChanges = {}): Observation {
  const none = traffic(0);
  return {
    lambda: { state: "ready", digest: "sha256:one", concurrencyFree: 1000, ...changes.lambda },
    fargate: {
      state: "ready",
      digest: "sha256:one",
      tasksDesired: 2,
      tasksHealthy: 2,
      probeOk: true,
      failure: null,
      orphans: [],
      ...changes.fargate,
    },
    dns: { route: lambdaOnly, inSync: true, ...changes.dns },
    alarms: { "busy-requests": "OK", "busy-concurrency": "OK", throttled: "OK", quiet: "OK" },
    samples: changes.samples ?? [],
    recent: { lambda: none, fargate: none, ...changes.recent },
    balancerLastRequestMs: changes.balancerLastRequestMs ?? null,
  };
}

/** The facts of a burst tier that is not there. */
export const absent: WorldChanges["fargate"] = {
  state: "absent",
  digest: null,
  tasksDesired: 0,
  tasksHealthy: 0,
  probeOk: null,
};

/** A status that has been so for a minute. */
export function statusWith(changes: Partial<Status> = {}): Status {
  const since = nowMs - 60_000;
  return { ...initialStatus(), revision: 7, targetSinceMs: since, syncedAtMs: since, ...changes };
}
