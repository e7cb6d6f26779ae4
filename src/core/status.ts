/** The remembered state: how it begins, and how what was just observed refreshes it. */
import type { EngineSettings, Observation, Route, Status } from "./types.ts";

/** All traffic on Lambda and no Fargate record: how every service begins and ends. */
export const lambdaOnly: Route = { lambda: 100, fargate: 0, fargateRecord: false };

/** The status of a service that the engine has never seen. */
export function initialStatus(): Status {
  return {
    revision: 0,
    target: "lambda",
    targetSinceMs: 0,
    tasks: 0,
    route: lambdaOnly,
    shiftedAtMs: null,
    syncedAtMs: null,
    healthySinceMs: null,
    probesOk: 0,
    holdUntilMs: null,
    failures: 0,
    override: null,
    windowSeenMs: -1,
    policyState: {},
  };
}

/** Whether two routes are the same to a client. */
export function sameRoute(a: Route, b: Route): boolean {
  return a.lambda === b.lambda && a.fargate === b.fargate && a.fargateRecord === b.fargateRecord;
}

/** Fargate's share given a route of its own record. */
export function routeOf(fargate: number): Route {
  return { lambda: 100 - fargate, fargate, fargateRecord: true };
}

/** Fargate runs what Lambda runs, enough of it is healthy, and the last probe did not fail. */
export function fargateServes(world: Observation, settings: EngineSettings): boolean {
  const { fargate } = world;
  return (
    fargate.state === "ready" &&
    fargate.digest === world.lambda.digest &&
    fargate.tasksHealthy >= settings.tasksMin &&
    fargate.probeOk !== false
  );
}

/** Takes up what the observation proves: since when DNS is in sync and Fargate healthy. */
export function remember(
  status: Status,
  world: Observation,
  settings: EngineSettings,
  nowMs: number,
): Status {
  const inSync = world.dns.inSync && sameRoute(world.dns.route, status.route);
  const syncedAtMs = inSync ? (status.syncedAtMs ?? nowMs) : null;
  // Weights that somebody changed are put back: the command is as good as given now.
  const shiftedAtMs = status.syncedAtMs !== null && !inSync ? nowMs : status.shiftedAtMs;
  const serves = fargateServes(world, settings);
  const healthySinceMs = serves ? (status.healthySinceMs ?? nowMs) : null;
  const probed = world.fargate.probeOk === true ? 1 : 0;
  // The count only matters up to the gate; bounding it spares a write on every later tick.
  const probesOk = serves ? Math.min(status.probesOk + probed, settings.probesMin) : 0;
  const expired = status.override?.untilMs != null && status.override.untilMs <= nowMs;
  if (
    syncedAtMs === status.syncedAtMs &&
    healthySinceMs === status.healthySinceMs &&
    probesOk === status.probesOk &&
    !expired
  ) {
    return status;
  }
  const override = expired ? null : status.override;
  return { ...status, shiftedAtMs, syncedAtMs, healthySinceMs, probesOk, override };
}
