/**
 * A course: where a policy stands in the cost model, as one small whole number.
 *
 * 0 = Lambda, 1..U = deploying, U+1 = Fargate, then D minutes of draining, then the minutes on
 * Fargate that a dwell forces, then those on Lambda. Only on 0 and U+1 does a wish take effect: a
 * way that was begun is finished, which is what a real deployment does to within the minutes that
 * the model has.
 */
import { type Economics, fargateMinuteUsd, lambdaMinuteUsd } from "./economics.ts";

/** What a minute costs depends on what it is spent with. */
export const minuteKinds = { lambda: 0, way: 1, leaving: 2, fargate: 3, arrived: 4 } as const;

/** Everything about courses under one cost model, looked up by code. */
export interface Courses {
  /** The next minute's code when nothing is decided. */
  readonly next: Uint16Array;
  /** Which of `minuteKinds` a minute is. */
  readonly kind: Uint8Array;
  /** 1 where the course leads to Fargate or is there: what an engine calls the target. */
  readonly heads: Uint8Array;
  /** The code of Fargate where a wish takes effect; Lambda's is 0. */
  readonly onFargate: number;
}

/** The courses of a cost model. */
export function coursesOf(economics: Economics): Courses {
  const { upMinutes, downMinutes, stayMinutes, dwellLambdaMinutes, scaleInMinutes } = economics;
  const onFargate = upMinutes + 1;
  const drained = onFargate + downMinutes;
  const stayed = drained + stayMinutes;
  const rested = stayed + Math.max(0, dwellLambdaMinutes - downMinutes);
  const next = Uint16Array.from({ length: rested + 1 }, (_, code) => code + 1);
  next[0] = 0;
  next[onFargate] = onFargate;
  next[upMinutes] = stayed > drained ? drained + 1 : onFargate;
  next[drained] = rested > stayed ? stayed + 1 : 0;
  if (stayed > drained) next[stayed] = onFargate;
  if (rested > stayed) next[rested] = 0;
  const { lambda, way, leaving, fargate, arrived } = minuteKinds;
  const kind = new Uint8Array(rested + 1).fill(way);
  kind[0] = lambda;
  kind[onFargate] = fargate;
  kind[onFargate + 1] = leaving;
  kind.fill(fargate, drained + 1, stayed + 1);
  kind.fill(arrived, drained + 1, Math.min(stayed, drained + scaleInMinutes) + 1);
  kind.fill(lambda, stayed + 1);
  const heads = new Uint8Array(rested + 1)
    .fill(1, 1, onFargate + 1)
    .fill(1, drained + 1, stayed + 1);
  return { next, kind, heads, onFargate };
}

/** Whether a decision takes effect: not on the way, and not during a dwell. */
export function isFree(code: number, courses: Courses): boolean {
  return code === 0 || code === courses.onFargate;
}

/** The code after a wish for a tier; where it cannot take effect it is ignored. */
export function steered(code: number, wantFargate: boolean, { onFargate }: Courses): number {
  if (code === 0 && wantFargate) return 1;
  return code === onFargate && !wantFargate ? onFargate + 1 : code;
}

/** What the kinds of minute cost at one rate, in the order of `minuteKinds`. */
export type MinutePrices = readonly [
  lambdaUsd: number,
  wayUsd: number,
  leavingUsd: number,
  fargateUsd: number,
  arrivedUsd: number,
];

/**
 * Prices one minute at a rate: on Fargate with tasks for the rate that still holds them, and just
 * arrived there with those that it was deployed for.
 */
export function minutePrices(
  economics: Economics,
  rps: number,
  heldRps: number = rps,
  deployedRps: number = heldRps,
): MinutePrices {
  const lambdaUsd = lambdaMinuteUsd(economics, rps);
  // Deploying or draining: Lambda serves, the burst tier is paid as well.
  const wayUsd = lambdaUsd + economics.baseUsdPerMinute;
  const leavingUsd = wayUsd + economics.removalUsd;
  const fargateUsd = fargateMinuteUsd(economics, rps, heldRps);
  const arrivedUsd =
    deployedRps > heldRps ? fargateMinuteUsd(economics, rps, deployedRps) : fargateUsd;
  return [lambdaUsd, wayUsd, leavingUsd, fargateUsd, arrivedUsd];
}
