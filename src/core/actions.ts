/** What to do next on the way to the target, and what is waited for meanwhile. */
import { drainWait, gateLeftMs, gateOpen, settleWait } from "./phase.ts";
import { lambdaOnly, routeOf, sameRoute } from "./status.ts";
import { isRetreat, type Situation } from "./target.ts";
import type { Action, Observation, Route, Status, Wait } from "./types.ts";

/** The next actions with the status that must be committed before them. */
export interface Plan {
  readonly status: Status;
  readonly actions: readonly Action[];
  readonly wait: Wait | null;
}

type Facts = Omit<Situation, "phase">;

/** Plans one step towards `status.target`. Pure. */
export function planActions(facts: Facts): Plan {
  const at = withoutStaleShare(facts);
  const plan = at.status.target === "fargate" ? towardsFargate(at) : towardsLambda(at);
  const { route } = plan.status;
  const drifted = !sameRoute(at.world.dns.route, route);
  // Somebody changed the record, or an action was lost: bring the world back to the command.
  if (drifted && !plan.actions.some((action) => action.type === "route")) {
    return { ...plan, actions: [...plan.actions, { type: "route", route }] };
  }
  return plan;
}

/**
 * A share for Fargate that was commanded and is not in force, while Lambda got another image: given
 * now it would go to the former one. The share that DNS gives is taken for the command, and the way
 * goes on from there; the record stays, since clients may have followed it.
 */
function withoutStaleShare(at: Facts): Facts {
  const { status, world, nowMs } = at;
  const { fargate } = world.dns.route;
  if (status.route.fargate <= fargate) return at;
  if (world.fargate.digest === world.lambda.digest) return at;
  return { ...at, status: { ...status, route: routeOf(fargate), shiftedAtMs: nowMs } };
}

function towardsFargate(at: Facts): Plan {
  const { status, world, settings, nowMs } = at;
  const actions = missingBurst(at.status, world);
  const stay = (wait: Wait | null): Plan => ({ status, actions, wait });
  if (!gateOpen(status, settings, nowMs)) return stay(gateWait(at));
  const settle = settleWait(status, settings, nowMs);
  if (status.route.fargate === 100) return stay(settle);
  const { fargate, fargateRecord } = status.route;
  // Weights that were taken from it since then, or for a failure, are earned back step by step.
  const proved = fargate === 0 && status.failures === 0;
  const turnedBack = proved && (status.shiftedAtMs ?? 0) <= status.targetSinceMs;
  if (turnedBack && fargateRecord) return shift(at, routeOf(100), actions);
  if (fargate > 0 && settle !== null) return stay(settle);
  const next = settings.stepPercents.find((percent) => percent > fargate) ?? 100;
  return shift(at, routeOf(next), actions);
}

/** Creates the burst tier, or brings it to the image that Lambda runs. */
function missingBurst(status: Status, world: Observation): readonly Action[] {
  const { state, digest } = world.fargate;
  const wrongImage = (state === "ready" || state === "starting") && digest !== world.lambda.digest;
  if (state !== "absent" && !wrongImage) return [];
  return [{ type: "provision", digest: world.lambda.digest, tasks: status.tasks }];
}

function gateWait(at: Facts): Wait {
  const { status, settings, nowMs, world } = at;
  if (status.healthySinceMs === null) {
    const { tasksHealthy, state } = world.fargate;
    const message = `the burst tier is ${state}, ${tasksHealthy} of ${settings.tasksMin} healthy`;
    return { kind: "stack", message, leftMs: null };
  }
  const leftMs = gateLeftMs(status, settings, nowMs);
  const message = `healthy, ${status.probesOk} of ${settings.probesMin} probes answered`;
  return { kind: "healthy", message, leftMs: leftMs > 0 ? leftMs : null };
}

function towardsLambda(at: Facts): Plan {
  const { status, world, settings, nowMs } = at;
  const stay = (wait: Wait | null): Plan => ({ status, actions: [], wait });
  if (status.route.fargate > 0) return shiftDown(at);
  if (status.route.fargateRecord) {
    const drain = drainWait(status, world, settings, nowMs);
    return drain === null ? shift(at, lambdaOnly, []) : stay(drain);
  }
  const { state, orphans } = world.fargate;
  if (state === "absent" && orphans.length === 0) return stay(null);
  const settle = lastClients(at);
  if (settle !== null) return stay(settle);
  const wait: Wait = { kind: "removal", message: `the burst tier is ${state}`, leftMs: null };
  if (state === "stopping") return stay(wait);
  // What was proved of this tier ends here: one that a stale answer still shows must prove itself.
  const unproved: Status = { ...status, healthySinceMs: null, probesOk: 0 };
  return { status: unproved, actions: [{ type: "deprovision" }], wait };
}

/** The record is removed: whoever resolved it a moment ago may still come for one TTL. */
function lastClients(at: Facts): Wait | null {
  const { status, settings, nowMs } = at;
  if (status.syncedAtMs === null) {
    return { kind: "in-sync", message: "DNS servers forget the record", leftMs: null };
  }
  const leftMs = status.syncedAtMs + settings.ttlMs - nowMs;
  return leftMs > 0 ? { kind: "ttl", message: "the last answers expire", leftMs } : null;
}

function shiftDown(at: Facts): Plan {
  const { status, world, settings, nowMs } = at;
  const stay = (wait: Wait): Plan => ({ status, actions: [], wait });
  if (isRetreat(at) || world.fargate.state !== "ready") return shift(at, routeOf(0), []);
  const begun = status.shiftedAtMs !== null && status.shiftedAtMs >= status.targetSinceMs;
  const settle = begun ? settleWait(status, settings, nowMs) : null;
  if (settle !== null) return stay(settle);
  const unfit = lambdaUnfit(world);
  if (unfit !== null) return stay({ kind: "lambda", message: unfit, leftMs: null });
  const next = settings.stepPercentsDown.find((percent) => percent < status.route.fargate) ?? 0;
  return shift(at, routeOf(next), []);
}

/** Why Lambda can not take the traffic now: probe and concurrency headroom (Little's law). */
function lambdaUnfit(world: Observation): string | null {
  const { lambda, recent } = world;
  if (lambda.state !== "ready") return `Lambda is ${lambda.state}`;
  const windowMs = Math.max(recent.lambda.windowMs, recent.fargate.windowMs, 1);
  const perMs = (recent.lambda.requests + recent.fargate.requests) / windowMs;
  const latencyMs = slowest(world);
  const needed = Math.ceil(perMs * latencyMs);
  if (needed <= lambda.concurrencyFree) return null;
  return `Lambda has ${lambda.concurrencyFree} environments left, demand needs ${needed}`;
}

function slowest(world: Observation): number {
  let latencyMs = 0;
  for (const sample of world.samples) latencyMs = Math.max(latencyMs, sample.latencyMsP99 ?? 0);
  return latencyMs;
}

function shift(at: Facts, route: Route, actions: readonly Action[]): Plan {
  const status: Status = { ...at.status, route, shiftedAtMs: at.nowMs, syncedAtMs: null };
  const wait: Wait = {
    kind: "in-sync",
    message: "DNS servers take over the weights",
    leftMs: null,
  };
  return { status, actions: [...actions, { type: "route", route }], wait };
}
