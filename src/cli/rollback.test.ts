import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../config/errors.ts";
import { chosenImage } from "./rollback.ts";

const image = (digit: string): string => `repository@sha256:${digit.repeat(64)}`;
/** Newest first. */
const records = (digits: string): { atMs: number; image: string; by: string }[] =>
  [...digits].map((digit, at) => ({ atMs: 100 - at, image: image(digit), by: "ann" }));

test("chooses the newest image that is another one", () => {
  assert.equal(chosenImage(records("cba"), image("c"), null), image("b"));
  assert.equal(chosenImage(records("ccba"), image("c"), null), image("b"));
  assert.equal(chosenImage(records("bcba"), image("b"), null), image("c"), "twice is back again");
  assert.equal(chosenImage(records("ba"), image("c"), null), image("b"), "not recorded itself");
  // Something newer was recorded, yet this one is present: older ones come before it.
  assert.equal(chosenImage(records("cba"), image("b"), null), image("a"));
});

test("chooses by the beginning of a digest", () => {
  assert.equal(chosenImage(records("cba"), image("c"), "aaaaaa"), image("a"));
  assert.equal(chosenImage(records("cba"), image("c"), `sha256:${"b".repeat(64)}`), image("b"));
});

test("says what there is to choose from", () => {
  const cases: readonly (readonly [string, string | null, RegExp])[] = [
    ["c", null, /no other image/],
    ["cba", "dddddd", /no image dddddd was deployed/],
    ["cba", "a", /no image a was deployed/],
  ];
  for (const [digits, to, words] of cases) {
    assert.throws(
      () => chosenImage(records(digits), image("c"), to),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.code, "PREVIOUS_IMAGE_MISSING");
        assert.match(error.message, words);
        return true;
      },
    );
  }
});
