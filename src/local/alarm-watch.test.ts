import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ManualClock, manualClock } from "../../test/manual-clock.ts";
import { alarmDefinitions } from "../core/alarms.ts";
import type { AlarmName, AlarmState, Sample } from "../core/index.ts";
import { type AlarmWatch, startAlarmWatch } from "./alarm-watch.ts";
import { awsDelays } from "./delays.ts";

const minute = 60_000;
const alarmMs = 7_000;
const definitions = alarmDefinitions({
  up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
  down: { requestsPerMinute: 300, minutes: 4 },
});

interface Stage {
  readonly clock: ManualClock;
  readonly watch: AlarmWatch;
  readonly changes: (readonly [atMs: number, name: AlarmName, state: AlarmState])[];
  /** Requests of the minutes that follow, one each; Lambda answers them. */
  minutes(...requests: readonly number[]): Promise<void>;
  burst: boolean;
}

function stage(startMs = 0): Stage {
  const clock = manualClock(startMs);
  const samples: Sample[] = [];
  const changes: Stage["changes"] = [];
  const made = {
    clock,
    changes,
    burst: false,
    async minutes(...counts: readonly number[]): Promise<void> {
      for (const requests of counts) {
        const startOfMs = Math.floor(clock.nowMs() / minute) * minute;
        const rest = { errors: 0, throttles: 0, concurrencyMax: 1, latencyMsP99: 1 };
        const at = { startMs: startOfMs, periodMs: minute };
        await clock.pass(startOfMs + minute - clock.nowMs());
        samples.push({ tier: "lambda", ...at, requests, ...rest });
      }
    },
  };
  const watch = startAlarmWatch({
    clock,
    delays: { ...awsDelays(() => 0, "warm"), alarmMs: () => alarmMs },
    definitions,
    samples: () => samples,
    burstExists: () => made.burst,
    onChange: (name, state) => changes.push([clock.nowMs(), name, state]),
  });
  return Object.assign(made, { watch });
}

describe("the alarm watch", () => {
  it("knows nothing before the first minute is over and its metrics have arrived", async () => {
    const { clock, watch, changes } = stage();
    assert.equal(watch.states["busy-requests"], "INSUFFICIENT_DATA");
    await clock.pass(alarmMs);
    assert.equal(watch.states["busy-requests"], "OK");
    assert.equal(watch.states.quiet, "INSUFFICIENT_DATA", "it comes with the burst stack");
    assert.ok(changes.every(([atMs, , state]) => atMs === alarmMs && state === "OK"));
    assert.equal(changes.length, 3);
    assert.equal(watch.breachSinceMs, null);
  });

  it("rings once, after the second busy minute, and tells since when it was busy", async () => {
    const at = stage(10 * minute + 1);
    await at.minutes(100, 100, 5000);
    await at.clock.pass(alarmMs);
    assert.equal(at.watch.states["busy-requests"], "OK");
    await at.minutes(5000);
    assert.equal(at.watch.states["busy-requests"], "OK", "the metrics are on their way");
    at.changes.length = 0;
    await at.clock.pass(alarmMs);
    assert.deepEqual(at.changes, [[14 * minute + alarmMs, "busy-requests", "ALARM"]]);
    assert.equal(at.watch.breachSinceMs, 12 * minute);
    await at.minutes(5000, 5000);
    await at.clock.pass(alarmMs);
    assert.equal(at.changes.length, 1, "a state that stays is no news");
    assert.equal(at.watch.breachSinceMs, 12 * minute);
    await at.minutes(1, 1);
    await at.clock.pass(alarmMs);
    assert.deepEqual(at.changes.at(-1), [18 * minute + alarmMs, "busy-requests", "OK"]);
  });

  it("evaluates the quiet alarm only while there is a burst stack", async () => {
    const at = stage();
    await at.minutes(10, 10, 10, 10, 10);
    await at.clock.pass(alarmMs);
    assert.equal(at.watch.states.quiet, "INSUFFICIENT_DATA");
    at.burst = true;
    await at.minutes(10);
    await at.clock.pass(alarmMs);
    assert.equal(at.watch.states.quiet, "ALARM");
    assert.equal(at.watch.breachSinceMs, 2 * minute);
    at.burst = false;
    await at.minutes(10);
    await at.clock.pass(alarmMs);
    assert.equal(at.watch.states.quiet, "INSUFFICIENT_DATA");
  });

  it("stops, and leaves no timer", async () => {
    const { clock, watch, changes } = stage();
    await clock.pass(90_000);
    watch.stop();
    assert.equal(clock.waiting, 0);
    const before = changes.length;
    await clock.pass(10 * minute);
    assert.equal(changes.length, before);
  });
});
