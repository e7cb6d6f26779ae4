/**
 * What must never happen, checked before anything is committed or applied.
 *
 * A violation is a bug of the engine: the tick throws, nothing is done, and traffic stays where it
 * is. The numbers are those of the design. 5 (one controller acts) is the compare-and-swap of
 * `commit`; 6 and 7 (absence and convergence in the end) speak of runs and are proved by tests.
 */

import { mayHaveClients } from "./phase.ts";
import { lambdaOnly, remember, sameRoute } from "./status.ts";
import { isRetreat, isReversal } from "./target.ts";
import type { Action, EngineSettings, Observation, Status, Step } from "./types.ts";

/** Thrown when a step breaks an invariant. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

interface Checked {
  readonly before: Status;
  readonly after: Status;
  readonly world: Observation;
  readonly settings: EngineSettings;
  readonly nowMs: number;
}

type Check = (action: Action, at: Checked) => string | null;

const checks: readonly Check[] = [
  weightsAreWhole,
  weightOnlyToReadyTiers,
  sameImageBeforeWeight,
  removalOnlyAfterDrain,
  recordOutlivesDrain,
];

/** Throws InvariantError if `step` breaks an invariant. */
export function assertInvariants(
  before: Status,
  step: Step,
  world: Observation,
  settings: EngineSettings,
  nowMs: number,
): void {
  if (step.actions.length === 0 && step.status.target === before.target) return;
  const at: Checked = { before, after: step.status, world, settings, nowMs };
  const broken: string[] = [];
  for (const action of step.actions) {
    for (const check of checks) {
      const violation = check(action, at);
      if (violation !== null) broken.push(violation);
    }
  }
  const dwell = dwellIsKept(at);
  if (dwell !== null) broken.push(dwell);
  if (step.actions.length > 0 && step.status.revision !== before.revision + 1) {
    broken.push("5: an action without a commit before it");
  }
  if (broken.length > 0) throw new InvariantError(`invariant ${broken.join("; ")}`);
}

function weightsAreWhole(action: Action): string | null {
  if (action.type !== "route") return null;
  const { lambda, fargate, fargateRecord } = action.route;
  if (!Number.isInteger(fargate) || lambda < 0 || fargate < 0 || lambda + fargate !== 100) {
    return `2: weights ${lambda}/${fargate} do not sum to 100`;
  }
  return fargate > 0 && !fargateRecord ? "2: a weight without a record" : null;
}

function weightOnlyToReadyTiers(action: Action, at: Checked): string | null {
  if (action.type !== "route") return null;
  const { world, after } = at;
  if (action.route.fargate > world.dns.route.fargate && world.fargate.state !== "ready") {
    return `1: weight for Fargate while it is ${world.fargate.state}`;
  }
  // Giving back what a hand took is no shift.
  const held = Math.max(world.dns.route.lambda, at.before.route.lambda);
  if (action.route.lambda <= held || world.lambda.state === "ready") return null;
  // Lambda is the tier of last resort: it may take over unproved when Fargate is worse.
  const lastResort = world.fargate.state !== "ready" || isRetreat({ ...at, status: after });
  return lastResort ? null : `1: weight for Lambda while it is ${world.lambda.state}`;
}

function sameImageBeforeWeight(action: Action, at: Checked): string | null {
  if (action.type !== "route") return null;
  const { world } = at;
  if (action.route.fargate <= world.dns.route.fargate) return null;
  const same = world.fargate.digest === world.lambda.digest;
  return same ? null : "9: weight moves while the tiers run different images";
}

function removalOnlyAfterDrain(action: Action, at: Checked): string | null {
  if (action.type !== "deprovision") return null;
  const { after, world, settings, nowMs } = at;
  const { route, inSync } = world.dns;
  if (after.target !== "lambda") return "3: removal while Fargate is the target";
  if (!sameRoute(route, lambdaOnly) || !inSync) return "3: removal before DNS forgot Fargate";
  const expired = after.syncedAtMs !== null && nowMs - after.syncedAtMs >= settings.ttlMs;
  return expired ? null : "10: removal before the last answers expired";
}

function recordOutlivesDrain(action: Action, at: Checked): string | null {
  if (action.type !== "route" || action.route.fargateRecord) return null;
  const { before, world, settings, nowMs } = at;
  if (!world.dns.route.fargateRecord || !before.route.fargateRecord) return null;
  if (!mayHaveClients(world)) return null;
  if (before.route.fargate > 0) return "3: record removed while it has weight";
  const synced = remember(before, world, settings, nowMs).syncedAtMs;
  if (synced === null) return "3: record removed before the weights were in sync";
  if (nowMs - synced < 2 * settings.ttlMs) return "10: record removed before 2 × TTL";
  const last = world.balancerLastRequestMs;
  const quiet = last === null || nowMs - last >= settings.drainQuietMs;
  const overdue = nowMs - synced >= settings.drainMaxMs;
  return quiet || overdue ? null : "3: record removed while clients still come";
}

function dwellIsKept(at: Checked): string | null {
  const { before, after, settings, nowMs } = at;
  if (before.target === after.target) return null;
  const byHand = before.override !== null || after.override !== null;
  if (byHand || isRetreat({ ...at, status: after })) return null;
  if (isReversal({ ...at, status: before }, after.target)) return null;
  const dwell = before.target === "fargate" ? settings.dwellFargateMs : settings.dwellLambdaMs;
  return nowMs - before.targetSinceMs >= dwell ? null : "8: opposite transition before the dwell";
}
