import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { UserError } from "./errors.ts";
import { defineConfig } from "./index.ts";
import { loadConfig } from "./load.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

async function folderWith(context: TestContext, files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lambdaflex-config-"));
  context.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function refused(path: string, code: string, message: RegExp): Promise<UserError> {
  try {
    await loadConfig(path, { importMsMax: 200 });
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.notEqual(error.hint, "");
    return error;
  }
  return assert.fail(`${path} was accepted`);
}

const minimal = '{"command": "node server.js"}';

test("a folder and a file lead to the same configuration", async (context) => {
  const folder = await folderWith(context, { "lambdaflex.json": minimal });
  const file = join(folder, "lambdaflex.json");
  const loaded = await loadConfig(folder);
  assert.deepEqual({ file: loaded.file, folder: loaded.folder }, { file, folder });
  assert.equal(loaded.config.port, 8080);
  assert.deepEqual(await loadConfig(file), loaded);
});

test("a byte order mark is no syntax error", async (context) => {
  const folder = await folderWith(context, { "lambdaflex.json": `\uFEFF${minimal}` });
  assert.equal((await loadConfig(folder)).config.command, "node server.js");
});

test("a program exports an object, a function or a promised one", async (context) => {
  const programs: Files = {
    "a.ts": 'const port: number = 81; export default { command: "a", port };',
    "b.mjs": 'export default () => ({ command: "b", port: 82 });',
    "c.js": 'export default async () => ({ command: "c", port: 83 });',
  };
  const folder = await folderWith(context, { ...programs, "package.json": '{"type":"module"}' });
  const ports: number[] = [];
  for (const name of Object.keys(programs)) {
    ports.push((await loadConfig(join(folder, name))).config.port);
  }
  assert.deepEqual(ports, [81, 82, 83]);
});

test("an edited program is read anew", async (context) => {
  const name = "lambdaflex.config.mjs";
  const folder = await folderWith(context, { [name]: 'export default { command: "old" };' });
  assert.equal((await loadConfig(folder)).config.command, "old");
  await writeFile(join(folder, name), 'export default { command: "new" };');
  assert.equal((await loadConfig(folder)).config.command, "new");
});

test("a missing configuration names what was looked for", async (context) => {
  const folder = await folderWith(context, {});
  const error = await refused(folder, "CONFIG_NOT_FOUND", /has no configuration/);
  assert.match(error.hint, /lambdaflex\.json, lambdaflex\.config\.ts/);
  await refused(join(folder, "none.json"), "CONFIG_NOT_FOUND", /none\.json does not exist/);
  await refused(join(folder, "a/b"), "CONFIG_NOT_FOUND", /does not exist/);
});

test("two configurations in a folder are ambiguous", async (context) => {
  const files = { "lambdaflex.json": minimal, "lambdaflex.config.ts": "export default {}" };
  const folder = await folderWith(context, files);
  await refused(folder, "CONFIG_AMBIGUOUS", /lambdaflex\.json and lambdaflex\.config\.ts/);
  assert.equal((await loadConfig(join(folder, "lambdaflex.json"))).config.port, 8080);
});

test("a syntax error is located", async (context) => {
  const folder = await folderWith(context, { "lambdaflex.json": '{\n  "command": "x",\n}' });
  await refused(folder, "CONFIG_SYNTAX", /lambdaflex\.json:2:17: no comma before the closing "}"/);
});

test("what cannot be read as text is refused", async (context) => {
  const files = { "latin.json": Uint8Array.of(0x7b, 0xe9, 0x7d), "config.yaml": "command: x" };
  const folder = await folderWith(context, files);
  await mkdir(join(folder, "lambdaflex.json"));
  await refused(folder, "CONFIG_UNREADABLE", /is not a file/);
  await refused(join(folder, "latin.json"), "CONFIG_UNREADABLE", /not valid/);
  await refused(join(folder, "config.yaml"), "CONFIG_UNREADABLE", /ends neither in \.json/);
  await refused("/dev/null", "CONFIG_UNREADABLE", /is not a file/);
});

test("a file above 1 MB is refused before it is read", async (context) => {
  const folder = await folderWith(context, { "lambdaflex.json": " ".repeat(1024 * 1024 + 1) });
  await refused(folder, "CONFIG_TOO_LARGE", /has 1048577 bytes/);
});

test("a program that fails is reported with its reason", async (context) => {
  const folder = await folderWith(context, {
    "throws.mjs": 'throw new RangeError("too bad");',
    "throws-later.mjs": 'export default () => { throw "a text"; };',
    "syntax.ts": "export default {",
    "missing.mjs": 'import "./nothing.mjs";',
    "endless.mjs": "await new Promise(() => undefined);",
  });
  const at = (name: string): string => join(folder, name);
  await refused(at("throws.mjs"), "CONFIG_IMPORT_FAILED", /RangeError: too bad/);
  await refused(at("throws-later.mjs"), "CONFIG_IMPORT_FAILED", /a text/);
  await refused(at("syntax.ts"), "CONFIG_IMPORT_FAILED", /SyntaxError/);
  await refused(at("missing.mjs"), "CONFIG_IMPORT_FAILED", /nothing\.mjs/);
  await refused(at("endless.mjs"), "CONFIG_IMPORT_FAILED", /did not end within 0\.2 s/);
});

test("anything but one object is refused", async (context) => {
  const folder = await folderWith(context, { "none.mjs": "export const command = 1;" });
  await refused(join(folder, "none.mjs"), "CONFIG_NOT_AN_OBJECT", /found nothing/);
  for (const text of ["[]", "null", "5", '"x"']) {
    await writeFile(join(folder, "other.json"), text);
    await refused(join(folder, "other.json"), "CONFIG_NOT_AN_OBJECT", /expected one object/);
  }
});

test("defineConfig returns what it is given", () => {
  const given = { command: ["node", "."], thresholds: { up: { periods: 1 } } };
  assert.equal(defineConfig(given), given);
});
