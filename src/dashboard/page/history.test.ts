import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sampleHead, sampleRun, sampleSnapshot } from "../../../test/sample-run.ts";
import type { RunRecord, Snapshot } from "../../core/record.ts";
import { createHistory, recordsOf } from "./history.js";

const fed = (count: number, most: number): readonly Snapshot[] => {
  const history = createHistory(most);
  for (const record of sampleRun(count)) history.add(record);
  return history.snapshots;
};

describe("the history of a run", () => {
  it("is bounded, in order, and holds the first and the newest snapshot", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 20, max: 200 }),
        (n, most) => {
          const kept = fed(n, most).map(({ atMs }) => atMs);
          assert.ok(kept.length <= most, `${kept.length} of ${n} in ${most}`);
          assert.deepEqual(
            kept,
            kept.toSorted((a, b) => a - b),
          );
          assert.equal(kept[0], sampleSnapshot(0).atMs);
          assert.equal(kept.at(-1), sampleSnapshot(n === 1 ? 0 : 1).atMs);
          assert.equal(new Set(kept).size, kept.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is spread evenly: no gap is much wider than the others", () => {
    const kept = fed(5000, 200).map(({ atMs }) => atMs);
    const gaps = kept.slice(1).map((atMs, at) => atMs - (kept[at] ?? 0));
    assert.ok(kept.length >= 90, String(kept.length));
    assert.ok(Math.max(...gaps) <= (3 * 3_600_000) / kept.length);
  });

  it("keeps each turn of a run, however short", () => {
    const turns = (snapshots: readonly Snapshot[]): string[] =>
      snapshots
        .map(({ phase, route }) => `${phase} ${route.fargate}`)
        .filter((turn, at, all) => turn !== all[at - 1]);
    assert.deepEqual(turns(fed(20_000, 100)), turns(fed(600, 1000)));
  });

  it("comes back as records in the order of time, and begins anew with a head", () => {
    const history = createHistory(1000);
    const run = sampleRun(50);
    for (const record of run) history.add(record);
    assert.deepEqual(recordsOf(history), run);
    history.add(sampleHead);
    assert.deepEqual(recordsOf(history), [sampleHead]);
  });

  it("forgets the oldest events, and what comes out of order", () => {
    const history = createHistory(10, 5);
    history.add(sampleHead);
    for (let atMs = 0; atMs < 9; atMs += 1) {
      history.add({ type: "alarm", atMs, name: "quiet", state: "OK" } satisfies RunRecord);
    }
    assert.equal(history.events.length, 5);
    history.add({ type: "snapshot", snapshot: sampleSnapshot(0.5) });
    history.add({ type: "snapshot", snapshot: sampleSnapshot(0.4) });
    assert.equal(history.snapshots.length, 1);
  });
});
