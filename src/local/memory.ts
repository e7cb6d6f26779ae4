/** What a killed lambdaflex resumes from: the engine's memory, and what AWS would not forget. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { initialStatus, type Status } from "../core/index.ts";
import { isPlaneFacts, type PlaneFacts } from "./control-plane.ts";
import { openRevisions, openSnapshot, type RevisionedFile, type Snapshot } from "./state-file.ts";

/** The state folder of one local cloud. */
export interface Memory {
  readonly status: RevisionedFile<Status>;
  readonly plane: Snapshot<PlaneFacts>;
  /** What an earlier run left, `null` after a first start. */
  readonly before: PlaneFacts | null;
  /** Whether there was an earlier run. */
  readonly resumed: boolean;
  /** The latest time that it knew of: time must not begin before. 0 after a first start. */
  readonly knownMs: number;
}

/** Opens the documents in `folder`. Rejects with StateForeign when they are of another version. */
export async function openMemory(folder: string): Promise<Memory> {
  const status = await openRevisions(folder, "status", isStatus);
  const plane = openSnapshot(folder, "cloud", isPlaneFacts);
  const before = await plane.read();
  const { value } = await status.read();
  const knownMs = Math.max(before?.atMs ?? 0, value === null ? 0 : lastMomentMs(value));
  return { status, plane, before, resumed: value !== null, knownMs };
}

/** Forgets a run that has come to its end; what is only read, its history, stays. */
export async function forget(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const remembered = /^(status\.\d+|cloud)\.json$/.test(name);
    if (remembered) await rm(join(folder, name), { force: true });
  }
}

/** Whether a stored document is a status of this version. */
export function isStatus(value: unknown): value is Status {
  const stored = Object(value) as Record<string, unknown>;
  return Object.entries(initialStatus()).every(([key, known]) => {
    return known === null ? key in stored : typeof stored[key] === typeof known;
  });
}

/** A policy sees each window once, so a window that it has seen must never come again. */
function lastMomentMs(status: Status): number {
  const { targetSinceMs, shiftedAtMs, syncedAtMs, healthySinceMs, windowSeenMs } = status;
  const others = [shiftedAtMs ?? 0, syncedAtMs ?? 0, healthySinceMs ?? 0];
  return Math.max(targetSinceMs, ...others, windowSeenMs < 0 ? 0 : windowSeenMs + windowMs);
}

/** Length of a metric window. */
const windowMs = 60_000;
