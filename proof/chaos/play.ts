/** Plays one scenario and judges it. */
import type { Accounted } from "./account.ts";
import type { Scenario } from "./scenarios.ts";
import { onStage, Skipped } from "./stage.ts";

/** What a scenario came to. */
export interface Outcome {
  readonly name: string;
  /** Played to its end, no failure unexplained, and nothing left running. */
  readonly ok: boolean;
  readonly requests: number;
  readonly deaths: number;
  readonly freezes: number;
  /** DNS packets. */
  readonly delayed: number;
  readonly lost: number;
  /** In flight inside a process that was killed. */
  readonly explained: readonly Accounted[];
  readonly unexplained: readonly Accounted[];
  readonly left: number;
  /** Why it could not be played here, `null` if it could. */
  readonly skipped: string | null;
  /** Why it did not come to its end, `null` if it did. */
  readonly error: string | null;
  readonly seconds: number;
}

const nothing = {
  requests: 0,
  deaths: 0,
  freezes: 0,
  delayed: 0,
  lost: 0,
  explained: [],
  unexplained: [],
  left: 0,
};

/** Plays a scenario with the chances of `seed`. */
export async function playScenario(
  { name, play }: Scenario,
  seed: number,
  say: (line: string) => void,
): Promise<Outcome> {
  const begunMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - begunMs) / 100) / 10;
  try {
    const account = await onStage(seed, say, play);
    const { failures, deaths, left } = account;
    const explained = failures.filter(({ because }) => because !== null);
    const unexplained = failures.filter(({ because }) => because === null);
    const ok = unexplained.length === 0 && left === 0;
    const error = left > 0 ? `${left} processes are left running` : null;
    const { requests, freezes, delayed, lost } = account;
    const told = { requests, deaths: deaths.length, freezes, delayed, lost, explained };
    return { name, ok, ...told, unexplained, left, skipped: null, error, seconds: seconds() };
  } catch (problem) {
    const error = problem instanceof Error ? problem.message : String(problem);
    const isSkipped = problem instanceof Skipped;
    const why = isSkipped ? { skipped: error, error: null } : { skipped: null, error };
    return { name, ok: isSkipped, ...nothing, ...why, seconds: seconds() };
  }
}
