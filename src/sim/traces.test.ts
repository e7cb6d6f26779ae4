import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTraceCsv, scaledTo, TraceFormatError } from "./traces.ts";

const header = "timestamp_seconds,requests\n";

describe("traces", () => {
  it("hold a coarse bucket flat over its minutes", () => {
    const trace = parseTraceCsv(`${header}300,600\n480,0\n660,180\n`, "t");
    assert.equal(trace.startSeconds, 300);
    assert.equal(trace.bucketSeconds, 180);
    const third = 600 / 180;
    assert.deepEqual([...trace.rps], [third, third, third, 0, 0, 0, 1, 1, 1]);
  });

  it("add finer buckets up", () => {
    const trace = parseTraceCsv("0,60\n30,0\n60,30\n90,30\n", "t");
    assert.deepEqual([...trace.rps], [1, 1]);
  });

  it("scale to a peak and to a mean", () => {
    const rps = Float64Array.of(1, 3);
    assert.deepEqual([...scaledTo(rps, "peak50", 16)], [50 / 3, 50]);
    assert.deepEqual([...scaledTo(rps, "meanBE*3", 16)], [24, 72]);
  });

  const faults: readonly (readonly [string, string, string, number | null])[] = [
    ["nothing", "", "TRACE_EMPTY", null],
    ["a header alone", header, "TRACE_EMPTY", null],
    ["one row", "0,1\n", "TRACE_EMPTY", null],
    ["no request", "0,0\n60,0\n", "TRACE_EMPTY", null],
    ["three columns", "0,1\n60,1,2\n", "TRACE_COLUMNS", 2],
    ["words", "0,1\n60,many\n", "TRACE_NOT_NUMERIC", 2],
    ["more than a number holds", "0,1\n60,1e999\n", "TRACE_NOT_NUMERIC", 2],
    ["a late header", `0,1\n${header}`, "TRACE_NOT_NUMERIC", 2],
    ["less than nothing", "0,1\n60,-1\n", "TRACE_NEGATIVE", 2],
    ["a step back", "60,1\n0,1\n", "TRACE_UNSORTED", 2],
    ["two rows that changed places", "0,1\n60,1\n180,1\n120,1\n240,1\n", "TRACE_UNSORTED", 4],
    ["a time twice", "0,1\n0,1\n", "TRACE_DUPLICATED", 2],
    ["a gap", "0,1\n60,1\n240,1\n", "TRACE_GAP", 3],
    ["a gap after the first row", "0,1\n180,1\n240,1\n300,1\n", "TRACE_GAP", 2],
    ["finer buckets, then coarser", "0,1\n60,1\n120,1\n420,1\n720,1\n", "TRACE_RESOLUTION", 4],
    ["mixed buckets", "0,1\n60,1\n150,1\n", "TRACE_RESOLUTION", 3],
    ["odd buckets", "0,1\n90,1\n", "TRACE_RESOLUTION", 2],
  ];
  for (const [what, text, code, line] of faults) {
    it(`refuse ${what}`, () => {
      assert.throws(
        () => parseTraceCsv(text, "t.csv"),
        (error) => {
          assert.ok(error instanceof TraceFormatError);
          assert.equal(error.code, code);
          assert.equal(error.line, line);
          assert.ok(error.hint.length > 10);
          return true;
        },
      );
    });
  }
});
