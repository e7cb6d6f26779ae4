import assert from "node:assert/strict";
import { test } from "node:test";
import { between, seededRandom } from "./random.ts";

test("a seed gives the stream that it has always given", () => {
  const drawn = (seed: number): readonly number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, () => Math.round(random() * 2 ** 32));
  };
  // Computed with mulberry32 written in another language.
  assert.deepEqual(drawn(0), [1144304738, 1416247, 958946056, 627933444, 2007157716]);
  assert.deepEqual(drawn(1), [2693262067, 11749833, 2265367787, 4213581821, 4159151403]);
  assert.deepEqual(drawn(5), [2962560684, 3318907087, 943874942, 2676532661, 365661495]);
  assert.equal(seededRandom(5)(), 2962560684 / 2 ** 32);
  assert.deepEqual(drawn(1), drawn(2 ** 32 + 1));
  assert.notDeepEqual(drawn(1), drawn(2));
  assert.deepEqual(drawn(-1), drawn(2 ** 32 - 1));
});

test("numbers are spread evenly over [0, 1)", () => {
  const random = seededRandom(7);
  const bins = new Array<number>(10).fill(0);
  for (let count = 0; count < 100_000; count += 1) {
    const value = random();
    assert.ok(value >= 0 && value < 1);
    const bin = Math.floor(value * 10);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  for (const count of bins) assert.ok(Math.abs(count - 10_000) < 500, `${count} of 100,000`);
});

test("between two numbers lie both ends and what is in between", () => {
  assert.equal(
    between(() => 0, 10, 30),
    10,
  );
  assert.equal(
    between(() => 0.25, 10, 30),
    15,
  );
  assert.equal(
    between(() => 1, 10, 30),
    30,
  );
});
