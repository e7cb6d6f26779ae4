import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RunRecord } from "../core/record.ts";
import { newerThan, reasonIn } from "./source-local.ts";

const event = (atMs: number, type: "decision" | "shift" = "decision"): RunRecord => ({
  type: "event",
  event: { atMs, type, phase: "steady", message: `at ${atMs}`, data: {} },
});

describe("a part of a history", () => {
  test("is what came since", () => {
    const records = [1, 2, 3, 4].map((at) => event(at));
    assert.deepEqual(newerThan(records, 3), records.slice(2));
    assert.deepEqual(newerThan(records, 9), []);
  });

  test("leaves an earlier run out that virtual time had carried further", () => {
    const records = [event(100), event(200), event(10), event(20)];
    assert.deepEqual(newerThan(records, 0), records.slice(2));
  });
});

test("the reason of a switch is the decision of its moment", () => {
  const records = [event(1), event(2, "shift"), event(2), event(3)];
  assert.equal(reasonIn(records, 2), "at 2");
  assert.equal(reasonIn([event(2, "shift")], 2), null);
});
