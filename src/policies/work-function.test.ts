import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Policy, PolicyState, Tier } from "../core/types.ts";
import { breakEvenPolicy } from "./break-even.ts";
import { economicsOf } from "./economics.ts";
import { workFunctionPolicy } from "./work-function.ts";

const economics = economicsOf();
const options = { economics, tasksMax: 50 };

/** Minutes after which the policy moves, and why, at one rate from a tier on. */
function movesAfter(policy: Policy, tier: Tier, rps: number): { minutes: number; reason: string } {
  let state: PolicyState = {};
  for (let minute = 0; minute < 10_000; minute += 1) {
    const view = {
      nowMs: minute * 60_000,
      target: tier,
      targetSinceMs: 0,
      phase: "steady",
      alarms: { "busy-requests": "OK", "busy-concurrency": "OK", throttled: "OK", quiet: "OK" },
      samples: [
        {
          tier,
          startMs: minute * 60_000,
          periodMs: 60_000,
          requests: rps * 60,
          errors: 0,
          throttles: 0,
          concurrencyMax: 0,
          latencyMsP99: null,
        },
      ],
    } as const;
    const { decision, policyState } = policy.decide(view, state);
    state = JSON.parse(JSON.stringify(policyState)) as PolicyState;
    assert.ok(decision.reason.length > 0);
    if (decision.type === "target") return { minutes: minute + 1, reason: decision.reason };
  }
  return { minutes: Number.POSITIVE_INFINITY, reason: "" };
}

describe("the work-function counter", () => {
  const policy = workFunctionPolicy(options);

  it("moves when staying has cost a cycle more than Fargate", () => {
    // At 50 rps Lambda costs 0.0048500 and Fargate 0.0016512 a minute: 0.0357487 / 0.0031988 =
    // 11.2 minutes.
    const { minutes, reason } = movesAfter(policy, "lambda", 50);
    assert.equal(minutes, 12);
    assert.match(reason, /0\.0384 USD more than fargate at 50\.0 requests\/s.*→ fargate/);
  });

  it("moves back when idling has cost a cycle", () => {
    // 0.0357487 / 0.0015312 = 23.3 minutes.
    assert.equal(movesAfter(policy, "fargate", 0).minutes, 24);
  });

  it("never moves where there is nothing to save", () => {
    assert.equal(movesAfter(policy, "lambda", 16).minutes, Number.POSITIVE_INFINITY);
    assert.equal(movesAfter(policy, "fargate", 17).minutes, Number.POSITIVE_INFINITY);
  });
});

describe("the break-even policy", () => {
  const policy = breakEvenPolicy(options);

  it("moves after a quarter of an hour above twice break-even", () => {
    const { minutes, reason } = movesAfter(policy, "lambda", 33);
    assert.equal(minutes, 15);
    assert.match(reason, /33\.0 requests\/s, above 32\.4 for 15 of 15 minutes/);
    assert.equal(movesAfter(policy, "lambda", 32).minutes, Number.POSITIVE_INFINITY);
  });

  it("moves back after two hours below break-even", () => {
    assert.equal(movesAfter(policy, "fargate", 16).minutes, 120);
    assert.equal(movesAfter(policy, "fargate", 17).minutes, Number.POSITIVE_INFINITY);
  });
});
