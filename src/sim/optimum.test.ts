import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { profileDefault } from "../core/cost.ts";
import { coursesOf, isFree, minutePrices, steered } from "../policies/course.ts";
import { economicsOf, switchTimesDefault } from "../policies/economics.ts";
import { minuteCosts, totalUsd } from "./model.ts";
import { optimumUsd } from "./optimum.ts";

const economics = economicsOf();

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 1e-3, `${actual} is not within 0.1 % of ${expected}`);
}

function load(...spans: readonly (readonly [minutes: number, rps: number])[]): Float64Array {
  return Float64Array.from(spans.flatMap(([minutes, rps]) => Array<number>(minutes).fill(rps)));
}

// By hand, from the list prices:
//   Lambda, per request: 0.20e-6 + 1.00e-6 + 0.5 GB · 0.05 s · 1.66667e-5 = 1.6166675e-6
//   infra per hour:      0.0225 + 2 · 0.005                                = 0.0325
//   task per hour:       0.5 · 0.04048 + 1 · 0.004445 + 0.005              = 0.029685
//   base per minute:     (0.0325 + 2 · 0.029685) / 60                      = 0.00153116667
//   LCU per hour:        0.008 · max(0.2/25, 0.018) · r                    = 0.000144 · r
describe("the model by hand", () => {
  it("prices a minute on Lambda", () => {
    // 100 rps · 60 s · 1.6166675e-6
    near(minuteCosts(load([1, 100])).lambdaUsd[0] ?? 0, 0.009700005);
  });

  it("prices a minute on Fargate", () => {
    // 0 rps: 0.09187 / 60. 100 rps: (0.09187 + 0.0144) / 60. 101 rps needs a third task:
    // (0.0325 + 3 · 0.029685 + 0.014544) / 60
    const { fargateUsd } = minuteCosts(load([1, 0], [1, 100], [1, 101]));
    near(fargateUsd[0] ?? 0, 0.00153116667);
    near(fargateUsd[1] ?? 0, 0.00177116667);
    near(fargateUsd[2] ?? 0, 0.00226831667);
  });

  it("breaks even at 16.2 requests per second", () => {
    // 0.09187 / (3600 · 1.6166675e-6 − 0.000144) = 0.09187 / 0.005676003
    near(economics.breakEvenRps, 16.18569);
  });

  it("prices a cycle", () => {
    // 16 · 0.00153116667 + 0.5 · 0.0225
    near(economics.cycleUsd, 0.03574866667);
  });
});

describe("the optimum by hand", () => {
  it("stays on Lambda for a blip", () => {
    // One minute at 50 rps: 50 · 60 · 1.6166675e-6; a cycle would cost 0.0357.
    near(optimumUsd(minuteCosts(load([60, 0], [1, 50], [60, 0]))), 0.0048500025);
  });

  it("deploys ahead of a burst and leaves after it", () => {
    // 100 min idle, 60 min at 500 rps, 100 min idle. Deploying during the idle minutes costs
    // 6 · 0.00153116667 = 0.009187; the burst on Fargate
    // 60 · (0.0325 + 10 · 0.029685 + 0.072) / 60 = 0.40135; the way down
    // 10 · 0.00153116667 + 0.01125 = 0.02656166667. Sum 0.43709866667.
    near(optimumUsd(minuteCosts(load([100, 0], [60, 500], [100, 0]))), 0.43709866667);
  });

  it("deploys late when it is blind to the onset", () => {
    // The same burst, seen 2 minutes late: 8 minutes on Lambda at 500 · 60 · 1.6166675e-6 =
    // 0.048500025 each, 6 of them with the base; then 52 minutes at 0.40135 / 60 on Fargate:
    // 0.3880002 + 0.009187 + 0.34783666667 + 0.02656166667 = 0.77158553333.
    // (Starting on Fargate and waiting there would cost 400 · 0.00153116667 = 0.612 more.)
    const costs = minuteCosts(load([400, 0], [60, 500], [400, 0]));
    near(optimumUsd(costs, { onsetBlind: true }), 0.77158553333);
  });

  it("may start and end on Fargate", () => {
    const costs = minuteCosts(load([300, 400]));
    near(optimumUsd(costs), totalUsd(costs.fargateUsd));
    near(optimumUsd(costs, { onsetBlind: true }), totalUsd(costs.fargateUsd));
  });

  it("is not above either static choice", () => {
    const costs = minuteCosts(load([300, 3]));
    near(optimumUsd(costs), totalUsd(costs.lambdaUsd));
  });
});

describe("the optimum and brute force", () => {
  it("agree on small instances", () => {
    const rates = fc.array(fc.constantFrom(0, 5, 16, 40, 300, 2000), {
      minLength: 1,
      maxLength: 9,
    });
    const times = fc.record({
      upMinutes: fc.integer({ min: 1, max: 3 }),
      downMinutes: fc.integer({ min: 1, max: 3 }),
      metricLagMinutes: fc.integer({ min: 0, max: 2 }),
    });
    const law = fc.property(rates, times, fc.boolean(), (rps, chosen, onsetBlind) => {
      const small = economicsOf(profileDefault, { ...switchTimesDefault, ...chosen });
      const costs = minuteCosts(Float64Array.from(rps), small);
      const slow = bruteForce(rps, small, onsetBlind);
      const fast = optimumUsd(costs, { onsetBlind });
      assert.ok(Math.abs(fast - slow) <= 1e-9 * (1 + slow), `${fast} against ${slow}`);
    });
    fc.assert(law, { seed: 1, numRuns: 500 });
  });
});

/** Tries every wish in every minute. */
function bruteForce(
  rps: readonly number[],
  small: ReturnType<typeof economicsOf>,
  onsetBlind: boolean,
): number {
  const courses = coursesOf(small);
  const from = (minute: number, code: number): number => {
    if (minute === rps.length) return 0;
    const prices = minutePrices(small, rps[minute] ?? 0);
    const seen = rps[minute - small.metricLagMinutes] ?? -1;
    let best = Number.POSITIVE_INFINITY;
    for (const wish of [false, true]) {
      const next = steered(code, wish, courses);
      if (onsetBlind && code === 0 && next === 1 && seen < small.breakEvenRps) continue;
      const rest = from(minute + 1, courses.next[next] ?? 0);
      best = Math.min(best, (prices[courses.kind[next] ?? 0] ?? 0) + rest);
      if (!isFree(code, courses)) break;
    }
    return best;
  };
  return Math.min(from(0, 0), from(0, courses.onFargate));
}
