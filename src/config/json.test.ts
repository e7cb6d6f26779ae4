import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { locateJsonError } from "./json.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("what JSON.parse accepts has no error", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(0, 1, 2), (text, indent) => {
      assert.equal(locateJsonError(JSON.stringify(JSON.parse(text), null, indent)), null);
    }),
  );
});

test("a damaged text has an error exactly if JSON.parse refuses it", () => {
  const damage = fc.constantFrom("", ",", "}", "]", '"', "\\", "\n", "/", "-", "0", ".", "e", "'");
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(3), damage, (text, at, cut, put) => {
      const index = at % (text.length + 1);
      const damaged = text.slice(0, index) + put + text.slice(index + cut);
      assert.equal(locateJsonError(damaged) === null, isJson(damaged), damaged);
    }),
    { numRuns: 2000 },
  );
});

test("errors are found at their line and column", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "1:1 expected a value, found the end of the file"],
    ['{\n  "a": 1,\n}', '2:9 no comma before the closing "}"'],
    ['{\n  // note\n  "a": 1\n}', "2:3 comments are not part of JSON"],
    ["{'a': 1}", '1:2 text stands in double quotes, "like this"'],
    ["{a: 1}", '1:2 expected a key in double quotes, found "a"'],
    ['{"a" 1}', '1:6 expected ":", found "1"'],
    ['{"a": 1 "b": 2}', '1:9 expected "," or "}", found "\\""'],
    ['{"a": "x\ny"}', "1:9 a line break or control character inside of a text"],
    ['{"a": "\\x"}', "1:8 this escape does not exist in JSON"],
    ['{"a": "x}', "1:7 this text has no closing quote"],
    ['{"a": 01}', '1:7 expected a value, found "0"'],
    ["{} {}", '1:4 expected the end of the file, found "{"'],
    ["[".repeat(200), "1:102 nested deeper than 100 levels"],
  ];
  for (const [text, expected] of cases) {
    const error = locateJsonError(text);
    assert.equal(`${error?.line}:${error?.column} ${error?.message}`, expected);
  }
});
