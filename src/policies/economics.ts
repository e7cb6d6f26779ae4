/**
 * What a policy must know about money: one minute on either tier, and one change of tiers.
 *
 * Rates are requests per second, amounts USD. Coefficients come from the price arithmetic of the
 * core; they are taken out once because a simulated year asks for them half a million times.
 */
import {
  balancerUsdPerHour,
  breakEvenRequestsPerSecond,
  type CostProfile,
  lambdaRateUsdPerHour,
  lcuRateUsdPerHour,
  profileDefault,
  taskUsdPerHour,
} from "../core/cost.ts";
import { type Prices, usEast1 } from "../core/prices.ts";

/** How long a change of tiers takes, and how late its reasons are seen. */
export interface SwitchTimes {
  /** From the decision until Fargate serves; Lambda serves meanwhile and both are paid. */
  readonly upMinutes: number;
  /** From the decision until the burst tier is gone; Lambda serves and both are paid. */
  readonly downMinutes: number;
  /** Age of the newest metric window when a decision is made. */
  readonly metricLagMinutes: number;
  /** Balancer hours lost to rounding per removal: half of one on average. */
  readonly balancerHoursLost: number;
}

/** The times of the policy benchmark. */
export const switchTimesDefault: SwitchTimes = {
  upMinutes: 6,
  downMinutes: 10,
  metricLagMinutes: 2,
  balancerHoursLost: 0.5,
};

/** The coefficients of the cost model. */
export interface Economics extends SwitchTimes {
  readonly lambdaUsdPerMinutePerRps: number;
  readonly balancerUsdPerMinute: number;
  readonly taskUsdPerMinute: number;
  readonly capacityUsdPerMinutePerRps: number;
  readonly tasksMin: number;
  readonly rpsPerTask: number;
  /** The burst tier with its fewest tasks and no request. */
  readonly baseUsdPerMinute: number;
  readonly removalUsd: number;
  /** From this rate on Fargate is cheaper; Infinity if it never is. */
  readonly breakEvenRps: number;
  /** B: one way up and one way down with nothing gained in between. */
  readonly cycleUsd: number;
}

/** Takes the coefficients out of a profile, a price list and the times of a switch. */
export function economicsOf(
  profile: CostProfile = profileDefault,
  times: SwitchTimes = switchTimesDefault,
  prices: Prices = usEast1,
): Economics {
  const balancerUsdPerMinute = balancerUsdPerHour(profile, prices) / 60;
  const taskUsdPerMinute = taskUsdPerHour(profile, prices) / 60;
  const baseUsdPerMinute = balancerUsdPerMinute + profile.tasksMin * taskUsdPerMinute;
  const removalUsd = times.balancerHoursLost * prices.balancerUsdPerHour;
  return {
    ...times,
    lambdaUsdPerMinutePerRps: lambdaRateUsdPerHour(1, profile, prices) / 60,
    balancerUsdPerMinute,
    taskUsdPerMinute,
    capacityUsdPerMinutePerRps: lcuRateUsdPerHour(1, profile, prices) / 60,
    tasksMin: profile.tasksMin,
    rpsPerTask: profile.requestsPerSecondPerTask,
    baseUsdPerMinute,
    removalUsd,
    breakEvenRps: breakEvenRequestsPerSecond(profile, prices),
    cycleUsd: (times.upMinutes + times.downMinutes) * baseUsdPerMinute + removalUsd,
  };
}

/** One minute on Lambda. */
export function lambdaMinuteUsd(economics: Economics, rps: number): number {
  return economics.lambdaUsdPerMinutePerRps * rps;
}

/** One minute on Fargate, scaled ideally. */
export function fargateMinuteUsd(economics: Economics, rps: number): number {
  const { tasksMin, rpsPerTask, taskUsdPerMinute, capacityUsdPerMinutePerRps } = economics;
  const tasks = Math.max(tasksMin, Math.ceil(rps / rpsPerTask));
  return (
    economics.balancerUsdPerMinute + tasks * taskUsdPerMinute + capacityUsdPerMinutePerRps * rps
  );
}

/** What Fargate saves in one minute at a rate; negative below break-even. */
export function savedMinuteUsd(economics: Economics, rps: number): number {
  return lambdaMinuteUsd(economics, rps) - fargateMinuteUsd(economics, rps);
}
