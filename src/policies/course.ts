/**
 * A course: where a policy stands in the cost model, as one small whole number.
 *
 * 0 = Lambda, 1..U = deploying, U+1 = Fargate, U+2..U+1+D = draining. A way that was begun is
 * finished, which is what a real deployment does to within the minutes that the model has.
 */
import { type Economics, fargateMinuteUsd, lambdaMinuteUsd } from "./economics.ts";

/** Whether the course leads to Fargate or is there: what an engine calls the target. */
export function headsForFargate(code: number, economics: Economics): boolean {
  return code >= 1 && code <= economics.upMinutes + 1;
}

/** Whether a decision takes effect: not on the way. */
export function isFree(code: number, economics: Economics): boolean {
  return code === 0 || code === economics.upMinutes + 1;
}

/** The next minute's code when nothing is decided. */
export function advanced(code: number, economics: Economics): number {
  const onFargate = economics.upMinutes + 1;
  if (code === 0 || code === onFargate) return code;
  return code === onFargate + economics.downMinutes ? 0 : code + 1;
}

/** The code after a wish for a tier; on the way wishes are ignored. */
export function steered(code: number, wantFargate: boolean, economics: Economics): number {
  if (code === 0 && wantFargate) return 1;
  const onFargate = economics.upMinutes + 1;
  return code === onFargate && !wantFargate ? onFargate + 1 : code;
}

/** What the four kinds of minute cost at one rate. */
export interface MinutePrices {
  readonly lambdaUsd: number;
  readonly fargateUsd: number;
  /** Deploying or draining: Lambda serves, the burst tier is paid as well. */
  readonly wayUsd: number;
  /** The first minute of draining also carries what removal costs. */
  readonly leavingUsd: number;
}

/** Prices one minute at a rate. */
export function minutePrices(economics: Economics, rps: number): MinutePrices {
  const lambdaUsd = lambdaMinuteUsd(economics, rps);
  const wayUsd = lambdaUsd + economics.baseUsdPerMinute;
  return {
    lambdaUsd,
    fargateUsd: fargateMinuteUsd(economics, rps),
    wayUsd,
    leavingUsd: wayUsd + economics.removalUsd,
  };
}

/** The price of a minute with a code; `onFargate` is the code of Fargate. */
export function priceOf(code: number, prices: MinutePrices, onFargate: number): number {
  if (code === 0) return prices.lambdaUsd;
  if (code === onFargate) return prices.fargateUsd;
  return code === onFargate + 1 ? prices.leavingUsd : prices.wayUsd;
}
