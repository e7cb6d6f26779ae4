import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { sampleHead, sampleRun } from "../../test/sample-run.ts";
import { type RunRecord, type RunStream, recordLine } from "../core/record.ts";
import { readRecording, startRecording } from "./record-file.ts";
import { recordsOf } from "./run-history.ts";

const folder = mkdtempSync(join(tmpdir(), "record-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** A stream in the hands of a test. */
function hose(): RunStream & { tell(record: RunRecord): void; readonly listeners: number } {
  const listeners = new Set<(record: RunRecord) => void>();
  return {
    head: sampleHead,
    controls: [],
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    control: async () => "",
    tell(record) {
      for (const listener of listeners) listener(record);
    },
    get listeners() {
      return listeners.size;
    },
  };
}

describe("a recording", () => {
  it("holds the run and gives it back; a run that was killed leaves whole lines", async () => {
    const path = join(folder, "run.ndjson");
    const stream = hose();
    const recording = startRecording(stream, path, assert.fail);
    const run = sampleRun(100);
    for (const record of run.slice(1, 50)) stream.tell(record);
    assert.ok(readFileSync(path, "utf8").endsWith("\n"), "each line is on disk at once");
    assert.deepEqual(recordsOf(await readRecording(path)), run.slice(0, 50));
    for (const record of run.slice(50)) stream.tell(record);
    recording.stop();
    assert.equal(stream.listeners, 0);
    stream.tell({ type: "end", atMs: 0, ok: true, message: "after the end" });
    assert.deepEqual(recordsOf(await readRecording(path)), run);
  });

  it("of any length is read within bounds", async () => {
    const path = file("long", sampleRun(20_000).map(recordLine).join(""));
    const { snapshots, end } = await readRecording(path);
    assert.ok(snapshots.length > 500 && snapshots.length <= 1200);
    assert.notEqual(end, null);
  });

  it("that breaks off, or is somebody else's, is refused by name", async () => {
    const text = sampleRun(30).map(recordLine).join("");
    const refused = (path: string, code: string): Promise<void> =>
      assert.rejects(readRecording(path), { code });
    await refused(file("cut", text.slice(0, -40)), "RECORD_TRUNCATED");
    await refused(file("head", text.slice(0, 40)), "RECORD_FOREIGN");
    await refused(file("empty", ""), "RECORD_FOREIGN");
    await refused(file("csv", "timestamp_seconds,requests\n0,1\n"), "RECORD_FOREIGN");
    await refused(file("binary", "\u0000".repeat(1_000_000)), "RECORD_FOREIGN");
    await refused(file("middle", text.replace('"phase"', '"face"')), "RECORD_LINE_INVALID");
    await refused(file("endless", `${text}${"x".repeat(1_000_000)}`), "RECORD_LINE_INVALID");
    await refused(join(folder, "none"), "ENOENT");
    await refused(folder, "EISDIR");
  });

  it("that can not go on says why once and lets the run go on", () => {
    const stream = hose();
    const said: string[] = [];
    startRecording(stream, "/dev/full", (why) => said.push(why));
    for (const record of sampleRun(5)) stream.tell(record);
    assert.deepEqual(said, ["ENOSPC"]);
    assert.equal(stream.listeners, 0);
    assert.throws(() => startRecording(stream, join(folder, "no", "file"), assert.fail), {
      code: "ENOENT",
    });
  });

  it("may be appended to by nobody else", async () => {
    const path = file("more", sampleRun(3).map(recordLine).join(""));
    appendFileSync(path, "hello\n");
    await assert.rejects(readRecording(path), { code: "RECORD_LINE_INVALID", message: /line 6/ });
  });
});
