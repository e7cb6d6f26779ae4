import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ManualClock, manualClock, settled } from "../../test/manual-clock.ts";
import { newStage, type Stage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { type Cloud, ConflictError, type Policy, type TickResult } from "../core/index.ts";
import { type Controller, noController, startController } from "./controller.ts";

const stays: Policy = {
  name: "stays",
  decide: (_view, policyState) => ({ decision: { type: "hold", reason: "stays" }, policyState }),
};

interface Course {
  readonly clock: ManualClock;
  readonly stage: Stage;
  readonly controller: Controller;
  readonly ticks: (readonly [atMs: number, result: TickResult])[];
  /** An observation waits for it. */
  hold: () => Promise<void>;
  observing: number;
  observed: number;
  onTick: () => void;
}

function course(policy: Policy = stays): Course {
  const stage = newStage(0);
  const clock = manualClock(0);
  const inner = stageCloud(stage);
  const made: Omit<Course, "controller"> = {
    clock,
    stage,
    ticks: [],
    hold: async () => undefined,
    observing: 0,
    observed: 0,
    onTick: () => undefined,
  };
  const cloud: Cloud = {
    ...inner,
    async observe() {
      made.observing += 1;
      assert.equal(made.observing, 1, "two ticks at once");
      made.observed += 1;
      await made.hold().finally(() => {
        made.observing -= 1;
      });
      stage.nowMs = clock.nowMs();
      return inner.observe();
    },
  };
  const controller = startController({
    cloud,
    policy,
    settings: stageSettings,
    clock,
    onTick: (result, atMs) => {
      made.ticks.push([atMs, result]);
      made.onTick();
    },
  });
  return Object.assign(made, { controller });
}

const times = ({ ticks }: Course): number[] => ticks.map(([atMs]) => atMs);

describe("the controller", () => {
  it("ticks at once, then when the step asks for it", async () => {
    const at = course();
    await at.clock.pass(0);
    assert.deepEqual(times(at), [0]);
    await at.clock.pass(3 * stageSettings.idleMs);
    assert.deepEqual(times(at), [0, 60_000, 120_000, 180_000]);
    at.stage.burst = "starting";
    await at.clock.pass(62_000);
    assert.deepEqual(times(at).slice(4), [240_000], "then it is in no hurry to remove it twice");
    await at.controller.stop();
  });

  it("ticks soon when it is woken, and then counts anew", async () => {
    const at = course();
    await at.clock.pass(10_000);
    at.controller.wake();
    at.controller.wake();
    await at.clock.pass(0);
    assert.deepEqual(times(at), [0, 10_000]);
    await at.clock.pass(59_999);
    assert.equal(at.ticks.length, 2);
    await at.clock.pass(1);
    assert.deepEqual(times(at), [0, 10_000, 70_000]);
    await at.controller.stop();
  });

  it("woken during a tick it ticks once more after it, never at the same time", async () => {
    const at = course();
    const { promise, resolve } = Promise.withResolvers<void>();
    at.hold = () => promise;
    await at.clock.pass(0);
    assert.equal(at.observing, 1);
    for (let round = 0; round < 3; round += 1) {
      at.controller.wake();
      await at.clock.pass(1000);
    }
    assert.equal(at.observed, 1);
    resolve();
    await at.clock.pass(0);
    assert.equal(at.observed, 2);
    await at.clock.pass(50_000);
    assert.equal(at.observed, 2);
    await at.controller.stop();
  });

  it("woken by its own tick it ticks once more", async () => {
    const at = course();
    at.onTick = () => {
      if (at.ticks.length === 1) at.controller.wake();
    };
    await at.clock.pass(0);
    assert.deepEqual(times(at), [0, 0]);
    await at.controller.stop();
  });

  it("a tick that took long does not postpone what was due meanwhile", async () => {
    const at = course();
    const { promise, resolve } = Promise.withResolvers<void>();
    at.hold = () => promise;
    await at.clock.pass(70_000);
    resolve();
    await at.clock.pass(0);
    assert.deepEqual(times(at), [0, 70_000]);
    await at.controller.stop();
  });

  it("retries after a failure and after a conflict", async () => {
    for (const error of [new Error("no answer"), new ConflictError("taken")]) {
      const at = course();
      at.hold = () => Promise.reject(error);
      await at.clock.pass(0);
      at.hold = async () => undefined;
      const [, result] = at.ticks[0] ?? assert.fail("no tick");
      assert.ok(!result.ok && result.error === error);
      await at.clock.pass(stageSettings.pollMs);
      assert.deepEqual(times(at), [0, stageSettings.pollMs]);
      assert.equal(at.ticks[1]?.[1].ok, true);
      await at.controller.stop();
    }
  });
});

describe("stop", () => {
  it("waits for the running tick, and none follows", async () => {
    const at = course();
    const { promise, resolve } = Promise.withResolvers<void>();
    at.hold = () => promise;
    await at.clock.pass(0);
    at.controller.wake();
    let stopped = false;
    const stopping = at.controller.stop().then(() => {
      stopped = true;
    });
    await settled();
    assert.equal(stopped, false);
    resolve();
    await stopping;
    assert.equal(at.ticks.length, 1, "the tick was completed");
    at.controller.wake();
    await at.clock.pass(1_000_000);
    assert.equal(at.observed, 1);
    assert.equal(at.clock.waiting, 0);
  });

  it("before the first tick there is none", async () => {
    const at = course();
    await at.controller.stop();
    await at.clock.pass(1_000_000);
    assert.equal(at.observed, 0);
  });
});

describe("a crash", () => {
  const bug: Policy = {
    name: "bug",
    decide() {
      assert.fail("a bug");
    },
  };

  it("surfaces, and nothing ticks any more, not even woken", async () => {
    const at = course(bug);
    await at.clock.pass(0);
    await assert.rejects(at.controller.crashed, /a bug/);
    at.controller.wake();
    await at.clock.pass(1_000_000);
    assert.equal(at.observed, 1);
    assert.equal(at.clock.waiting, 0);
    await at.controller.stop();
  });

  it("of the listener surfaces too", async () => {
    const at = course();
    at.onTick = () => {
      throw new Error("the view failed");
    };
    await at.clock.pass(0);
    await assert.rejects(at.controller.crashed, /the view failed/);
    await at.controller.stop();
  });
});

it("no controller does nothing", async () => {
  const none = noController();
  none.wake();
  await none.stop();
  const first = await Promise.race([none.crashed, settled().then(() => "quiet")]);
  assert.equal(first, "quiet");
});
