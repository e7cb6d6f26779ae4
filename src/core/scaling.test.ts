import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ScalingInput, trackTarget } from "./scaling.ts";

const quiet: ScalingInput = {
  desired: 2,
  min: 2,
  max: 10,
  running: 2,
  metric: 100,
  target: 100,
  scaleOutCooldownMs: 60_000,
  scaleInCooldownMs: 300_000,
  lastScaledMs: null,
  lastDirection: null,
  nowMs: 1_000_000,
};

test("scales out in proportion, rounded up", () => {
  const outcome = trackTarget({ ...quiet, metric: 210 });
  assert.equal(outcome.desired, 5);
  assert.equal(outcome.lastScaledMs, quiet.nowMs);
  assert.match(outcome.reason, /210 per task on 2, target 100: out from 2 to 5/);
});

test("counts load on the running tasks, not on those still starting", () => {
  assert.equal(trackTarget({ ...quiet, desired: 4, running: 2, metric: 200 }).desired, 4);
});

test("scale-out waits for its own cooldown only", () => {
  const hot = { ...quiet, metric: 500, nowMs: 100_000, lastScaledMs: 50_000 };
  assert.equal(trackTarget({ ...hot, lastDirection: "out" }).desired, 2);
  assert.equal(trackTarget({ ...hot, lastDirection: "out", nowMs: 110_000 }).desired, 10);
  assert.equal(trackTarget({ ...hot, lastDirection: "in" }).desired, 10);
});

test("scale-in waits for the scale-in cooldown after either direction", () => {
  const cold = { ...quiet, desired: 8, running: 8, metric: 10, lastScaledMs: 0 };
  for (const lastDirection of ["in", "out"] as const) {
    assert.equal(trackTarget({ ...cold, lastDirection, nowMs: 299_999 }).desired, 8);
    assert.equal(trackTarget({ ...cold, lastDirection, nowMs: 300_000 }).desired, 2);
  }
});

test("scales in only when what remains stays 10 % below the target", () => {
  const five = { ...quiet, desired: 5, running: 5 };
  assert.equal(trackTarget({ ...five, metric: 79 }).desired, 5);
  assert.equal(trackTarget({ ...five, metric: 72 }).desired, 4);
});

test("missing data never changes capacity", () => {
  assert.equal(trackTarget({ ...quiet, desired: 7, metric: null }).desired, 7);
  assert.equal(trackTarget({ ...quiet, desired: 7, running: 0, metric: 900 }).desired, 7);
});

const inputs = fc
  .record({
    min: fc.integer({ min: 1, max: 10 }),
    span: fc.integer({ min: 0, max: 40 }),
    desired: fc.integer({ min: 0, max: 60 }),
    running: fc.integer({ min: 0, max: 60 }),
    metric: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
    target: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
    scaleOutCooldownMs: fc.integer({ min: 0, max: 600_000 }),
    scaleInCooldownMs: fc.integer({ min: 0, max: 600_000 }),
    lastScaledMs: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
    lastDirection: fc.constantFrom("in" as const, "out" as const),
    nowMs: fc.integer({ min: 1_000_000, max: 2_000_000 }),
  })
  .map(({ span, ...rest }): ScalingInput => ({ ...rest, max: rest.min + span }));

test("law: the outcome is within bounds and says when it changed", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const outcome = trackTarget(input);
      assert.ok(outcome.desired >= input.min && outcome.desired <= input.max);
      assert.ok(outcome.reason.length > 0);
      const changed = outcome.desired !== input.desired;
      assert.equal(outcome.lastScaledMs, changed ? input.nowMs : input.lastScaledMs);
    }),
  );
});

test("law: under a constant load it settles at once past the cooldowns, and never flaps", () => {
  const loads = fc.record({
    load: fc.double({ min: 0.1, max: 5_000, noNaN: true }),
    desired: fc.integer({ min: 2, max: 40 }),
  });
  fc.assert(
    fc.property(loads, ({ load, desired: start }) => {
      let desired = start;
      let lastScaledMs: number | null = null;
      let lastDirection: "in" | "out" | null = null;
      let changes = 0;
      for (let minute = 0; minute < 30; minute++) {
        const metric = load / desired;
        const bounds = { ...quiet, max: 40, metric, desired, running: desired };
        const outcome = trackTarget({
          ...bounds,
          lastScaledMs,
          lastDirection,
          nowMs: minute * 60_000,
        });
        if (outcome.desired !== desired) changes += 1;
        ({ desired, lastScaledMs, lastDirection } = outcome);
      }
      assert.ok(changes <= 1, `${changes} changes`);
      assert.ok(desired === 40 || load / desired <= 100 * (1 + 1e-9));
    }),
  );
});

test("law: more load never asks for fewer tasks", () => {
  fc.assert(
    fc.property(inputs, fc.double({ min: 1, max: 10, noNaN: true }), (input, factor) => {
      if (input.metric === null) return;
      const more = trackTarget({ ...input, metric: input.metric * factor });
      assert.ok(more.desired >= trackTarget(input).desired);
    }),
  );
});

test("tells which way the bounds moved it", () => {
  const moved = (desired: number): unknown => {
    const { lastDirection, reason, desired: to } = trackTarget({ ...quiet, desired });
    return [to, lastDirection, reason];
  };
  assert.deepEqual(moved(1), [2, "out", "1 tasks are outside 2 to 10"]);
  assert.deepEqual(moved(11), [10, "in", "11 tasks are outside 2 to 10"]);
});

test("what fits is left alone, and told with its numbers", () => {
  const fits = trackTarget({ ...quiet, metric: 95.46 });
  assert.equal(fits.reason, "95.5 per task on 2, target 100: 2 tasks fit");
  assert.equal(fits.lastScaledMs, null);
});

test("a cooldown lasts to its last millisecond", () => {
  const hot = { ...quiet, metric: 500, lastDirection: "out", lastScaledMs: 40_000 } as const;
  assert.equal(trackTarget({ ...hot, nowMs: 99_999 }).desired, 2);
  assert.equal(trackTarget({ ...hot, nowMs: 100_000 }).desired, 10);
});

test("there is no cooldown before the first change, whichever half is remembered", () => {
  const hot = { ...quiet, metric: 500, nowMs: 10 };
  assert.equal(trackTarget({ ...hot, lastDirection: "out", lastScaledMs: null }).desired, 10);
  assert.equal(trackTarget({ ...hot, lastDirection: null, lastScaledMs: 9 }).desired, 10);
});

test("scales in when exactly 10 % below the target is left, and not sooner", () => {
  const five = { ...quiet, desired: 5, running: 5 };
  assert.equal(trackTarget({ ...five, metric: 72.1 }).desired, 5);
});

test("forgives the rounding error of an average, and no more", () => {
  const exact = { ...quiet, desired: 3, running: 3, target: 1 };
  assert.equal(trackTarget({ ...exact, metric: 1 + 3e-10 }).desired, 3);
  assert.equal(trackTarget({ ...exact, metric: 1 + 4e-10 }).desired, 4);
});
