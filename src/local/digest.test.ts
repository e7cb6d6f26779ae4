import assert from "node:assert/strict";
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, it } from "node:test";
import { type DigestInput, digestOf } from "./digest.ts";
import { isWrittenAt } from "./written.ts";

let folder = "";
const digest = (change: Partial<DigestInput> = {}): Promise<string> =>
  digestOf({ folder, paths: ["."], ignore: ["node_modules", ".git"], extra: ["run"], ...change });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lambdaflex-digest-"));
  mkdirSync(join(folder, "lib", "deep"), { recursive: true });
  writeFileSync(join(folder, "app.js"), "one");
  writeFileSync(join(folder, "lib", "deep", "part.js"), "two");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("looks like an image digest, the same for the same files, wherever they lie", async () => {
  const before = await digest();
  assert.match(before, /^sha256:[0-9a-f]{64}$/);
  assert.equal(await digest(), before);
  utimesSync(join(folder, "app.js"), 1, 1);
  assert.equal(await digest(), before, "a file that was only touched is no other service");
  const copy = `${folder}-copy`;
  cpSync(folder, copy, { recursive: true });
  try {
    assert.equal(await digest({ folder: copy }), before);
  } finally {
    rmSync(copy, { recursive: true });
  }
});

const changes: Record<string, () => void> = {
  "a content": () => writeFileSync(join(folder, "lib", "deep", "part.js"), "2wo"),
  "a new file": () => writeFileSync(join(folder, "lib", "new.js"), ""),
  "a name": () => renameSync(join(folder, "app.js"), join(folder, "main.js")),
  "a place": () => renameSync(join(folder, "app.js"), join(folder, "lib", "app.js")),
  "a removed file": () => rmSync(join(folder, "app.js")),
  "a file in the place of two that would read alike": () => {
    writeFileSync(join(folder, "app.js"), "one\nlib/deep/part.js\ntwo");
    rmSync(join(folder, "lib"), { recursive: true });
  },
  "what moves from the end of a file to the begin of the next": () => {
    writeFileSync(join(folder, "app.js"), "onet");
    writeFileSync(join(folder, "lib", "deep", "part.js"), "wo");
  },
};
for (const [name, change] of Object.entries(changes)) {
  it(`tells ${name}`, async () => {
    const before = await digest();
    change();
    assert.notEqual(await digest(), before);
  });
}

it("tells another command or environment", async () => {
  assert.notEqual(await digest({ extra: ["run", { A: "1" }] }), await digest());
  assert.match(await digest({ extra: undefined }), /^sha256:/);
});

it("does not look at ignored names, at any depth, nor beside its paths", async () => {
  const before = await digest();
  const inside = await digest({ paths: ["lib"] });
  mkdirSync(join(folder, "lib", "node_modules"));
  writeFileSync(join(folder, "lib", "node_modules", "dependency.js"), "x");
  assert.equal(await digest(), before);
  writeFileSync(join(folder, "app.js"), "changed");
  assert.equal(await digest({ paths: ["lib"] }), inside);
});

it("does not look at what lambdaflex writes, by whatever name and into an open file", async () => {
  const before = await digest();
  const [record, output] = [join(folder, "run.ndjson"), join(folder, "lib", "out.log")];
  const fd = openSync(output, "w");
  try {
    writeFileSync(record, "a line");
    writeSync(fd, "another");
    symlinkSync(record, join(folder, "newest.ndjson"));
    assert.notEqual(await digest(), before);
    assert.equal(await digest({ written: [record, fd] }), before);
    assert.ok(isWrittenAt(output, [fd]) && isWrittenAt(join(folder, "newest.ndjson"), [record]));
    assert.ok(!isWrittenAt(join(folder, "app.js"), [record, fd]));
    renameSync(output, join(folder, "moved.log"));
    assert.equal(await digest({ written: [record, fd] }), before);
  } finally {
    closeSync(fd);
  }
  const nothing = [join(folder, "missing"), folder, 9999];
  assert.equal(await digest({ written: nothing }), await digest());
});

it("tells a change of a large file, which it does not read", async () => {
  const large = join(folder, "model.bin");
  writeFileSync(large, "");
  truncateSync(large, 5 * 1024 * 1024);
  const before = await digest();
  assert.equal(await digest(), before);
  utimesSync(large, 5, 5);
  assert.notEqual(await digest(), before);
});

it("is not confused by what is missing, broken or endless", async () => {
  const before = await digest();
  symlinkSync(join(folder, "nowhere"), join(folder, "broken"));
  assert.equal(await digest({ paths: [".", "missing"] }), before);
  // Two links to their own folder make a tree without end.
  symlinkSync(".", join(folder, "lib", "one"));
  symlinkSync(".", join(folder, "lib", "two"));
  assert.match(await digest(), /^sha256:/);
});
