/**
 * What `auto` has lost against always Lambda, and the patience that this asks for.
 *
 * Each cycle that did not pay leaves a debt of about B. Two of them are the price of trying; beyond
 * that the next way up has to have been worth three times the debt before it is taken. A service
 * that is best left on Lambda is so left there, and one that is not proves it soon enough.
 */
import type { Economics } from "../economics.ts";

/** Everything that the debt follows from. */
export interface Debt {
  /** What always Lambda would have cost so far. */
  readonly lambdaUsd: number;
  /** What staying on Lambda has cost more than Fargate would have, never below zero. */
  readonly waitedUsd: number;
}

/** Cycles that may be lost before it counts. */
const forgivenCycles = 2;

/** How often a debt must have been lost again by waiting. */
const proofFactor = 3;

/** Before any traffic. */
export const noDebt: Debt = { lambdaUsd: 0, waitedUsd: 0 };

/** Takes in one minute: what Lambda cost in it, what Fargate would have saved, where we were. */
export function indebted(
  debt: Debt,
  lambdaUsd: number,
  savedUsd: number,
  headsForFargate: boolean,
): Debt {
  const waitedUsd = headsForFargate ? 0 : Math.max(0, debt.waitedUsd + savedUsd);
  return { lambdaUsd: debt.lambdaUsd + lambdaUsd, waitedUsd };
}

/** What waiting on Lambda must have cost before the next way up. */
export function proofUsd(debt: Debt, ownUsd: number, { cycleUsd }: Economics): number {
  return Math.max(0, proofFactor * (ownUsd - debt.lambdaUsd - forgivenCycles * cycleUsd));
}
