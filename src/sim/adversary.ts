/**
 * The adaptive adversary: traffic that watches the policy and always does what hurts it.
 *
 * While Lambda serves, the rate is as high as it may be; while Fargate serves there is none. Any
 * deterministic policy can be fooled like this; the question is by how much.
 */
import type { Policy } from "../core/types.ts";
import { type Economics, fargateMinuteUsd, lambdaMinuteUsd } from "../policies/economics.ts";
import { minuteCosts } from "./model.ts";
import { optimumUsd } from "./optimum.ts";
import { replay } from "./replay.ts";

/** What the adversary may do. */
export interface AdversaryOptions {
  readonly minutes: number;
  readonly rpsMax: number;
  /** When it sends: while Lambda serves, or only until a deployment has begun. */
  readonly strategy: "serving" | "target";
}

/** What it achieved, against the bound that the counter is proven to keep. */
export interface AdversaryResult {
  readonly costUsd: number;
  readonly optimumUsd: number;
  readonly ratio: number;
  readonly cycles: number;
  /** Holds for traffic that follows the target; the way down is taken as harmless. */
  readonly boundUsd: number;
  /** Holds for any traffic: a way down under full load costs its minutes too. */
  readonly boundAnyUsd: number;
  readonly rps: Float64Array;
}

/** Plays the adversary against a policy. */
export function playAdversary(
  policy: Policy,
  economics: Economics,
  options: AdversaryOptions,
): AdversaryResult {
  const { minutes, rpsMax, strategy } = options;
  const costs = minuteCosts(new Float64Array(minutes), economics);
  const onFargate = economics.upMinutes + 1;
  const lambdaUsd = lambdaMinuteUsd(economics, rpsMax);
  const fargateUsd = fargateMinuteUsd(economics, rpsMax);
  let cycles = 0;
  const { costUsd } = replay(costs, policy, {
    beforeMinute(minute, code) {
      if (code === 1) cycles += 1;
      const hits = strategy === "serving" ? code !== onFargate : code === 0 || code > onFargate;
      if (!hits) return;
      costs.rps[minute] = rpsMax;
      costs.lambdaUsd[minute] = lambdaUsd;
      costs.fargateUsd[minute] = fargateUsd;
    },
  });
  const optimum = optimumUsd(costs);
  const savedUsd = Math.max(0, lambdaUsd - fargateUsd);
  const boundUsd = competitiveBoundUsd(economics, { optimum, cycles, savedUsd, rpsMax });
  const boundAnyUsd = boundUsd + (cycles + 1) * economics.downMinutes * savedUsd;
  const ratio = costUsd / optimum;
  return { costUsd, optimumUsd: optimum, ratio, cycles, boundUsd, boundAnyUsd, rps: costs.rps };
}

/**
 * `(3 − 2/ρ)·OPT + cycles·Lup·(c_L − c_F)(r_max) + overshoot`, where the overshoot of a cycle is
 * the minute that crosses the limit and the minutes that the metrics are late.
 */
export function competitiveBoundUsd(
  economics: Economics,
  met: {
    readonly optimum: number;
    readonly cycles: number;
    readonly savedUsd: number;
    readonly rpsMax: number;
  },
): number {
  const { upMinutes, metricLagMinutes, cycleUsd } = economics;
  const { optimum, cycles, savedUsd, rpsMax } = met;
  const ratio = lambdaMinuteUsd(economics, rpsMax) / fargateMinuteUsd(economics, rpsMax);
  const factor = 3 - 2 / Math.max(1, ratio);
  const late = 1 + metricLagMinutes;
  return factor * optimum + (cycles + 1) * (upMinutes + late) * savedUsd + cycleUsd;
}
