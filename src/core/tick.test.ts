import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { absent, nowMs, statusWith, worldWith } from "../../test/engine-facts.ts";
import { stageSettings as settings } from "../../test/stage-cloud.ts";
import { InvariantError } from "./invariants.ts";
import { planTick, type TickResult, tick } from "./tick.ts";
import {
  type Cloud,
  ConflictError,
  type Decision,
  type Policy,
  type PolicyState,
  type Sample,
  type Status,
} from "./types.ts";

const sample = (startMs: number): Sample => ({
  tier: "lambda",
  startMs,
  periodMs: 60_000,
  requests: 1,
  errors: 0,
  throttles: 0,
  concurrencyMax: 1,
  latencyMsP99: 1,
});

const upwards: Decision = { type: "target", tier: "fargate", tasks: 2, reason: "" };
const hold: Decision = { type: "hold", reason: "" };

/** A policy that notes what it is shown. */
function watching(decision: Decision = hold, next?: PolicyState) {
  const shown: number[][] = [];
  const policy: Policy = {
    name: "watching",
    decide(view, policyState) {
      shown.push(view.samples.map(({ startMs }) => startMs));
      return { decision, policyState: next ?? policyState };
    },
  };
  return { policy, shown };
}

describe("a policy", () => {
  const world = worldWith({ fargate: absent, samples: [0, 1, 2, 3].map(sample) });
  const seenFrom = (windowSeenMs: number): readonly number[][] => {
    const { policy, shown } = watching();
    planTick(statusWith({ windowSeenMs }), world, policy, settings, nowMs);
    return shown;
  };
  test("sees each closed window once, in order", () => {
    assert.deepEqual(seenFrom(-1), [[0, 1, 2, 3]]);
    assert.deepEqual(seenFrom(0), [[1, 2, 3]]);
    assert.deepEqual(seenFrom(2), [[3]]);
    assert.deepEqual(seenFrom(3), [[]]);
    const negative = worldWith({ fargate: absent, samples: [-5, -1].map(sample) });
    const { policy, shown } = watching();
    planTick(statusWith({ windowSeenMs: -9 }), negative, policy, settings, nowMs);
    assert.deepEqual(shown, [[-5, -1]]);
  });
  test("is remembered with the last window that it saw", () => {
    const after = (windowSeenMs: number, next?: PolicyState): Status => {
      const { policy } = watching(hold, next);
      const status = statusWith({ windowSeenMs, policyState: { a: 1 } });
      return planTick(status, world, policy, settings, nowMs).step.status;
    };
    assert.deepEqual([after(1).windowSeenMs, after(1).policyState], [3, { a: 1 }]);
    assert.deepEqual(after(1, { b: 2 }).policyState, { b: 2 });
    assert.deepEqual(
      [after(3, { b: 2 }).windowSeenMs, after(3, { b: 2 }).policyState],
      [3, { b: 2 }],
    );
    assert.equal(after(1).revision, 8);
    assert.equal(after(3).revision, 7, "nothing new is not committed");
  });
  test("is shown the windows that the world has, without a copy", () => {
    let same = false;
    const policy: Policy = {
      name: "same",
      decide: (view, policyState) => {
        same = view.samples === world.samples;
        return { decision: hold, policyState };
      },
    };
    planTick(statusWith(), world, policy, settings, nowMs);
    assert.ok(same);
  });
});

test("a step that breaks an invariant is a bug, and nothing is done", () => {
  const status = statusWith({ target: "fargate", healthySinceMs: 5, probesOk: 3 });
  const bad = { ...settings, stepPercents: [0.5] };
  const { policy } = watching();
  const world = worldWith({ fargate: { probeOk: true } });
  assert.throws(() => planTick(status, world, policy, bad, nowMs), InvariantError);
});

describe("what fails", () => {
  const status = statusWith({ targetSinceMs: 0 });
  const world = worldWith({ fargate: absent });
  const run = (changes: Partial<Cloud>): Promise<TickResult> => {
    const cloud: Cloud = {
      observe: async () => ({ status, world }),
      commit: async () => undefined,
      apply: async () => undefined,
      ...changes,
    };
    return tick(cloud, watching(upwards).policy, settings, nowMs);
  };
  const failing = (error: unknown) => async (): Promise<never> => {
    throw error;
  };
  const told = async (changes: Partial<Cloud>): Promise<unknown> => {
    const result = await run(changes);
    if (result.ok) return assert.fail("it did not fail");
    const { error: _, step, ...rest } = result;
    return { ...rest, committed: step?.status.target ?? null };
  };
  const base = { ok: false, requeueAfterMs: settings.pollMs };
  test("is told with where it failed", async () => {
    const trouble = new Error("trouble");
    const before = { ...base, committed: null };
    assert.deepEqual(await told({ observe: failing(trouble) }), { ...before, during: "observe" });
    assert.deepEqual(await told({ commit: failing(trouble) }), { ...before, during: "commit" });
    const conflict = failing(new ConflictError("faster"));
    assert.deepEqual(await told({ commit: conflict }), { ...before, during: "conflict" });
    const after = { ...base, committed: "fargate" };
    assert.deepEqual(await told({ apply: failing(trouble) }), { ...after, during: "apply" });
    assert.equal((await run({})).ok, true);
  });
  test("crashes where it is a bug of an adapter", async () => {
    const assertion = new assert.AssertionError({ message: "a bug" });
    await assert.rejects(run({ observe: failing(assertion) }), /a bug/);
    await assert.rejects(
      run({ observe: failing("no error at all") }),
      (e) => e === "no error at all",
    );
  });
});
