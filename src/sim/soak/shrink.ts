/** Makes a failing script short: what is not needed for the failure is left out. */
import { type Outcome, runScript } from "./run.ts";
import type { Script, ScriptEvent } from "./script.ts";

/** The shortest script found that still fails, and how. */
export interface Shrunk {
  readonly script: Script;
  readonly violation: string;
  readonly runs: number;
}

/** Runs a script and says what went wrong, if anything. */
export type Trial = (script: Script) => Promise<Pick<Outcome, "violation" | "atMs">>;

/** At most so many runs are spent on one script. */
const runsMax = 2000;

/** Shortens a failing script; `null` if it does not fail. */
export async function shrink(script: Script, trial: Trial = runScript): Promise<Shrunk | null> {
  let runs = 0;
  const failureOf = async (candidate: Script): Promise<string | null> => {
    runs += 1;
    return (await trial(candidate)).violation;
  };
  const first = await trial(script);
  if (first.violation === null) return null;
  let best = upTo(script, first.atMs);
  let violation = first.violation;
  const worse = await failureOf(best);
  if (worse === null) best = script;
  for (let size = Math.ceil(best.events.length / 2); size >= 1; ) {
    let smaller = false;
    for (let from = 0; from < best.events.length && runs < runsMax; ) {
      const events = [...best.events.slice(0, from), ...best.events.slice(from + size)];
      const candidate = { ...best, events };
      const found = await failureOf(candidate);
      if (found === null) from += size;
      else {
        best = candidate;
        violation = found;
        smaller = true;
      }
    }
    if (runs >= runsMax || (size === 1 && !smaller)) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return { script: best, violation, runs };
}

/** What comes after the failure cannot have caused it. */
function upTo(script: Script, atMs: number): Script {
  const events = script.events.filter((event: ScriptEvent) => event.atMs <= atMs);
  return { ...script, events, endMs: Math.min(script.endMs, Math.ceil(atMs)) };
}
