import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { UserError } from "../config/errors.ts";
import type { Screen } from "./screen.ts";
import { type LoadedTrace, loadTrace } from "./simulate-trace.ts";

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-trace-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const silent: Screen = { say() {}, picture() {}, plain() {}, close() {} };

const load = (content: string | Buffer): Promise<LoadedTrace> => {
  const path = join(folder, "trace");
  writeFileSync(path, content);
  return loadTrace(path, silent);
};

const line = (second: number): string => {
  const minute = 30 + Math.floor(second / 60);
  return `192.0.2.7 - - [01/Mar/2024:18:${minute}:00 +0000] "GET / HTTP/1.1" 200 5`;
};
const log = (lines: number): string =>
  Array.from({ length: lines }, (_, at) => line(at % 600)).join("\n");

const sum = ({ trace }: LoadedTrace): number =>
  Math.round(60 * trace.rps.reduce((total, rate) => total + rate, 0));

describe("a trace file is known by its content", () => {
  it("as CSV, with a byte order mark or without", async () => {
    const csv = "timestamp_seconds,requests\r\n0,60\r\n60,120\r\n";
    for (const text of [csv, `\ufeff${csv}`]) {
      const { kind, trace } = await load(text);
      assert.match(kind, /^CSV/);
      assert.deepEqual([...trace.rps], [1, 2]);
    }
  });

  it("as a log, plain or gzipped in several parts", async () => {
    const text = `${log(20_000)}\n`;
    const plain = await load(text);
    const zipped = await load(Buffer.concat([gzipSync(text), gzipSync(text)]));
    assert.match(plain.kind, /^common or combined/);
    assert.match(zipped.kind, /, gzipped$/);
    assert.deepEqual([sum(plain), sum(zipped)], [20_000, 40_000]);
    assert.deepEqual(plain.log, {
      lines: 20_000,
      requests: 20_000,
      brokenLines: 0,
      firstBroken: null,
    });
  });

  it("as CloudWatch's JSON", async () => {
    const at = (minute: number): string => `2024-03-01T18:3${minute}:00+00:00`;
    const points = [1, 0].map((minute) => ({ Timestamp: at(minute), Sum: 60 }));
    const { kind, trace } = await load(JSON.stringify({ Label: "Count", Datapoints: points }));
    assert.equal(kind, "CloudWatch metric Count");
    assert.deepEqual([...trace.rps], [1, 1]);
  });

  it("and tells of what it left out", async () => {
    const { notes, log: facts } = await load(`${log(3)}\nwhat?\n`);
    assert.equal(facts?.brokenLines, 1);
    assert.ok(notes.some((note) => /1 of 4 lines are broken.*line 4$/.test(note)));
    assert.deepEqual(facts.firstBroken, { line: 4, text: "what?" }, "for the terminal alone");
  });

  const zipped = gzipSync(log(50_000));
  const faults: readonly (readonly [string, string | Buffer, string, RegExp])[] = [
    ["nothing", "", "TRACE_EMPTY", /0 rows/],
    ["a gap", "0,1\n60,1\n240,1\n", "TRACE_GAP", /trace:3: 2 bucket/],
    ["mixed buckets", "0,1\n60,1\n150,1\n", "TRACE_RESOLUTION", /trace:3/],
    ["a step back", "60,1\n0,1\n", "TRACE_UNSORTED", /trace:2/],
    ["a time twice", "0,1\n0,1\n", "TRACE_DUPLICATED", /trace:2/],
    ["less than nothing", "0,1\n60,-1\n", "TRACE_NEGATIVE", /trace:2/],
    ["three columns", "0,1,2\n", "TRACE_COLUMNS", /trace:1/],
    ["a story", "Once upon a time\n", "TRACE_FORMAT", /trace:1: .*"Once upon/],
    ["no gzip after all", Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4]), "TRACE_UNREADABLE", /Z_/],
    ["half a gzip", zipped.subarray(0, zipped.length / 2), "TRACE_UNREADABLE", /Z_BUF_ERROR/],
    ["half a JSON", '{"Datapoints": [\n1, 2', "CLOUDWATCH_SYNTAX", /trace:2:5/],
    ["another JSON", "[1]", "CLOUDWATCH_SHAPE", /Datapoints/],
    ["a CSV in a log", `${log(3)}\n${"0,1\n".repeat(9)}`, "LOG_BROKEN", /trace:4: 9 of 12/],
  ];
  for (const [what, content, code, words] of faults) {
    it(`and refused if it is ${what}`, () =>
      assert.rejects(load(content), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, words);
        assert.match(error.hint, /^[A-Z].*\.$/);
        return true;
      }));
  }

  it("and refused if it is a folder or missing", async () => {
    mkdirSync(join(folder, "inner"));
    for (const name of ["inner", "none"]) {
      await assert.rejects(loadTrace(join(folder, name), silent), { code: "TRACE_NOT_FOUND" });
    }
  });
});
