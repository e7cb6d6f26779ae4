import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { eventually } from "../../test/manual-clock.ts";
import { UserError } from "../config/errors.ts";
import { leashedLeft } from "../local/leash.ts";
import { lockState, type Prepared, prepare } from "./prepare.ts";

let folder = "";
let told: string[] = [];
const never = new AbortController().signal;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "lambdaflex-prepare-")));
  told = [];
});
afterEach(async () => {
  assert.equal(await leashedLeft(2000), 0);
  rmSync(folder, { recursive: true, force: true });
});

/** A file that the set-up writes must not be named by it, or it would be a reason to run again. */
function script(text: string, name = "setup.sh"): string {
  writeFileSync(join(folder, name), text);
  return `sh ${name}`;
}

function configure(config: Readonly<Record<string, unknown>>): void {
  const text = JSON.stringify({ command: "node server.js", ...config });
  writeFileSync(join(folder, "lambdaflex.json"), text);
}

const prepared = (signal = never): Promise<Prepared> =>
  prepare(folder, (line) => told.push(line), signal);

/** How often the set-up has run: each run adds a line. */
function runs(): number {
  const file = join(folder, "ran");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}

const failed = (error: unknown): UserError => {
  assert.ok(error instanceof UserError, String(error));
  assert.equal(error.code, "SETUP_FAILED");
  return error;
};

describe("the set-up", () => {
  it("runs once, in the configuration's folder, and its output is told", async () => {
    configure({ setup: script("pwd; echo done >> ran") });
    await prepared();
    assert.equal(runs(), 1);
    assert.match(told[0] ?? "", /sh setup\.sh/);
    assert.equal(told[1]?.trim(), folder);
    told = [];
    await prepared();
    assert.equal(runs(), 1);
    assert.deepEqual(told, []);
  });

  it("runs again when it changes, or a file that it names", async () => {
    writeFileSync(join(folder, "requirements.txt"), "one");
    const setup = script("echo >> ran");
    configure({ setup: `${setup} requirements.txt` });
    await prepared();
    writeFileSync(join(folder, "requirements.txt"), "two");
    await prepared();
    assert.equal(runs(), 2);
    configure({ setup: `${setup} --all requirements.txt` });
    await prepared();
    assert.equal(runs(), 3);
    writeFileSync(join(folder, "other.txt"), "is not named");
    await prepared();
    assert.equal(runs(), 3);
  });

  it("gets the caller's environment and a list as it is", async () => {
    configure({ setup: ["/bin/sh", "-c", 'echo "$HOME" "$0"; echo >> ran', "a b"] });
    await prepared();
    assert.equal(told[1]?.trim(), `${process.env.HOME ?? ""} a b`.trim());
  });

  it("that fails is a mistake with its last words, and runs again next time", async () => {
    configure({ setup: "echo >> ran; echo first; echo no such package >&2; exit 3" });
    for (const times of [1, 2]) {
      const error = failed(await prepared().catch((reason: unknown) => reason));
      assert.match(error.message, /code 3: no such package/);
      assert.match(error.hint, new RegExp(folder));
      assert.equal(runs(), times);
    }
  });

  it("that fails with much to say loses nothing of the end", async () => {
    configure({ setup: "seq 1 20000 >&2; echo the reason >&2; exit 1" });
    const error = failed(await prepared().catch((reason: unknown) => reason));
    assert.match(error.message, /code 1: the reason$/);
    assert.equal(told.length, 20_002);
  });

  it("that says nothing, or does not exist, is told too", async () => {
    configure({ setup: script("exit 4") });
    assert.match(failed(await prepared().catch((e: unknown) => e)).message, /printed nothing/);
    configure({ setup: ["no-such-program-here"] });
    assert.match(failed(await prepared().catch((e: unknown) => e)).message, /127.*not found/);
  });

  it("is killed with all that it started when the user interrupts, and runs again", async () => {
    const interrupt = new AbortController();
    configure({ setup: "echo >> ran; sleep 600 & sleep 600; echo never" });
    const preparing = prepared(interrupt.signal);
    preparing.catch(() => undefined);
    await eventually(() => runs() === 1, "the set-up runs");
    interrupt.abort();
    await assert.rejects(preparing, { name: "AbortError" });
    assert.equal(await leashedLeft(2000), 0);
    configure({ setup: "echo >> ran" });
    await prepared();
    assert.equal(runs(), 2);
  });

  it("does not begin after an interruption", async () => {
    configure({ setup: "echo >> ran" });
    await assert.rejects(prepared(AbortSignal.abort()), { name: "AbortError" });
    assert.equal(runs(), 0);
  });

  it("can be nothing", async () => {
    configure({});
    await prepared();
    assert.deepEqual(told, []);
  });
});

describe("the service", () => {
  it("runs in the configuration's folder, with its own units turned into ours", async () => {
    configure({ name: "shop", readiness: { path: "/up", timeoutSeconds: 5 }, env: { A: "b" } });
    const { service, local } = await prepared();
    assert.equal(service.cwd, folder);
    assert.equal(service.name, "shop");
    assert.deepEqual(service.readiness, { path: "/up", timeoutMs: 5000 });
    assert.equal(service.env.A, "b");
    assert.equal(local.sizes.lambda.timeoutMs, 29_000);
    assert.equal(local.sizes.fargate.healthCheck.intervalMs, 5_000);
    assert.ok(local.startsMax >= 1);
  });

  it("has another digest when its files change, and not for what is ignored", async () => {
    configure({});
    const before = (await prepared()).service.digest;
    writeFileSync(join(folder, "server.js"), "// new");
    const after = (await prepared()).service.digest;
    assert.notEqual(after, before);
    const { path, release } = await lockState(folder, "dev");
    assert.match(path, /\.lambdaflex/);
    assert.equal((await prepared()).service.digest, after, "the state is no part of the service");
    await release();
  });
});
