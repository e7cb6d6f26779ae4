/** The history: what happened and why, newest first, forgotten by the table itself. */
import { type AttributeValue, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { tableKeys } from "../core/deployment.ts";
import type { EngineEvent } from "../core/index.ts";
import { eventProblem } from "./event-shape.ts";
import type { StateTable } from "./table.ts";

/** Days that an event is kept. */
export const historyDays = 90;

/** A page of the history. */
export interface HistoryPage {
  /** Newest first. */
  readonly events: readonly EngineEvent[];
  /** Where the next, older page begins; `null` at the end. */
  readonly next: string | null;
}

/** Events of one page at most. */
const pageMax = 200;

/** Longest message and longest text of a number's place that is stored. */
const textMax = 2_000;

/**
 * Stores `events` under `revision`; storing them again changes nothing. `first` numbers the first
 * of them, for more events of the same revision and time.
 */
export async function appendEvents(
  table: StateTable,
  revision: number,
  events: readonly EngineEvent[],
  first = 0,
): Promise<void> {
  for (const [index, event] of events.entries()) {
    await table.repeatable.send(
      new PutItemCommand({
        TableName: table.name,
        Item: {
          pk: { S: tableKeys.event },
          sk: { S: sortKey(event.atMs, revision, first + index) },
          event: { S: JSON.stringify(bounded(event)) },
          [tableKeys.ttl]: { N: String(Math.floor(event.atMs / 1000) + historyDays * 86_400) },
        },
      }),
    );
  }
}

/** One page of the history: the newest events, or those before `from`, a page's `next`. */
export async function readEvents(
  table: StateTable,
  options: { readonly limit?: number; readonly from?: string | null } = {},
): Promise<HistoryPage> {
  const { limit = 50, from = null } = options;
  const older = from === null ? "" : " AND sk < :from";
  const { Items: items = [], LastEvaluatedKey: last } = await table.repeatable.send(
    new QueryCommand({
      TableName: table.name,
      KeyConditionExpression: `pk = :event${older}`,
      ExpressionAttributeValues: {
        ":event": { S: tableKeys.event },
        ...(from === null ? {} : { ":from": { S: from } }),
      },
      ScanIndexForward: false,
      Limit: Math.min(pageMax, Math.max(1, Math.floor(limit))),
    }),
  );
  return { events: items.flatMap(eventOf), next: last?.sk?.S ?? null };
}

/** Sorts by time as text, then by the order in which things happened. */
function sortKey(atMs: number, revision: number, index: number): string {
  const padded = (value: number, digits: number): string => String(value).padStart(digits, "0");
  return `${padded(Math.floor(atMs), 15)}#${padded(revision, 10)}#${padded(index, 3)}`;
}

function bounded(event: EngineEvent): EngineEvent {
  const data = Object.entries(event.data).map(([name, value]) => {
    return [name, typeof value === "string" ? value.slice(0, textMax) : value] as const;
  });
  return { ...event, message: event.message.slice(0, textMax), data: Object.fromEntries(data) };
}

/** An item that somebody else wrote is left out rather than shown wrong. */
function eventOf(item: Readonly<Record<string, AttributeValue>>): readonly EngineEvent[] {
  try {
    const event: unknown = JSON.parse(item.event?.S ?? "");
    return eventProblem(event) === null ? [event as EngineEvent] : [];
  } catch {
    return [];
  }
}
