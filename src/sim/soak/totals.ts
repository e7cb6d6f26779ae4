/** What many runs came to together. */
import { type Fates, noFates } from "./clients.ts";
import type { Outcome } from "./run.ts";

/** Sums over runs; plain data, so that a long range of seeds can be taken up again. */
export interface Totals {
  seeds: number;
  simulatedMs: number;
  ticks: number;
  turns: number;
  shifts: number;
  arrived: number;
  settledMsMax: number;
  fates: Fates;
  /** Seeds that failed, with what was found. */
  violations: { readonly seed: number; readonly what: string }[];
}

/** Before the first run. */
export function noTotals(): Totals {
  return {
    seeds: 0,
    simulatedMs: 0,
    ticks: 0,
    turns: 0,
    shifts: 0,
    arrived: 0,
    settledMsMax: 0,
    fates: noFates(),
    violations: [],
  };
}

/** Adds one run. */
export function addOutcome(totals: Totals, seed: number, outcome: Outcome): void {
  totals.seeds += 1;
  totals.simulatedMs += outcome.simulatedMs;
  totals.ticks += outcome.ticks;
  totals.turns += outcome.turns;
  totals.shifts += outcome.shifts;
  totals.arrived += outcome.arrived;
  totals.settledMsMax = Math.max(totals.settledMsMax, outcome.settledMs);
  for (const fate of Object.keys(totals.fates) as (keyof Fates)[]) {
    totals.fates[fate] += outcome.fates[fate];
  }
  if (outcome.violation !== null) totals.violations.push({ seed, what: outcome.violation });
}
