/** When nothing has to be done: then a tick ends after two reads that cost nothing. */
import { lambdaOnly, type Status, sameRoute } from "../core/index.ts";
import type { CloudMemory } from "./memory.ts";

/** Longest time without a look at the windows, for a policy that decides by them. */
export const windowsEveryMs: number = 10 * 60_000;

/** One idle look in so many is at the records, which somebody may have changed by hand. */
const recordsEvery = 10;

/** Why the status alone keeps the controller awake; `null` if it does not. */
export function awakeBecause(
  status: Status,
  memory: CloudMemory,
  watchesWindows: boolean,
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
  const unseenMs = nowMs - Math.max(0, status.windowSeenMs);
  return watchesWindows && unseenMs >= windowsEveryMs ? "windows were not seen yet" : null;
}

/** Whether this idle look is at the records in place of the alarms. */
export function looksAtRecords(nowMs: number): boolean {
  return Math.floor(nowMs / 60_000) % recordsEvery === 0;
}
