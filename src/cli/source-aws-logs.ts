/** What the service says on AWS: one log group, in which both tiers have streams of their own. */
import {
  CloudWatchLogsClient,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import type { Tier } from "../core/types.ts";
import type { LogLine } from "../local/run-files.ts";
import { asAwsMistake } from "./aws/errors.ts";
import { clientOf } from "./aws/session.ts";
import type { LogQuery, LogReader } from "./source.ts";

/** Without a wish the last minutes are read: the group may hold gigabytes. */
const pastMs = 10 * 60_000;
/** Lines may arrive this much later than their own time says. */
const lateMs = 30_000;
/** A look at most every so often: FilterLogEvents has a low limit per account. */
const lookMs = 2_000;
/** Pages of one look. */
const pagesMax = 200;

/** Which group is read, and by which clock. */
export interface AwsLogsOptions extends LogQuery {
  readonly region: string;
  readonly group: string;
  readonly nowMs: () => number;
}

/** Opens the log group; nothing is asked of AWS yet. */
export function openAwsLogs({ region, group, nowMs, sinceMs, tier }: AwsLogsOptions): LogReader {
  const client = new CloudWatchLogsClient(clientOf({ region }));
  let fromMs = sinceMs ?? nowMs() - pastMs;
  let lookedMs = Number.NEGATIVE_INFINITY;
  /** What was given out already, with its time: late lines make it necessary to read twice. */
  const given = new Map<string, number>();
  return {
    async next() {
      if (nowMs() - lookedMs < lookMs) return [];
      lookedMs = nowMs();
      const events = await readSince(client, group, fromMs);
      const fresh = events.filter(({ eventId = "" }) => !given.has(eventId));
      for (const { eventId = "", timestamp = 0 } of fresh) given.set(eventId, timestamp);
      fromMs = Math.max(fromMs, lookedMs - lateMs);
      for (const [id, atMs] of given) if (atMs < fromMs) given.delete(id);
      return fresh.map(lineOf).filter((line) => tier === null || line.tier === tier);
    },
    async close() {
      client.destroy();
    },
  };
}

async function readSince(
  client: CloudWatchLogsClient,
  group: string,
  fromMs: number,
): Promise<readonly FilteredLogEvent[]> {
  const found: FilteredLogEvent[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const command = new FilterLogEventsCommand({
      logGroupName: group,
      startTime: fromMs,
      ...(nextToken && { nextToken }),
    });
    const answer = await client.send(command).catch((error: unknown) => {
      // The group is made with the first deployment: a service without one has said nothing.
      if (error instanceof ResourceNotFoundException) return { events: [], nextToken: undefined };
      throw asAwsMistake(error);
    });
    found.push(...(answer.events ?? []));
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return found.sort((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0));
}

/** Tasks write to `fargate/<container>/<task>`, environments to `<date>/…[<version>]<id>`. */
function lineOf({ timestamp = 0, logStreamName = "", message = "" }: FilteredLogEvent): LogLine {
  const tier: Tier = logStreamName.startsWith("fargate/") ? "fargate" : "lambda";
  const id = /[0-9a-f]{8,}$/.exec(logStreamName)?.[0].slice(0, 8) ?? logStreamName;
  const from = `${tier === "fargate" ? "task" : "lambda"}-${id}`;
  return { atMs: timestamp, tier, from, line: message.replace(/\n$/, "") };
}
