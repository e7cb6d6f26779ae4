/** `lambdaflex init`: what it writes runs at once, and nothing of the user's is overwritten. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertMistake } from "./mistake.ts";
import { makeFolder, run } from "./rig.ts";

interface InitResult {
  readonly language: string;
  readonly name: string;
  readonly wrote: readonly string[];
  readonly kept: readonly string[];
  readonly notes: readonly string[];
}

const toolchains = [
  ["node", process.execPath, "--version"],
  ["python", "python3", "--version"],
  ["go", "go", "version"],
] as const;

// Mostly they wait, so that all of them are rehearsed at once.
describe("a new service is rehearsed at once", { concurrency: true }, () => {
  for (const [language, program, ...args] of toolchains) {
    const missing = spawnSync(program, args).status !== 0 && `there is no ${program}`;
    test(language, { skip: missing }, async () => {
      const parent = makeFolder({});
      const made = await run(parent, ["init", "my-service", "--language", language, "--json"]);
      assert.equal(made.code, 0, made.stderr);
      const { name, wrote, kept } = JSON.parse(made.stdout) as InitResult;
      assert.deepEqual([name, kept], ["my-service", []]);
      for (const path of wrote) assert.ok(existsSync(join(parent, "my-service", path)), path);
      const options = ["--peak", "150", "--speed", "120", "--json"];
      const ended = await run(join(parent, "my-service"), ["rehearse", ...options]);
      assert.equal(ended.code, 0, ended.stderr);
      const result = JSON.parse(ended.stdout) as { ok: boolean; failed: number; requests: number };
      assert.deepEqual([result.ok, result.failed], [true, 0]);
      assert.ok(result.requests > 100);
    });
  }
});

test("what exists stays as it is", async () => {
  const files = { Dockerfile: "FROM mine\n", "package.json": { main: "app.js" }, "app.js": "" };
  const folder = makeFolder(files);
  const made = await run(folder, ["init", "--json"]);
  assert.equal(made.code, 0, made.stderr);
  const { wrote, kept, notes } = JSON.parse(made.stdout) as InitResult;
  assert.deepEqual(kept, ["Dockerfile", "package.json"]);
  assert.deepEqual(wrote, ["lambdaflex.json", ".dockerignore", ".gitignore"]);
  assert.match(notes.join("\n"), /on Lambda it needs the bootstrap/);
  assert.equal(readFileSync(join(folder, "Dockerfile"), "utf8"), "FROM mine\n");
  const config = JSON.parse(readFileSync(join(folder, "lambdaflex.json"), "utf8"));
  assert.equal(config.command, "node app.js");
  const again = JSON.parse((await run(folder, ["init", "--json"])).stdout) as InitResult;
  assert.deepEqual(again.wrote, []);
});

test("a configuration in another form is the configuration", async () => {
  const folder = makeFolder({ "lambdaflex.config.ts": "export default { command: 'x' };\n" });
  const { kept } = JSON.parse((await run(folder, ["init", "--json"])).stdout) as InitResult;
  assert.ok(kept.includes("lambdaflex.config.ts"));
  assert.equal(existsSync(join(folder, "lambdaflex.json")), false);
});

test("mistakes are told before anything is written", async () => {
  const folder = makeFolder({ file: "" });
  const cases = [
    [["--language", "rust"], "OPTION_INVALID", /node, python or go/],
    [["--name", "Not A Name"], "CONFIG_VALUE_INVALID", /name/],
    [["--domain", "localhost"], "CONFIG_VALUE_INVALID", /domain/],
    [["file"], "OPTION_INVALID", /is a file/],
  ] as const;
  for (const [args, code, words] of cases) {
    assertMistake(await run(folder, ["init", ...args]), code, words);
    assert.equal(existsSync(join(folder, "lambdaflex.json")), false);
  }
});
