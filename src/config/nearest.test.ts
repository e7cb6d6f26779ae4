import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearest } from "./nearest.ts";

test("the edit distance is a metric", () => {
  const word = fc.string({ maxLength: 12, unit: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.ok(editDistance(a, c) <= editDistance(a, b) + editDistance(b, c));
      assert.ok(editDistance(a, b) >= Math.abs(a.length - b.length));
    }),
  );
  assert.equal(editDistance("kitten", "sitting"), 3);
});

test("common mistakes lead to the key that was meant", () => {
  const keys = ["memoryMB", "timeoutSeconds", "architecture", "concurrencyMax", "idleMinutes"];
  assert.equal(nearest("memoryMb", keys), "memoryMB");
  assert.equal(nearest("memory", keys), "memoryMB");
  assert.equal(nearest("timeoutMs", keys), "timeoutSeconds");
  assert.equal(nearest("maxConcurrency", keys), "concurrencyMax");
  assert.equal(nearest("zzz", keys), null);
  assert.equal(nearest("", keys), null);
});

test("one wrong letter in any key is recognised", () => {
  const keys = ["command", "readiness", "thresholds", "transition", "standby", "domain"];
  fc.assert(
    fc.property(
      fc.constantFrom(...keys),
      fc.nat(),
      fc.constantFrom("x", "q", ""),
      (key, at, by) => {
        const index = at % key.length;
        const typed = key.slice(0, index) + by + key.slice(index + 1);
        assert.equal(nearest(typed, keys), key);
      },
    ),
  );
});

test("a key of a megabyte is compared at once", () => {
  assert.equal(nearest("k".repeat(1_000_000), ["command"]), null);
});
