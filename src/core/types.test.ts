import assert from "node:assert/strict";
import { test } from "node:test";
import { ConflictError, lateCallMsMax } from "./types.ts";

test("a call that failed has come too late after twice the time-out of a request to AWS", () => {
  assert.equal(lateCallMsMax, 2 * 5000);
});

test("a conflict says what it is", () => {
  assert.equal(String(new ConflictError("revision 4")), "ConflictError: revision 4");
});
