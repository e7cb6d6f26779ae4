import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alarmsAtStart } from "../core/alarms.ts";
import type { AlarmName, Decision, Policy, PolicyState, Tier } from "../core/types.ts";
import { alwaysPolicy } from "./always.ts";
import { withCapacity } from "./capacity.ts";
import { economicsOf } from "./economics.ts";

const economics = economicsOf();
const thrifty = withCapacity(alwaysPolicy("lambda", economics), { economics, tasksMax: 40 });

/** Shows one minute after the other and obeys. */
function player(policy: Policy): (rps: number, alarm?: AlarmName) => Decision & { on: Tier } {
  let state: PolicyState = {};
  let target: Tier = "lambda";
  let minute = 0;
  return (rps, alarm) => {
    const startMs = minute * 60_000;
    minute += 1;
    const counts = { requests: rps * 60, errors: 0, throttles: 0, concurrencyMax: 0 };
    const samples = [
      { tier: target, startMs, periodMs: 60_000, ...counts, latencyMsP99: null },
    ] as const;
    const alarms = alarm === undefined ? alarmsAtStart : { ...alarmsAtStart, [alarm]: "ALARM" };
    const view = { nowMs: startMs, target, targetSinceMs: 0, phase: "steady", alarms, samples };
    const { decision, policyState } = policy.decide({ ...view, phase: "steady" }, state);
    state = JSON.parse(JSON.stringify(policyState)) as PolicyState;
    if (decision.type === "target") target = decision.tier;
    return { ...decision, on: target, reason: decision.reason };
  };
}

describe("capacity before cost", () => {
  it("leaves Lambda when its concurrency runs out, sized for the rate", () => {
    const minute = player(thrifty);
    assert.equal(minute(900).on, "lambda");
    for (let passed = 1; passed < 5; passed += 1) {
      assert.equal(minute(900, "throttled").on, "lambda");
    }
    const left = minute(900, "throttled");
    assert.equal(left.on, "fargate");
    assert.equal(left.type === "target" && left.tasks, 18);
    assert.match(left.reason, /ran short of concurrency at 900\.0 requests\/s/);
  });

  it("stays away until the rate has halved, then obeys the policy again", () => {
    const minute = player(thrifty);
    for (let passed = 0; passed < 5; passed += 1) minute(900, "busy-concurrency");
    assert.equal(minute(800).on, "fargate");
    assert.equal(minute(460).on, "fargate");
    assert.equal(minute(440).on, "lambda");
    assert.equal(minute(800).on, "lambda");
  });

  it("lets a burst pass that is over before tasks would be there", () => {
    const minute = player(thrifty);
    for (let passed = 0; passed < 20; passed += 1) {
      assert.equal(minute(900, passed % 5 < 4 ? "throttled" : undefined).on, "lambda");
    }
  });

  it("does not know the alarms of demand: those are the policy's own matter", () => {
    const minute = player(thrifty);
    assert.equal(minute(900, "busy-requests").on, "lambda");
    assert.equal(minute(900, "quiet").on, "lambda");
  });

  it("keeps the state as it is while nothing is new", () => {
    const view = {
      nowMs: 0,
      target: "lambda",
      targetSinceMs: 0,
      phase: "steady",
      alarms: alarmsAtStart,
      samples: [],
    } as const;
    const { policyState } = thrifty.decide(view, {});
    assert.equal(thrifty.decide(view, policyState).policyState, policyState);
  });
});
