/** Which tier should serve: failures first, then the owner's word, then the policy. */
import { fargateServes } from "./status.ts";
import type {
  Decision,
  EngineEvent,
  EngineSettings,
  Observation,
  Phase,
  RecentTraffic,
  Status,
  Tier,
} from "./types.ts";

/** What choosing a target looks at. */
export interface Situation {
  readonly status: Status;
  readonly world: Observation;
  readonly settings: EngineSettings;
  readonly nowMs: number;
  readonly phase: Phase;
}

/** A target with the events that tell why. */
export interface Choice {
  readonly status: Status;
  readonly events: readonly EngineEvent[];
  /** Why a wanted change of target has to wait, `null` if none is wanted. */
  readonly held: { readonly reason: string; readonly leftMs: number | null } | null;
}

/** Decides the target of this tick. Pure. */
export function chooseTarget(at: Situation, decision: Decision): Choice {
  const failure = failureOf(at);
  if (failure !== null) return afterFailure(at, failure);
  const turnedBack = downShiftFails(at);
  if (turnedBack !== null) return retarget(at, "fargate", at.status.tasks, turnedBack);
  const { override } = at.status;
  if (override !== null) {
    if (override.tier === at.status.target) return unchanged(at);
    const tasks = decision.type === "target" ? decision.tasks : at.settings.tasksMin;
    return change(at, override.tier, tasks, `set by hand to ${override.tier}`, false);
  }
  if (decision.type === "hold" || decision.tier === at.status.target) return unchanged(at);
  return change(at, decision.tier, decision.tasks, decision.reason, true);
}

function unchanged(at: Situation): Choice {
  return { status: at.status, events: [], held: null };
}

/** Applies what speaks against a change: back-off, removal under way, dwell. */
function change(at: Situation, tier: Tier, tasks: number, reason: string, dwells: boolean): Choice {
  const { status, world, settings, nowMs } = at;
  const hold = (why: string, leftMs: number | null): Choice => ({
    status,
    events: [],
    held: { reason: why, leftMs },
  });
  if (tier === "fargate") {
    const holdLeft = (status.holdUntilMs ?? 0) - nowMs;
    if (holdLeft > 0) return hold("backs off after a failure", holdLeft);
    const { state, orphans } = world.fargate;
    if (state === "failed" || state === "stopping" || orphans.length > 0) {
      return hold("the former burst tier is still being removed", null);
    }
    if (status.route.fargate > 0 && state !== "ready") {
      return hold("the burst tier lost its targets and gives its weight back first", null);
    }
    const worse = errorShareWorse(world.recent.fargate, world.recent.lambda, settings);
    if (state === "ready" && worse !== null) {
      return hold(`the burst tier that still stands answered with errors: ${worse}`, null);
    }
  }
  if (dwells && !isReversal(at, tier)) {
    const dwell = tier === "lambda" ? settings.dwellFargateMs : settings.dwellLambdaMs;
    const left = status.targetSinceMs + dwell - nowMs;
    if (left > 0) return hold(`stays on ${status.target} for its minimum dwell`, left);
  }
  return retarget(at, tier, tasks, reason);
}

/** Traffic that returns before the burst tier is gone only turns the weights back. */
export function isReversal(at: Omit<Situation, "phase">, tier: Tier): boolean {
  const { route } = at.status;
  return tier === "fargate" && route.fargateRecord && fargateServes(at.world, at.settings);
}

function retarget(at: Situation, tier: Tier, tasks: number, reason: string): Choice {
  const { settings, nowMs, phase } = at;
  const bounded = Math.min(settings.tasksMax, Math.max(settings.tasksMin, Math.ceil(tasks)));
  const status: Status = {
    ...at.status,
    target: tier,
    targetSinceMs: nowMs,
    tasks: tier === "fargate" ? bounded : 0,
  };
  const event: EngineEvent = {
    atMs: nowMs,
    type: "decision",
    phase,
    message: `target ${tier}: ${reason}`,
    data: { target: tier, tasks: status.tasks },
  };
  return { status, events: [event], held: null };
}

/** Turns the target to Lambda and keeps it there for an exponentially growing time. */
function afterFailure(at: Situation, reason: string): Choice {
  const { status, settings, nowMs, phase } = at;
  const backoffMs = Math.min(settings.backoffMaxMs, settings.backoffMs * 2 ** status.failures);
  const turned = status.target === "fargate";
  const failed: Status = {
    ...status,
    target: "lambda",
    targetSinceMs: turned ? nowMs : status.targetSinceMs,
    tasks: 0,
    holdUntilMs: nowMs + backoffMs,
    failures: Math.min(status.failures + 1, 30),
  };
  const next = turned ? "target lambda" : "keeps trying";
  const event: EngineEvent = {
    atMs: nowMs,
    type: "failure",
    phase,
    message: `${next}: ${reason}; no burst for ${Math.round(backoffMs / 1000)} s`,
    data: { reason, failures: failed.failures, backoffMs },
  };
  return { status: failed, events: [event], held: null };
}

/** Why the way to Fargate, or staying on it, must be given up; `null` if nothing is wrong. */
function failureOf(at: Situation): string | null {
  const { status, world, settings, nowMs, phase } = at;
  if (status.target === "lambda") return overdueRemoval(at);
  const { fargate } = world;
  if (fargate.state === "failed") return `Fargate failed: ${fargate.failure ?? "no reason given"}`;
  if (status.route.fargate > 0 && fargate.state !== "ready") {
    return `Fargate carries ${status.route.fargate} % but is ${fargate.state}`;
  }
  if (phase === "shifting") {
    const worse = errorShareWorse(world.recent.fargate, world.recent.lambda, settings);
    if (worse !== null) return `Fargate answers with errors: ${worse}`;
  }
  if (phase !== "provisioning" && phase !== "shifting") return null;
  const since = nowMs - lastProgressMs(status, phase);
  const deadline = settings.deadlineMs[phase];
  if (since <= deadline) return null;
  const seconds = (ms: number): number => Math.round(ms / 1000);
  return `${phase} took ${seconds(since)} s, longer than ${seconds(deadline)} s`;
}

/** A removal past its deadline is told, at growing intervals, and goes on. */
function overdueRemoval(at: Situation): string | null {
  const { status, world, settings, nowMs, phase } = at;
  if (phase !== "deprovisioning") return null;
  if (status.holdUntilMs !== null && status.holdUntilMs > nowMs) return null;
  const since = nowMs - lastProgressMs(status, phase);
  if (since <= settings.deadlineMs.deprovisioning) return null;
  const why = world.fargate.failure ?? `Fargate is ${world.fargate.state}`;
  return `removal takes ${Math.round(since / 1000)} s already: ${why}`;
}

/** Lambda answering worse than Fargate while it takes over again. */
function downShiftFails(at: Situation): string | null {
  const { status, world, settings, phase } = at;
  if (status.target !== "lambda" || phase !== "shifting" || isRetreat(at)) return null;
  if (!fargateServes(world, settings)) return null;
  const worse = errorShareWorse(world.recent.lambda, world.recent.fargate, settings);
  return worse === null ? null : `Lambda answers with errors: ${worse}`;
}

/** On the way back to Lambda because Fargate failed: nothing may slow it down. */
export function isRetreat(at: Omit<Situation, "phase">): boolean {
  const { holdUntilMs, failures } = at.status;
  return failures > 0 && holdUntilMs !== null && holdUntilMs > at.nowMs;
}

/** When the present wait began: the last step that was made. Flapping health is no progress. */
function lastProgressMs(status: Status, phase: Phase): number {
  if (phase === "provisioning") return status.targetSinceMs;
  return Math.max(status.targetSinceMs, status.shiftedAtMs ?? 0, status.syncedAtMs ?? 0);
}

function errorShareWorse(
  fresh: RecentTraffic,
  old: RecentTraffic,
  settings: EngineSettings,
): string | null {
  if (fresh.requests < settings.errorRequestsMin) return null;
  const freshShare = fresh.errors / fresh.requests;
  const oldShare = old.requests > 0 ? old.errors / old.requests : 0;
  if (freshShare <= oldShare + settings.errorMargin) return null;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return `${percent(freshShare)} of ${fresh.requests} against ${percent(oldShare)}`;
}
