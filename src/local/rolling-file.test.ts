import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { followRollingFile, openRollingFile, readRollingFile } from "./rolling-file.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lambdaflex-rolling-"));
  folders.push(made);
  return made;
}

const lost = (lines: number): string => `lost ${lines}`;

describe("a rolling file", () => {
  test("goes on after a restart, oldest line first", async () => {
    const at = folder();
    for (const word of ["one", "two"]) {
      const file = await openRollingFile(at, "history", 1000, lost);
      file.append(word);
      await file.close();
    }
    assert.deepEqual(await readRollingFile(at, "history"), ["one", "two"]);
  });

  test("is empty where there is none", async () => {
    assert.deepEqual(await readRollingFile(folder(), "history"), []);
  });

  test("keeps the newest lines within twice its size", async () => {
    const at = folder();
    const file = await openRollingFile(at, "log", 1000, lost);
    for (let line = 0; line < 500; line += 1) {
      file.append(`line ${line}`);
      if (line % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await file.close();
    const kept = await readRollingFile(at, "log");
    assert.equal(kept.at(-1), "line 499");
    assert.ok(kept.length < 500, "the oldest are gone");
    const first = 500 - kept.length;
    assert.deepEqual(
      kept,
      Array.from({ length: kept.length }, (_, index) => `line ${first + index}`),
    );
    for (const name of ["log.ndjson", "log.old.ndjson"]) {
      assert.ok(statSync(join(at, name)).size <= 1000, name);
    }
  });

  test("says how many lines a slow disk has lost", async () => {
    const at = folder();
    const file = await openRollingFile(at, "log", 10_000_000, lost);
    for (let line = 0; line < 30_000; line += 1) file.append("x");
    await file.close();
    const kept = await readRollingFile(at, "log");
    const told = kept.find((line) => line.startsWith("lost "));
    assert.equal(Number(told?.slice(5)) + kept.length - 1, 30_000);
  });

  test("is followed from its oldest line", async () => {
    const at = folder();
    const file = await openRollingFile(at, "log", 60, lost);
    for (let line = 0; line < 8; line += 1) {
      file.append(`number ${line}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await file.close();
    const reader = await followRollingFile(at, "log");
    assert.deepEqual(await reader.next(), await readRollingFile(at, "log"));
    assert.deepEqual(await reader.next(), []);
    await reader.close();
  });

  test("is followed across the beginning of a new half", async () => {
    const at = folder();
    const file = await openRollingFile(at, "log", 60, lost);
    file.append("before");
    await file.close();
    const reader = await followRollingFile(at, "log");
    assert.deepEqual(await reader.next(), ["before"]);
    assert.deepEqual(await reader.next(), []);
    const again = await openRollingFile(at, "log", 60, lost);
    const seen: string[] = [];
    for (let line = 0; line < 20; line += 1) {
      again.append(`number ${line}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      seen.push(...(await reader.next()));
    }
    await again.close();
    seen.push(...(await reader.next()));
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, line) => `number ${line}`),
    );
  });
});
