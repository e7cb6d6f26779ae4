import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Policy } from "../core/types.ts";
import { alwaysPolicy } from "../policies/always.ts";
import { autoPolicy } from "../policies/auto.ts";
import { economicsOf } from "../policies/economics.ts";
import { workFunctionPolicy } from "../policies/work-function.ts";
import { playAdversary } from "./adversary.ts";
import { minuteCosts, totalUsd } from "./model.ts";
import { optimumUsd } from "./optimum.ts";
import { replay } from "./replay.ts";

const economics = economicsOf();
const options = { economics, tasksMax: 1000 };

describe("replay", () => {
  it("costs what always Lambda costs when the policy never moves", () => {
    const costs = minuteCosts(Float64Array.of(1, 100, 3));
    const result = replay(costs, alwaysPolicy("lambda", economics));
    assert.equal(result.costUsd, totalUsd(costs.lambdaUsd));
    assert.equal(result.transitions, 0);
    assert.deepEqual(result.minutes, { lambda: 3, deploying: 0, fargate: 0, draining: 0 });
  });

  it("pays both tiers on the way", () => {
    // 6 minutes of Lambda and base at 100 rps, then 4 on Fargate:
    // 6 · (0.009700005 + 0.00153116667) + 4 · 0.00177116667 = 0.0744716967
    const costs = minuteCosts(new Float64Array(10).fill(100));
    const result = replay(costs, alwaysPolicy("fargate", economics));
    assert.ok(Math.abs(result.costUsd / 0.0744716967 - 1) < 1e-6, String(result.costUsd));
    assert.equal(result.transitions, 1);
    assert.deepEqual(result.minutes, { lambda: 0, deploying: 6, fargate: 4, draining: 0 });
  });

  it("shows each minute once, one metric lag late, to the policy", () => {
    const seen: [now: number, start: number, requests: number][] = [];
    const spy: Policy = {
      name: "spy",
      decide(view, policyState) {
        for (const one of view.samples) seen.push([view.nowMs, one.startMs, one.requests]);
        return { decision: { type: "hold", reason: "watches" }, policyState };
      },
    };
    replay(minuteCosts(Float64Array.of(1, 2, 3, 4)), spy, { startMs: 60_000 });
    assert.deepEqual(seen, [
      [180_000, 60_000, 60],
      [240_000, 120_000, 120],
    ]);
  });

  it("never beats the optimum", () => {
    const policies = [autoPolicy(options), workFunctionPolicy(options)];
    const span = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.constantFrom(0, 8, 20, 90, 900));
    const law = fc.property(fc.array(span, { minLength: 1, maxLength: 12 }), (spans) => {
      const rps = spans.flatMap(([minutes, rate]) => Array<number>(minutes).fill(rate));
      const costs = minuteCosts(Float64Array.from(rps));
      for (const policy of policies) {
        const { costUsd } = replay(costs, policy);
        assert.ok(costUsd >= optimumUsd(costs) * (1 - 1e-9), policy.name);
      }
    });
    fc.assert(law, { seed: 2, numRuns: 60 });
  });
});

describe("the adaptive adversary", () => {
  for (const policy of [workFunctionPolicy(options), autoPolicy(options)]) {
    for (const rpsMax of [50, 500, 5000]) {
      it(`keeps ${policy.name} within the bound at ${rpsMax} requests/s`, () => {
        const minutes = 7 * 1440;
        const target = playAdversary(policy, economics, { minutes, rpsMax, strategy: "target" });
        assert.ok(target.costUsd <= target.boundUsd, `${target.costUsd} > ${target.boundUsd}`);
        assert.ok(target.cycles > 10, "it was worth a try");
        const any = playAdversary(policy, economics, { minutes, rpsMax, strategy: "serving" });
        assert.ok(any.costUsd <= any.boundAnyUsd, `${any.costUsd} > ${any.boundAnyUsd}`);
      });
    }
  }
});
