import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { jsonSchema, leaves, nodeAt } from "./keys.ts";
import { parseConfig } from "./parse.ts";

test("types, editor schema, guide and error page agree with the schema", () => {
  const tool = fileURLToPath(new URL("../../tools/schema.ts", import.meta.url));
  const run = spawnSync(process.execPath, [tool, "--check"], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});

test("every key has a sentence, and a default unless it cannot have one", () => {
  for (const { path, node, required } of leaves(jsonSchema())) {
    assert.match(node.description ?? "", /(\.| \.\.\.)$/, path);
    const free = required || path === "$schema";
    assert.equal(node.default === undefined, free, path);
  }
});

test("every number has its unit in its name or counts what its name says", () => {
  const unit =
    /(Seconds|Days|PerSecond|Minutes|MinutesMax|MB|Percent|Percents|PercentsDown|PerMinute)$/;
  const counted = /(port|vcpu|concurrency|Max|Tasks|Threshold|periods|of|probes|minutes|weight)$/;
  const ofAws = /(burst|natGateways)$/;
  for (const { path, node } of leaves(jsonSchema())) {
    const number = node.type === "integer" || node.type === "number";
    if (number)
      assert.ok(
        [unit, counted, ofAws, /Min$/].some((one) => one.test(path)),
        path,
      );
  }
});

test("the documented defaults are the values that a minimal configuration gets", () => {
  const config = parseConfig({ command: "x" }, "/srv/service", "lambdaflex.json");
  for (const { path, node, required } of leaves(jsonSchema())) {
    if (required || path === "$schema" || path.includes("[]")) continue;
    const keys = path.split(".");
    const value = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config);
    assert.deepEqual(value, node.default, path);
  }
});

test("a place in the schema is found by keys, indices and free names", () => {
  const schema = jsonSchema();
  assert.equal(nodeAt(schema, ["load", "requests", 3, "weight"])?.type, "number");
  assert.equal(nodeAt(schema, ["env", "ANY"])?.type, "string");
  assert.equal(nodeAt(schema, ["lambda", "nothing"]), null);
});
