import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseConfig } from "./parse.ts";
import { setupDigest } from "./setup.ts";
import type { Config } from "./types.ts";

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lambdaflex-setup-"));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

function config(setup: string | readonly string[] | null): Config {
  return parseConfig({ command: "x", setup }, "/srv/shop", "lambdaflex.json");
}

test("setup runs again when its line or a file that it names changes", async (context) => {
  const folder = await folderFor(context);
  const line = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt";
  await writeFile(join(folder, "requirements.txt"), "fastapi==1\n");
  const first = await setupDigest(config(line), folder);
  assert.match(first ?? "", /^[0-9a-f]{64}$/);
  assert.equal(await setupDigest(config(line), folder), first);
  assert.notEqual(await setupDigest(config(`${line} -q`), folder), first);
  await writeFile(join(folder, "requirements.txt"), "fastapi==2\n");
  assert.notEqual(await setupDigest(config(line), folder), first);
});

test("what setup itself makes does not make it run again", async (context) => {
  const folder = await folderFor(context);
  const setup = ["./.venv/bin/pip", "install", "-r", "requirements.txt"];
  const before = await setupDigest(config(setup), folder);
  await mkdir(join(folder, ".venv/bin"), { recursive: true });
  await writeFile(join(folder, ".venv/bin/pip"), "#!/bin/sh\n");
  assert.equal(await setupDigest(config(setup), folder), before);
});

test("npm's setup runs again when its lock file changes", async (context) => {
  const folder = await folderFor(context);
  const before = await setupDigest(config("npm ci"), folder);
  await writeFile(join(folder, "package-lock.json"), "{}");
  assert.notEqual(await setupDigest(config("npm ci"), folder), before);
});

test("without a command there is nothing to run", async () => {
  assert.equal(await setupDigest(config(null), "/nowhere"), null);
});
