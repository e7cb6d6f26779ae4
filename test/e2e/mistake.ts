/** How lambdaflex tells a user of a mistake. */
import assert from "node:assert/strict";
import type { Ended } from "./rig.ts";

/** Fails unless the user was told of a mistake, and of nothing else. */
export function assertMistake({ code, stdout, stderr }: Ended, name: string, words: RegExp): void {
  const said = `exit code ${code}, standard error:\n${stderr}`;
  assert.equal(code, 2, said);
  assert.equal(stdout, "", said);
  assert.match(stderr, new RegExp(`^error ${name}: .+\\nhint: .+`, "m"), said);
  assert.match(stderr, words, said);
  assert.doesNotMatch(stderr, /^\s+at .+:\d+:\d+\)?$/m, "a mistake needs no stack trace");
}
