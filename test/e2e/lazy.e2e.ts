/** Commands load what they need and no more: the CDK and its toolkit take seconds. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const large = /node_modules\/(aws-cdk-lib|constructs|@aws-cdk\/toolkit-lib)\//;

let folder = "";
let watcher = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "lambdaflex-lazy-"));
  const hooks = join(folder, "hooks.mjs");
  // Every module that is loaded is named on a line of its own.
  writeFileSync(
    hooks,
    `import { registerHooks } from "node:module";
     import { appendFileSync } from "node:fs";
     registerHooks({ load(url, context, next) {
       appendFileSync(process.env.LOADED, url + "\\n");
       return next(url, context);
     } });`,
  );
  watcher = pathToFileURL(hooks).href;
});
after(() => rmSync(folder, { recursive: true, force: true }));

function loaded(args: readonly string[]): readonly string[] {
  const list = join(folder, `loaded-${args.join("-").replace(/\W/g, "-")}`);
  writeFileSync(list, "");
  const env = {
    PATH: process.env.PATH ?? "",
    LOADED: list,
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_EC2_METADATA_DISABLED: "true",
    HOME: folder,
  };
  spawnSync(process.execPath, ["--import", watcher, main, ...args], { cwd: folder, env });
  return readLines(list);
}

function readLines(file: string): readonly string[] {
  return spawnSync("cat", [file], { encoding: "utf8" }).stdout.split("\n");
}

describe("without the CDK", () => {
  const commands: readonly (readonly string[])[] = [
    ["--help"],
    ["init", "new"],
    ["doctor", "--config", "new"],
    ["deploy", "--help"],
    ["deploy", "--config", "new"],
    ["destroy", "--config", "new"],
    ["rollback", "--config", "new"],
    ["status", "--help"],
    ["cost", "--help"],
  ];
  for (const args of commands) {
    test(args.join(" "), () => {
      const all = loaded(args);
      assert.ok(all.some((url) => url.endsWith("/cli/main.ts")));
      assert.deepEqual(
        all.filter((url) => large.test(url)),
        [],
      );
    });
  }

  test("the watch sees it where it is needed", () => {
    loaded(["init", "new"]);
    assert.ok(loaded(["synth", "--config", "new"]).some((url) => large.test(url)));
  });
});
