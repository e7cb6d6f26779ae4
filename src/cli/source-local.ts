/** The facts of a run on this machine: its state folder, and the process that works with it. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../config/errors.ts";
import { commitOverride } from "../core/override.ts";
import type { RunRecord } from "../core/record.ts";
import { initialStatus } from "../core/status.ts";
import { ConflictError, type Override, type Status } from "../core/types.ts";
import { isStatus } from "../local/memory.ts";
import { followRollingFile } from "../local/rolling-file.ts";
import {
  type LiveAddress,
  type LiveReport,
  type LogLine,
  outputName,
  parseLogLine,
  readHistory,
  readLiveAddress,
} from "../local/run-files.ts";
import { openRevisions } from "../local/state-file.ts";
import {
  type LogQuery,
  type LogReader,
  localCommands,
  type Report,
  type Source,
} from "./source.ts";

/** A state folder and the process that works with it, if it lives. */
interface Found {
  readonly command: string;
  readonly folder: string;
  readonly live: LiveAddress | null;
}

/** Opens what `dev` and `rehearse` keep beside the configuration in `folder`. */
export function openLocalSource(folder: string): Source {
  const found = async (): Promise<Found> => {
    const [newest] = await foundIn(folder);
    if (newest !== undefined) return newest;
    throw nothing(`no lambdaflex has run with ${folder}`);
  };
  const alive = async (): Promise<Found & { readonly live: LiveAddress }> => {
    const { live, ...rest } = await found();
    if (live !== null) return { ...rest, live };
    throw nothing(`lambdaflex ${rest.command} does not run any more with ${folder}`);
  };
  return {
    async report() {
      const { command, live } = await alive();
      const report = await askReport(live, command);
      return withReason(report, command, live, join(folder, ".lambdaflex", command));
    },
    async history(sinceMs, limit) {
      const { folder: state } = await found();
      const kept = (await readHistory(state)).filter(isTold);
      return (sinceMs === null ? kept : newerThan(kept, sinceMs)).slice(-limit);
    },
    async nowMs() {
      const { folder: state, live, command } = await found();
      if (live !== null) return (await askReport(live, command)).snapshot.atMs;
      return momentOf((await readHistory(state)).at(-1)) ?? 0;
    },
    logs: async (query) => logs((await found()).folder, query),
    async override(word) {
      const { folder: state, live } = await alive();
      await commitWord(state, word);
      await ask(live.url, "POST", "/wake").catch(() => undefined);
    },
  };
}

function nothing(message: string): UserError {
  const hint =
    "Start lambdaflex dev or rehearse there, or ask for the deployed service with --on aws.";
  return new UserError("NOTHING_RUNNING", message, hint);
}

/** State folders of all commands: the living ones first, then by age. */
async function foundIn(folder: string): Promise<readonly Found[]> {
  const all = await Promise.all(
    localCommands.map(async (command) => {
      const state = join(folder, ".lambdaflex", command);
      const [live, info] = await Promise.all([
        readLiveAddress(state),
        stat(join(state, "history.ndjson")).catch(() => null),
      ]);
      return { command, folder: state, live, changedMs: info?.mtimeMs ?? 0 };
    }),
  );
  return all
    .filter(({ live, changedMs }) => live !== null || changedMs > 0)
    .sort((a, b) => Number(b.live !== null) - Number(a.live !== null) || b.changedMs - a.changedMs);
}

/** Real milliseconds for an answer over loopback, and for a run that is just starting. */
const answerMs = 2_000;
const startingMs = 5_000;

async function askReport(live: LiveAddress, command: string): Promise<LiveReport> {
  const until = performance.now() + startingMs;
  for (;;) {
    const { status, body } = await ask(live.url, "GET", "/snapshot").catch(() => {
      throw nothing(`lambdaflex ${command} (process ${live.pid}) does not answer`);
    });
    if (status === 200) return JSON.parse(body) as LiveReport;
    if (performance.now() > until) throw nothing(`lambdaflex ${command} is still starting`);
    await sleep(50);
  }
}

/**
 * One request over loopback. Both `fetch` and an import of node:http load undici, which takes
 * longer than the answer does.
 */
function ask(
  url: string,
  method: string,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(answerMs);
    const { request } = process.getBuiltinModule("node:http");
    const sent = request(new URL(path, url), { method, signal, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** The reason of a switch that an earlier process has made is in the history. */
async function withReason(
  report: LiveReport,
  command: string,
  live: LiveAddress,
  folder: string,
): Promise<Report> {
  const source = { on: "local" as const, name: command, at: `process ${live.pid}` };
  const { lastSwitch } = report.snapshot;
  if (lastSwitch === null || lastSwitch.reason !== null) return { ...report, source };
  const records = await readHistory(folder);
  const reason = reasonIn(records, lastSwitch.atMs);
  return {
    ...report,
    snapshot: { ...report.snapshot, lastSwitch: { ...lastSwitch, reason } },
    source,
  };
}

/** Why the target changed at `atMs`, if that is in the history. */
export function reasonIn(records: readonly RunRecord[], atMs: number): string | null {
  const told = records.findLast(
    (record) =>
      record.type === "event" &&
      record.event.atMs === atMs &&
      (record.event.type === "decision" || record.event.type === "failure"),
  );
  return told?.type === "event" ? told.event.message : null;
}

/** An alarm that has no data yet says nothing. */
function isTold(record: RunRecord): boolean {
  return record.type !== "alarm" || record.state !== "INSUFFICIENT_DATA";
}

/** When a record was made, `null` for one without a time of its own. */
export function momentOf(record: RunRecord | undefined): number | null {
  if (record === undefined || record.type === "window" || record.type === "snapshot") return null;
  return record.type === "event" ? record.event.atMs : record.atMs;
}

/**
 * The records since `sinceMs`. Virtual time may run ahead: a later run then begins before the end
 * of an earlier one, whose records are not meant.
 */
export function newerThan(records: readonly RunRecord[], sinceMs: number): readonly RunRecord[] {
  let from = records.length;
  let nextMs = Number.POSITIVE_INFINITY;
  while (from > 0) {
    const atMs = momentOf(records[from - 1]) ?? nextMs;
    if (atMs < sinceMs || atMs > nextMs) break;
    nextMs = atMs;
    from -= 1;
  }
  return records.slice(from);
}

async function logs(folder: string, { sinceMs, tier }: LogQuery): Promise<LogReader> {
  const reader = await followRollingFile(folder, outputName);
  const wanted = (line: LogLine): boolean =>
    (sinceMs === null || line.atMs >= sinceMs) && (tier === null || line.tier === tier);
  return {
    async next() {
      const lines = await reader.next();
      return lines.flatMap((text) => parseLogLine(text) ?? []).filter(wanted);
    },
    close: reader.close,
  };
}

/** Sets the owner's word in the stored status, by the compare-and-swap of the controller. */
async function commitWord(folder: string, override: Override | null): Promise<void> {
  const store = await openRevisions<Status>(folder, "status", isStatus);
  await commitOverride(
    {
      async observe() {
        const { revision, value } = await store.read();
        return { status: { ...(value ?? initialStatus()), revision } };
      },
      async commit(status) {
        if (await store.write(status.revision, status)) return;
        throw new ConflictError(`revision ${status.revision} is taken`);
      },
    },
    override,
  );
}
