/**
 * Events that were committed together with a status and not told yet. A controller that dies
 * between deciding and telling leaves them here, and the next one tells.
 */
import type { EngineEvent } from "../core/index.ts";
import { type Check, isNumber, listOf, object } from "../core/shape-check.ts";
import { eventProblem } from "./event-shape.ts";

/** The events of one commit. */
export interface Untold {
  readonly revision: number;
  readonly events: readonly EngineEvent[];
}

/** Commits that are kept at most; telling is tried after each, so one or two wait. */
const commitsMax = 10;

const check: Check = listOf(
  object({ revision: isNumber, events: listOf(eventProblem, 50) }),
  commitsMax,
);

/** Reads the note; one that cannot be read holds nothing. */
export function untoldOf(note: string | null): readonly Untold[] {
  try {
    const value: unknown = JSON.parse(note ?? "");
    return check(value) === null ? (value as Untold[]) : [];
  } catch {
    return [];
  }
}

/** What waits once another commit has been made; the oldest are given up for the newest. */
export function withUntold(untold: readonly Untold[], added: Untold): readonly Untold[] {
  return added.events.length === 0 ? untold : [...untold, added].slice(-commitsMax);
}
