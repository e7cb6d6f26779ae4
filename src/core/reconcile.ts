/**
 * The pure step of the engine: facts in, actions out.
 *
 * Level-triggered: nothing here knows what happened before except through `Status`, so a lost,
 * doubled or late wake-up changes nothing, and after a crash the same facts give the same step.
 */
import { planActions } from "./actions.ts";
import { phaseOf } from "./phase.ts";
import { remember, sameRoute } from "./status.ts";
import { chooseTarget } from "./target.ts";
import type {
  Action,
  Decision,
  EngineEvent,
  EngineSettings,
  Observation,
  Phase,
  Status,
  Step,
  Wait,
} from "./types.ts";

/** Decides what to do now. The step's status keeps its revision: `tick` numbers what it commits. */
export function reconcile(
  status: Status,
  world: Observation,
  decision: Decision,
  settings: EngineSettings,
  nowMs: number,
): Step {
  const known = remember(status, world, settings, nowMs);
  const before = phaseOf(known, world, settings, nowMs);
  const choice = chooseTarget({ status: known, world, settings, nowMs, phase: before }, decision);
  const plan = planActions({ status: choice.status, world, settings, nowMs });
  const planned = settled(plan.status, world, settings, nowMs);
  const phase = phaseOf(planned, world, settings, nowMs);
  const events = [...choice.events, ...actionEvents(plan.actions, known, phase, nowMs)];
  const wait: Wait | null =
    plan.wait ??
    (choice.held && { kind: "hold", message: choice.held.reason, leftMs: choice.held.leftMs });
  return {
    phase,
    status: planned,
    actions: plan.actions,
    events,
    wait,
    requeueAfterMs: requeueAfter(phase, wait, settings),
  };
}

/** A completed way to Fargate ends the series of failures that the back-off grows with. */
function settled(
  status: Status,
  world: Observation,
  settings: EngineSettings,
  nowMs: number,
): Status {
  if (status.failures === 0 || status.target !== "fargate") return status;
  if (phaseOf(status, world, settings, nowMs) !== "steady") return status;
  return { ...status, failures: 0, holdUntilMs: null };
}

/** Waits with a known end are met exactly; what others decide is polled. */
function requeueAfter(phase: Phase, wait: Wait | null, settings: EngineSettings): number {
  if (wait === null) return settings.idleMs;
  if (wait.leftMs === null) return settings.pollMs;
  const most = phase === "steady" ? settings.idleMs : Number.MAX_SAFE_INTEGER;
  // A drain is awaited with its own end, but each poll sees failures and returning traffic.
  const bounded = wait.kind === "drain" || wait.kind === "healthy" ? settings.pollMs : most;
  return Math.max(1, Math.min(wait.leftMs, bounded));
}

function actionEvents(
  actions: readonly Action[],
  status: Status,
  phase: Phase,
  nowMs: number,
): readonly EngineEvent[] {
  return actions.map((action): EngineEvent => {
    const base = { atMs: nowMs, phase };
    if (action.type === "provision") {
      const { tasks, digest } = action;
      const message = `provision the burst tier with ${tasks} tasks of ${digest.slice(0, 19)}`;
      return { ...base, type: "provision", message, data: { tasks, digest } };
    }
    if (action.type === "deprovision") {
      return { ...base, type: "deprovision", message: "remove the burst tier", data: {} };
    }
    const { lambda, fargate, fargateRecord } = action.route;
    const from = status.route.fargate;
    const shares = `Lambda ${lambda} % / Fargate ${fargate} %`;
    let message = "remove the Fargate record, all traffic on Lambda";
    // Of a new deployment, after a change by hand, or when the order was lost.
    if (sameRoute(action.route, status.route)) message = `set the records as commanded: ${shares}`;
    else if (fargateRecord) message = `weights ${shares} (was ${from} %)`;
    return { ...base, type: "shift", message, data: { lambda, fargate, from, fargateRecord } };
  });
}
