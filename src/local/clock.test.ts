import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { scaledClock } from "./clock.ts";

/** Real time that passes only when told; every timer rings `earlyMs` early, as Node's may. */
function realTime(t: TestContext, earlyMs = 0): { pass(ms: number, stepMs?: number): void } {
  let nowMs = 1000;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => nowMs - earlyMs);
  return {
    pass(ms, stepMs = ms) {
      for (let left = ms; left > 0; left -= stepMs) {
        nowMs += Math.min(stepMs, left);
        t.mock.timers.tick(Math.min(stepMs, left));
      }
    },
  };
}

describe("the scaled clock", () => {
  it("lets a virtual minute pass in a real second at speed 60", (t) => {
    const real = realTime(t);
    const clock = scaledClock(60, 5_000);
    assert.equal(clock.nowMs(), 5_000);
    real.pass(1000);
    assert.equal(clock.nowMs(), 65_000);
    assert.equal(clock.realMs(60_000), 1000);
    assert.equal(clock.realMs(-1), 0);
  });

  it("compresses a wait, and can cancel it", (t) => {
    const real = realTime(t);
    const clock = scaledClock(60, 0);
    const rung: string[] = [];
    clock.after(60_000, () => rung.push("minute"));
    clock.after(60_000, () => rung.push("cancelled"))();
    real.pass(999);
    assert.deepEqual(rung, []);
    real.pass(1);
    assert.deepEqual(rung, ["minute"]);
  });

  it("rings in order of what is due, whatever was asked first", (t) => {
    const real = realTime(t);
    const clock = scaledClock(10, 0);
    const rung: number[] = [];
    for (const due of [300, 100, 200, 100]) clock.after(due, () => rung.push(due));
    real.pass(40, 1);
    assert.deepEqual(rung, [100, 100, 200, 300]);
  });

  it("never rings early, although the timers below do", (t) => {
    const real = realTime(t, 0.7);
    const clock = scaledClock(600, 0);
    let rungAtMs: number | null = null;
    clock.after(6_000, () => {
      rungAtMs = clock.nowMs();
    });
    real.pass(20, 1);
    assert.ok(rungAtMs !== null && rungAtMs >= 6_000 && rungAtMs <= 7_200, `rang at ${rungAtMs}`);
  });

  it("waits longer than a timer of Node can", (t) => {
    const real = realTime(t);
    const clock = scaledClock(1, 0);
    const month = 31 * 24 * 3_600_000;
    let rung = 0;
    clock.after(month, () => {
      rung += 1;
    });
    real.pass(2 ** 31 - 1);
    assert.equal(rung, 0);
    real.pass(month - 2 ** 31);
    assert.equal(rung, 0);
    real.pass(1);
    assert.equal(rung, 1);
    real.pass(2 ** 31 - 1);
    assert.equal(rung, 1);
  });
});

describe("long waits", () => {
  it("stay below what Node's timers can bear", async (t) => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", onWarning);
    t.after(() => process.off("warning", onWarning));
    const clock = scaledClock(1, 0);
    const stop = new AbortController();
    const sleeping = clock.sleep(2 ** 40, stop.signal);
    const cancel = clock.after(2 ** 40, () => assert.fail("too early"));
    // A timer that is too long for Node rings after 1 ms.
    await clock.sleep(5);
    cancel();
    stop.abort();
    await assert.rejects(sleeping, { name: "AbortError" });
    assert.deepEqual(warnings, []);
  });
});

describe("every", () => {
  it("does not drift when each run comes a little late", (t) => {
    const real = realTime(t);
    const clock = scaledClock(1, 0);
    const rung: number[] = [];
    clock.every(10, () => rung.push(clock.nowMs()));
    // Looked at each 3 ms: a clock that counted from each run would need 12 for each 10.
    real.pass(120, 3);
    assert.equal(rung.length, 12);
    for (const [at, ms] of rung.entries()) assert.ok(ms - 10 * (at + 1) < 3, `${at}: ${ms}`);
  });

  it("does not make up for what it missed while the process stood still", (t) => {
    const real = realTime(t);
    const clock = scaledClock(1, 0);
    let runs = 0;
    clock.every(10, () => {
      runs += 1;
    });
    real.pass(1000);
    real.pass(9, 1);
    assert.ok(runs <= 2, `${runs} runs`);
    real.pass(100, 1);
    assert.ok(runs >= 10 && runs <= 12, `${runs} runs`);
  });

  it("can be stopped from within a run", (t) => {
    const real = realTime(t);
    const clock = scaledClock(1, 0);
    let runs = 0;
    const stop = clock.every(10, () => {
      runs += 1;
      if (runs === 2) stop();
    });
    real.pass(100, 1);
    assert.equal(runs, 2);
  });
});

describe("sleep", () => {
  it("goes on when the timer below rings early", async (t) => {
    let nowMs = 1000;
    t.mock.method(performance, "now", () => nowMs);
    const clock = scaledClock(600, 0);
    let over = false;
    const sleeping = clock.sleep(600).then(() => {
      over = true;
    });
    await sleep(20);
    assert.equal(over, false, "the clock stands still");
    nowMs += 1;
    await sleeping;
  });

  it("is never too short", async () => {
    const clock = scaledClock(600, 0);
    for (let round = 0; round < 20; round += 1) {
      const dueMs = clock.nowMs() + 1234;
      await clock.sleep(1234);
      assert.ok(clock.nowMs() >= dueMs);
    }
  });

  it("ends with AbortError when the signal fires, before or meanwhile", async () => {
    const clock = scaledClock(1, 0);
    await assert.rejects(clock.sleep(60_000, AbortSignal.abort()), { name: "AbortError" });
    const meanwhile = new AbortController();
    const sleeping = clock.sleep(60_000, meanwhile.signal);
    meanwhile.abort();
    await assert.rejects(sleeping, { name: "AbortError" });
  });
});
