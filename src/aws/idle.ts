/** When nothing has to be done: then a tick ends after two reads that cost nothing. */
import { lambdaOnly, type Sample, type Status, sameRoute } from "../core/index.ts";
import type { CloudMemory } from "./memory.ts";
import { backfillMsMax } from "./metrics.ts";

/** Longest time without a look at the windows while a policy that decides by them may move. */
const attentiveEveryMs = 10 * 60_000;

/** The same while it may not; less than what can be made up for, so that no window is lost. */
const asleepEveryMs: number = backfillMsMax / 2;

/** How long after traffic that was worth a look it stays attentive: the memory of a rhythm. */
const attentiveMs = 6 * 60 * 60_000;

/** One idle look in so many is at the records, which somebody may have changed by hand. */
const recordsEvery = 10;

/**
 * Why the status alone keeps the controller awake; `null` if it does not. `stirredAtMs` is when
 * there was traffic that could move a policy which decides by windows: 0 = never, `null` = there
 * is no such policy.
 */
export function awakeBecause(
  status: Status,
  memory: CloudMemory,
  stirredAtMs: number | null,
  nowMs: number,
): string | null {
  const { override } = status;
  if (status.target !== "lambda") return "the target is Fargate";
  if (!sameRoute(status.route, lambdaOnly)) return "the Fargate record exists";
  if (memory.stack !== null) return "the burst stack may exist";
  if (status.syncedAtMs === null) return "DNS was not seen in sync";
  if (override !== null) {
    if (override.tier === "fargate") return "Fargate was asked for";
    if (override.untilMs !== null && override.untilMs <= nowMs) return "an override has ended";
  }
  if (stirredAtMs === null) return null;
  const everyMs = nowMs - stirredAtMs < attentiveMs ? attentiveEveryMs : asleepEveryMs;
  const unseenMs = nowMs - Math.max(0, status.windowSeenMs);
  return unseenMs >= everyMs ? "windows were not seen yet" : null;
}

/** Whether this idle look is at the records in place of the alarms. */
export function looksAtRecords(nowMs: number): boolean {
  return Math.floor(nowMs / 60_000) % recordsEvery === 0;
}

/** The note of when there was traffic worth a look, as it is read. */
export function stirredAtOf(note: string | null): number {
  const atMs = Number(note ?? 0);
  return Number.isFinite(atMs) ? atMs : 0;
}

/** The note that is due, `null` if what is noted will do: one write in a while is enough. */
export function stirredNote(
  samples: readonly Sample[],
  stirs: (window: Sample) => boolean,
  notedMs: number,
): string | null {
  const newest = samples.findLast(stirs);
  if (newest === undefined || newest.startMs - notedMs < attentiveEveryMs) return null;
  return String(newest.startMs);
}
