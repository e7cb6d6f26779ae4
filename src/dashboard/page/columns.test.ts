import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sampleRun, sampleSnapshot } from "../../../test/sample-run.ts";
import type { RunRecord } from "../../core/record.ts";
import { createColumns, indexAt, phaseSpans } from "./columns.js";
import * as format from "./format.js";
import { createHistory } from "./history.js";

describe("columns", () => {
  it("follow the history through thinning as if they had been read anew", () => {
    const history = createHistory(64);
    const following = createColumns(history);
    for (const record of sampleRun(500)) {
      history.add(record);
      following.update();
      const fresh = createColumns(history);
      fresh.update();
      assert.deepEqual(following.columns, fresh.columns);
    }
    const { time = [] } = following.columns;
    assert.ok(time.length > 30);
    assert.equal(time.at(-1), sampleSnapshot(1).atMs / 1000);
  });

  it("leave out what does not exist", () => {
    const history = createHistory(10);
    history.add({ type: "snapshot", snapshot: sampleSnapshot(0) } satisfies RunRecord);
    const { columns, update } = createColumns(history);
    update();
    assert.deepEqual([columns.tasks?.[0], columns.fargateP50?.[0]], [null, null]);
    assert.ok((columns.lambda?.[0] ?? 0) > 0);
    assert.equal(columns.failed?.[0], 0);
    const { tiers, ...rest } = sampleSnapshot(0.01);
    const uncounted = { ...tiers.lambda, failed: null };
    const unknown = { ...rest, tiers: { lambda: uncounted, fargate: uncounted } };
    history.add({ type: "snapshot", snapshot: unknown });
    update();
    assert.equal(columns.failed?.[1], null, "a simulation counts no failures");
  });
});

describe("the spans of the lane", () => {
  it("are the phases in order, without gaps, each with its reason", () => {
    const history = createHistory(1000);
    for (const record of sampleRun(601)) history.add(record);
    const spans = phaseSpans(history);
    const phases = spans.map(({ phase }) => phase);
    const cycle = ["steady", "provisioning", "shifting", "steady", "shifting", "draining"];
    assert.deepEqual(phases, [...cycle, "deprovisioning", "steady"]);
    for (const [at, { fromMs, toMs, reason }] of spans.entries()) {
      assert.equal(toMs, spans[at + 1]?.fromMs ?? toMs);
      assert.ok(toMs > fromMs);
      assert.equal(reason.includes(phases[at] ?? "?"), at > 0);
    }
  });
});

it("the snapshot of a moment is the last one that is not after it", () => {
  const snapshots = [10, 20, 30].map((atMs) => ({ atMs }));
  const found = [0, 10, 19, 20, 29, 30, 99].map((ms) => indexAt(snapshots, ms));
  assert.deepEqual(found, [0, 0, 0, 1, 1, 2, 2]);
});

describe("words", () => {
  it("say spans, amounts and rates with as many digits as mean something", () => {
    const spans = [0, 850, 74_000, 750_000, 3_900_000, 187_200_000].map(format.span);
    assert.deepEqual(spans, ["0 ms", "850 ms", "74 s", "12 min 30 s", "1 h 05 min", "2 d 4 h"]);
    assert.deepEqual([0, 0.0123, 1.5, 12_345].map(format.usd), [
      "$0.00",
      "$0.0123",
      "$1.50",
      "$12,345",
    ]);
    assert.deepEqual([null, 0, 1.25, 12_345].map(format.rate), ["–", "0", "1.3", "12,345"]);
    assert.deepEqual([null, 4.25, 40, 2500].map(format.latency), ["–", "4.3 ms", "40 ms", "2.5 s"]);
    assert.equal(format.things(1, "task"), "1 task");
    const decades = ["0.1 ms", "1 ms", "100 ms", "1 s", "10 s"];
    assert.deepEqual([0.1, 1, 100, 1000, 10_000].map(format.latencyTick), decades);
    const axis = (step: number, tick: (value: number, step: number) => string): string[] =>
      [0, 1, 2, 3].map((line) => tick(line * step, step));
    assert.deepEqual(axis(0.25, format.numberTick), ["0", "0.25", "0.50", "0.75"]);
    assert.deepEqual(axis(0.02, format.numberTick), ["0", "0.02", "0.04", "0.06"]);
    assert.deepEqual(axis(500, format.numberTick), ["0", "500", "1,000", "1,500"]);
    assert.deepEqual(axis(0.5, format.usdTick), ["$0", "$0.50", "$1.00", "$1.50"]);
    assert.deepEqual(axis(0.00025, format.usdTick), ["$0", "$0.00025", "$0.00050", "$0.00075"]);
    assert.deepEqual(axis(500, format.usdTick), ["$0", "$500", "$1,000", "$1,500"]);
  });

  it("count a rehearsal from its start, date what has a date, and number what has none", () => {
    const startMs = Date.UTC(2026, 0, 5, 9);
    const rehearsal = format.timeWords({ command: "rehearse", atMs: startMs });
    assert.equal(rehearsal.text(startMs + 3_725_000), "1:02:05");
    const dated = format.timeWords({ command: "simulate", atMs: startMs });
    assert.equal(dated.text(startMs), "2026-01-05 09:00");
    const numbered = format.timeWords({ command: "simulate", atMs: 0 });
    assert.equal(numbered.text(90_000_000), "day 2 01:00");
  });

  it("put the ticks of time on round moments that fit", () => {
    const splits = format.timeSplits(100, 3700, 800, 100);
    assert.ok(splits.length >= 4 && splits.length <= 11);
    for (const at of splits) assert.equal((at - 100) % 300, 0);
  });
});
