/** What the system is busy with and what it waits for, derived from facts. */
import type { EngineSettings, Observation, Phase, Status, Wait } from "./types.ts";

/** The gate before the first weight moves: healthy and probed for long enough. */
export function gateLeftMs(status: Status, settings: EngineSettings, nowMs: number): number {
  if (status.healthySinceMs === null) return settings.healthyMs;
  return status.healthySinceMs + settings.healthyMs - nowMs;
}

/** Whether Fargate may take traffic now. A tier that has some needs no new quarantine for more. */
export function gateOpen(status: Status, settings: EngineSettings, nowMs: number): boolean {
  if (status.healthySinceMs === null) return false;
  if (status.route.fargate > 0) return true;
  return status.probesOk >= settings.probesMin && gateLeftMs(status, settings, nowMs) <= 0;
}

/** The wait after a change of weights: in sync, then TTL, then bake. `null` when it is over. */
export function settleWait(status: Status, settings: EngineSettings, nowMs: number): Wait | null {
  if (status.shiftedAtMs === null) return null;
  if (status.syncedAtMs === null) {
    return { kind: "in-sync", message: "DNS servers take over the weights", leftMs: null };
  }
  const ttlLeft = status.syncedAtMs + settings.ttlMs - nowMs;
  if (ttlLeft > 0)
    return { kind: "ttl", message: "clients look the name up anew", leftMs: ttlLeft };
  const bakeLeft = ttlLeft + settings.bakeMs;
  if (bakeLeft <= 0) return null;
  return { kind: "bake", message: "the new share proves itself", leftMs: bakeLeft };
}

/** Whether clients can be on the burst tier. One without healthy targets may recover any moment. */
export function mayHaveClients(world: Observation): boolean {
  const { state } = world.fargate;
  return state === "ready" || state === "starting";
}

/** What still keeps clients on the burst tier after its weight went to 0. `null` when drained. */
export function drainWait(
  status: Status,
  world: Observation,
  settings: EngineSettings,
  nowMs: number,
): Wait | null {
  if (!mayHaveClients(world)) return null;
  if (status.syncedAtMs === null) {
    return { kind: "in-sync", message: "DNS servers take over the weights", leftMs: null };
  }
  const since = nowMs - status.syncedAtMs;
  const ttlLeft = 2 * settings.ttlMs - since;
  if (ttlLeft > 0) return { kind: "ttl", message: "2 × TTL, for late resolvers", leftMs: ttlLeft };
  const maxLeft = settings.drainMaxMs - since;
  if (maxLeft <= 0) return null;
  const last = world.balancerLastRequestMs;
  const quietLeft = last === null ? 0 : last + settings.drainQuietMs - nowMs;
  if (quietLeft <= 0) return null;
  const leftMs = Math.min(quietLeft, maxLeft);
  return { kind: "drain", message: "the balancer still sees requests", leftMs };
}

/** The phase of the cycle, from facts alone. */
export function phaseOf(
  status: Status,
  world: Observation,
  settings: EngineSettings,
  nowMs: number,
): Phase {
  const { route } = status;
  if (status.target === "fargate") {
    if (route.fargate === 0 && !gateOpen(status, settings, nowMs)) return "provisioning";
    if (route.fargate < 100) return "shifting";
    return settleWait(status, settings, nowMs) === null ? "steady" : "shifting";
  }
  if (route.fargate > 0) return "shifting";
  if (route.fargateRecord) return "draining";
  const gone = world.fargate.state === "absent" && world.fargate.orphans.length === 0;
  return gone ? "steady" : "deprovisioning";
}
