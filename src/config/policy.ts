/** The policy that a configuration names, as the engine of a real or local cloud runs it. */
import type { Thresholds } from "../core/alarms.ts";
import { breakEvenRequestsPerSecond, type CostProfile, profileDefault } from "../core/cost.ts";
import { type Prices, usEast1 } from "../core/prices.ts";
import type { Policy, Sample } from "../core/types.ts";
import { cloudTimesDefault, economicsOf, switchTimesOf } from "../policies/economics.ts";
import { alarmThresholdsOf, policyNamed } from "../policies/named.ts";
import { engineSettings } from "./settings.ts";
import type { Config } from "./types.ts";

/** What a policy follows from. */
export type PolicyConfig = Pick<
  Config,
  "policy" | "thresholds" | "lambda" | "fargate" | "transition" | "standby" | "frontDoor"
>;

/** What a bill is computed from; how long a request takes on Lambda is only known later. */
export function profileOf({ lambda, fargate, frontDoor }: PolicyConfig): CostProfile {
  return {
    ...profileDefault,
    architecture: lambda.architecture,
    front: frontDoor === "rest" ? "rest-api" : "http-api",
    lambdaMemoryMB: lambda.memoryMB,
    taskVcpu: fargate.vcpu,
    taskMemoryMB: fargate.memoryMB,
    tasksMin: fargate.minTasks,
    requestsPerSecondPerTask: fargate.requestsPerTaskPerMinute / 60,
  };
}

/** Makes it with the given prices: it plans with the times of the engine's settings. */
export function policyOf(config: PolicyConfig, prices: Prices = usEast1): Policy {
  const { fargate, thresholds, standby } = config;
  const times = switchTimesOf(engineSettings(config), cloudTimesDefault(standby));
  const profile = profileOf(config);
  return policyNamed(config.policy, {
    economics: economicsOf(profile, times, prices),
    economicsAt: (lambdaDurationMs) => economicsOf({ ...profile, lambdaDurationMs }, times, prices),
    thresholds,
    tasksMin: fargate.minTasks,
    tasksMax: fargate.maxTasks,
    requestsPerTaskPerMinute: fargate.requestsPerTaskPerMinute,
  });
}

/** What the alarms of a configuration ring at. */
export function alarmThresholds(config: PolicyConfig, prices: Prices = usEast1): Thresholds {
  const breakEvenRps = breakEvenRequestsPerSecond(profileOf(config), prices);
  const { concurrencyMax } = config.lambda;
  return alarmThresholdsOf(config.policy, config.thresholds, { breakEvenRps, concurrencyMax });
}

/** A window at this share of the break-even rate is worth a closer look at the ones after it. */
const stirringShare = 0.5;

/**
 * Whether a window comes near to what could move the policy, at the duration that it shows; `null`
 * for a policy that alarms alone decide for.
 */
export function stirringWindows(
  config: PolicyConfig,
  prices: Prices = usEast1,
): ((window: Sample) => boolean) | null {
  if (config.policy === "threshold") return null;
  const profile = profileOf(config);
  return ({ requests, periodMs, durationMsMean: lambdaDurationMs }) => {
    if (requests === 0) return false;
    const measured = lambdaDurationMs === undefined ? profile : { ...profile, lambdaDurationMs };
    const breakEven = breakEvenRequestsPerSecond(measured, prices);
    return (requests * 1000) / periodMs >= stirringShare * breakEven;
  };
}
