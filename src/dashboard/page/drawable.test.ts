import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { drawable } from "./columns.js";

const value = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: null });
const table = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 2000 });

test("what is drawn has the extremes of every stretch, in order, and not many more rows", () => {
  fc.assert(
    fc.property(table, fc.integer({ min: 4, max: 60 }), (rows, buckets) => {
      const columns = {
        time: rows.map((_, at) => at),
        a: rows.map(([a]) => a),
        b: rows.map(([, b]) => b),
      };
      const [time = [], a = [], b = []] = drawable(columns, ["a", "b"], 0, rows.length, buckets);
      assert.deepEqual(
        time,
        [...new Set(time)].toSorted((x, y) => (x ?? 0) - (y ?? 0)),
      );
      assert.ok(time.length <= Math.max(2 * buckets, 7 * buckets + 8), `${time.length} rows`);
      assert.deepEqual([time[0], time.at(-1)], [0, rows.length - 1]);
      for (const [at, row] of time.entries()) {
        assert.deepEqual([a[at], b[at]], rows[row ?? 0], "rows stay together");
      }
      const most = (values: readonly (number | null)[]): number =>
        Math.max(-1, ...values.map((one) => one ?? -1));
      assert.deepEqual([most(a), most(b)], [most(columns.a), most(columns.b)]);
    }),
  );
});

test("a part of the rows begins and ends where it is asked to, and few rows are left alone", () => {
  const columns = { time: [0, 1, 2, 3, 4, 5], a: [5, 4, null, 2, 1, 0] };
  assert.deepEqual(drawable(columns, ["a"], 0, 6, 100), [columns.time, columns.a]);
  assert.deepEqual(drawable(columns, ["a"], 1, 4, 100), [
    [1, 2, 3],
    [4, null, 2],
  ]);
  assert.deepEqual(drawable(columns, ["none"], 0, 6, 100)[1], Array(6).fill(null));
});
