import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { between, type Random, seededRandom } from "../core/index.ts";
import { ebbPerSecond } from "./rehearsal.ts";

const thresholds = fc.integer({ min: 1, max: 100_000 });
const speeds = fc.integer({ min: 1, max: 600 });

/** The chance of fewer than `count` events when `mean` are expected, by another way of summing. */
function poissonBelow(mean: number, count: number): number {
  const terms = Array.from({ length: count }, (_, events) => {
    let log = -mean;
    for (let factor = 1; factor <= events; factor += 1) log += Math.log(mean / factor);
    return Math.exp(log);
  });
  return terms.sort((a, b) => a - b).reduce((sum, term) => sum + term, 0);
}

it("hardly a minute of the ebb reaches the down threshold, at any speed", () => {
  fc.assert(
    fc.property(thresholds, speeds, (threshold, speed) => {
      const perSecond = ebbPerSecond(threshold, speed);
      assert.ok(perSecond > 0 && perSecond < 2 + 1e-9, `${perSecond} requests/s`);
      // A virtual minute is 60 / speed real seconds, and each request counts `speed` times in it.
      const mean = (perSecond * 60) / speed;
      const loud = Math.ceil(threshold / speed);
      const chance = loud > 200 ? 0 : 1 - poissonBelow(mean, Math.max(1, loud));
      assert.ok(chance <= 0.001 + 1e-9, `${threshold}/min at ${speed}: ${chance}`);
    }),
  );
});

it("the ebb is no thinner than it must be", () => {
  fc.assert(
    fc.property(thresholds, speeds, (threshold, speed) => {
      const perSecond = ebbPerSecond(threshold, speed);
      if (perSecond > 2 - 1e-9) return;
      const loud = Math.max(1, Math.ceil(threshold / speed));
      const more = ((perSecond / 0.9) * 60) / speed;
      assert.ok(1 - poissonBelow(more, loud) > 0.001 - 1e-9, "a tenth more would do as well");
    }),
  );
});

it("a higher threshold never makes the ebb thinner", () => {
  fc.assert(
    fc.property(thresholds, thresholds, speeds, (one, other, speed) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      assert.ok(ebbPerSecond(low, speed) <= ebbPerSecond(high, speed));
    }),
  );
});

it("drawn minutes of the default ebb stay quiet", () => {
  const random = seededRandom(1);
  const mean = (ebbPerSecond(300, 60) * 60) / 60;
  let loud = 0;
  for (let minute = 0; minute < 20_000; minute += 1) {
    if (poisson(mean, random) * 60 >= 300) loud += 1;
  }
  assert.ok(loud <= 40, `${loud} of 20,000 minutes are loud`);
});

function poisson(mean: number, random: Random): number {
  const below = Math.exp(-mean);
  let events = 0;
  for (let product = between(random, 0, 1); product > below; product *= random()) events += 1;
  return events;
}
