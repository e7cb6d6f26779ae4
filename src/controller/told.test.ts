import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineEvent } from "../core/index.ts";
import { trouble } from "./events.ts";
import { nothingTold, type Told, tellNews, toldOf } from "./told.ts";

const minute = 60_000;

function shift(message: string, atMs: number): EngineEvent {
  return { atMs, type: "shift", message, phase: "shifting", data: {} };
}

/** How many of the events are told, one after the other, each from what was stored. */
function toldCount(events: readonly EngineEvent[]): number {
  let told: Told = nothingTold;
  let count = 0;
  for (const event of events) {
    const after = tellNews(toldOf(JSON.stringify(told)), [event]);
    count += after.news.length;
    told = after.told;
  }
  return count;
}

test("the same trouble is told once an hour, whatever its numbers", () => {
  const events = Array.from({ length: 121 }, (_, at) =>
    trouble(`could not read AWS: request ${at}f3-${at} failed`, "steady", at * minute),
  );
  assert.equal(toldCount(events), 3);
});

test("other trouble is told at once", () => {
  assert.equal(toldCount([trouble("denied", "steady", 0), trouble("throttled", "steady", 1)]), 2);
});

test("a step that is repeated at once is told once, one that is made again later each time", () => {
  const ten = (atMs: number): EngineEvent => shift("weights Lambda 90 % / Fargate 10 %", atMs);
  const fifty = shift("weights Lambda 50 % / Fargate 50 %", 2);
  assert.equal(toldCount([ten(0), ten(1), fifty, ten(3)]), 3);
});

test("a note that somebody damaged is as good as none, and its size has a bound", () => {
  for (const note of [null, "", "{", '{"phase":1}', '{"recent":[{}]}']) {
    assert.deepEqual(toldOf(note), nothingTold);
  }
  let told: Told = nothingTold;
  for (let at = 0; at < 1000; at += 1) {
    told = tellNews(told, [shift(`${"x".repeat(5000)}${at}`, at * 2 * 60 * minute)]).told;
  }
  assert.ok(JSON.stringify(told).length < 10_000);
});
