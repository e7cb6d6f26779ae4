/**
 * Child processes that can not outlive us.
 *
 * Each child leads a process group of its own behind a pipe to its standard input. When lambdaflex
 * dies, however it dies, the kernel closes the pipe, the watcher beside the child sees the end of
 * it and kills the whole group. Ctrl-C in a terminal does not reach the group: we decide the order.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A child process with everything it started. */
export interface Leashed {
  readonly pid: number;
  /** Resolves once with the exit code, 128 + signal number if it was killed, 127 if not found. */
  readonly exited: Promise<number>;
  readonly running: boolean;
  /** Sends a signal to the program itself (not to the group), for example SIGTERM to drain it. */
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then after `graceMs` real milliseconds SIGKILL to the whole group. */
  stop(graceMs: number): Promise<number>;
  /** SIGKILL to the whole group at once. */
  kill(): void;
}

/** How a child process runs. */
export interface LeashOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Receives each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
}

/**
 * The watcher waits for the end of the pipe (descriptor 3), then kills the group; nothing is ever
 * written to it. It leaves no process behind: `read` is built in, and the shell ends it before it
 * ends itself. The program gets no standard input. TERM to the shell is passed on to the program,
 * and `wait` returns early when a trap runs, hence the loop.
 */
const script = `
exec 3<&0 4>&2 </dev/null 2>/dev/null
( exec >/dev/null 4>&-; read -r _ <&3; kill -9 0 ) &
watcher=$!
"$@" 3<&- 2>&4 4>&- &
child=$!
trap 'kill -TERM $child 2>/dev/null' TERM
wait $child; code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
trap '' TERM
kill -9 $watcher 2>/dev/null
wait $watcher 2>/dev/null
exit $code
`;

const started = new Set<number>();

/** How many groups that were ever started still have a living process. */
export function leashedAlive(): number {
  for (const pid of started) {
    if (!groupAlive(pid)) started.delete(pid);
  }
  return started.size;
}

/** Waits up to `graceMs` real milliseconds for the kernel to end what was killed; then counts. */
export async function leashedLeft(graceMs: number): Promise<number> {
  const until = performance.now() + graceMs;
  while (leashedAlive() > 0 && performance.now() < until) await sleep(20);
  return leashedAlive();
}

function groupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
  } catch {
    return false;
  }
  return process.platform !== "linux" || !onlyZombies(pid);
}

/** Dead processes that init has not collected yet still count as their group: look closer. */
function onlyZombies(group: number): boolean {
  return readdirSync("/proc").every((entry) => {
    if (!/^\d+$/.test(entry)) return true;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const [state, , of] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(of) !== group || state === "Z" || state === "X";
    } catch {
      return true;
    }
  });
}

/** Starts `command` on a leash. Throws when `cwd` does not exist. */
export function startLeashed(command: readonly string[], options: LeashOptions): Leashed {
  const child = spawn("/bin/sh", ["-c", script, "lambdaflex", ...command], {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => undefined);
  if (child.pid !== undefined) started.add(child.pid);
  forwardLines(child, options.onLine);
  let running = child.pid !== undefined;
  const exited = settle(child).then((code) => {
    running = false;
    killGroup(child.pid);
    leashedAlive();
    return code;
  });
  const signal = (name: NodeJS.Signals): void => {
    if (running) child.kill(name);
  };
  const stop = async (graceMs: number): Promise<number> => {
    signal("SIGTERM");
    const timer = setTimeout(() => killGroup(child.pid), graceMs);
    const code = await exited;
    clearTimeout(timer);
    return code;
  };
  return {
    pid: child.pid ?? -1,
    exited,
    get running() {
      return running;
    },
    signal,
    stop,
    kill: () => killGroup(child.pid),
  };
}

async function settle(child: ChildProcess): Promise<number> {
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? 137;
  } catch {
    return 127;
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

function forwardLines(child: ChildProcess, onLine: ((line: string) => void) | undefined): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    stream.setEncoding("utf8");
    let rest = "";
    stream.on("data", (chunk: string) => {
      if (!onLine) return;
      const lines = (rest + chunk).split("\n");
      rest = (lines.pop() ?? "").slice(-8192);
      for (const line of lines) onLine(line);
    });
    stream.on("end", () => {
      if (rest && onLine) onLine(rest);
    });
  }
}
