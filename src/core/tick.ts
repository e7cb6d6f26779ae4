/** One tick: observe → decide → reconcile → check → commit → apply. */
import { assertInvariants, InvariantError } from "./invariants.ts";
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
      readonly requeueAfterMs: number;
    };

/**
 * Runs one tick. Operating failures are returned and retried by the next tick.
 * @throws InvariantError, or whatever a policy throws: those are bugs.
 */
export async function tick(
  cloud: Cloud,
  policy: Policy,
  settings: EngineSettings,
  nowMs: number,
): Promise<TickResult> {
  let during: "observe" | "commit" | "apply" = "observe";
  try {
    const { status, world } = await cloud.observe();
    const { decision, status: decided } = decide(status, world, policy, settings, nowMs);
    const planned = reconcile(decided, world, decision, settings, nowMs);
    const step = numbered(planned, status);
    assertInvariants(status, step, world, settings, nowMs);
    if (step.status !== status) {
      during = "commit";
      await cloud.commit(step.status);
    }
    during = "apply";
    for (const action of step.actions) await cloud.apply(action);
    return { ok: true, step, decision, world };
  } catch (error) {
    if (!(error instanceof Error) || isBug(error)) throw error;
    const conflict = error instanceof ConflictError;
    const requeueAfterMs = settings.pollMs;
    return { ok: false, during: conflict ? "conflict" : during, error, requeueAfterMs };
  }
}

/** Whatever changes, and whatever acts, is committed under the next revision first. */
function numbered(step: Step, before: Status): Step {
  if (step.status === before && step.actions.length === 0) return step;
  return { ...step, status: { ...step.status, revision: before.revision + 1 } };
}

function isBug(error: Error): boolean {
  return error instanceof InvariantError || error.name === "AssertionError";
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
