import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commitOverride, pinned, shifted, stayOf } from "./override.ts";
import { initialStatus } from "./status.ts";
import { ConflictError, type Status } from "./types.ts";

/** Keeps a status for which others are faster so many times. */
function keeper(conflicts: number, failure: Error = new ConflictError("stale")) {
  const kept = { status: { ...initialStatus(), revision: 7, holdUntilMs: 99 } as Status, tries: 0 };
  return {
    kept,
    async observe() {
      return { status: kept.status };
    },
    async commit(status: Status) {
      kept.tries += 1;
      if (kept.tries <= conflicts) throw failure;
      kept.status = status;
    },
  };
}

describe("the owner's word", () => {
  it("is the next revision, and forgets a back-off", async () => {
    const cloud = keeper(0);
    await commitOverride(cloud, pinned("fargate"));
    const { revision, override, holdUntilMs } = cloud.kept.status;
    assert.deepEqual(
      [revision, override, holdUntilMs],
      [8, { tier: "fargate", untilMs: null }, null],
    );
    await commitOverride(cloud, null);
    assert.deepEqual([cloud.kept.status.revision, cloud.kept.status.override], [9, null]);
  });

  it("is said again while a controller is faster, twenty times", async () => {
    const patient = keeper(20);
    await commitOverride(patient, pinned("lambda"));
    assert.equal(patient.kept.tries, 21);
    const given = keeper(21);
    await assert.rejects(commitOverride(given, pinned("lambda")), ConflictError);
    assert.equal(given.kept.tries, 21);
  });

  it("is not said again when something else is wrong", async () => {
    const broken = keeper(1, new Error("no disk"));
    await assert.rejects(commitOverride(broken, pinned("lambda")), /no disk/);
    assert.equal(broken.kept.tries, 1);
  });

  it("holds a shift for the tier's minimum stay, and at least ten minutes", () => {
    const dwellMs = { lambda: 60_000, fargate: 3_000_000 };
    assert.equal(stayOf({ dwellMs }, "lambda"), 600_000);
    assert.equal(stayOf({ dwellMs }, "fargate"), 3_000_000);
    assert.deepEqual(shifted("lambda", 5, 600_000), { tier: "lambda", untilMs: 600_005 });
  });
});
