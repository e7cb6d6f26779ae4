import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineEvent } from "../core/index.ts";
import { type Untold, untoldOf, withUntold } from "./outbox.ts";

const event: EngineEvent = {
  atMs: 1,
  type: "decision",
  message: "target fargate",
  phase: "steady",
  data: { tasks: 2 },
};

test("what waits is read back, a commit without events adds nothing", () => {
  const one = withUntold([], { revision: 1, events: [event] });
  assert.deepEqual(untoldOf(JSON.stringify(one)), one);
  assert.equal(withUntold(one, { revision: 2, events: [] }), one);
});

test("it has a bound, and a damaged note holds nothing", () => {
  let untold: readonly Untold[] = [];
  for (let revision = 0; revision < 100; revision += 1) {
    untold = withUntold(untold, { revision, events: [event] });
  }
  assert.equal(untold.length, 10);
  assert.equal(untold.at(-1)?.revision, 99);
  for (const note of [null, "", "{}", '[{"revision":1,"events":[{}]}]']) {
    assert.deepEqual(untoldOf(note), []);
  }
});
