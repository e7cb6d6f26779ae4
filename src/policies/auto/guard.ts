/**
 * The guard: the optimum of the traffic seen so far against the bill of `auto` itself.
 *
 * Following a leader has no worst-case bound; the counter has one. When the own bill exceeds what
 * the counter could have cost at most, the guard hands over to the counter until the traffic has
 * paid the excess back, and asks for twice as much the next time.
 */

import type { MinutePrices } from "../course.ts";
import type { Economics } from "../economics.ts";

/** Everything the guard remembers. */
export interface Guard {
  /** The optimum's cost so far when it ends on Lambda, and on Fargate. */
  readonly onLambdaUsd: number;
  readonly onFargateUsd: number;
  /** Costs of the ways under way, by the minute they began, less what was paid before it. */
  readonly upUsd: readonly number[];
  readonly downUsd: readonly number[];
  readonly paidUsd: number;
  readonly minutes: number;
  readonly ownUsd: number;
  /** Own ways up so far: each may pay for the delay once. */
  readonly cycles: number;
  readonly savedMaxUsd: number;
  readonly ratioMax: number;
  readonly holds: boolean;
  readonly falls: number;
}

/** A way that nobody is on. Finite, because JSON knows no Infinity. */
const unreachedUsd = 1e300;

/** The guard before any traffic. */
export function newGuard(economics: Economics): Guard {
  return {
    onLambdaUsd: 0,
    onFargateUsd: 0,
    upUsd: Array.from({ length: economics.upMinutes }, () => unreachedUsd),
    downUsd: Array.from({ length: economics.downMinutes }, () => unreachedUsd),
    paidUsd: 0,
    minutes: 0,
    ownUsd: 0,
    cycles: 0,
    savedMaxUsd: 0,
    ratioMax: 1,
    holds: false,
    falls: 0,
  };
}

/** Takes in one minute: its prices, what the policy itself paid in it, and whether it went up. */
export function guarded(
  guard: Guard,
  prices: MinutePrices,
  ownUsd: number,
  wentUp: boolean,
  economics: Economics,
): Guard {
  const [lambdaUsd, wayUsd, , fargateUsd] = prices;
  const upUsd = guard.upUsd.slice();
  const downUsd = guard.downUsd.slice();
  const upSlot = guard.minutes % upUsd.length;
  const downSlot = guard.minutes % downUsd.length;
  let onFargate = guard.onFargateUsd;
  let onLambda = guard.onLambdaUsd;
  onFargate = Math.min(onFargate, (upUsd[upSlot] ?? unreachedUsd) + guard.paidUsd);
  onLambda = Math.min(onLambda, (downUsd[downSlot] ?? unreachedUsd) + guard.paidUsd);
  upUsd[upSlot] = onLambda - guard.paidUsd;
  downUsd[downSlot] = onFargate + economics.removalUsd - guard.paidUsd;
  const saved = lambdaUsd - fargateUsd;
  const ratio = lambdaUsd / fargateUsd;
  const next = {
    onLambdaUsd: onLambda + lambdaUsd,
    onFargateUsd: onFargate + fargateUsd,
    upUsd,
    downUsd,
    paidUsd: guard.paidUsd + wayUsd,
    minutes: guard.minutes + 1,
    ownUsd: guard.ownUsd + ownUsd,
    cycles: guard.cycles + (wentUp ? 1 : 0),
    savedMaxUsd: saved > guard.savedMaxUsd ? saved : guard.savedMaxUsd,
    ratioMax: ratio > guard.ratioMax ? ratio : guard.ratioMax,
    holds: guard.holds,
    falls: guard.falls,
  };
  const spareUsd = boundUsd(next, economics) - next.ownUsd;
  if (!next.holds && spareUsd < 0) {
    next.holds = true;
    next.falls += 1;
  } else if (next.holds && spareUsd > economics.cycleUsd * 2 ** Math.min(next.falls, 40)) {
    next.holds = false;
  }
  return next;
}

/** The least that any plan could have cost so far. */
export function optimumSoFarUsd(guard: Guard): number {
  return Math.min(guard.onLambdaUsd, guard.onFargateUsd);
}

/**
 * What the counter could have cost at most: (3 − 2/ρ) times the optimum, and for each cycle the
 * delay at the highest rate seen, and the stay that a dwell forces.
 */
export function boundUsd(guard: Guard, economics: Economics): number {
  const { upMinutes, metricLagMinutes, cycleUsd, stayMinutes, baseUsdPerMinute } = economics;
  const delayUsd =
    (upMinutes + metricLagMinutes + 1) * guard.savedMaxUsd + stayMinutes * baseUsdPerMinute;
  const factor = 3 - 2 / guard.ratioMax;
  return factor * optimumSoFarUsd(guard) + (guard.cycles + 1) * delayUsd + cycleUsd;
}
