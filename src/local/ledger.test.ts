import assert from "node:assert/strict";
import { test } from "node:test";
import { manualClock } from "../../test/manual-clock.ts";
import { openLedger } from "./ledger.ts";
import { createMeter } from "./meter.ts";

const minute = 60_000;

test("a ledger bills each minute by what ran in it, without a gap", async () => {
  const clock = manualClock(10 * minute);
  const meters = {
    lambda: createMeter("lambda", clock, minute),
    fargate: createMeter("fargate", clock, minute),
  };
  let tasks: number | null = null;
  const ledger = openLedger({
    clock,
    meters,
    fargateStats: () => (tasks === null ? null : { tasks }),
  });
  meters.lambda.started();
  meters.lambda.finished({ status: 200, latencyMs: 1 });
  await clock.pass(minute);
  tasks = 3;
  await clock.pass(minute - 1);
  tasks = null;
  await clock.pass(minute + 1);
  ledger.update();
  ledger.stop();
  const rows = ledger
    .windows()
    .map(({ startMs, lambdaRequests, fargateRequests, tasks: run, balancer }) => {
      return [startMs / minute, lambdaRequests, fargateRequests, run, balancer];
    });
  assert.deepEqual(rows, [
    [10, 1, 0, 0, false],
    [11, 0, 0, 3, true],
    [12, 0, 0, 0, false],
    [13, 0, 0, 0, false],
  ]);
});

test("a ledger of a week forgets the oldest minutes for good", async () => {
  const clock = manualClock(0, 60);
  const meters = {
    lambda: createMeter("lambda", clock, minute),
    fargate: createMeter("fargate", clock, minute),
  };
  const ledger = openLedger({ clock, meters, fargateStats: () => null });
  await clock.pass(8 * 24 * 60 * minute);
  ledger.update();
  ledger.stop();
  const windows = ledger.windows();
  assert.equal(windows.length, 7 * 24 * 60);
  assert.equal(windows[0]?.startMs, (24 * 60 + 1) * minute);
});
