import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "./random.ts";
import { pickTier, toRoute53Weights, type WeightedRecord, weightMax } from "./route.ts";
import type { Tier } from "./types.ts";

const recordOf = (tier: Tier): fc.Arbitrary<WeightedRecord> =>
  fc.record({
    tier: fc.constant(tier),
    weight: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 255 })),
    healthy: fc.boolean(),
    exists: fc.boolean(),
  });
const records = fc.tuple(recordOf("lambda"), recordOf("fargate"));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const record = (tier: Tier, weight: number, healthy = true, exists = true): WeightedRecord => ({
  tier,
  weight,
  healthy,
  exists,
});

function shareOfFargate(list: readonly WeightedRecord[], seed: number): number {
  const draw = seededRandom(seed);
  const picks = Array.from({ length: 20_000 }, () => pickTier(list, draw));
  return picks.filter((tier) => tier === "fargate").length / picks.length;
}

test("a record is picked exactly when one exists", () => {
  fc.assert(
    fc.property(records, random, (list, value) => {
      const tier = pickTier(list, () => value);
      const existing = list.filter((one) => one.exists).map((one) => one.tier);
      if (tier === null) assert.equal(existing.length, 0);
      else assert.ok(existing.includes(tier));
    }),
  );
});

test("an unhealthy record is picked only when nothing is healthy", () => {
  fc.assert(
    fc.property(records, random, (list, value) => {
      const picked = list.find((one) => one.tier === pickTier(list, () => value));
      if (picked && !picked.healthy) assert.ok(!list.some((one) => one.exists && one.healthy));
    }),
  );
});

test("weight 0 is picked only when no usable record weighs more", () => {
  fc.assert(
    fc.property(records, random, (list, value) => {
      const picked = list.find((one) => one.tier === pickTier(list, () => value));
      if (!picked || picked.weight > 0) return;
      const better = list.filter(
        (one) => one.exists && one.weight > 0 && (one.healthy || !picked.healthy),
      );
      assert.deepEqual(better, []);
    }),
  );
});

test("healthy records share by weight", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 255 }),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(),
      (lambda, fargate, seed) => {
        const share = shareOfFargate([record("lambda", lambda), record("fargate", fargate)], seed);
        // Six standard deviations of 20,000 draws.
        assert.ok(Math.abs(share - fargate / (lambda + fargate)) < 0.0215);
      },
    ),
    { numRuns: 25 },
  );
});

test("the documented cases", () => {
  const always = (list: readonly WeightedRecord[]): number => shareOfFargate(list, 1);
  assert.equal(always([record("lambda", 0), record("fargate", 255)]), 1);
  assert.equal(always([record("lambda", 0), record("fargate", 255, false)]), 0, "falls back");
  assert.equal(always([record("lambda", 0, false), record("fargate", 255, false)]), 1);
  assert.equal(always([record("lambda", 255), record("fargate", 255, true, false)]), 0);
  assert.equal(pickTier([], seededRandom(1)), null);
  const equal = always([record("lambda", 0), record("fargate", 0)]);
  assert.ok(Math.abs(equal - 0.5) < 0.02, "all zero are equal");
  assert.equal(always([record("lambda", 0, false), record("fargate", 0)]), 1);
});

test("a route keeps its shares as weights", () => {
  const route = (fargate: number) => ({ lambda: 100 - fargate, fargate, fargateRecord: true });
  assert.deepEqual(toRoute53Weights(route(100)), { lambda: 0, fargate: 255 });
  assert.deepEqual(toRoute53Weights(route(0)), { lambda: 255, fargate: 0 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (fargate) => {
      const weights = toRoute53Weights(route(fargate));
      const sum = weights.lambda + weights.fargate;
      assert.equal(weights.fargate / sum, fargate / 100);
      for (const weight of Object.values(weights)) {
        assert.ok(Number.isInteger(weight) && weight >= 0 && weight <= weightMax);
      }
    }),
  );
});

test("each record gets the part of the draw that its weight is", () => {
  const both = [record("lambda", 1), record("fargate", 3)];
  const picks = [0, 0.2499, 0.25, 0.9999].map((drawn) => pickTier(both, () => drawn));
  assert.deepEqual(picks, ["lambda", "lambda", "fargate", "fargate"]);
});

test("what rounding leaves over goes to the last record", () => {
  assert.equal(
    pickTier([record("lambda", 1), record("fargate", 3)], () => 1),
    "fargate",
  );
});
