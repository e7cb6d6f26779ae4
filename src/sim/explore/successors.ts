/** Every state that can follow another one: ticks, time, and everything that may go wrong. */
import { type Change, changed, hiddenCodes, viewOf } from "./codec.ts";
import { type AbstractState, extender, hasPending, initialState, stands } from "./state.ts";
import { type Tick, ticksOf } from "./step.ts";
import {
  applied,
  crashed,
  happenings,
  harmOfStep,
  later,
  losesExtender,
  type Visit,
} from "./world.ts";

/** Told when a step breaks a property. */
export type Accuse = (property: string, happened: string) => void;

/** Told the code of a successor. */
export type Follow = (code: number, happened: string) => void;

/** The steps that the engine may take in a state with a code. */
export type Steps = (code: number, state: AbstractState) => readonly Tick[];

const extenderCode = changed(0, initialState, { client: extender });

/** What the engine cannot see, as if nothing of it were there. */
const unseen: Change = {
  lingering: false,
  client: 0,
  pendingProvision: 0,
  pendingRoute: -1,
  pendingRemoval: false,
  excused: false,
  before: null,
};

/** `ticksOf` with a memory: many states look the same to the engine. */
export function rememberedSteps(): { readonly steps: Steps; readonly views: () => number } {
  const known = new Map<number, readonly Tick[]>();
  const steps: Steps = (code, state) => {
    const view = viewOf(code);
    let outcomes = known.get(view);
    if (outcomes === undefined) {
      outcomes = ticksOf({ ...state, ...unseen });
      known.set(view, outcomes);
    }
    return outcomes;
  };
  return { steps, views: () => known.size };
}

/** Tells the codes of all successors, and all broken properties of the steps to them. */
export function successors(
  code: number,
  state: AbstractState,
  steps: Steps,
  follow: Follow,
  accuse: Accuse,
): void {
  const visit: Visit = (change, happened) => follow(changed(code, state, change), happened);
  visit(later(state), "time passes");
  happenings(state, visit);
  if (hasPending(state)) {
    visit(applied(state), "the controller applies the next action");
    visit(crashed, "the controller dies between commit and apply");
    return;
  }
  ticks({ code, state, truth: state }, steps, follow, accuse);
  const { before } = state;
  if (before === null || before === state.stack) return;
  const back = changed(code, state, { stack: before }) - code;
  ticks(
    { code: code + back, state: { ...state, stack: before }, truth: state },
    steps,
    (next, happened) => follow(next - back, `${happened} after a stale answer`),
    (property, happened) => accuse(property, `${happened} after a stale answer`),
  );
}

interface Look {
  readonly code: number;
  readonly state: AbstractState;
  /** Differs from `state` by what a stale answer shows. */
  readonly truth: AbstractState;
}

/** Every tick of a controller that takes this look. */
function ticks(look: Look, steps: Steps, follow: Follow, accuse: Accuse): void {
  const { code, state, truth } = look;
  const busy = truth.client === extender && stands(truth.stack);
  const hidden = code % hiddenCodes;
  for (const tick of steps(code, state)) {
    if (busy && !tick.inUse) continue;
    const property = tick.violation ?? harmOfStep(truth, tick.pendingRoute);
    if (property !== null) accuse(property, tellTick(state, tick.code));
    else {
      const next = tick.code + hidden;
      const loses = losesExtender(truth, tick.pendingRoute);
      follow(loses ? next - extenderCode : next, "the controller ticks");
    }
  }
}

/** A tick in words. */
function tellTick(state: AbstractState, code: number): string {
  let told = "the controller ticks";
  ticksOf({ ...state, ...unseen }, (found, seen) => {
    const sights = [...seen].map(([subject, sight]) => `${subject} ${sight}`);
    if (found === code && sights.length > 0) told = `the controller ticks: ${sights.join(", ")}`;
  });
  return told;
}
