/**
 * What a run leaves in its state folder for those who look on from outside: a history of what was
 * decided, the output of the service, and where the running process can be asked.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Outlook } from "../core/outlook.ts";
import type { RunRecord, RunStream, Snapshot } from "../core/record.ts";
import type { Sample, Tier } from "../core/types.ts";
import { openRollingFile, readRollingFile } from "./rolling-file.ts";
import { isAlive, openSnapshot } from "./state-file.ts";

/** One line of output of the service or of the cloud around it. */
export interface LogLine {
  /** Virtual. */
  readonly atMs: number;
  /** `null` for what belongs to neither tier. */
  readonly tier: Tier | null;
  /** The environment or task that said it, `null` for the cloud itself. */
  readonly from: string | null;
  readonly line: string;
}

/** Where a running lambdaflex can be asked. */
export interface LiveAddress {
  readonly pid: number;
  readonly url: string;
  readonly startedMs: number;
}

/** What a running lambdaflex answers. */
export interface LiveReport {
  readonly snapshot: Snapshot;
  /** The newest closed windows of both tiers, oldest first. */
  readonly windows: readonly Sample[];
  /** Virtual seconds per real second. */
  readonly speed: number;
  /** What the policy waits for; `null` for one that no steady traffic moves within a day. */
  readonly outlook: Outlook | null;
}

/** A run that can also be asked what its policy waits for. */
export type AskedStream = RunStream & { outlook(): Outlook | null };

/** The files of one run, which go on where those of the last one ended. */
export interface RunFiles {
  /** A line of output, prefixed with `[lambda-1]` or `[task-1]` if one of those said it. */
  log(text: string, atMs: number): void;
  /** What there is to tell now, `null` before the first snapshot. */
  report(): LiveReport | null;
  /** Says where this process can be asked. */
  announce(url: string, startedMs: number): Promise<void>;
  /** Writes everything and takes the address away. */
  close(): Promise<void>;
}

/** Names of the files, and how large each of their halves may become. */
const history = { name: "history", bytesMax: 1024 * 1024 };
const output = { name: "output", bytesMax: 4 * 1024 * 1024 };
const liveName = "live";
/** A longer line of output is cut. */
const lineCharactersMax = 8192;
/** Windows that are kept for pictures of the recent past: an hour of both tiers. */
const windowsMax = 120;

/** Opens the files in the state folder and follows the run. */
export async function openRunFiles(folder: string, stream: AskedStream): Promise<RunFiles> {
  const { atMs: begunMs, speed } = stream.head;
  const decided = await openRollingFile(folder, history.name, history.bytesMax, (lines) =>
    JSON.stringify(lostEvent(lines, begunMs)),
  );
  const said = await openRollingFile(folder, output.name, output.bytesMax, (lines) =>
    JSON.stringify({ atMs: begunMs, tier: null, from: null, line: `${lines} lines are lost` }),
  );
  let latest: Snapshot | null = null;
  const windows: Sample[] = [];
  decided.append(JSON.stringify(stream.head));
  const leave = stream.subscribe((record) => {
    if (record.type === "snapshot") {
      latest = record.snapshot;
    } else if (record.type === "window") {
      windows.push(record.sample);
      if (windows.length > windowsMax) windows.shift();
    } else {
      decided.append(JSON.stringify(record));
    }
  });
  return {
    log(text, atMs) {
      const [, from = null, line = text] = /^\[([^\]]+)\] (.*)$/s.exec(text) ?? [];
      const shown = line.slice(0, lineCharactersMax);
      said.append(
        JSON.stringify({ atMs: Math.round(atMs), tier: tierOf(from), from, line: shown }),
      );
    },
    report: () =>
      latest === null ? null : { snapshot: latest, windows, speed, outlook: stream.outlook() },
    async announce(url, startedMs) {
      await openSnapshot(folder, liveName, isLiveAddress).write({
        pid: process.pid,
        url,
        startedMs,
      });
    },
    async close() {
      leave();
      await rm(join(folder, `${liveName}.json`), { force: true });
      await Promise.all([decided.close(), said.close()]);
    },
  };
}

function tierOf(from: string | null): Tier | null {
  if (from === null) return null;
  return from.startsWith("lambda-") ? "lambda" : "fargate";
}

/** Stands for lines of the history that a full or slow disk did not take. */
function lostEvent(lines: number, atMs: number): RunRecord {
  const message = `${lines} lines of the history are lost`;
  return {
    type: "event",
    event: { atMs, type: "notice", phase: "steady", message, data: { lines } },
  };
}

/** The history that is kept in a state folder, oldest first, without damaged lines. */
export async function readHistory(folder: string): Promise<readonly RunRecord[]> {
  const lines = await readRollingFile(folder, history.name);
  return lines.flatMap((line) => parsed(line) ?? []);
}

function parsed(line: string): RunRecord | null {
  try {
    const record = JSON.parse(line) as Partial<RunRecord>;
    return typeof record?.type === "string" ? (record as RunRecord) : null;
  } catch {
    return null;
  }
}

/** The name of the file that holds the service's output. */
export const outputName: string = output.name;

/** A line of the output file, `null` if it is damaged. */
export function parseLogLine(text: string): LogLine | null {
  try {
    const line = JSON.parse(text) as Partial<LogLine>;
    return typeof line?.line === "string" && Number.isFinite(line.atMs) ? (line as LogLine) : null;
  } catch {
    return null;
  }
}

function isLiveAddress(value: unknown): value is LiveAddress {
  const { pid, url, startedMs } = Object(value) as Partial<LiveAddress>;
  return Number.isInteger(pid) && typeof url === "string" && Number.isFinite(startedMs);
}

/** Where the process that works with this state folder can be asked; `null` if none does. */
export async function readLiveAddress(folder: string): Promise<LiveAddress | null> {
  const address = await openSnapshot(folder, liveName, isLiveAddress)
    .read()
    .catch(() => null);
  return address !== null && isAlive(address.pid) ? address : null;
}
