import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alarmsAtStart } from "../core/alarms.ts";
import { profileDefault } from "../core/cost.ts";
import type { Policy, PolicyState, Sample } from "../core/types.ts";
import { economicsOf } from "./economics.ts";
import { type PolicyInput, policyNamed } from "./named.ts";

const economicsAt = (lambdaDurationMs: number): PolicyInput["economics"] =>
  economicsOf({ ...profileDefault, lambdaDurationMs });
const input: PolicyInput = {
  economics: economicsOf(),
  economicsAt,
  thresholds: {
    up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
    down: { requestsPerMinute: 300, minutes: 15 },
  },
  tasksMin: 2,
  tasksMax: 10,
  requestsPerTaskPerMinute: 3000,
};

/** The reason after `minutes` minutes of one rate with one duration. */
function reasonAfter(policy: Policy, minutes: number, durationMsMean?: number): string {
  let state: PolicyState = {};
  let reason = "";
  for (let minute = 0; minute < minutes; minute += 1) {
    const sample: Sample = {
      tier: "lambda",
      startMs: minute * 60_000,
      periodMs: 60_000,
      requests: 600,
      errors: 0,
      throttles: 0,
      concurrencyMax: 1,
      latencyMsP99: null,
      ...(durationMsMean === undefined ? {} : { durationMsMean }),
    };
    const decided = policy.decide(
      {
        nowMs: (minute + 2) * 60_000,
        target: "lambda",
        targetSinceMs: 0,
        phase: "steady",
        alarms: alarmsAtStart,
        samples: [sample],
      },
      state,
    );
    state = JSON.parse(JSON.stringify(decided.policyState)) as PolicyState;
    ({ reason } = decided.decision);
  }
  return reason;
}

describe("measured durations", () => {
  it("move the break-even rate: 10 requests/s of half a second are many", () => {
    const slow = reasonAfter(policyNamed("break-even", input), 20, 500);
    const { breakEvenRps } = economicsAt(500);
    assert.ok(breakEvenRps < 5, `${breakEvenRps}`);
    const busy = Number(/above ([\d.]+) for/.exec(slow)?.[1]);
    assert.ok(Math.abs(busy / (2 * breakEvenRps) - 1) < 0.05, slow);
    assert.match(slow, /→ fargate$/);
  });

  it("leave the configured economics alone while nothing is measured", () => {
    const unmeasured = reasonAfter(policyNamed("break-even", input), 20);
    assert.match(unmeasured, /above 32\.4 for 0 of 15/);
  });

  it("change little with one odd window", () => {
    const policy = policyNamed("break-even", input);
    const usual = reasonAfter(policy, 30, 50);
    assert.match(usual, /above 3[123]\.\d for 0 of 15/);
  });

  it("serve every policy that reckons, and keep their state small", () => {
    for (const name of ["auto", "work-function", "break-even"]) {
      assert.match(reasonAfter(policyNamed(name, input), 90, 500), /requests\/s/, name);
    }
  });
});
