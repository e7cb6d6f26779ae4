import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { lockFolder, openRevisions, openSnapshot, StateForeign } from "./state-file.ts";

interface Note {
  readonly by: number;
}
const isNote = (value: unknown): value is Note => typeof (value as Note).by === "number";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lambdaflex-state-"));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

const entries = (): string[] => readdirSync(folder).sort();
const temporaries = (): string[] => entries().filter((name) => name.endsWith(".tmp"));

/** A process of its own that works with the folder; its lines are told as they come. */
function other(body: string, command: readonly string[] = []): ChildProcess {
  const url = new URL("./state-file.ts", import.meta.url).href;
  const program = `
    import { lockFolder, openRevisions, openSnapshot } from ${JSON.stringify(url)};
    const folder = ${JSON.stringify(folder)};
    const isNote = (value) => typeof value.by === "number";
    const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
    ${body}`;
  const argv = [...command, process.execPath, "--input-type=module", "-e", program];
  const [file = "", ...args] = argv;
  return spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
}

/** All lines of a process until it ends. */
async function said(child: ChildProcess): Promise<unknown[]> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await once(child, "close");
  assert.equal(child.exitCode, 0, text);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

async function firstLine(child: ChildProcess): Promise<unknown> {
  assert.ok(child.stdout);
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  return JSON.parse(String(chunk));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

describe("revisions", () => {
  it("begin with nothing, and remember the newest", async () => {
    const store = await openRevisions(join(folder, "deep", "below"), "status", isNote);
    assert.deepEqual(await store.read(), { revision: 0, value: null });
    assert.equal(await store.write(1, { by: 7 }), true);
    assert.equal(await store.write(2, { by: 8 }), true);
    assert.deepEqual(await store.read(), { revision: 2, value: { by: 8 } });
    const again = await openRevisions(join(folder, "deep", "below"), "status", isNote);
    assert.deepEqual(await again.read(), { revision: 2, value: { by: 8 } });
  });

  it("are sorted as numbers, and do not take other files for their own", async () => {
    const strangers = ["status.99.json.bak", "status.x.json", "other.50.json", "status.01.json"];
    for (const name of strangers) writeFileSync(join(folder, name), '{"by":1}');
    const store = await openRevisions(folder, "status", isNote);
    for (let revision = 1; revision <= 11; revision += 1) await store.write(revision, { by: 1 });
    assert.equal((await store.read()).revision, 11);
    assert.ok(strangers.every((name) => entries().includes(name)));
  });

  it("keep a bounded number of files", async () => {
    const store = await openRevisions(folder, "status", isNote);
    for (let revision = 1; revision <= 40; revision += 1) await store.write(revision, { by: 1 });
    assert.ok(entries().length <= 8, entries().join());
    assert.ok(entries().includes("status.39.json"));
  });

  it("refuse a revision that exists, or existed once", async () => {
    const store = await openRevisions(folder, "status", isNote);
    for (let revision = 1; revision <= 40; revision += 1) await store.write(revision, { by: 1 });
    for (const late of [40, 39, 33, 2, 1]) assert.equal(await store.write(late, { by: 2 }), false);
    assert.deepEqual(await store.read(), { revision: 40, value: { by: 1 } });
    assert.equal(await store.write(41, { by: 2 }), true);
  });

  it("let one of many concurrent writers win", async () => {
    const store = await openRevisions(folder, "status", isNote);
    const by = [1, 2, 3, 4, 5, 6, 7, 8];
    const won = await Promise.all(by.map((writer) => store.write(1, { by: writer })));
    assert.equal(won.filter(Boolean).length, 1);
    assert.equal((await store.read()).value?.by, by[won.indexOf(true)]);
    assert.deepEqual(temporaries(), []);
  });

  it("let one of several processes win each revision, and lose no increment", async () => {
    const rounds = 12;
    const racers = [1, 2, 3, 4].map((by) =>
      other(`
        const store = await openRevisions(folder, "status", isNote);
        say("ready");
        await new Promise((go) => process.stdin.once("data", go));
        for (let left = ${rounds}; left > 0; ) {
          const { revision, value } = await store.read();
          const next = { by: ${by}, sum: (value?.sum ?? 0) + 1 };
          if (!(await store.write(revision + 1, next))) continue;
          say({ revision: revision + 1 });
          left -= 1;
        }
        process.stdin.destroy();`),
    );
    await Promise.all(racers.map(firstLine));
    const outcomes = racers.map(said);
    for (const { stdin } of racers) stdin?.end("go");
    const won = (await Promise.all(outcomes)).flat() as { readonly revision: number }[];
    const revisions = won.map(({ revision }) => revision).sort((a, b) => a - b);
    const total = racers.length * rounds;
    assert.deepEqual(
      revisions,
      Array.from({ length: total }, (_, index) => index + 1),
    );
    const store = await openRevisions(folder, "status", isNote);
    const { value } = await store.read();
    assert.equal((value as unknown as { readonly sum: number }).sum, total);
    assert.deepEqual(temporaries(), []);
  });
});

describe("damage and foreign files", () => {
  const damages = { empty: "", half: '{"by":', text: "hello", number: "7", null: "null" };
  for (const [name, damage] of Object.entries(damages)) {
    it(`the newest revision damaged (${name}): the one before holds, and it goes on`, async () => {
      const store = await openRevisions(folder, "status", isNote);
      for (const revision of [1, 2, 3]) await store.write(revision, { by: revision });
      writeFileSync(join(folder, "status.3.json"), damage);
      assert.deepEqual(await store.read(), { revision: 3, value: { by: 2 } });
      assert.equal(await store.write(4, { by: 4 }), true);
      assert.deepEqual(await store.read(), { revision: 4, value: { by: 4 } });
    });
  }

  it("every revision damaged: it begins anew, with the next number", async () => {
    const store = await openRevisions(folder, "status", isNote);
    await store.write(1, { by: 1 });
    writeFileSync(join(folder, "status.1.json"), "");
    assert.deepEqual(await store.read(), { revision: 1, value: null });
    assert.equal(await store.write(2, { by: 2 }), true);
  });

  it("a damaged snapshot is none; writing replaces it", async () => {
    const store = openSnapshot(folder, "cloud", isNote);
    writeFileSync(join(folder, "cloud.json"), '{"by"');
    assert.equal(await store.read(), null);
    await store.write({ by: 3 });
    assert.deepEqual(await store.read(), { by: 3 });
  });

  it("a document of another version is an error and stays as it is", async () => {
    const text = '{"version":"other"}';
    writeFileSync(join(folder, "status.7.json"), text);
    writeFileSync(join(folder, "cloud.json"), text);
    const store = await openRevisions(folder, "status", isNote);
    await assert.rejects(store.read(), StateForeign);
    await assert.rejects(openSnapshot(folder, "cloud", isNote).read(), /cloud\.json/);
    assert.equal(readFileSync(join(folder, "status.7.json"), "utf8"), text);
  });

  it("what can not be read is an error, or it would be overwritten", async () => {
    const store = await openRevisions(folder, "status", isNote);
    await mkdir(join(folder, "status.1.json"));
    await assert.rejects(store.read(), { code: "EISDIR" });
    await mkdir(join(folder, "cloud.json"));
    await assert.rejects(openSnapshot(folder, "cloud", isNote).read(), { code: "EISDIR" });
  });
});

describe("a folder that can not be written", () => {
  it("full: an error, the old document, nothing half-written", async () => {
    const store = openSnapshot(folder, "cloud", isNote);
    await store.write({ by: 1 });
    const revisions = await openRevisions(folder, "status", isNote);
    await revisions.write(1, { by: 1 });
    const before = entries();
    // A limit of 0 blocks on the size of files: what a full disk looks like to a writer.
    const limited = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh"];
    const outcome = await said(
      other(
        `
        const code = (write) => write.then(() => "written", (error) => error.code);
        const store = await openRevisions(folder, "status", isNote);
        say(await code(store.write(2, { by: 2 })));
        say(await code(openSnapshot(folder, "cloud", isNote).write({ by: 2 })));`,
        limited,
      ),
    );
    assert.deepEqual(outcome, ["EFBIG", "EFBIG"]);
    assert.deepEqual(entries(), before);
    assert.deepEqual(await store.read(), { by: 1 });
    assert.deepEqual(await revisions.read(), { revision: 1, value: { by: 1 } });
  });

  it("read-only: an error, and what is there can still be read", async () => {
    const revisions = await openRevisions(folder, "status", isNote);
    const store = openSnapshot(folder, "cloud", isNote);
    await revisions.write(1, { by: 1 });
    await store.write({ by: 1 });
    chmodSync(join(folder, "status.1.json"), 0o644);
    chmodSync(join(folder, "cloud.json"), 0o644);
    chmodSync(folder, 0o555);
    const before = entries();
    // The owner of the machine may write everywhere: for a moment this is nobody.
    const owner = process.geteuid?.() === 0;
    if (owner) process.seteuid?.(65_534);
    try {
      await assert.rejects(revisions.write(2, { by: 2 }), { code: "EACCES" });
      await assert.rejects(store.write({ by: 2 }), { code: "EACCES" });
      assert.deepEqual(await revisions.read(), { revision: 1, value: { by: 1 } });
      assert.deepEqual(await store.read(), { by: 1 });
    } finally {
      if (owner) process.seteuid?.(0);
    }
    assert.deepEqual(entries(), before);
  });

  it("a write that fails at the end leaves no temporary file", async () => {
    await mkdir(join(folder, "cloud.json"));
    const store = openSnapshot(folder, "cloud", isNote);
    for (let round = 0; round < 3; round += 1) {
      await assert.rejects(store.write({ by: 1 }), { code: "EISDIR" });
    }
    assert.deepEqual(entries(), ["cloud.json"]);
  });
});

describe("temporary files", () => {
  it("of killed processes are swept, those of living ones and other documents stay", async () => {
    const dead = other("");
    await ended(dead);
    const living = other('say("up"); process.stdin.resume();');
    await firstLine(living);
    try {
      const stay = [`.status.${living.pid}.1.tmp`, `.cloud.${dead.pid}.1.tmp`, ".status.conf"];
      const sweep = [`.status.${dead.pid}.1.tmp`, `.status.${dead.pid}.22.tmp`];
      for (const name of [...stay, ...sweep]) writeFileSync(join(folder, name), "{");
      await openRevisions(folder, "status", isNote);
      assert.deepEqual(entries(), stay.sort());
    } finally {
      living.kill("SIGKILL");
      await ended(living);
    }
  });

  it("do not pile up when writers are killed again and again", async () => {
    for (let round = 0; round < 3; round += 1) {
      const writer = other(`
        const store = await openRevisions(folder, "status", isNote);
        say("up");
        for (;;) {
          const { revision } = await store.read();
          await store.write(revision + 1, { by: 1 });
        }`);
      await firstLine(writer);
      writer.kill("SIGKILL");
      await ended(writer);
    }
    const store = await openRevisions(folder, "status", isNote);
    const { revision, value } = await store.read();
    assert.deepEqual(temporaries(), []);
    assert.ok(revision === 0 || value?.by === 1);
    assert.equal(await store.write(revision + 1, { by: 2 }), true);
  });
});

describe("the folder's lock", () => {
  const holder = `
    const lock = await lockFolder(folder);
    say(typeof lock === "number" ? lock : "locked");
    process.stdin.resume();`;

  it("is respected while its owner lives, and taken over when it is dead", async () => {
    const owner = other(holder);
    assert.equal(await firstLine(owner), "locked");
    try {
      assert.equal(await lockFolder(folder), owner.pid);
      assert.equal(await lockFolder(folder), owner.pid);
    } finally {
      owner.kill("SIGKILL");
      await ended(owner);
    }
    const lock = await lockFolder(folder);
    assert.ok(typeof lock !== "number");
    await lock.release();
  });

  it("is free once it is released", async () => {
    const lock = await lockFolder(folder);
    assert.ok(typeof lock !== "number");
    const second = other(holder);
    assert.equal(await firstLine(second), process.pid);
    second.stdin?.end();
    await ended(second);
    await lock.release();
    const third = other(holder);
    assert.equal(await firstLine(third), "locked");
    third.stdin?.end();
    await ended(third);
  });

  it("can be released although the folder is gone", async () => {
    const lock = await lockFolder(join(folder, "state"));
    assert.ok(typeof lock !== "number");
    rmSync(join(folder, "state"), { recursive: true });
    await lock.release();
    assert.deepEqual(entries(), []);
  });

  it("a dead owner's goes to exactly one of those who race for it", async () => {
    const dead = other(holder);
    assert.equal(await firstLine(dead), "locked");
    dead.kill("SIGKILL");
    await ended(dead);
    const racers = [1, 2, 3, 4].map(() =>
      other(`
        say("ready");
        await new Promise((go) => process.stdin.once("data", go));
        const lock = await lockFolder(folder);
        say(typeof lock === "number" ? lock : "locked");
        process.stdin.once("data", () => process.exit(0)).resume();`),
    );
    try {
      await Promise.all(racers.map(firstLine));
      const answers = racers.map(firstLine);
      for (const { stdin } of racers) stdin?.write("go");
      const got = await Promise.all(answers);
      assert.equal(got.filter((answer) => answer === "locked").length, 1, got.join());
      const winner = racers[got.indexOf("locked")];
      for (const answer of got) assert.ok(answer === "locked" || answer === winner?.pid);
    } finally {
      for (const racer of racers) racer.kill("SIGKILL");
      await Promise.all(racers.map(ended));
    }
  });
});
