import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { initialStatus, lambdaOnly, routeOf, type Status } from "../core/index.ts";
import type { PlaneFacts } from "./control-plane.ts";
import { openMemory } from "./memory.ts";
import { StateForeign } from "./state-file.ts";

const facts: PlaneFacts = {
  stack: "complete",
  digest: "sha256:one",
  tasks: 2,
  stackDueMs: 9_000_000,
  route: lambdaOnly,
  pendingRoute: { route: routeOf(10), dueMs: 9_000_000 },
  atMs: 1_000_000,
};

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lambdaflex-memory-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const store = (file: string, value: unknown): void =>
  writeFileSync(join(folder, file), JSON.stringify(value));

describe("what is remembered", () => {
  it("is nothing at first", async () => {
    const { before, resumed, knownMs } = await openMemory(folder);
    assert.deepEqual({ before, resumed, knownMs }, { before: null, resumed: false, knownMs: 0 });
  });

  it("comes back as it was written", async () => {
    const first = await openMemory(folder);
    await first.plane.write(facts);
    await first.status.write(1, { ...initialStatus(), revision: 1 });
    const second = await openMemory(folder);
    assert.deepEqual(second.before, facts);
    assert.equal(second.resumed, true);
    assert.equal(second.knownMs, facts.atMs, "what is due later has not happened yet");
  });

  const moments: Partial<Status>[] = [
    { targetSinceMs: 2_000_000 },
    { shiftedAtMs: 2_000_000 },
    { syncedAtMs: 2_000_000 },
    { healthySinceMs: 2_000_000 },
    { windowSeenMs: 1_940_000 },
  ];
  for (const moment of moments) {
    it(`time does not begin before ${Object.keys(moment)}`, async () => {
      store("cloud.json", facts);
      store("status.4.json", { ...initialStatus(), ...moment, holdUntilMs: 99_000_000 });
      assert.equal((await openMemory(folder)).knownMs, 2_000_000);
    });
  }

  it("of another version is an error, whatever part is missing", async () => {
    const keys = Object.keys(initialStatus()) as (keyof Status)[];
    for (const key of keys) {
      const { [key]: _, ...rest } = initialStatus();
      store("status.4.json", rest);
      await assert.rejects(openMemory(folder), StateForeign, `without ${key}`);
    }
    store("status.4.json", initialStatus());
    assert.equal((await openMemory(folder)).resumed, true);
    store("cloud.json", { version: "other" });
    await assert.rejects(openMemory(folder), StateForeign);
  });
});
