import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sampleHead, sampleRun } from "../../test/sample-run.ts";
import { type RunRecord, recordLine } from "./record.ts";
import { lineCharactersMax, parseRecord } from "./record-lines.ts";

const others: readonly RunRecord[] = [
  { type: "alarm", atMs: 1, name: "quiet", state: "OK" },
  {
    type: "window",
    sample: {
      tier: "lambda",
      startMs: 0,
      periodMs: 60_000,
      requests: 1,
      errors: 0,
      throttles: 0,
      concurrencyMax: 1,
      latencyMsP99: null,
    },
  },
];
const records = [...sampleRun(20), ...others];

describe("a line of a recording", () => {
  it("comes back as the record that it was written from", () => {
    records.forEach((record, at) => {
      assert.deepEqual(parseRecord(recordLine(record), at + 1), record);
    });
  });

  it("begins with a head, or the file is somebody else's", () => {
    const line = recordLine(others[0] as RunRecord);
    for (const foreign of [line, "", "hello", "[]", "null", '{"type":"run"}', "\u0000\u0001"]) {
      assert.throws(() => parseRecord(foreign, 1), { code: "RECORD_FOREIGN" });
    }
    const newer = JSON.stringify({ ...sampleHead, version: 2 });
    assert.throws(() => parseRecord(newer, 1), { code: "RECORD_VERSION", message: /version 2/ });
  });

  it("is refused when any of its values has become something else", () => {
    const valid = records.slice(1);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.constantFrom({}, []), (which, at, wrong) => {
        const record = structuredClone(valid[which % valid.length]) as unknown as object;
        const places = leavesOf(record);
        const [owner, key] = places[at % places.length] ?? assert.fail("a record has values");
        Reflect.set(owner, key, wrong);
        assert.throws(() => parseRecord(JSON.stringify(record), 2), {
          code: "RECORD_LINE_INVALID",
          message: /^line 2 /,
        });
      }),
    );
  });

  it("may say what was sent, and is refused when that is no list of requests", () => {
    const sent = { method: "GET", path: "/pets/{n}", headers: { accept: "*/*" }, body: null };
    const head = { ...sampleHead, requests: [sent] };
    assert.deepEqual(parseRecord(JSON.stringify(head), 1), head);
    for (const wrong of [
      "all",
      [{ ...sent, path: 1 }],
      [{ ...sent, headers: { a: {} } }],
      [null],
    ]) {
      const line = JSON.stringify({ ...sampleHead, requests: wrong });
      assert.throws(() => parseRecord(line, 1), { code: "RECORD_LINE_INVALID" });
    }
  });

  it("is refused when it is longer than any record", () => {
    assert.equal(lineCharactersMax, 65_536);
    const bare = JSON.stringify({ ...sampleHead, more: "" }).length;
    const lineOf = (length: number): string =>
      JSON.stringify({ ...sampleHead, more: "x".repeat(length - bare) });
    assert.equal(parseRecord(lineOf(lineCharactersMax), 1).type, "run");
    assert.throws(() => parseRecord(lineOf(lineCharactersMax + 1), 1), { code: "RECORD_FOREIGN" });
  });

  it("holds no more alarms and requests than a run has", () => {
    const snapshot = records.find((record) => record.type === "snapshot");
    assert.ok(snapshot?.type === "snapshot");
    const [alarm] = snapshot.snapshot.alarms;
    const withAlarms = (count: number): string =>
      JSON.stringify({
        ...snapshot,
        snapshot: { ...snapshot.snapshot, alarms: Array(count).fill(alarm) },
      });
    assert.equal(parseRecord(withAlarms(16), 2).type, "snapshot");
    assert.throws(() => parseRecord(withAlarms(17), 2), { code: "RECORD_LINE_INVALID" });
    const sent = { method: "GET", path: "/", headers: {} };
    const withRequests = (count: number): string =>
      JSON.stringify({ ...sampleHead, requests: Array(count).fill(sent) });
    assert.equal(parseRecord(withRequests(1000), 1).type, "run");
    assert.throws(() => parseRecord(withRequests(1001), 1), { code: "RECORD_LINE_INVALID" });
  });

  it("is of a known kind", () => {
    const nothing = { toString: 1, valueOf: 1 };
    for (const type of ["note", "toString", "", 1, null, nothing, ["event"]]) {
      assert.throws(() => parseRecord(JSON.stringify({ type }), 2), {
        code: "RECORD_LINE_INVALID",
        message: /it is of no known kind$/,
      });
    }
  });

  it("is refused with a hint", () => {
    const refusal = { name: "RecordError", hint: "Was the file changed by hand?" };
    assert.throws(() => parseRecord("{}", 2), refusal);
  });
});

/** Every place of a plain value, except those that hold an open set of values. */
function leavesOf(value: object): [owner: object, key: string][] {
  return Object.entries(value).flatMap(([key, inner]): [object, string][] => {
    if (key === "data") return [];
    return typeof inner === "object" && inner !== null ? leavesOf(inner) : [[value, key]];
  });
}
