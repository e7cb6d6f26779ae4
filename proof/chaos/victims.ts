/** Finds the processes of the service that live, and signals them as a kernel or a person would. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/core/random.ts";
import type { Victim } from "./account.ts";

/** A process of the service with everything that would die with it. */
export interface Target {
  readonly victim: Victim;
  /** The service itself. */
  readonly pid: number;
  /** Its task or environment: the process group that lambdaflex has started. */
  readonly group: number;
  readonly pids: readonly number[];
  /** Whether it has answered a request: lambdaflex knows it, and found it well. */
  readonly served: boolean;
}

/** Tasks or environments of the service that live and have begun to listen. */
export function targets(accounts: string, victim: Victim): readonly Target[] {
  const prefix = victim === "task" ? "fargate-" : "lambda-";
  const living = processes();
  return readdirSync(accounts).flatMap((name) => {
    if (!name.startsWith(prefix)) return [];
    const pid = Number(/-(\d+)\.log$/.exec(name)?.[1]);
    const group = living.get(pid);
    const account = readFileSync(join(accounts, name), "latin1");
    if (group === undefined || account === "") return [];
    const served = /^A /m.test(account);
    const pids = [...living].flatMap(([one, of]) => (of === group ? [one] : []));
    return [{ victim, pid, group, pids, served }];
  });
}

/** Process groups of all that lives, by process id. */
function processes(): ReadonlyMap<number, number> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Map(
    pids.flatMap((pid) => {
      const group = groupOf(Number(pid));
      return group === null ? [] : [[Number(pid), group]];
    }),
  );
}

/**
 * The process group of a process, `null` if it is gone: a zombie has no sockets any more, unless
 * threads of it are still on their way out. The last of them closes what they share.
 */
function groupOf(pid: number): number | null {
  try {
    return groupIn(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return null;
  }
}

/** The same from a line of `/proc/PID/stat` (proc_pid_stat(5)). */
export function groupIn(stat: string): number | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, , group] = fields;
  const threads = Number(fields[17]);
  return (state === "Z" || state === "X") && threads <= 1 ? null : Number(group);
}

/** A kernel buries what was killed within this time, however busy, real. */
const burialMsMax = 5_000;

/** Waits until all processes of a target are gone; resolves with the time, by `nowMs`. */
export async function gone({ pids }: Target, nowMs: () => number): Promise<number> {
  const untilMs = nowMs() + burialMsMax;
  for (;;) {
    const atMs = nowMs();
    if (pids.every((pid) => groupOf(pid) === null)) return atMs;
    if (atMs > untilMs) throw new Error(`${pids.join(", ")} were killed and live`);
    await sleep(1);
  }
}

/** Sends a signal to the whole of a task or an environment; `false` if it has just ended. */
export function signalGroup({ group }: Target, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

/** One of them, by chance. */
export function oneOf<T>(items: readonly T[], random: Random): T | null {
  return items[Math.floor(random() * items.length)] ?? null;
}
