/** A way through the states as a story that a person can follow. */
import { encode } from "./codec.ts";
import { type AbstractState, routes } from "./state.ts";
import { rememberedSteps, successors } from "./successors.ts";

/** One line per step: what happened, and what it changed. */
export function tellStory(way: readonly AbstractState[]): readonly string[] {
  const { steps } = rememberedSteps();
  return way.slice(1).map((next, at) => {
    const before = way[at] ?? next;
    const code = encode(next);
    let told = "something";
    const follow = (successor: number, happened: string): void => {
      if (successor === code) told = happened;
    };
    successors(encode(before), before, steps, follow, () => undefined);
    const changes = changesOf(before, next);
    return changes === "" ? told : `${told}: ${changes}`;
  });
}

const hidden = new Set(["targetAge", "shiftedAge", "syncedAge", "before"]);

/** The fields that differ, in words. */
export function changesOf(before: AbstractState, after: AbstractState): string {
  const told: string[] = [];
  for (const key of Object.keys(after) as (keyof AbstractState)[]) {
    if (hidden.has(key) || before[key] === after[key]) continue;
    told.push(`${key} ${told1(key, before[key])} → ${told1(key, after[key])}`);
  }
  return told.join(", ");
}

function told1(key: keyof AbstractState, value: AbstractState[keyof AbstractState]): string {
  const isRoute = key === "route" || key === "shown" || key === "pendingRoute";
  if (!isRoute || typeof value !== "number") return String(value);
  const route = routes[value];
  if (route === undefined) return "none";
  return route.fargateRecord ? `${route.lambda}/${route.fargate}` : "Lambda only";
}
