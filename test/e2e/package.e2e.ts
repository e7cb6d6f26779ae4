/** The package as npm would install it: every export resolves and has types, the command runs. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../sources.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly version: string;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
let folder = "";
let installed = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "lambdaflex-package-"));
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ filename = "" } = {}] = JSON.parse(packed.slice(packed.indexOf("["))) as {
    filename?: string;
  }[];
  writeFileSync(join(folder, "package.json"), "{}");
  installed = join(folder, "node_modules", "lambdaflex");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", installed, "--strip-components=1"]);
  const peers = Object.keys(manifest.peerDependencies);
  for (const name of [...Object.keys(manifest.dependencies), ...peers, "@leichtgewicht"]) {
    const from = join(root, "node_modules", name);
    const to = join(folder, "node_modules", name);
    mkdirSync(dirname(to), { recursive: true });
    if (existsSync(from)) symlinkSync(from, to);
  }
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("every export exists, with its types, and can be imported", () => {
  for (const [path, target] of Object.entries(manifest.exports)) {
    const name = `lambdaflex${path.slice(1)}`;
    if (typeof target === "string") {
      const file = join(installed, target);
      assert.ok(existsSync(file), `${name}: no ${target}`);
      continue;
    }
    assert.ok(existsSync(join(installed, target.types)), `${name}: no types`);
    const program = `await import(${JSON.stringify(name)})`;
    execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd: folder });
  }
});

test("the command runs", () => {
  const bin = join(installed, "dist/cli/main.js");
  const version = execFileSync(process.execPath, [bin, "--version"], { encoding: "utf8" });
  assert.equal(version.trim(), manifest.version);
});

test("an older Node.js is told from a bug", () => {
  const bin = join(installed, "dist/cli/main.js");
  const older = "Object.defineProperty(process.versions, 'node', { value: '20.19.1' });";
  const preload = `data:text/javascript,${encodeURIComponent(older)}`;
  const args = ["--import", preload, bin, "check", "--static"];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /^error NODE_TOO_OLD: this is Node.js 20.19.1\nhint: /);
});

test("the bootstrap is one file without imports of ours", () => {
  const text = readFileSync(join(installed, "dist/runtime/bootstrap.js"), "utf8");
  const modules = [...text.matchAll(/from\s*"([^"]+)"/g)].map(([, name]) => name);
  assert.ok(modules.length > 0);
  for (const name of modules) assert.match(name ?? "", /^node:/);
});

test("nothing is packed that users do not need", () => {
  for (const unwanted of ["src", "test", "node_modules", "examples/pet-store-fastapi/.venv"]) {
    assert.ok(!existsSync(join(installed, unwanted)), unwanted);
  }
});
