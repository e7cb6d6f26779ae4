import assert from "node:assert/strict";
import { test } from "node:test";
import { restartLoopHint } from "./restart-loop.ts";

test("restarts without a pause are told once, with what changes", () => {
  let nowMs = 0;
  const hint = restartLoopHint(() => nowMs);
  const after = (ms: number, ...changed: readonly string[]): string | null => {
    nowMs += ms;
    return hint(changed);
  };
  assert.deepEqual([after(0, "a.js"), after(400, "a.js"), after(400, "a.js")], [null, null, null]);
  assert.equal(after(20_000, "a.js"), null, "a person thinks now and then");
  assert.deepEqual([after(400, "out.log"), after(400, "out.log")], [null, null]);
  assert.match(after(400, "out.log", "b", "c", "d") ?? "", /because of out\.log, b, c: .*ignore/);
  assert.equal(after(400, "out.log"), null, "once is enough");
});

test("what was never seen to change is no loop", () => {
  const hint = restartLoopHint(() => 0);
  for (let times = 0; times < 9; times += 1) assert.equal(hint([]), null);
});
