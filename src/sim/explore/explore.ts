/** Breadth-first exploration of everything that can be reached, without sampling. */
import { CodeSet } from "./code-set.ts";
import { decode, encode } from "./codec.ts";
import { type AbstractState, initialState } from "./state.ts";
import { tellStory } from "./story.ts";
import { rememberedSteps, successors } from "./successors.ts";
import { harmIn } from "./world.ts";

/** A broken property and the shortest way to it. */
export interface Violation {
  readonly property: string;
  readonly story: readonly string[];
}

/** What was explored. */
export interface Exploration {
  /** Each with the index of the one it was reached from, `-1` for the first. */
  readonly states: CodeSet;
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** Different situations that the engine was asked about. */
  readonly views: number;
  readonly violation: Violation | null;
  /** Whether nothing was left out. */
  readonly complete: boolean;
}

/** Optional parts of an exploration. */
export interface ExploreOptions {
  readonly from?: AbstractState;
  /** Ends after so many states: a slice, not a proof. */
  readonly statesMax?: number;
  /** Told after each level. */
  readonly onLevel?: (depth: number, states: number) => void;
}

/** Explores until everything is known or something is broken. */
export function explore(options: ExploreOptions = {}): Exploration {
  const { statesMax = Number.POSITIVE_INFINITY, onLevel } = options;
  const states = new CodeSet();
  const { steps, views } = rememberedSteps();
  states.add(encode(options.from ?? initialState), -1);
  let transitions = 0;
  let depth = 0;
  let levelEnd = 1;
  let found = null as Found | null;
  let index = 0;
  const follow = (code: number): void => {
    transitions += 1;
    states.add(code, index);
  };
  const accuse = (property: string, last: string): void => {
    found ??= { property, at: index, last };
  };
  for (; index < states.size && states.size < statesMax && found === null; index += 1) {
    if (index === levelEnd) {
      depth += 1;
      onLevel?.(depth, states.size);
      levelEnd = states.size;
    }
    const code = states.at(index);
    const state = decode(code);
    const property = harmIn(state);
    if (property !== null) found = { property, at: index, last: null };
    else successors(code, state, steps, follow, accuse);
  }
  const complete = index === states.size;
  const base = { states, transitions, depth, views: views(), complete };
  return { ...base, violation: violationOf(states, found) };
}

interface Found {
  readonly property: string;
  /** The state in which it is broken, or from which the step that breaks it begins. */
  readonly at: number;
  readonly last: string | null;
}

function violationOf(states: CodeSet, found: Found | null): Violation | null {
  if (found === null) return null;
  const { property, at, last } = found;
  const story = tellStory(wayTo(states, at).map(decode));
  return { property, story: last === null ? story : [...story, last] };
}

/** Codes from the first state to number `index`. */
export function wayTo(states: CodeSet, index: number): readonly number[] {
  const way: number[] = [];
  for (let at = index; at >= 0; at = states.noteAt(at)) way.push(states.at(at));
  return way.reverse();
}
