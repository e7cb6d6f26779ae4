/** One deployment at a time: a turn in the state table, renewed while the work goes on. */
import { hostname, userInfo } from "node:os";
import type { StateTable } from "../../aws/table.ts";
import { readTurn, releaseTurn, takeTurn } from "../../aws/turns.ts";
import { UserError } from "../../config/errors.ts";
import { isNamed } from "../aws/errors.ts";
import type { Pace } from "../aws/pace.ts";

/** A lock that nobody renews for this long belongs to somebody who is gone. */
const turnMs = 120_000;
/** Renewed this often, so that two attempts may fail. */
const renewMs = 30_000;

/**
 * Does `work` while nobody else deploys, removes or rolls back the service. Without a table, that
 * is before the first deployment, CloudFormation alone keeps two apart.
 * Throws UserError DEPLOYMENT_LOCKED.
 */
export async function locked<T>(
  table: StateTable,
  verb: string,
  arn: string,
  pace: Pace,
  work: () => Promise<T>,
): Promise<T> {
  const owner = ownerText(verb, arn, pace.nowMs());
  const take = async (): Promise<boolean> => {
    const nowMs = pace.nowMs();
    return takeTurn(table, "deploy", { owner, untilMs: nowMs + turnMs }, nowMs);
  };
  if (!(await take().catch(withoutTable))) throw await lockedBy(table, pace);
  // A renewal that fails is made good by the next one; the work itself would show what is wrong.
  const renewal = setInterval(() => void take().catch(() => {}), renewMs);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    // What cannot be released ends by itself, and the table may just have been removed.
    await releaseTurn(table, "deploy", owner).catch(() => {});
  }
}

function withoutTable(error: unknown): boolean {
  if (isNamed(error, "ResourceNotFoundException")) return true;
  throw error;
}

/** Who, on which machine and since when: all that another one can ask. */
function ownerText(verb: string, arn: string, nowMs: number): string {
  const since = new Date(nowMs).toISOString();
  return `${verb} by ${arn} (${nameHere()}@${hostname()}, process ${process.pid}) since ${since}`;
}

function nameHere(): string {
  try {
    return userInfo().username;
  } catch {
    return "somebody";
  }
}

async function lockedBy(table: StateTable, pace: Pace): Promise<UserError> {
  const turn = await readTurn(table, "deploy", pace.nowMs());
  const who = turn?.owner ?? "somebody who has just finished";
  const leftSeconds = Math.ceil(Math.max(0, (turn?.untilMs ?? 0) - pace.nowMs()) / 1000);
  return new UserError(
    "DEPLOYMENT_LOCKED",
    `another one is under way: ${who}`,
    `Wait for it. If it is gone, the lock ends by itself within ${leftSeconds} s.`,
  );
}
