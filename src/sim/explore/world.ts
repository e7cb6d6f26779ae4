/** What happens to the world by itself, by faults, by hand, by its owner and by its clients. */
import type { Change } from "./codec.ts";
import { agesInOrder } from "./concrete.ts";
import {
  type AbstractState,
  ageMax,
  extender,
  hasPending,
  mayAnswerFargate,
  proofSettings,
  type RouteIndex,
  routes,
  type Stack,
  stands,
  weighted,
} from "./state.ts";

/** What changes, and what happened. */
export type Visit = (change: Change, happened: string) => void;

/** One unit of time passes, and nothing else. */
export function later(state: AbstractState): Change {
  const shifted = state.shiftedAge < 0 ? -1 : state.shiftedAge + 1;
  const { healthyMs } = proofSettings;
  return {
    ...agesInOrder(state.targetAge + 1, shifted),
    syncedAge: state.syncedAge < 0 ? -1 : Math.min(state.syncedAge + 1, ageMax),
    healthyAge: state.healthyAge < 0 ? -1 : Math.min(state.healthyAge + 1, healthyMs),
    hold: Math.max(0, state.hold - 1),
    client: state.client === extender ? extender : Math.max(0, state.client - 1),
    before: null,
    excused: state.excused && !isForgiven(state),
  };
}

/** An excuse ends when no answer can lead to Fargate any more and none is about to. */
function isForgiven(state: AbstractState): boolean {
  return state.inSync && state.shown < weighted && state.route < weighted && !hasPending(state);
}

/** The first pending action takes effect. */
export function applied(state: AbstractState): Change {
  if (state.pendingProvision > 0) return { ...provisioned(state), pendingProvision: 0 };
  if (state.pendingRemoval) return { ...removed(state), pendingRemoval: false };
  return { ...showing(state, state.pendingRoute), pendingRoute: -1 };
}

/** The controller dies: what it has committed but not applied never happens. */
export const crashed: Change = { pendingProvision: 0, pendingRoute: -1, pendingRemoval: false };

function provisioned(state: AbstractState): Change {
  const outdated = state.pendingProvision === 2;
  if (state.stack === "absent") {
    return { stack: "creating", before: "absent", skew: outdated ? 1 : 0 };
  }
  // CloudFormation refuses to update what is not complete.
  return stands(state.stack) && state.skew === 1 && !outdated ? { skew: 2 } : {};
}

function removed(state: AbstractState): Change {
  if (state.stack === "absent") return { orphans: false };
  if (state.stack === "deleting") return {};
  // It was committed while DNS knew nothing of Fargate: weight that is there now came by hand.
  if (mayAnswerFargate(state)) return broken("deleting");
  // Who holds the address of a tier that was dead already loses nothing by this.
  const loses = state.stack === "ready" ? {} : { client: 0 };
  return { stack: "deleting", before: state.stack, ...loses };
}

/** Records change at once; until they are in sync some servers answer as before. */
function showing(state: AbstractState, shown: number): Change {
  if (shown === state.shown) return {};
  return { shown, inSync: false, lingering: mayAnswerFargate(state) };
}

/** The stack becomes something else. What comes by itself is not stale: a tick may be early. */
function turned(stack: Stack): Change {
  return stack === "absent" ? { stack, before: null, skew: 0 } : { stack, before: null };
}

const allInSync: Change = { inSync: true, lingering: false };

/** What must happen sooner or later once nothing is in the way. */
export function progressed(state: AbstractState): Change {
  const { stack } = state;
  const change = { ...allInSync, skew: state.skew === 2 ? 0 : state.skew };
  if (stack === "creating" || stack === "sick") return { ...change, stack: "ready" };
  return stack === "deleting" ? { ...change, stack: "absent", skew: 0 } : change;
}

/** All that may happen to the world at any moment. */
export function happenings(state: AbstractState, visit: Visit): void {
  ofItsOwn(state, visit);
  byHand(state, visit);
  byTheOwner(state, visit);
  clients(state, visit);
}

function ofItsOwn(state: AbstractState, visit: Visit): void {
  if (!state.inSync) visit(allInSync, "all DNS servers answer with the new weights");
  switch (state.stack) {
    case "creating":
      visit(turned("ready"), "the stack is complete and its targets are healthy");
      visit(turned("sick"), "the stack is complete, its targets are not healthy");
      visit(turned("failed"), "the creation of the stack fails");
      visit(turned("absent"), "the creation fails and CloudFormation removes the stack");
      break;
    case "ready":
      visit({ ...turned("sick"), client: 0 }, "all targets die");
      visit(broken("failed"), "the stack fails");
      break;
    case "sick":
      visit(turned("ready"), "targets are healthy again");
      break;
    case "deleting":
      visit(turned("absent"), "the stack is gone");
      visit({ ...turned("absent"), orphans: true }, "the stack is gone but for an orphan");
      visit(turned("undeletable"), "the removal fails");
      break;
  }
  if (state.skew === 2) {
    visit({ skew: 0 }, "the service runs the new image");
    visit({ skew: 1 }, "the update is rolled back");
  }
}

/** The tier is gone from under its clients: whoever is answered with it meanwhile is excused. */
function broken(stack: Stack): Change {
  return { ...turned(stack), client: 0, excused: true };
}

function byHand(state: AbstractState, visit: Visit): void {
  if (stands(state.stack)) visit(broken("deleting"), "somebody deletes the stack");
  for (let shown = 0; shown < routes.length; shown += 1) {
    if (shown === state.shown) continue;
    const change = showing(state, shown);
    const nowhere = shown >= weighted && !stands(state.stack);
    visit(nowhere ? { ...change, excused: true } : change, byHandStories[shown] ?? "");
  }
}

const byHandStories = routes.map(
  ({ lambda, fargate }) => `somebody changes the weights to ${lambda}/${fargate}`,
);

function byTheOwner(state: AbstractState, visit: Visit): void {
  for (const override of ["lambda", "fargate", null] as const) {
    if (override === state.override) continue;
    visit({ override, hold: 0 }, override === null ? "the owner unpins" : "the owner pins a tier");
  }
  const outdated = state.pendingProvision === 1 ? { pendingProvision: 2 } : {};
  if (state.stack !== "absent") {
    visit({ ...outdated, skew: 1 }, "a new image is deployed");
    if (state.skew > 0) visit({ ...outdated, skew: 0 }, "the image is rolled back");
  } else if (state.pendingProvision === 1) {
    visit(outdated, "a new image is deployed");
  }
}

function clients(state: AbstractState, visit: Visit): void {
  if (state.client === extender) visit({ client: 0 }, "the client leaves");
  if (state.client !== 0 || state.excused || !mayAnswerFargate(state)) return;
  // The engine believes that every server answers without Fargate: a hand changed that unseen.
  if (state.route < weighted && state.syncedAge >= 0) return;
  visit({ client: 1 }, "a client is answered with Fargate");
  if (state.route > 0 && state.shown === state.route) {
    visit({ client: extender }, "a client keeps Fargate's address");
  }
}

/** What is wrong with this state for a client, whatever the engine thinks; `null` if nothing. */
export function harmIn(state: AbstractState): string | null {
  if (state.excused || stands(state.stack)) return null;
  if (state.client !== 0) return "10: a client holds the address of a tier that was taken away";
  if (mayAnswerFargate(state)) return "1: DNS answers with a tier that does not serve";
  return null;
}

/** What is wrong with committing a step here; `null` if nothing. */
export function harmOfStep(state: AbstractState, pendingRoute: RouteIndex): string | null {
  const raises = pendingRoute >= weighted && pendingRoute > state.shown;
  if (raises && !stands(state.stack) && !state.excused) return "1: weight for a tier that is gone";
  const cuts = pendingRoute === 0 && state.shown > 0 && state.route > 0;
  if (cuts && state.stack === "ready" && state.client === extender) {
    const enough = state.syncedAge >= proofSettings.drainMaxMs;
    return enough ? null : "3: a client still comes and the longest drain is not over";
  }
  return null;
}

/** Who still keeps the address when the record goes has been waited for as long as was stated. */
export function losesExtender(state: AbstractState, pendingRoute: RouteIndex): boolean {
  return pendingRoute === 0 && state.client === extender;
}
