import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutAccepted, withoutAcceptedPaths } from "./accept.ts";
import { type Hit, placedFinding } from "./finding.ts";

const hit = (line: number): Hit => ({ rule: "websocket", line, message: "x" });
const left = (text: string, hits: readonly Hit[]): readonly string[] =>
  withoutAccepted(text, hits).map(({ rule, line }) => `${rule} ${line}`);

test("a comment accepts its own line and the next line of code", () => {
  const reason = "lambdaflex-ignore websocket only used on Fargate";
  assert.deepEqual(left(`upgrade(); // ${reason}`, [hit(1)]), []);
  assert.deepEqual(left(`// ${reason}\nupgrade();\nupgrade();`, [hit(2), hit(3)]), ["websocket 3"]);
  assert.deepEqual(left(`# ${reason}\n\n# more\nupgrade()`, [hit(4)]), []);
  assert.deepEqual(left(`/* ${reason} */\nupgrade();`, [hit(2)]), []);
});

test("another rule's finding stays", () => {
  const text = "// lambdaflex-ignore encoded-path for a reason\nupgrade();";
  assert.deepEqual(left(text, [hit(2)]), ["websocket 2"]);
});

test("a comment without a rule or a reason is a finding itself", () => {
  const text = "// lambdaflex-ignore websocket\nupgrade();\n// lambdaflex-ignore all of it\n";
  assert.deepEqual(left(text, [hit(2)]), ["websocket 2", "ignore-invalid 1", "ignore-invalid 3"]);
});

test("what a request has shown is accepted by its path", () => {
  const found = placedFinding("differs-body", "x", { type: "request", request: "GET /a?b=1" });
  const accepts = (text: string): boolean => withoutAcceptedPaths([text], [found]).length === 0;
  assert.equal(accepts("# lambdaflex-ignore differs-body /a it names the tier"), true);
  assert.equal(accepts("# lambdaflex-ignore differs-body /b it names the tier"), false);
  assert.equal(accepts("# lambdaflex-ignore differs-status /a it names the tier"), false);
  assert.deepEqual(left("# lambdaflex-ignore differs-body it names the tier", []), [
    "ignore-invalid 1",
  ]);
});
