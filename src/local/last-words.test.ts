/** The one line of a dead process that its owner wants to see. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLastWords } from "./last-words.ts";

function lastOf(...lines: readonly string[]): string {
  const heard = createLastWords();
  for (const line of lines) heard.hear(line);
  return heard.words;
}

describe("the last words", () => {
  test("of a process that said nothing are none", () => {
    assert.equal(lastOf(), "");
    assert.equal(lastOf("", "  "), "");
  });

  test("of Node are its error, not the stack or the version after it", () => {
    const words = lastOf(
      "listening",
      "/srv/server.js:3",
      'throw new TypeError("no database");',
      "TypeError: no database",
      "    at Object.<anonymous> (/srv/server.js:3:7)",
      "",
      "Node.js v24.0.0",
    );
    assert.equal(words, "TypeError: no database");
  });

  test("of Python are its error", () => {
    const words = lastOf(
      "Traceback (most recent call last):",
      '  File "app.py"',
      "KeyError: 'HOME'",
    );
    assert.equal(words, "KeyError: 'HOME'");
  });

  test("of Go are its panic, not the goroutines after it", () => {
    const words = lastOf("panic: out of range", "", "goroutine 1 [running]:", "main.main()");
    assert.equal(words, "panic: out of range");
  });

  test("are the newest line where none looks like an error", () => {
    assert.equal(lastOf("starting", "disk full, giving up"), "disk full, giving up");
  });

  test("are not what the bootstrap says of the end", () => {
    assert.equal(lastOf("disk full", "lambdaflex: the service ended: exit status 3"), "disk full");
    const check = "lambdaflex: the service is not ready after 2000 ms: GET / answers 503";
    assert.equal(lastOf("listening", check), check);
  });

  test("are short, however much was said", () => {
    assert.equal(lastOf("x".repeat(10_000)).length, 500);
    assert.equal(lastOf(...Array.from({ length: 1000 }, (_, at) => `line ${at}`)), "line 999");
  });
});
