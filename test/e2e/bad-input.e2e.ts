/** Every mistake: a code and a hint on standard error, exit code 2, and nothing left running. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertMistake } from "./mistake.ts";
import { type Files, makeFolder, nothingLeft, run, start } from "./rig.ts";
import { goodServer, quickArgs, quickConfig, quickTrace } from "./services.ts";

/** A mistake is found before anything is started: this is generous even on a busy machine. */
const withinMs = 15_000;

const good: Files = {
  "server.cjs": goodServer,
  "lambdaflex.json": quickConfig,
  "trace.csv": quickTrace,
};

async function mistake(
  files: Files,
  args: readonly string[],
  name: string,
  words: RegExp,
): Promise<void> {
  const folder = makeFolder(files);
  const begunMs = performance.now();
  assertMistake(await run(folder, args), name, words);
  assert.ok(performance.now() - begunMs < withinMs, "a mistake is told at once");
  await nothingLeft(folder, 1000);
}

/** A configuration that differs from a good one; `undefined` removes a key. */
function configured(change: Readonly<Record<string, unknown>>): Files {
  return { ...good, "lambdaflex.json": { ...quickConfig, ...change } };
}

const close = { up: { requestsPerMinute: 400 }, down: { requestsPerMinute: 100 } };

/** The command line finds its trace, and then the configuration that it complains about. */
const alone = (file: string, content: string): Files => ({
  "trace.csv": quickTrace,
  [file]: content,
});

const configs: readonly [title: string, files: Files, code: string, words: RegExp][] = [
  ["an unknown key", configured({ wings: 2 }), "CONFIG_KEY_UNKNOWN", /wings.*no such key/],
  [
    "a mistyped key, with the nearest one",
    configured({ comand: "node x" }),
    "CONFIG_KEY_UNKNOWN",
    /did you mean "command"\?/,
  ],
  [
    "a mistyped key in a section",
    configured({ lambda: { memoryMb: 512 } }),
    "CONFIG_KEY_UNKNOWN",
    /lambda\.memoryMb.*did you mean "memoryMB"\?/,
  ],
  [
    "an up threshold below 5 × the down threshold",
    configured({ thresholds: close }),
    "THRESHOLDS_TOO_CLOSE",
    /400 is below 5 × .*\(100\)/,
  ],
  ["no command", configured({ command: undefined }), "COMMAND_MISSING", /"command": "node/],
  ["a value out of range", configured({ lambda: { memoryMB: 1 } }), "CONFIG_VALUE_INVALID", /128/],
  ["no JSON", alone("lambdaflex.json", "{ name: "), "CONFIG_SYNTAX", /lambdaflex\.json/],
  ["an empty file", alone("lambdaflex.json", ""), "CONFIG_SYNTAX", /lambdaflex\.json/],
  ["no configuration", alone("server.cjs", goodServer), "CONFIG_NOT_FOUND", /lambdaflex/],
  [
    "a program that fails",
    alone("lambdaflex.config.ts", 'throw new Error("sorry");'),
    "CONFIG_IMPORT_FAILED",
    /sorry/,
  ],
  [
    "a set-up that fails",
    configured({ setup: "echo no such package; exit 3" }),
    "SETUP_FAILED",
    /code 3: no such package/,
  ],
];

describe("a configuration with", { concurrency: 2 }, () => {
  for (const [title, files, code, words] of configs) {
    test(title, () => mistake(files, quickArgs, code, words));
  }
});

const rows = (...lines: readonly string[]): Files => ({
  ...good,
  "trace.csv": ["timestamp_seconds,requests", ...lines, ""].join("\n"),
});

const traces: readonly [title: string, files: Files, code: string, words: RegExp][] = [
  ["that is empty", { ...good, "trace.csv": "" }, "TRACE_EMPTY", /trace\.csv/],
  ["with a heading only", rows(), "TRACE_EMPTY", /trace\.csv/],
  ["that is not sorted", rows("0,1", "120,2", "60,3"), "TRACE_UNSORTED", /trace\.csv/],
  ["that is not numeric", rows("0,1", "60,many"), "TRACE_NOT_NUMERIC", /many/],
  ["with a negative number", rows("0,1", "60,-2"), "TRACE_NEGATIVE", /-2/],
  ["with other columns", rows("0,1,2", "60,2,3"), "TRACE_COLUMNS", /trace\.csv/],
];

describe("a trace", { concurrency: 2 }, () => {
  for (const [title, files, code, words] of traces) {
    test(title, () => mistake(files, quickArgs, code, words));
  }

  test("that does not exist", () =>
    mistake(good, ["rehearse", "--trace", "none.csv"], "TRACE_NOT_FOUND", /none\.csv/));

  test("that is a folder", () =>
    mistake(good, ["rehearse", "--trace", "."], "TRACE_NOT_FOUND", /EISDIR/));
});

const commandLines: readonly [args: readonly string[], code: string, words: RegExp][] = [
  [["rehearse", "--peek", "5"], "OPTION_INVALID", /--peek.*\n.*--peak/],
  [["rehearse", "-p", "5"], "OPTION_INVALID", /"-p"/],
  [["rehearse", "folder"], "OPTION_INVALID", /"folder"/],
  [["rehearse", "--peak"], "OPTION_INVALID", /--peak needs a value/],
  [["rehearse", "--config", "--json"], "OPTION_INVALID", /--config needs a value/],
  [["rehearse", "--peak", "0"], "OPTION_INVALID", /from 1 to 20000, not "0"/],
  [["rehearse", "--peak", "many"], "OPTION_INVALID", /not "many"/],
  [["rehearse", "--speed", "601"], "OPTION_INVALID", /from 1 to 600/],
  [["rehearse", "--seed", "1.5"], "OPTION_INVALID", /whole number/],
  [["rehearse", "--seed", "-1"], "OPTION_INVALID", /from 0/],
  [["rehearse", "--json", "--json"], "OPTION_INVALID", /twice/],
  [["rehearse", "--json=yes"], "OPTION_INVALID", /takes no value/],
  [["rehearse", "--config", "nowhere"], "CONFIG_NOT_FOUND", /nowhere/],
  [["dev", "--port", "65536"], "OPTION_INVALID", /from 0 to 65535/],
  [["dev", "--peak", "5"], "OPTION_INVALID", /--peak/],
  [["rehearsal"], "COMMAND_UNKNOWN", /rehearsal.*\n.*rehearse/],
  [["--json"], "COMMAND_UNKNOWN", /--json/],
];

describe("a command line", { concurrency: 2 }, () => {
  for (const [args, code, words] of commandLines) {
    test(args.join(" "), () => mistake(good, args, code, words));
  }
});

describe("the surroundings", () => {
  test("a port that is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const args = ["dev", "--port", String(port)];
      await mistake(good, args, "PORT_IN_USE", new RegExp(`${port}.*\\n.*--port`));
    } finally {
      other.close();
    }
  });

  test("a state folder that cannot be made", () =>
    mistake({ ...good, ".lambdaflex": "a file" }, quickArgs, "STATE_UNREADABLE", /\.lambdaflex/));

  test("a state folder that cannot be written", async () => {
    // Nobody, not even the owner of the machine, can make a folder there.
    const folder = makeFolder(good);
    symlinkSync("/sys", join(folder, ".lambdaflex"));
    assertMistake(await run(folder, quickArgs), "STATE_UNREADABLE", /\.lambdaflex/);
  });

  test("a state of another version", async () => {
    const folder = makeFolder(good);
    const state = join(folder, ".lambdaflex", "rehearse");
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, "status.7.json"), '{"version":"other"}');
    writeFileSync(join(state, "cloud.json"), '{"version":"other"}');
    assertMistake(await run(folder, quickArgs), "STATE_UNREADABLE", /\.lambdaflex/);
    await nothingLeft(folder, 1000);
  });

  test("a second lambdaflex on the same state", async () => {
    const folder = makeFolder(good);
    const first = start(folder, quickArgs);
    try {
      await first.line(/steady/);
      assertMistake(await run(folder, quickArgs), "STATE_IN_USE", new RegExp(String(first.pid)));
      assert.ok(first.running, "the first one is not disturbed");
    } finally {
      first.kill("SIGTERM");
      await first.ended;
    }
    await nothingLeft(folder, 1000);
  });
});
