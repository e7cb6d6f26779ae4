/**
 * The clairvoyant optimum, by dynamic programming over {lambda, deploying 1..U, fargate,
 * draining 1..D}: O(minutes × states), one pass forward, no allocation per minute.
 *
 * Deploying and draining are rings of arrival costs: who starts a way at minute t arrives U (or D)
 * minutes later, having paid Lambda and the base in between. Both ways pay the same per minute, so
 * a running sum of that minute's cost makes each arrival a single subtraction.
 */
import type { MinuteCosts } from "./model.ts";

/** What the optimum knows. */
export interface OptimumOptions {
  /**
   * A deploy may start only when the rate one metric lag ago was at break-even or above: blind to
   * the onset, clairvoyant about the duration.
   */
  readonly onsetBlind: boolean;
}

/** Cost of the best plan; it may start on either tier. */
export function optimumUsd(
  costs: MinuteCosts,
  options: OptimumOptions = { onsetBlind: false },
): number {
  const { economics, rps, lambdaUsd, fargateUsd } = costs;
  const { upMinutes, downMinutes, removalUsd, baseUsdPerMinute } = economics;
  const lag = economics.metricLagMinutes;
  const threshold = economics.breakEvenRps;
  // Entry t % length holds the cost of a way begun at minute t, less what was paid before t.
  const up = new Float64Array(Math.max(1, upMinutes)).fill(Number.POSITIVE_INFINITY);
  const down = new Float64Array(Math.max(1, downMinutes)).fill(Number.POSITIVE_INFINITY);
  let onLambda = 0;
  let onFargate = 0;
  let paidOnTheWay = 0;
  for (let minute = 0; minute < rps.length; minute += 1) {
    const upSlot = minute % up.length;
    const downSlot = minute % down.length;
    if (minute >= upMinutes) {
      onFargate = Math.min(onFargate, (up[upSlot] ?? 0) + paidOnTheWay);
    }
    if (minute >= downMinutes) {
      onLambda = Math.min(onLambda, (down[downSlot] ?? 0) + paidOnTheWay);
    }
    const seen = minute >= lag && (rps[minute - lag] ?? 0) >= threshold;
    const mayStart = !options.onsetBlind || seen;
    up[upSlot] = mayStart ? onLambda - paidOnTheWay : Number.POSITIVE_INFINITY;
    down[downSlot] = onFargate + removalUsd - paidOnTheWay;
    const lambda = lambdaUsd[minute] ?? 0;
    onLambda += lambda;
    onFargate += fargateUsd[minute] ?? 0;
    paidOnTheWay += lambda + baseUsdPerMinute;
  }
  let best = Math.min(onLambda, onFargate);
  for (const usd of up) best = Math.min(best, usd + paidOnTheWay);
  for (const usd of down) best = Math.min(best, usd + paidOnTheWay);
  return best;
}
