/**
 * The ideal cost model of the policy benchmark, minute by minute.
 *
 * A scenario names every parameter; `minuteCosts` turns a rate per minute into the two cost arrays
 * that the optimum and the replay read.
 */
import { type CostProfile, profileDefault } from "../core/cost.ts";
import { type Prices, usEast1 } from "../core/prices.ts";
import {
  type Economics,
  economicsOf,
  fargateMinuteUsd,
  lambdaMinuteUsd,
  type SwitchTimes,
  switchTimesDefault,
} from "../policies/economics.ts";

/** Every parameter of the model. */
export interface Scenario {
  readonly profile: CostProfile;
  readonly times: SwitchTimes;
  readonly prices: Prices;
}

/** The base configuration of the benchmark. */
export const scenarioDefault: Scenario = {
  profile: profileDefault,
  times: switchTimesDefault,
  prices: usEast1,
};

/** A load under the model: rates, and what each minute of them costs on each tier. */
export interface MinuteCosts {
  readonly economics: Economics;
  /** Requests per second, one entry per minute. */
  readonly rps: Float64Array;
  readonly lambdaUsd: Float64Array;
  readonly fargateUsd: Float64Array;
}

/** The coefficients of a scenario. */
export function economicsOfScenario(scenario: Scenario): Economics {
  return economicsOf(scenario.profile, scenario.times, scenario.prices);
}

/** Prices each minute of a load on both tiers. */
export function minuteCosts(
  rps: Float64Array,
  economics: Economics = economicsOfScenario(scenarioDefault),
): MinuteCosts {
  const lambdaUsd = new Float64Array(rps.length);
  const fargateUsd = new Float64Array(rps.length);
  for (let minute = 0; minute < rps.length; minute += 1) {
    const rate = rps[minute] ?? 0;
    lambdaUsd[minute] = lambdaMinuteUsd(economics, rate);
    fargateUsd[minute] = fargateMinuteUsd(economics, rate);
  }
  return { economics, rps, lambdaUsd, fargateUsd };
}

/** Sum of an array: a static choice's cost, deployed beforehand. */
export function totalUsd(minuteUsd: Float64Array): number {
  let sum = 0;
  for (const usd of minuteUsd) sum += usd;
  return sum;
}
