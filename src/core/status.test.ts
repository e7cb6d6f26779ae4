import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nowMs, statusWith, type WorldChanges, worldWith } from "../../test/engine-facts.ts";
import { stageSettings as settings } from "../../test/stage-cloud.ts";
import {
  fargateServes,
  initialStatus,
  lambdaOnly,
  remember,
  routeOf,
  sameRoute,
} from "./status.ts";
import type { Status } from "./types.ts";

test("a service begins on Lambda, with nothing remembered", () => {
  assert.deepEqual(initialStatus(), {
    revision: 0,
    target: "lambda",
    targetSinceMs: 0,
    tasks: 0,
    route: { lambda: 100, fargate: 0, fargateRecord: false },
    shiftedAtMs: null,
    syncedAtMs: null,
    healthySinceMs: null,
    probesOk: 0,
    holdUntilMs: null,
    failures: 0,
    override: null,
    windowSeenMs: -1,
    policyState: {},
  });
});

test("routes are the same in all three", () => {
  assert.deepEqual(routeOf(30), { lambda: 70, fargate: 30, fargateRecord: true });
  assert.ok(sameRoute(routeOf(30), { ...routeOf(30) }));
  assert.ok(!sameRoute(routeOf(30), { ...routeOf(30), lambda: 71 }));
  assert.ok(!sameRoute(routeOf(30), { ...routeOf(30), fargate: 31 }));
  assert.ok(!sameRoute(routeOf(0), lambdaOnly));
});

describe("Fargate serves", () => {
  const serves = (fargate: WorldChanges["fargate"]): boolean =>
    fargateServes(worldWith({ fargate }), settings);
  test("when it is ready, healthy enough, probed and of the same image", () => {
    assert.ok(serves({}));
    assert.ok(serves({ probeOk: null }));
    assert.ok(!serves({ state: "starting" }));
    assert.ok(!serves({ digest: "sha256:two" }));
    assert.ok(serves({ tasksHealthy: settings.tasksMin }));
    assert.ok(!serves({ tasksHealthy: settings.tasksMin - 1 }));
    assert.ok(!serves({ probeOk: false }));
  });
});

describe("what an observation proves", () => {
  const remembered = (status: Partial<Status>, world: WorldChanges = {}): Status =>
    remember(statusWith(status), worldWith(world), settings, nowMs);
  test("since when DNS is in sync with the command", () => {
    assert.equal(remembered({ syncedAtMs: null }).syncedAtMs, nowMs);
    assert.equal(remembered({ syncedAtMs: 5 }).syncedAtMs, 5);
    assert.equal(remembered({ syncedAtMs: 5 }, { dns: { inSync: false } }).syncedAtMs, null);
    assert.equal(remembered({ syncedAtMs: 5 }, { dns: { route: routeOf(1) } }).syncedAtMs, null);
  });
  test("when a command was given, anew when its effect is lost", () => {
    const lost = { dns: { route: routeOf(1) } };
    assert.equal(remembered({ shiftedAtMs: 3, syncedAtMs: 5 }, lost).shiftedAtMs, nowMs);
    assert.equal(remembered({ shiftedAtMs: 3, syncedAtMs: null }, lost).shiftedAtMs, 3);
    assert.equal(remembered({ shiftedAtMs: 3, syncedAtMs: null }).shiftedAtMs, 3);
    assert.equal(remembered({ shiftedAtMs: 3, syncedAtMs: 5, probesOk: 0 }).shiftedAtMs, 3);
  });
  test("since when Fargate serves", () => {
    assert.equal(remembered({ healthySinceMs: null }).healthySinceMs, nowMs);
    assert.equal(remembered({ healthySinceMs: 5 }).healthySinceMs, 5);
    const sick = { fargate: { tasksHealthy: 0 } };
    assert.equal(remembered({ healthySinceMs: 5 }, sick).healthySinceMs, null);
    assert.equal(remembered({ probesOk: 2 }, sick).probesOk, 0);
  });
  test("how many probes were answered in a row, up to the gate", () => {
    assert.equal(remembered({ probesOk: 0 }).probesOk, 1);
    assert.equal(remembered({ probesOk: 1 }, { fargate: { probeOk: null } }).probesOk, 1);
    assert.equal(remembered({ probesOk: settings.probesMin }).probesOk, settings.probesMin);
  });
  test("that an override is over", () => {
    const pinned = (untilMs: number | null): Status["override"] => ({ tier: "fargate", untilMs });
    for (const untilMs of [null, nowMs + 1]) {
      const override = pinned(untilMs);
      assert.deepEqual(remembered({ override }).override, override);
    }
    assert.equal(remembered({ override: pinned(nowMs) }).override, null);
    assert.equal(remembered({ override: null }).override, null);
  });
  test("and nothing new is no new status", () => {
    const known = { healthySinceMs: 5, probesOk: settings.probesMin, syncedAtMs: 5 };
    const status = statusWith(known);
    assert.equal(remember(status, worldWith(), settings, nowMs), status);
    for (const change of [{ healthySinceMs: null }, { probesOk: 0 }, { syncedAtMs: null }]) {
      const other = statusWith({ ...known, ...change });
      assert.notEqual(remember(other, worldWith(), settings, nowMs), other);
    }
    const over = { tier: "lambda", untilMs: nowMs } as const;
    assert.equal(remembered({ ...known, override: over }).override, null);
  });
});
