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
import { drainWait, gateLeftMs, gateOpen, mayHaveClients, phaseOf, settleWait } from "./phase.ts";
import { routeOf } from "./status.ts";
import type { Phase, Status, TierState, Wait } from "./types.ts";

const { ttlMs, bakeMs, healthyMs, probesMin, drainQuietMs, drainMaxMs } = settings;

describe("the gate before the first weight", () => {
  const open = (changes: Partial<Status>): boolean =>
    gateOpen(statusWith(changes), settings, nowMs);
  const proved = { healthySinceMs: nowMs - healthyMs, probesOk: probesMin };
  test("opens after the time of health and the probes", () => {
    assert.ok(open(proved));
    assert.ok(!open({ ...proved, healthySinceMs: nowMs - healthyMs + 1 }));
    assert.ok(!open({ ...proved, probesOk: probesMin - 1 }));
    assert.ok(!open({ ...proved, healthySinceMs: null }));
  });
  test("is open to a tier that has a share, if it serves", () => {
    assert.ok(open({ route: routeOf(1), healthySinceMs: nowMs }));
    assert.ok(!open({ route: routeOf(1), healthySinceMs: null }));
    assert.ok(!open({ route: routeOf(0), healthySinceMs: nowMs }), "a record alone is no proof");
  });
  test("says what is left", () => {
    const left = (healthySinceMs: number | null): number =>
      gateLeftMs(statusWith({ healthySinceMs }), settings, nowMs);
    assert.equal(left(null), healthyMs);
    assert.equal(left(nowMs - 10), healthyMs - 10);
  });
});

describe("after a change of weights", () => {
  const wait = (synced: number | null, changes: Partial<Status> = {}): Wait | null => {
    const syncedAtMs = synced === null ? null : nowMs - synced;
    const status = statusWith({ shiftedAtMs: nowMs - 99_999, syncedAtMs, ...changes });
    return settleWait(status, settings, nowMs);
  };
  const told = (found: Wait | null): unknown => found && [found.kind, found.leftMs];
  test("it waits for sync, then for the TTL, then for the bake", () => {
    assert.deepEqual(told(wait(null)), ["in-sync", null]);
    assert.deepEqual(told(wait(0)), ["ttl", ttlMs]);
    assert.deepEqual(told(wait(ttlMs - 1)), ["ttl", 1]);
    assert.deepEqual(told(wait(ttlMs)), ["bake", bakeMs]);
    assert.deepEqual(told(wait(ttlMs + bakeMs - 1)), ["bake", 1]);
    assert.equal(wait(ttlMs + bakeMs), null);
  });
  test("and not at all before the first one", () => {
    assert.equal(wait(null, { shiftedAtMs: null }), null);
    assert.equal(wait(0, { shiftedAtMs: null }), null);
  });
});

describe("a drain", () => {
  const wait = (
    synced: number | null,
    last: number | null,
    state: TierState = "ready",
  ): unknown => {
    const syncedAtMs = synced === null ? null : nowMs - synced;
    const balancerLastRequestMs = last === null ? null : nowMs - last;
    const world = worldWith({ fargate: { state }, balancerLastRequestMs });
    const found = drainWait(statusWith({ syncedAtMs }), world, settings, nowMs);
    return found && [found.kind, found.leftMs];
  };
  test("waits for sync and for late resolvers", () => {
    assert.deepEqual(wait(null, null), ["in-sync", null]);
    assert.deepEqual(wait(0, null), ["ttl", 2 * ttlMs]);
    assert.deepEqual(wait(2 * ttlMs - 1, null), ["ttl", 1]);
    assert.equal(wait(2 * ttlMs, null), null);
  });
  test("waits for silence", () => {
    assert.deepEqual(wait(2 * ttlMs, 0), ["drain", drainQuietMs]);
    assert.deepEqual(wait(2 * ttlMs, drainQuietMs - 1), ["drain", 1]);
    assert.equal(wait(2 * ttlMs, drainQuietMs), null);
  });
  test("waits no longer than the maximum", () => {
    assert.deepEqual(wait(drainMaxMs - 2, 0), ["drain", 2]);
    assert.deepEqual(wait(drainMaxMs - 1, 0), ["drain", 1]);
    assert.equal(wait(drainMaxMs, 0), null);
  });
  test("waits while anybody can be on the tier", () => {
    const states: readonly TierState[] = ["ready", "starting", "stopping", "failed", "absent"];
    const waiting = states.filter((state) => wait(null, 0, state) !== null);
    assert.deepEqual(waiting, ["ready", "starting"]);
    const clients = states.filter((state) => mayHaveClients(worldWith({ fargate: { state } })));
    assert.deepEqual(clients, waiting);
  });
});

describe("the phase", () => {
  const phase = (changes: Partial<Status>, world: WorldChanges = {}): Phase =>
    phaseOf(statusWith(changes), worldWith(world), settings, nowMs);
  const up = { target: "fargate", healthySinceMs: nowMs - healthyMs, probesOk: probesMin } as const;
  test("follows the way up", () => {
    assert.equal(phase({ ...up, healthySinceMs: null }), "provisioning");
    assert.equal(phase(up), "shifting");
    assert.equal(phase({ ...up, route: routeOf(99), healthySinceMs: null }), "shifting");
    const all = { ...up, route: routeOf(100), shiftedAtMs: nowMs - 999_999 };
    assert.equal(phase({ ...all, syncedAtMs: nowMs - ttlMs - bakeMs + 1 }), "shifting");
    assert.equal(phase({ ...all, syncedAtMs: nowMs - ttlMs - bakeMs }), "steady");
  });
  test("follows the way down", () => {
    assert.equal(phase({ route: routeOf(1) }), "shifting");
    assert.equal(phase({ route: routeOf(0) }), "draining");
    assert.equal(phase({}), "deprovisioning");
    assert.equal(phase({}, { fargate: absent }), "steady");
    const orphans = { ...absent, orphans: ["balancer"] };
    assert.equal(phase({}, { fargate: orphans }), "deprovisioning");
  });
});
