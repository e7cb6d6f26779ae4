/**
 * The account: each request that failed was in flight inside a process that was killed, and it is
 * said in which, or nobody can explain it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A request that got no good answer. Times are real milliseconds since the run began. */
export interface Failure {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly tier: string | null;
  readonly status: number | null;
  readonly error: string;
  readonly sentMs: number;
  readonly endedMs: number;
}

/** What was killed. */
export type Victim = "lambdaflex" | "task" | "environment";

/** One kill -9. */
export interface Death {
  /** When the signal was sent. */
  readonly atMs: number;
  /** When the last of its processes was gone: the kernel closes their sockets on the way. */
  readonly goneMs: number;
  readonly victim: Victim;
  /** The process that is named, and all that died with it. */
  readonly pid: number;
  readonly pids: readonly number[];
}

/** What a process of the service did with a request. */
export interface Visit {
  readonly pid: number;
  /** Whether its answer left the process. */
  readonly answered: boolean;
}

/** A failure with its explanation, `null` if there is none. */
export interface Accounted extends Failure {
  readonly because: string | null;
  /** Where the processes of the service say it was. */
  readonly visits: readonly Visit[];
}

/** A connection that broke is told of within this time after its process was gone, real. */
const unreadMsMax = 1000;
/** The balancer's word on a broken connection, and Lambda's on an environment that has ended. */
const witness = /^(502 .*: closed, |crashed on Lambda: (?!.*before it was ready))/;

/** Whether lambdaflex tells in this line that a process broke off what it had been handed. */
export function isWitness(line: string): boolean {
  return witness.test(line);
}

const victimOf: Readonly<Record<string, Victim>> = { lambda: "environment", fargate: "task" };

/**
 * Finds the death that explains a failure: the request was sent before the process was gone, and
 * ended after it was killed. One that was handed to a process which died before it read it is in no
 * account of the service: there lambdaflex must tell that it had handed it on. Whatever is sent
 * later is explained by nothing, as lambdaflex can see then that the connection is closed.
 */
export function explain(
  failure: Failure,
  visits: readonly Visit[],
  deaths: readonly Death[],
  witnesses: readonly string[],
): string | null {
  const { method, path, tier } = failure;
  const handed =
    visits.length === 0 && witnesses.some((line) => line.includes(`${method} ${path}: `));
  const held = visits.filter(({ answered }) => !answered).map(({ pid }) => pid);
  const death = deaths.find(({ victim, pids, atMs, goneMs }) => {
    if (failure.sentMs > goneMs || failure.endedMs < atMs) return false;
    if (victim === "lambdaflex" || held.some((pid) => pids.includes(pid))) return true;
    return handed && victim === victimOf[tier ?? ""] && failure.endedMs - goneMs < unreadMsMax;
  });
  if (death === undefined) return null;
  const how =
    handed && death.victim !== "lambdaflex" ? "handed to, and unread by," : "in flight in";
  return `${how} ${death.victim} ${death.pid}, killed at ${(death.atMs / 1000).toFixed(3)} s`;
}

/** Explains all failures of a run. */
export function accountFor(
  failures: readonly Failure[],
  visits: ReadonlyMap<string, readonly Visit[]>,
  deaths: readonly Death[],
  witnesses: readonly string[],
): readonly Accounted[] {
  return failures.map((failure) => {
    const own = visits.get(failure.id) ?? [];
    return { ...failure, visits: own, because: explain(failure, own, deaths, witnesses) };
  });
}

/** Reads what the processes of the service have written, by request. */
export function readVisits(folder: string): ReadonlyMap<string, readonly Visit[]> {
  const visits = new Map<string, Visit[]>();
  for (const name of readdirSync(folder)) {
    const pid = Number(/-(\d+)\.log$/.exec(name)?.[1]);
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    const answered = new Set(lines.filter((line) => line.startsWith("A ")).map(idOf));
    for (const id of lines.filter((line) => line.startsWith("R ")).map(idOf)) {
      visits.set(id, [...(visits.get(id) ?? []), { pid, answered: answered.has(id) }]);
    }
  }
  return visits;
}

function idOf(line: string): string {
  return line.slice(2);
}
