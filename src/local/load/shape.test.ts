import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parseTrace, rateAt, TraceError, type TraceErrorCode } from "./shape.ts";

const fails = (text: string, code: TraceErrorCode, line: number | null): void => {
  assert.throws(
    () => parseTrace(text, "day.csv"),
    (error) => {
      assert.ok(error instanceof TraceError);
      assert.deepEqual([error.code, error.line], [code, line], error.message);
      assert.ok(error.hint.length > 10);
      assert.match(error.message, line === null ? /day\.csv/ : new RegExp(`day\\.csv:${line}`));
      return true;
    },
  );
};

test("the shipped match day peaks in the evening", () => {
  const text = readFileSync(new URL("./worldcup98-match-day.csv", import.meta.url), "utf8");
  const shape = parseTrace(text, "worldcup98-match-day.csv");
  assert.equal(shape.fractions.length, 270);
  assert.equal(shape.spanSeconds, 16_200);
  assert.equal(shape.requestsMax, 217_532);
  const peak = shape.rates.indexOf(1);
  assert.equal(rateAt(shape, shape.fractions[peak] ?? 0), 1);
  assert.ok(peak > 150 && peak < 200);
  assert.ok(rateAt(shape, 0.1) < 0.1, "quiet before the match");
});

test("headers, blank lines, CRLF, blanks and a byte order mark are tolerated", () => {
  const plain = parseTrace("0,1\n60,2\n", "x");
  for (const text of [
    "timestamp_seconds,requests\n0,1\n60,2",
    "\ufefftimestamp_seconds,requests\r\n0,1\r\n60,2\r\n\r\n",
    "\n\n0,1\n\n60,2\n\n",
    " 0 , 1 \n 60, 2.0 ",
    "0,1e0\n6e1,2",
  ]) {
    assert.deepEqual(parseTrace(text, "x"), plain);
  }
});

test("each mistake has its code and its line", () => {
  fails("", "TRACE_EMPTY", null);
  fails("\n \r\n", "TRACE_EMPTY", null);
  fails("timestamp_seconds,requests\n", "TRACE_EMPTY", null);
  fails("0,0\n60,0\n", "TRACE_EMPTY", null);
  fails("0,5\n", "TRACE_SINGLE_BUCKET", null);
  fails("0,5\n60,6\n30,7\n", "TRACE_UNSORTED", 3);
  fails("0,5\n\n60,6\n60,7\n", "TRACE_DUPLICATED", 4);
  fails("0,5\n60,-1\n", "TRACE_NEGATIVE", 2);
  fails("-60,5\n60,1\n", "TRACE_NEGATIVE", 1);
  fails("0,5\n60,many\n", "TRACE_NOT_NUMERIC", 2);
  fails("0,5\n60,\n", "TRACE_NOT_NUMERIC", 2);
  fails("0,5\n0x3c,1\n", "TRACE_NOT_NUMERIC", 2);
  fails("0,5\n60,1e999\n", "TRACE_NOT_NUMERIC", 2);
  fails("0,5\n60,NaN\n", "TRACE_NOT_NUMERIC", 2);
  fails("0,5\na,b\n60,1", "TRACE_NOT_NUMERIC", 2);
  fails("zero,5\n60,1\n", "TRACE_NOT_NUMERIC", 1);
  fails("0,5\n60;6\n", "TRACE_COLUMNS", 2);
  fails("0,5,1\n", "TRACE_COLUMNS", 1);
  fails("0,1\n".padEnd(51 * 1024 * 1024, "\n"), "TRACE_TOO_LARGE", null);
});

test("too many rows are refused", () => {
  const rows = Array.from({ length: 2_000_001 }, (_, i) => `${i},1`).join("\n");
  fails(rows, "TRACE_TOO_LARGE", 2_000_001);
});

test("any text either parses or fails with a TraceError", () => {
  const line = fc.oneof(
    fc.string(),
    fc.tuple(fc.integer(), fc.integer()).map((pair) => pair.join(",")),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        parseTrace(lines.join("\n"), "x");
      } catch (error) {
        assert.ok(error instanceof TraceError);
      }
    }),
  );
});

test("the curve meets every bucket, stays between neighbours and never jumps", () => {
  const counts = fc.array(fc.nat(10_000), { minLength: 2, maxLength: 50 });
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(counts, fraction, (requests, at) => {
      fc.pre(requests.some((count) => count > 0));
      const csv = requests.map((count, i) => `${1000 + i * 60},${count}`).join("\n");
      const shape = parseTrace(csv, "x");
      shape.fractions.forEach((centre, i) => {
        assert.ok(Math.abs(rateAt(shape, centre) - (shape.rates[i] ?? 0)) < 1e-9);
      });
      const rate = rateAt(shape, at);
      assert.ok(rate >= 0 && rate <= 1);
      const next = rateAt(shape, Math.min(1, at + 1e-6));
      assert.ok(Math.abs(next - rate) <= 1e-6 * requests.length * 1.001 + 1e-12);
    }),
  );
});

test("a gap in the records is bridged", () => {
  const shape = parseTrace("0,10\n60,10\n240,20\n300,20\n", "x");
  assert.equal(shape.spanSeconds, 360);
  assert.ok(Math.abs(rateAt(shape, 180 / 360) - 0.75) < 1e-9);
});
