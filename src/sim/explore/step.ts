/** One tick of the real engine on an abstract state: every step that it may commit from there. */
import { InvariantError } from "../../core/invariants.ts";
import { planTick } from "../../core/tick.ts";
import type { Step } from "../../core/types.ts";
import { everyLook, type Seen } from "./choices.ts";
import { encode } from "./codec.ts";
import { nowMs, remembered, statusOf } from "./concrete.ts";
import { anyPolicy, type Look, observationOf } from "./sights.ts";
import {
  type AbstractState,
  proofSettings,
  type RouteIndex,
  routes,
  weighted,
  weightless,
} from "./state.ts";

/** A step that is committed, with what is to be applied then pending. */
export interface Outcome {
  readonly after: AbstractState;
  /** The invariant that it breaks, `null` if it breaks none. */
  readonly violation: string | null;
}

/** What of an outcome has to be kept, for millions of them. */
export interface Tick {
  readonly code: number;
  readonly pendingRoute: RouteIndex;
  readonly violation: string | null;
  /** Whether it can come about while the balancer is in use. */
  readonly inUse: boolean;
}

/** The step that the engine takes. `older` asks for another status that `state` stands for. */
export function stepOf(state: AbstractState, look: Look, older = false): Outcome {
  const world = observationOf(state, look);
  // A failure that is over only matters to a record without weight; elsewhere it must not.
  const matters = state.hold === 0 && state.route === weightless;
  const status = statusOf(state, older, matters ? look("series") === "failed" : older);
  try {
    const { step } = planTick(status, world, anyPolicy(look), proofSettings, nowMs);
    const after = withActions(remembered(step.status, state), step);
    if (after === null) return { after: state, violation: "an unknown route" };
    return { after, violation: brokenBy(state, after, look) };
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error;
    return { after: state, violation: error.message };
  }
}

/** Every distinct step that may be taken; `onSeen` is told one way in which each comes about. */
export function ticksOf(
  state: AbstractState,
  onSeen?: (code: number, seen: Seen) => void,
): readonly Tick[] {
  const found = new Map<number, Tick>();
  everyLook((look, seen) => {
    const { after, violation } = checkedStep(state, look);
    const code = violation === null ? encode(after) : -1;
    const inUse = seen.get("balancer") !== "quiet";
    const known = found.get(code);
    if (known !== undefined && (known.inUse || !inUse)) return;
    found.set(code, { code, pendingRoute: after.pendingRoute, violation, inUse });
    onSeen?.(code, seen);
  });
  return [...found.values()];
}

/** The step, taken from two statuses that the state stands for: they must not come apart. */
function checkedStep(state: AbstractState, look: Look): Outcome {
  const step = stepOf(state, look);
  const other = stepOf(state, look, true);
  const same = step.violation === other.violation && encode(step.after) === encode(other.after);
  return same ? step : { after: state, violation: "the abstraction hides a difference" };
}

function withActions(state: AbstractState, step: Step): AbstractState | null {
  let pendingProvision = 0;
  let pendingRoute: RouteIndex = -1;
  let pendingRemoval = false;
  for (const action of step.actions) {
    if (action.type === "provision") pendingProvision = 1;
    else if (action.type === "deprovision") pendingRemoval = true;
    else {
      const { fargate, fargateRecord } = action.route;
      pendingRoute = routes.findIndex(
        (route) => route.fargate === fargate && route.fargateRecord === fargateRecord,
      );
      if (pendingRoute < 0) return null;
    }
  }
  if (state.route < 0) return null;
  return { ...state, pendingProvision, pendingRoute, pendingRemoval };
}

/**
 * The invariants again, in other words than the engine's own. What the engine has not looked at, it
 * may not rely on: it is looked at here.
 */
function brokenBy(before: AbstractState, after: AbstractState, look: Look): string | null {
  const { pendingRoute } = after;
  const raises = pendingRoute >= weighted && pendingRoute > before.shown;
  if (raises && before.stack !== "ready") return "1: weight for a tier that is not ready";
  if (raises && before.skew > 0) {
    return "9: weight moves while the tiers run different images";
  }
  if (addsToLambda(before, after) && look("lambda") !== "ready") {
    return "1: weight for Lambda, which is not ready or can take no more";
  }
  // Giving back what a hand took is no shift.
  if (raises && pendingRoute > before.route && look("errors") === "on Fargate") {
    return "weight for Fargate, which answers with errors";
  }
  if (after.pendingRemoval) {
    if (before.shown > 0 || !before.inSync || after.target !== "lambda") {
      return "3: removal while DNS knows Fargate";
    }
    if (after.pendingRoute > 0) return "3: removal and weight in one step";
  }
  if (pendingRoute === 0 && before.shown >= weighted) {
    const ours = before.shown === before.route;
    if (ours && before.stack === "ready") return "3: a record with weight is removed";
  }
  return dwellBroken(before, after) ? "8: opposite transition before the dwell" : null;
}

/** Whether Lambda gets weight of a tier that serves, and that nothing forces it to take. */
function addsToLambda({ shown, route, stack }: AbstractState, after: AbstractState): boolean {
  const { pendingRoute, hold } = after;
  const shareOf = (index: RouteIndex): number => routes[index]?.lambda ?? 100;
  const held = Math.max(shareOf(shown), shareOf(route));
  return pendingRoute >= 0 && shareOf(pendingRoute) > held && stack === "ready" && hold === 0;
}

/** Only a failure, the owner, or traffic that finds the tier still there may cut a stay short. */
function dwellBroken(before: AbstractState, after: AbstractState): boolean {
  if (before.target === after.target || before.override !== null) return false;
  if (after.target === "fargate") {
    const stillThere = before.route > 0 && before.stack === "ready" && before.skew === 0;
    return !stillThere && before.targetAge < proofSettings.dwellLambdaMs;
  }
  return after.hold === 0 && before.targetAge < proofSettings.dwellFargateMs;
}
