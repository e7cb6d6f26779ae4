import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  absent,
  nowMs,
  statusWith,
  type WorldChanges,
  worldWith,
} from "../../test/engine-facts.ts";
import { stageSettings as settings } from "../../test/stage-cloud.ts";
import { reconcile } from "./reconcile.ts";
import { routeOf } from "./status.ts";
import type { Decision, EngineSettings, Route, Status, Step } from "./types.ts";

const hold: Decision = { type: "hold", reason: "" };
const { pollMs, idleMs, ttlMs, bakeMs, healthyMs, probesMin } = settings;

function step(
  status: Partial<Status>,
  world: WorldChanges = {},
  decision: Decision = hold,
  changes: Partial<EngineSettings> = {},
): Step {
  const all = { ...settings, ...changes };
  return reconcile(statusWith(status), worldWith(world), decision, all, nowMs);
}

const settledMs = nowMs - ttlMs - bakeMs;
const onFargate = {
  target: "fargate",
  route: routeOf(100),
  shiftedAtMs: nowMs - 999_999,
  syncedAtMs: settledMs,
  healthySinceMs: 5,
} as const;
const atFargate = { dns: { route: routeOf(100) } };

describe("the end of a series of failures", () => {
  const failed = { failures: 1, holdUntilMs: 3 };
  const after = (status: Partial<Status>): unknown => {
    const { failures, holdUntilMs } = step(status, atFargate).status;
    return [failures, holdUntilMs];
  };
  test("is a completed way to Fargate", () => {
    assert.deepEqual(after({ ...onFargate, ...failed }), [0, null]);
    assert.deepEqual(after({ ...onFargate, ...failed, failures: 5 }), [0, null]);
    assert.deepEqual(after({ ...onFargate, ...failed, syncedAtMs: settledMs + 1 }), [1, 3]);
    assert.deepEqual(after({ ...onFargate, failures: 0, holdUntilMs: 3 }), [0, 3]);
  });
  test("is not that of another burst", () => {
    const rest = { failures: 1, holdUntilMs: 3 };
    const { status } = step(rest, { fargate: absent });
    assert.deepEqual([status.failures, status.holdUntilMs], [1, 3]);
  });
});

describe("when to look again", () => {
  test("at rest as seldom as the schedule does, and while something is awaited often", () => {
    assert.equal(step({}, { fargate: absent }).requeueAfterMs, idleMs);
    assert.equal(step(onFargate, atFargate).requeueAfterMs, idleMs);
    assert.equal(step({}, { fargate: { state: "stopping" } }).requeueAfterMs, pollMs);
    assert.equal(step({ ...onFargate, syncedAtMs: null }, atFargate).requeueAfterMs, ttlMs);
  });
  test("exactly when a wait ends", () => {
    const left = 17_003;
    const syncedAtMs = nowMs - ttlMs + left;
    const up = { ...onFargate, syncedAtMs };
    assert.equal(step(up, atFargate).requeueAfterMs, left);
    assert.equal(step({ ...up, syncedAtMs: nowMs - ttlMs + 1 }, atFargate).requeueAfterMs, 1);
    // Longer than the schedule's period: nothing is gained by looking earlier.
    const drains = { route: routeOf(0), syncedAtMs: nowMs };
    assert.equal(step(drains, { dns: { route: routeOf(0) } }).requeueAfterMs, 2 * ttlMs);
  });
  test("not later than the schedule where only a hold is awaited", () => {
    const wanted: Decision = { type: "target", tier: "fargate", tasks: 1, reason: "" };
    const held = (holdUntilMs: number): Step =>
      step({ failures: 1, holdUntilMs }, { fargate: absent }, wanted);
    assert.deepEqual(held(nowMs + idleMs + 1).wait?.kind, "hold");
    assert.equal(held(nowMs + idleMs + 1).requeueAfterMs, idleMs);
    assert.equal(held(nowMs + 7).requeueAfterMs, 7);
  });
  test("meanwhile for failures and returning traffic", () => {
    const drains = { route: routeOf(0), syncedAtMs: nowMs - 2 * ttlMs };
    const world = { dns: { route: routeOf(0) }, balancerLastRequestMs: nowMs };
    assert.equal(step(drains, world).wait?.kind, "drain");
    assert.equal(step(drains, world).requeueAfterMs, pollMs);
    const fresh = { target: "fargate", healthySinceMs: nowMs } as const;
    assert.equal(step(fresh).wait?.kind, "healthy");
    assert.equal(step(fresh).requeueAfterMs, pollMs);
    const soon = { ...fresh, healthySinceMs: nowMs - healthyMs + 3, probesOk: probesMin };
    assert.equal(step(soon).requeueAfterMs, 3);
  });
  test("never at once, however short a wait is", () => {
    const almost = nowMs - ttlMs - bakeMs + 0.5;
    assert.equal(step({ ...onFargate, syncedAtMs: almost }, atFargate).requeueAfterMs, 1);
  });
});

describe("events", () => {
  const base = { atMs: nowMs };
  test("tell each action with its numbers", () => {
    const digest = "sha256:0123456789abcdef";
    const lambda = { digest };
    const up = step({ target: "fargate", tasks: 3 }, { lambda, fargate: absent });
    assert.deepEqual(up.events, [
      {
        ...base,
        type: "provision",
        phase: "provisioning",
        message: "provision the burst tier with 3 tasks of sha256:0123456789ab",
        data: { tasks: 3, digest },
      },
    ]);
    const down = step({ syncedAtMs: nowMs - ttlMs });
    assert.deepEqual(down.events, [
      {
        ...base,
        type: "deprovision",
        phase: "deprovisioning",
        message: "remove the burst tier",
        data: {},
      },
    ]);
  });
  test("tell each shift with where it came from", () => {
    const up = { ...onFargate, route: routeOf(10) };
    assert.deepEqual(step(up, { dns: { route: routeOf(10) } }).events, [
      {
        ...base,
        type: "shift",
        phase: "shifting",
        message: "weights Lambda 50 % / Fargate 50 % (was 10 %)",
        data: { lambda: 50, fargate: 50, from: 10, fargateRecord: true },
      },
    ]);
    const drained = { route: routeOf(0), syncedAtMs: nowMs - 2 * ttlMs };
    assert.deepEqual(step(drained, { dns: { route: routeOf(0) } }).events, [
      {
        ...base,
        type: "shift",
        phase: "deprovisioning",
        message: "remove the Fargate record, all traffic on Lambda",
        data: { lambda: 100, fargate: 0, from: 0, fargateRecord: false },
      },
    ]);
  });
  test("tell a route that is commanded again from a new one", () => {
    const told = (status: Partial<Status>, route: Route): unknown =>
      step(status, { dns: { route } }).events.map(({ message }) => message);
    const nothingYet = { lambda: 0, fargate: 0, fargateRecord: false };
    assert.deepEqual(told({}, nothingYet), [
      "set the records as commanded: Lambda 100 % / Fargate 0 %",
    ]);
    assert.deepEqual(told(onFargate, routeOf(50)), [
      "set the records as commanded: Lambda 0 % / Fargate 100 %",
    ]);
  });
});
