/**
 * Liveness: from every state, once faults have stopped, the target is reached, and how soon.
 *
 * Without faults one unit of time is: whatever was on its way arrives, then one tick. That leaves
 * one successor per state and wish, so the way to the target is a path: followed until it ends in
 * a goal that it does not leave, or in a circle.
 */
import { phaseOf } from "../../core/phase.ts";
import { calmLook } from "./choices.ts";
import { CodeSet } from "./code-set.ts";
import { decode, encode } from "./codec.ts";
import { nowMs, statusOf } from "./concrete.ts";
import { observationOf, sights } from "./sights.ts";
import { type AbstractState, extender, hasPending, proofSettings, stands } from "./state.ts";
import { stepOf } from "./step.ts";
import { changesOf } from "./story.ts";
import { applied, later, losesExtender, progressed } from "./world.ts";

/** What the policy says from then on. */
export type Wish = (typeof sights.policy)[number];

/** Whether the last way failed, before the back-off that is over. */
export type Series = (typeof sights.series)[number];

/** Where every state leads to. */
export interface Liveness {
  /** Ticks from the farthest state until the target is reached, for each wish. */
  readonly ticksMax: Readonly<Record<Wish, number>>;
  /** A way that never arrives, or leaves its goal; `null` if there is none. */
  readonly failure: { readonly wish: Wish; readonly story: readonly string[] } | null;
}

/** One unit of time without faults; `onSeries` is told when the engine asks about the last way. */
export type Unit = (
  state: AbstractState,
  wish: Wish,
  series: Series,
  onSeries: () => void,
) => AbstractState;

/** Follows the way from every state under every wish. */
export function provesLiveness(states: CodeSet, unit: Unit = afterOneTick): Liveness {
  const ticksMax: Record<Wish, number> = { holds: 0, "wants Fargate": 0, "wants Lambda": 0 };
  const calm = new CodeSet();
  for (let index = 0; index < states.size; index += 1) {
    calm.add(encode(calmedDown(decode(states.at(index)))), unknown);
  }
  for (const wish of sights.policy) {
    for (let index = 0; index < calm.size; index += 1) calm.note(index, unknown);
    for (const series of sights.series) {
      // Should a way pass a state that no exploration has found, that one is followed, too.
      for (let index = 0; index < calm.size; index += 1) {
        const story = follow(calm, index, { wish, series, unit });
        if (story !== null) return { ticksMax, failure: { wish, story } };
        ticksMax[wish] = Math.max(ticksMax[wish], calm.noteAt(index) >> 1);
      }
      // A way on which nobody asked about the former failure is the same whatever it was.
      for (let index = 0; index < calm.size; index += 1) {
        if ((calm.noteAt(index) & asked) !== 0) calm.note(index, unknown);
      }
    }
  }
  return { ticksMax, failure: null };
}

// What is noted of a state: `unknown`, `onWay` while its way is followed, then twice the ticks
// until the target is reached, plus `asked` if the engine asked on the way about the last failure.
const unknown = -2;
const onWay = -4;
const asked = 1;

/** Notes the ticks of all states on the way from here; a way that never arrives is told instead. */
function follow(
  known: CodeSet,
  from: number,
  { wish, series, unit }: { readonly wish: Wish; readonly series: Series; readonly unit: Unit },
): readonly string[] | null {
  if (known.noteAt(from) !== unknown) return null;
  const way: number[] = [];
  const askedAt: boolean[] = [];
  const tell = (...last: readonly number[]): readonly string[] =>
    tellWay([...way.map((index) => known.at(index)), ...last]);
  let index = from;
  let at = decode(known.at(from));
  while (known.noteAt(index) === unknown) {
    let asks = false;
    const next = unit(at, wish, series, () => {
      asks = true;
    });
    if (isGoal(at, wish)) {
      if (!isGoal(next, wish)) return tell(known.at(index), encode(next));
      known.note(index, asks ? asked : 0);
      break;
    }
    known.note(index, onWay);
    way.push(index);
    askedAt.push(asks);
    at = next;
    index = known.add(encode(next), unknown);
  }
  let note = known.noteAt(index);
  if (note === onWay) return tell(known.at(index));
  for (let passed = way.length - 1; passed >= 0; passed -= 1) {
    note = (note + 2) | (askedAt[passed] === true ? asked : 0);
    known.note(way[passed] ?? 0, note);
  }
  return null;
}

function tellWay(way: readonly number[]): readonly string[] {
  const states = way.map(decode);
  return states.slice(1).map((next, at) => `tick: ${changesOf(states[at] ?? next, next)}`);
}

/** What was committed is applied, and nobody but a client that keeps its address is followed. */
function calmedDown(state: AbstractState): AbstractState {
  let calm = state;
  while (hasPending(calm)) calm = { ...calm, ...applied(calm) };
  const client = calm.client === extender && stands(calm.stack) ? extender : 0;
  return { ...calm, client, lingering: false, excused: false, before: null };
}

function afterOneTick(
  state: AbstractState,
  wish: Wish,
  series: Series,
  onSeries: () => void,
): AbstractState {
  const arrived = { ...state, ...later(state), ...progressed({ ...state, ...later(state) }) };
  const balancer = arrived.client === extender ? "in use" : "quiet";
  const calm = calmLook({ policy: wish, balancer, series });
  const { after, violation } = stepOf(arrived, (subject) => {
    if (subject === "series") onSeries();
    return calm(subject);
  });
  if (violation !== null) throw new Error(`${violation}: ${JSON.stringify(arrived)}`);
  const cut = losesExtender(arrived, after.pendingRoute);
  return calmedDown(cut ? { ...after, client: 0 } : after);
}

/** Whether everything is as the owner, or else the policy, wants it. */
function isGoal(state: AbstractState, wish: Wish): boolean {
  const policy = { holds: null, "wants Fargate": "fargate", "wants Lambda": "lambda" }[wish];
  const wanted = state.override ?? policy ?? state.target;
  if (state.target !== wanted) return false;
  const agrees = state.shown === state.route && state.inSync;
  if (wanted === "lambda") {
    return agrees && state.route === 0 && state.stack === "absent" && !state.orphans;
  }
  const serves = state.route === 3 && state.stack === "ready" && state.skew === 0;
  return agrees && serves && isSteady(state);
}

function isSteady(state: AbstractState): boolean {
  const world = observationOf(state, calmLook({}));
  return phaseOf(statusOf(state, false, false), world, proofSettings, nowMs) === "steady";
}
