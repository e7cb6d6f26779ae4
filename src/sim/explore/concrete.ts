/**
 * From ages to a status that the engine can work with, and back.
 *
 * An age at its cap stands for every older one. `older` asks for another of those: the step must
 * come out the same, or the abstraction would hide something.
 */
import { initialStatus, sameRoute } from "../../core/status.ts";
import type { Status } from "../../core/types.ts";
import { type AbstractState, ageMax, proofSettings, routes } from "./state.ts";

/** The present: late enough for the oldest age. */
export const nowMs = 1_000_000;

const farOlder = 5000;

/** A status that `state` stands for; `failed` if the last way failed, however long ago. */
export function statusOf(state: AbstractState, older: boolean, failed: boolean): Status {
  const since = (age: number, cap: number): number =>
    nowMs - age - (older && age >= cap ? farOlder : 0);
  const known = (age: number, cap: number): number | null => (age < 0 ? null : since(age, cap));
  const expired = older ? nowMs - 7 : null;
  return {
    ...initialStatus(),
    revision: older ? 70 : 1,
    target: state.target,
    targetSinceMs: since(state.targetAge, ageMax),
    tasks: state.target === "fargate" ? 1 : 0,
    route: routes[state.route] ?? routes[0] ?? initialStatus().route,
    shiftedAtMs: known(state.shiftedAge, ageMax),
    syncedAtMs: known(state.syncedAge, ageMax),
    healthySinceMs: known(state.healthyAge, proofSettings.healthyMs),
    probesOk: state.probes,
    holdUntilMs: state.hold > 0 ? nowMs + state.hold : expired,
    failures: state.hold > 0 || failed ? 1 + (older ? 3 : 0) : 0,
    override: state.override === null ? null : { tier: state.override, untilMs: null },
  };
}

/** What of `status` the abstraction keeps. The rest is that of `state`. */
export function remembered(status: Status, state: AbstractState): AbstractState {
  const age = (atMs: number | null): number => (atMs === null ? -1 : nowMs - atMs);
  const hold = (status.holdUntilMs ?? 0) - nowMs;
  return {
    ...state,
    ...agesInOrder(age(status.targetSinceMs), age(status.shiftedAtMs)),
    target: status.target,
    route: routes.findIndex((route) => sameRoute(route, status.route)),
    syncedAge: Math.min(age(status.syncedAtMs), ageMax),
    healthyAge: Math.min(age(status.healthySinceMs), proofSettings.healthyMs),
    probes: status.probesOk,
    hold: Math.max(0, hold),
    override: status.override?.tier ?? null,
  };
}

/** Cuts two ages off and keeps their order, which the engine asks for. */
export function agesInOrder(
  targetAge: number,
  shiftedAge: number,
): Pick<AbstractState, "targetAge" | "shiftedAge"> {
  if (targetAge < ageMax || shiftedAge < ageMax) {
    return { targetAge: Math.min(targetAge, ageMax), shiftedAge: Math.min(shiftedAge, ageMax) };
  }
  return {
    targetAge: targetAge > shiftedAge ? ageMax + 1 : ageMax,
    shiftedAge: shiftedAge > targetAge ? ageMax + 1 : ageMax,
  };
}
