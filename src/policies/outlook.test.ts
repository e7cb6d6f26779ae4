import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alarmsAtStart } from "../core/alarms.ts";
import { type Outlook, outlookOf } from "../core/outlook.ts";
import { initialStatus } from "../core/status.ts";
import type { Policy, Sample, Status, Tier } from "../core/types.ts";
import { economicsOf } from "./economics.ts";
import { policyNamed } from "./named.ts";

const minute = 60_000;
const beginMs = Date.UTC(2026, 2, 1);
const economics = economicsOf();
const { breakEvenRps } = economics;

const named = (name: string): Policy =>
  policyNamed(name, {
    economics,
    tasksMin: 2,
    tasksMax: 20,
    requestsPerTaskPerMinute: 3000,
    thresholds: {
      up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
      down: { requestsPerMinute: 300, minutes: 15 },
    },
  });

const windowOf = (tier: Tier, startMs: number, rate: number): Sample => ({
  tier,
  startMs,
  periodMs: minute,
  requests: rate * 60,
  errors: 0,
  throttles: 0,
  concurrencyMax: 1,
  latencyMsP99: 10,
});

/** Drives a policy through steady minutes: the minute in which it leaves, and its state then. */
function driven(
  policy: Policy,
  before: Status,
  rate: number,
  minutes: number,
): { status: Status; leftAfter: number | null } {
  let status = before;
  for (let at = 0; at < minutes; at += 1) {
    const startMs = beginMs + at * minute;
    const samples = [windowOf(status.target, startMs, rate)];
    const { target, targetSinceMs, policyState } = status;
    const look = { target, targetSinceMs, phase: "steady", alarms: alarmsAtStart } as const;
    const seen = policy.decide({ ...look, nowMs: startMs + minute, samples }, policyState);
    status = { ...status, policyState: seen.policyState };
    const { decision } = seen;
    if (decision.type === "target" && decision.tier !== target) {
      return { status: { ...status, target: decision.tier }, leftAfter: at + 1 };
    }
  }
  return { status, leftAfter: null };
}

const outlook = (policy: Policy, status: Status, rate: number): Outlook | null => {
  const samples = [windowOf(status.target, beginMs - minute, rate)];
  return outlookOf(policy, status, { alarms: alarmsAtStart, samples }, beginMs);
};

describe("the outlook of a policy", () => {
  for (const name of ["auto", "work-function", "break-even"]) {
    test(`${name} does what is foretold of it`, () => {
      const policy = named(name);
      const calm = initialStatus();
      const told = outlook(policy, calm, 3);
      assert.ok(told !== null && told.requestsPerSecond !== null);
      const { requestsPerSecond: rate, withinMs, asNowMs } = told;
      assert.ok(rate > breakEvenRps, `${rate} requests/s are worth it`);
      assert.equal(told.nowRequestsPerSecond, 3);
      assert.equal(asNowMs, null, "three a second never are");
      const minutes = withinMs / minute;
      assert.notEqual(driven(policy, calm, rate, minutes).leftAfter, null);
      assert.equal(driven(policy, calm, 0.95 * rate, minutes).leftAfter, null);
      const busy = outlook(policy, calm, 200);
      const { status, leftAfter } = driven(policy, calm, 200, 1440);
      assert.equal(busy?.asNowMs, (leftAfter ?? 0) * minute);
      const back = outlook(policy, status, 0);
      assert.ok(back !== null && back.requestsPerSecond !== null);
      assert.ok(back.requestsPerSecond < breakEvenRps);
      const returned = driven(policy, status, 0, 1440);
      assert.equal(back.asNowMs, (returned.leftAfter ?? 0) * minute);
      assert.ok(back.withinMs >= (back.asNowMs ?? 0));
    });
  }

  test("is none for those that no steady traffic moves", () => {
    for (const name of ["threshold", "always-lambda"]) {
      assert.equal(outlook(named(name), initialStatus(), 5), null);
    }
  });

  test("says so when any rate will do", () => {
    const told = outlook(named("always-fargate"), initialStatus(), 5);
    assert.equal(told?.requestsPerSecond, null);
    assert.equal(told?.asNowMs, minute);
  });
});
