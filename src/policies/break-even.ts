/**
 * The break-even policy: plain alarms whose thresholds follow from prices, memory and duration.
 *
 * Twice the break-even rate for a quarter of an hour pays for the way up; two hours below it say
 * that the burst is over. Simple enough to be set as CloudWatch alarms by hand.
 */
import type { Decision, Policy, PolicyState } from "../core/types.ts";
import { demandOf } from "./demand.ts";
import type { Economics } from "./economics.ts";
import { holdFor, targetFor } from "./wording.ts";

/** Settings of the break-even policy. */
export interface BreakEvenOptions {
  readonly economics: Economics;
  readonly tasksMax: number;
  /** Rate that counts as busy, in units of the break-even rate. Default 2. */
  readonly busyFactor?: number;
  /** Busy minutes in a row that move it to Fargate. Default 15. */
  readonly busyMinutes?: number;
  /** Minutes in a row below break-even that move it back. Default 120. */
  readonly quietMinutes?: number;
}

interface Memory {
  readonly busy: number;
  readonly quiet: number;
  readonly rps: number;
}

/** Makes the policy. */
export function breakEvenPolicy(options: BreakEvenOptions): Policy {
  const { economics, tasksMax, busyFactor = 2, busyMinutes = 15, quietMinutes = 120 } = options;
  const { breakEvenRps } = economics;
  const busyRps = busyFactor * breakEvenRps;
  return {
    name: "break-even",
    decide(view, state) {
      const before = recall(state);
      let { busy, quiet, rps } = before;
      const windows = demandOf(view);
      for (const window of windows) {
        rps = window.rps;
        busy = rps > busyRps ? busy + window.minutes : 0;
        quiet = rps < breakEvenRps ? quiet + window.minutes : 0;
      }
      const numbers = (): string =>
        `${rps.toFixed(1)} requests/s, above ${busyRps.toFixed(1)} for ${busy} of ${busyMinutes} ` +
        `minutes, below ${breakEvenRps.toFixed(1)} for ${quiet} of ${quietMinutes}`;
      const size = { economics, tasksMax, rps };
      let decision: Decision = holdFor(numbers);
      if (view.target === "lambda" && busy >= busyMinutes) {
        decision = targetFor("fargate", size, numbers);
      } else if (view.target === "fargate" && quiet >= quietMinutes) {
        decision = targetFor("lambda", size, numbers);
      }
      return { decision, policyState: windows.length === 0 ? state : { busy, quiet, rps } };
    },
  };
}

function recall(state: PolicyState): Memory {
  const { busy, quiet, rps } = state;
  const known = typeof busy === "number" && typeof quiet === "number" && typeof rps === "number";
  return known ? { busy, quiet, rps } : { busy: 0, quiet: 0, rps: 0 };
}
