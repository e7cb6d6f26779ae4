import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodes, UserError } from "./errors.ts";

test("a mistake shows its code, its message and what to do", () => {
  const error = new UserError("PORT_IN_USE", "port 4400 is taken", "Choose another with --port.");
  assert.equal(
    error.format(),
    "error PORT_IN_USE: port 4400 is taken\nhint: Choose another with --port.",
  );
  assert.equal(`${error}`, error.format());
  assert.equal(new UserError("TRACE_EMPTY", "no rows", "").format(), "error TRACE_EMPTY: no rows");
});

test("every code is in capitals and has one full sentence", () => {
  for (const [code, sentence] of Object.entries(errorCodes)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.match(sentence, /^[A-Z`].*\.$/, code);
  }
});
