/** The documentation names every permission with its reason. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { controllerCalls } from "./calls.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/controller.md"), "utf8");

test("docs/controller.md has a row for each call, with its reason", () => {
  for (const { action, reason } of controllerCalls) {
    assert.ok(page.includes(`| \`${action}\` |`), action);
    assert.ok(page.includes(reason), `${action}: ${reason}`);
  }
});

test("no permission is listed twice, none is a wildcard", () => {
  const actions = controllerCalls.map(({ action }) => action);
  assert.equal(new Set(actions).size, actions.length);
  assert.ok(actions.every((action) => !action.includes("*")));
});
