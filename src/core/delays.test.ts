import assert from "node:assert/strict";
import { test } from "node:test";
import { awsDelayRanges, drawnDelays } from "./delays.ts";

const warm = {
  balancerSeconds: [141, 187],
  taskStartSeconds: [30, 60],
  removalSeconds: [120, 240],
  dnsSeconds: [10, 60],
  alarmSeconds: [5, 20],
};

test("the ranges are those that were published; a cold network adds its own", () => {
  assert.deepEqual(awsDelayRanges("warm"), warm);
  assert.deepEqual(awsDelayRanges("cold"), {
    ...warm,
    balancerSeconds: [171, 217],
    removalSeconds: [180, 360],
  });
});

test("every wait is drawn from its own range, in milliseconds", () => {
  for (const [share, at] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const delays = drawnDelays(() => share, awsDelayRanges("warm"));
    assert.equal(delays.balancerMs(), 1000 * (warm.balancerSeconds[at] ?? 0));
    assert.equal(delays.taskStartMs(), 1000 * (warm.taskStartSeconds[at] ?? 0));
    assert.equal(delays.removalMs(), 1000 * (warm.removalSeconds[at] ?? 0));
    assert.equal(delays.dnsMs(), 1000 * (warm.dnsSeconds[at] ?? 0));
    assert.equal(delays.alarmMs(), 1000 * (warm.alarmSeconds[at] ?? 0));
  }
});
