import assert from "node:assert/strict";
import { test } from "node:test";
import { controllerConfigText, parseControllerConfig } from "./controller.ts";
import { parseConfig } from "./parse.ts";

const config = parseConfig(
  { command: "node server.js", policy: "auto", fargate: { maxTasks: 7 } },
  "shop",
  "lambdaflex.json",
);

test("the controller reads back what the stacks wrote, and it fits a variable", () => {
  const text = controllerConfigText(config);
  const read = parseControllerConfig(text);
  assert.equal(read.policy, "auto");
  assert.equal(read.fargate.maxTasks, 7);
  assert.deepEqual(read.transition, config.transition);
  assert.ok(Buffer.byteLength(text) < 2500, `${Buffer.byteLength(text)} bytes`);
});

test("a variable that somebody changed is refused", () => {
  const { transition: _, ...rest } = JSON.parse(controllerConfigText(config));
  const odd = { ...JSON.parse(controllerConfigText(config)), policy: "sometimes" };
  for (const text of ["", "null", "{", JSON.stringify(rest), JSON.stringify(odd)]) {
    assert.throws(() => parseControllerConfig(text), /LAMBDAFLEX_CONFIG/);
  }
});
