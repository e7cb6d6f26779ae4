/** One tick: observe → decide → reconcile → check → commit → apply. */
import { assertInvariants } from "./invariants.ts";
import { phaseOf } from "./phase.ts";
import { reconcile } from "./reconcile.ts";
import {
  type Cloud,
  ConflictError,
  type Decision,
  type EngineSettings,
  type Observation,
  type Policy,
  type Sample,
  type Status,
  type Step,
} from "./types.ts";

/** What a tick did, or why it did nothing. */
export type TickResult =
  | {
      readonly ok: true;
      readonly step: Step;
      readonly decision: Decision;
      readonly world: Observation;
    }
  | {
      readonly ok: false;
      /** Which part failed; `conflict` means that another controller was faster. */
      readonly during: "observe" | "commit" | "conflict" | "apply";
      readonly error: Error;
      /** What was committed before it failed, so that it can be told; `null` if nothing was. */
      readonly step: Step | null;
      readonly requeueAfterMs: number;
    };

/**
 * Runs one tick. Operating failures are those of the cloud: they are returned, and the next tick
 * retries.
 * @throws InvariantError, or whatever a policy throws: those are bugs.
 */
export async function tick(
  cloud: Cloud,
  policy: Policy,
  settings: EngineSettings,
  nowMs: number,
): Promise<TickResult> {
  let seen: { readonly status: Status; readonly world: Observation };
  try {
    seen = await cloud.observe();
  } catch (error) {
    return failed("observe", error, null, settings);
  }
  const planned = planTick(seen.status, seen.world, policy, settings, nowMs);
  const { step } = planned;
  let during: "commit" | "apply" = "commit";
  try {
    if (step.status !== seen.status) await cloud.commit(step.status, step.events);
    during = "apply";
    for (const action of step.actions) await cloud.apply(action);
  } catch (error) {
    return failed(during, error, during === "apply" ? step : null, settings);
  }
  return { ok: true, step, decision: planned.decision, world: seen.world };
}

/** The pure part of a tick: what to commit and then to apply. Throws InvariantError. */
export function planTick(
  status: Status,
  world: Observation,
  policy: Policy,
  settings: EngineSettings,
  nowMs: number,
): { readonly step: Step; readonly decision: Decision } {
  const { decision, status: decided } = decide(status, world, policy, settings, nowMs);
  const step = numbered(reconcile(decided, world, decision, settings, nowMs), status);
  assertInvariants(status, step, world, settings, nowMs);
  return { step, decision };
}

function failed(
  during: "observe" | "commit" | "apply",
  error: unknown,
  step: Step | null,
  settings: EngineSettings,
): TickResult {
  // An assertion that an adapter makes about itself is a bug as well.
  if (!(error instanceof Error) || error.name === "AssertionError") throw error;
  const conflict = error instanceof ConflictError;
  const requeueAfterMs = settings.pollMs;
  return { ok: false, during: conflict ? "conflict" : during, error, step, requeueAfterMs };
}

/** Whatever changes, and whatever acts, is committed under the next revision first. */
function numbered(step: Step, before: Status): Step {
  if (step.status === before && step.actions.length === 0) return step;
  return { ...step, status: { ...step.status, revision: before.revision + 1 } };
}

/** Lets the policy see each closed window once, in order. */
function decide(
  status: Status,
  world: Observation,
  policy: Policy,
  settings: EngineSettings,
  nowMs: number,
): { readonly decision: Decision; readonly status: Status } {
  const fresh = unseen(world.samples, status.windowSeenMs);
  const view = {
    nowMs,
    target: status.target,
    targetSinceMs: status.targetSinceMs,
    phase: phaseOf(status, world, settings, nowMs),
    alarms: world.alarms,
    samples: fresh,
  };
  const { decision, policyState } = policy.decide(view, status.policyState);
  const last = fresh.at(-1);
  if (last === undefined && policyState === status.policyState) return { decision, status };
  const windowSeenMs = last === undefined ? status.windowSeenMs : last.startMs;
  return { decision, status: { ...status, policyState, windowSeenMs } };
}

function unseen(samples: readonly Sample[], seenMs: number): readonly Sample[] {
  let index = samples.length;
  while (index > 0 && (samples[index - 1]?.startMs ?? 0) > seenMs) index -= 1;
  return index === 0 ? samples : samples.slice(index);
}
