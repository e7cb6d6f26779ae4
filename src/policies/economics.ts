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
import { awsDelayRanges, type DelayRanges, type SecondsRange } from "../core/delays.ts";
import { type Prices, usEast1 } from "../core/prices.ts";
import type { EngineSettings } from "../core/types.ts";

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
  /** Shortest time from a decision for Fargate to the next one. */
  readonly dwellFargateMinutes: number;
  /** Shortest time from a decision for Lambda to the next one. */
  readonly dwellLambdaMinutes: number;
  /** How long tasks stay after the rate that needed them; 0 is ideal scaling. */
  readonly scaleInMinutes: number;
}

/** The times of the policy benchmark. */
export const switchTimesDefault: SwitchTimes = {
  upMinutes: 6,
  downMinutes: 10,
  metricLagMinutes: 2,
  balancerHoursLost: 0.5,
  dwellFargateMinutes: 0,
  dwellLambdaMinutes: 0,
  scaleInMinutes: 0,
};

/** What else the times of the real engine depend on. */
export interface CloudTimes {
  readonly delays: DelayRanges;
  /** Age of a minute's sample, counted from its start. */
  readonly metricLagSeconds: SecondsRange;
  /** Minutes of low use before tasks are removed. */
  readonly scaleInMinutes: number;
}

/** AWS as it is published. */
export function cloudTimesDefault(standby: "warm" | "cold"): CloudTimes {
  return { delays: awsDelayRanges(standby), metricLagSeconds: [60, 180], scaleInMinutes: 15 };
}

/**
 * How long the engine takes with its gates, steps and drain, so that a policy can plan with it.
 * Means of the ranges. The way up ends when at least half of the traffic has moved; the way down
 * begins with its first step, because from then on both tiers are paid for.
 */
export function switchTimesOf(engine: EngineSettings, cloud: CloudTimes): SwitchTimes {
  const { delays } = cloud;
  const meanMs = ([min, max]: SecondsRange): number => ((min + max) / 2) * 1000;
  const minutes = (ms: number): number => Math.max(1, Math.round(ms / 60_000));
  const syncMs = meanMs(delays.dnsSeconds);
  const stepMs = syncMs + engine.ttlMs + engine.bakeMs;
  const stepsUp = engine.stepPercents.findIndex((percent) => percent >= 50);
  const readyMs = meanMs(delays.balancerSeconds) + meanMs(delays.taskStartSeconds);
  const stepsDown = engine.stepPercentsDown.length - 1;
  const silentMs = syncMs + 2 * engine.ttlMs + engine.drainQuietMs;
  const goneMs = syncMs + engine.ttlMs + meanMs(delays.removalSeconds);
  return {
    upMinutes: minutes(readyMs + engine.healthyMs + stepsUp * stepMs),
    downMinutes: minutes(stepsDown * stepMs + silentMs + goneMs),
    metricLagMinutes: Math.round(meanMs(cloud.metricLagSeconds) / 60_000),
    balancerHoursLost: 0.5,
    dwellFargateMinutes: Math.round(engine.dwellFargateMs / 60_000),
    dwellLambdaMinutes: Math.round(engine.dwellLambdaMs / 60_000),
    scaleInMinutes: cloud.scaleInMinutes,
  };
}

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
  /** Minutes on Fargate that a dwell adds after the way up. */
  readonly stayMinutes: number;
  /** B: one way up, the shortest stay and one way down with nothing gained. */
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
  const stayMinutes = Math.max(0, times.dwellFargateMinutes - times.upMinutes);
  const cycleMinutes = times.upMinutes + stayMinutes + times.downMinutes;
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
    stayMinutes,
    cycleUsd: cycleMinutes * baseUsdPerMinute + removalUsd,
  };
}

/** One minute on Lambda. */
export function lambdaMinuteUsd(economics: Economics, rps: number): number {
  return economics.lambdaUsdPerMinutePerRps * rps;
}

/** One minute on Fargate with the tasks that a rate needs, by default the present one. */
export function fargateMinuteUsd(
  economics: Economics,
  rps: number,
  tasksForRps: number = rps,
): number {
  const { tasksMin, rpsPerTask, taskUsdPerMinute, capacityUsdPerMinutePerRps } = economics;
  const tasks = Math.max(tasksMin, Math.ceil(tasksForRps / rpsPerTask));
  return (
    economics.balancerUsdPerMinute + tasks * taskUsdPerMinute + capacityUsdPerMinutePerRps * rps
  );
}

/** What Fargate saves in one minute at a rate; negative below break-even. */
export function savedMinuteUsd(economics: Economics, rps: number): number {
  return lambdaMinuteUsd(economics, rps) - fargateMinuteUsd(economics, rps);
}
