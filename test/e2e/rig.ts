/** What the end-to-end tests stand on: services in folders of their own, and the real CLI. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { listeningPorts, processesIn } from "./processes.ts";

/** The command line, run from its sources. */
export const mainFile: string = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** How long anything may take on a busy machine before a test gives up; real milliseconds. */
export const patienceMs = 60_000;

/** Files of a service: names and contents; a value that is no text is written as JSON. */
export type Files = Readonly<Record<string, unknown>>;

const folders = new Set<string>();
const children = new Set<ChildProcess>();
// A test that has failed may have left a lambdaflex, which would keep this process alive.
after(() => {
  for (const child of children) child.kill("SIGKILL");
});
process.on("exit", () => {
  for (const folder of folders) {
    // ... or a service.
    for (const { pid } of processesIn(folder)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Makes a folder with `files`; it is removed when the tests end. */
export function makeFolder(files: Files): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "lambdaflex-e2e-")));
  folders.add(folder);
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

/** How a lambdaflex ended. */
export interface Ended {
  /** 128 + signal number after a signal, as a shell reports it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A lambdaflex that runs. */
export interface Run {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly running: boolean;
  /** Everything on standard error so far. */
  readonly stderr: string;
  readonly stdout: string;
  /** Resolves when `pattern` has appeared on standard error, rejects when it can no more. */
  line(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `lambdaflex <args>` in `folder`. */
export function start(folder: string, args: readonly string[], options: Options = {}): Run {
  const [program, ...rest] = options.command ?? [process.execPath, mainFile];
  const child = spawn(program ?? "", [...rest, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return follow(child);
}

/** What differs from `node src/cli/main.ts` in our own environment. */
export interface Options {
  readonly env?: Readonly<Record<string, string>>;
  /** Program and arguments in front of the command line's own. */
  readonly command?: readonly string[];
}

function follow(child: ChildProcess): Run {
  children.add(child);
  const text = { stdout: "", stderr: "" };
  let running = true;
  const watchers = new Set<() => void>();
  const notify = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      notify();
    });
  }
  const ended = once(child, "close").then(([code, signal]): Ended => {
    running = false;
    children.delete(child);
    notify();
    return { code: code ?? 128 + constants.signals[signal as NodeJS.Signals], ...text };
  });
  const line = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        watchers.delete(look);
        if (error === null) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (pattern.test(text.stderr)) settle(null);
        else if (!running) settle(new Error(`ended without ${pattern}:\n${text.stderr}`));
      };
      const timer = setTimeout(() => {
        settle(new Error(`no ${pattern} within ${patienceMs} ms:\n${text.stderr}`));
      }, patienceMs);
      watchers.add(look);
      look();
    });
  return {
    pid: child.pid ?? -1,
    ended,
    get running() {
      return running;
    },
    get stderr() {
      return text.stderr;
    },
    get stdout() {
      return text.stdout;
    },
    line,
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs `lambdaflex <args>` in `folder` to its end. */
export function run(folder: string, args: readonly string[], options?: Options): Promise<Ended> {
  return start(folder, args, options).ended;
}

/** Waits until `holds`; fails with what `holds` last returned when it is not `true` in time. */
export async function eventually(
  holds: () => true | string | Promise<true | string>,
  withinMs: number,
): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await holds();
    if (found === true) return;
    assert.ok(performance.now() < until, `not within ${withinMs} ms: ${found}`);
    await sleep(20);
  }
}

/** Fails unless within `withinMs` no process has to do with `folder` and no port answers. */
export async function nothingLeft(
  folder: string,
  withinMs: number,
  ports: readonly number[] = [],
): Promise<void> {
  await eventually(() => {
    const left = processesIn(folder);
    if (left.length > 0) return left.map(({ pid, command }) => `${pid} ${command}`).join("\n");
    const open = [...listeningPorts()].filter((port) => ports.includes(port));
    return open.length === 0 || `ports ${open.join(", ")} are open`;
  }, withinMs);
}
