import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { RunRecord, Snapshot } from "../core/record.ts";
import type { Sample } from "../core/types.ts";
import { readRollingFile } from "./rolling-file.ts";
import {
  type AskedStream,
  openRunFiles,
  outputName,
  parseLogLine,
  readHistory,
  readLiveAddress,
} from "./run-files.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lambdaflex-run-"));
  folders.push(made);
  return made;
}

/** A stream and the end that records come from. */
function stream(atMs = 0): { stream: AskedStream; emit(record: RunRecord): void } {
  const listeners = new Set<(record: RunRecord) => void>();
  return {
    emit: (record) => {
      for (const listener of listeners) listener(record);
    },
    stream: {
      head: { type: "run", version: 1, atMs, service: "shop", command: "dev", speed: 60 },
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      controls: [],
      control: async () => "",
      outlook: () => null,
    },
  };
}

const decision = (atMs: number): RunRecord => ({
  type: "event",
  event: { atMs, type: "decision", phase: "provisioning", message: "target fargate", data: {} },
});

const window = (startMs: number): RunRecord => ({
  type: "window",
  sample: { tier: "lambda", startMs, requests: 1 } as Sample,
});

describe("the files of a run", () => {
  test("keep what was decided, over several runs, and nothing that is only shown", async () => {
    const at = folder();
    for (const atMs of [1, 2]) {
      const run = stream(atMs);
      const files = await openRunFiles(at, run.stream);
      run.emit(window(0));
      run.emit({ type: "snapshot", snapshot: {} as Snapshot });
      run.emit(decision(atMs));
      run.emit({ type: "alarm", atMs, name: "quiet", state: "OK" });
      await files.close();
      run.emit(decision(99));
    }
    appendFileSync(join(at, "history.ndjson"), "{half a line\n");
    const kinds = (await readHistory(at)).map(({ type }) => type);
    assert.deepEqual(kinds, ["run", "event", "alarm", "run", "event", "alarm"]);
  });

  test("report the newest snapshot and an hour of windows", async () => {
    const run = stream();
    const files = await openRunFiles(folder(), run.stream);
    assert.equal(files.report(), null);
    for (let minute = 0; minute < 200; minute += 1) run.emit(window(minute * 60_000));
    run.emit({ type: "snapshot", snapshot: { atMs: 7 } as Snapshot });
    const report = files.report();
    assert.equal(report?.snapshot.atMs, 7);
    assert.equal(report?.speed, 60);
    assert.equal(report?.windows.length, 120);
    assert.equal(report?.windows.at(-1)?.startMs, 199 * 60_000);
    await files.close();
  });

  test("say of each line of output who said it", async () => {
    const at = folder();
    const files = await openRunFiles(at, stream().stream);
    files.log("[lambda-3] GET / 200", 1.4);
    files.log("[task-1] [info] up", 2);
    files.log("target tracking: 3 tasks", 3);
    files.log(`[task-1] ${"x".repeat(10_000)}`, 4);
    await files.close();
    const lines = (await readRollingFile(at, outputName)).map(parseLogLine);
    assert.deepEqual(lines.slice(0, 3), [
      { atMs: 1, tier: "lambda", from: "lambda-3", line: "GET / 200" },
      { atMs: 2, tier: "fargate", from: "task-1", line: "[info] up" },
      { atMs: 3, tier: null, from: null, line: "target tracking: 3 tasks" },
    ]);
    assert.equal(lines[3]?.line.length, 8192);
    assert.equal(parseLogLine("{"), null);
  });

  test("say where to ask only while the process lives and has not ended the run", async () => {
    const at = folder();
    const files = await openRunFiles(at, stream().stream);
    assert.equal(await readLiveAddress(at), null);
    await files.announce("http://127.0.0.1:1/", 5);
    assert.deepEqual(await readLiveAddress(at), {
      pid: process.pid,
      url: "http://127.0.0.1:1/",
      startedMs: 5,
    });
    await files.close();
    assert.equal(await readLiveAddress(at), null);
    // Process numbers end far below this one.
    const dead = { pid: 2 ** 30, url: "http://127.0.0.1:1/", startedMs: 5 };
    writeFileSync(join(at, "live.json"), JSON.stringify(dead));
    assert.equal(await readLiveAddress(at), null);
    writeFileSync(join(at, "live.json"), "{");
    assert.equal(await readLiveAddress(at), null);
  });
});
