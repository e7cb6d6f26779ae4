import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Arrival, type ArrivalOptions, createArrivals } from "./arrivals.ts";
import { parseTrace, rateAt } from "./shape.ts";

const shape = parseTrace("0,10\n60,100\n120,40\n180,0\n", "test");
const base: ArrivalOptions = {
  shape,
  peakPerSecond: 1000,
  replayMs: 60_000,
  ebbPerSecond: 20,
  seed: 42,
  clients: 8,
  weights: [6, 3, 1],
};

function take(options: ArrivalOptions, count: number): Arrival[] {
  const next = createArrivals(options);
  const arrivals: Arrival[] = [];
  while (arrivals.length < count) {
    const arrival = next();
    if (arrival === null) break;
    arrivals.push(arrival);
  }
  return arrivals;
}

test("a seed replays exactly, another one differs", () => {
  assert.deepEqual(take(base, 5000), take(base, 5000));
  assert.notDeepEqual(take(base, 10), take({ ...base, seed: 43 }, 10));
});

test("the mix of requests does not move their times", () => {
  const times = (options: ArrivalOptions): number[] => take(options, 500).map(({ atMs }) => atMs);
  assert.deepEqual(times(base), times({ ...base, weights: [1], clients: 1 }));
});

test("any seed: times ascend, indexes count, everything is in range", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      take({ ...base, seed }, 300).forEach((arrival, i, all) => {
        assert.equal(arrival.index, i);
        assert.ok(arrival.atMs > (all[i - 1]?.atMs ?? 0));
        assert.ok(arrival.template >= 0 && arrival.template < 3);
        assert.ok(arrival.client >= 0 && arrival.client < 8);
        assert.ok(Number.isInteger(arrival.n) && arrival.n >= 1 && arrival.n <= 50);
      });
    }),
  );
});

test("counts follow the shape within the bounds of chance", () => {
  for (const seed of [1, 2, 3]) {
    const arrivals = take({ ...base, seed }, 100_000).filter(({ atMs }) => atMs < 60_000);
    for (let second = 0; second < 60; second += 5) {
      const found = arrivals.filter(
        ({ atMs }) => atMs >= second * 1000 && atMs < (second + 5) * 1000,
      ).length;
      let expected = 0;
      for (let ms = 0; ms < 5000; ms += 10) {
        expected += 10 * rateAt(shape, (second * 1000 + ms) / 60_000);
      }
      const deviation = Math.abs(found - expected) / Math.sqrt(expected + 1);
      assert.ok(deviation < 5, `seed ${seed}, second ${second}: ${found} against ${expected}`);
    }
  }
});

test("gaps are those of a Poisson process, not of a metronome", () => {
  const level = parseTrace("0,1\n60,1\n", "level");
  const arrivals = take({ ...base, shape: level }, 20_000);
  const gaps = arrivals.slice(1).map(({ atMs }, i) => atMs - (arrivals[i]?.atMs ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  assert.ok(Math.abs(mean - 1) < 0.05);
  // For exponential gaps the deviation equals the mean.
  assert.ok(Math.abs(Math.sqrt(variance) / mean - 1) < 0.05);
});

test("templates come in the share of their weights", () => {
  const arrivals = take(base, 20_000);
  [0.6, 0.3, 0.1].forEach((share, template) => {
    const found = arrivals.filter((arrival) => arrival.template === template).length / 20_000;
    assert.ok(Math.abs(found - share) < 0.02);
  });
});

test("the ebb goes on at its rate, an ebb of 0 ends the arrivals", () => {
  const ebb = take({ ...base, replayMs: 10, ebbPerSecond: 20 }, 2000);
  const seconds = ((ebb.at(-1)?.atMs ?? 0) - 10) / 1000;
  assert.ok(Math.abs(2000 / seconds - 20) < 2);
  const finite = take({ ...base, ebbPerSecond: 0 }, 1_000_000);
  assert.ok(finite.length > 10_000 && finite.length < 60_000);
  assert.ok((finite.at(-1)?.atMs ?? 0) < 60_000);
});

test("a factor multiplies the rate from the moment it changes, and only the rate", () => {
  let factor = 1;
  const steady = { ...base, shape: parseTrace("0,10\n60,10\n120,10\n", "test") };
  const next = createArrivals({ ...steady, factor: () => factor });
  const counted = (untilMs: number): number => {
    let count = 0;
    while ((next()?.atMs ?? Number.POSITIVE_INFINITY) < untilMs) count += 1;
    return count;
  };
  const expected = [1, 3, 0.5].map((wanted, step) => {
    factor = wanted;
    return [counted((step + 1) * 10_000), wanted * 10_000] as const;
  });
  for (const [count, mean] of expected) {
    assert.ok(Math.abs(count - mean) < 5 * Math.sqrt(mean), `${count} for ${mean}`);
  }
  assert.deepEqual(take({ ...base, factor: () => 1 }, 500), take(base, 500));
});
