/**
 * The state table: the engine's status by compare-and-swap, and notes beside it in the same item,
 * so that one read brings everything that an idle tick needs.
 */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { tableKeys } from "../core/deployment.ts";
import { ConflictError, initialStatus, type Status } from "../core/index.ts";
import { type ClientSettings, onceOnly, retrying } from "./clients.ts";
import { statusProblem } from "./status-shape.ts";

/** A state table and how it is reached. */
export interface StateTable {
  readonly name: string;
  /** Tries again: for reads, and for writes that say the same however often they are made. */
  readonly repeatable: DynamoDBClient;
  /** Never tries again: a write whose answer was lost would fail its own condition. */
  readonly once: DynamoDBClient;
}

/** Texts beside the status that do not take part in the compare-and-swap. */
export type Note = "memory" | "told" | "untold" | "stirred";

/** What the item holds. */
export interface StoredState {
  readonly status: Status;
  readonly notes: Readonly<Record<Note, string | null>>;
}

/** DynamoDB refuses items above 400 KB; the notes and names need some of it. */
const statusBytesMax = 350_000;

const setStatus = "SET #r = :revision, #s = :status";

/** A note is a few facts. */
const noteBytesMax = 16_000;

/** Opens a table; nothing is asked of AWS yet. */
export function openTable(name: string, settings: ClientSettings): StateTable {
  return {
    name,
    repeatable: new DynamoDBClient(retrying(settings)),
    once: new DynamoDBClient(onceOnly(settings)),
  };
}

/** Closes the sockets. */
export function closeTable(table: StateTable): void {
  table.repeatable.destroy();
  table.once.destroy();
}

/** Reads status and notes, strongly consistent. A service that was never seen is at its start. */
export async function readState(table: StateTable): Promise<StoredState> {
  const { Item: item = {} } = await table.repeatable.send(
    new GetItemCommand({
      TableName: table.name,
      Key: keyOf(tableKeys.status),
      ConsistentRead: true,
    }),
  );
  return {
    status: statusOf(item),
    notes: {
      memory: item.memory?.S ?? null,
      told: item.told?.S ?? null,
      untold: item.untold?.S ?? null,
      stirred: item.stirred?.S ?? null,
    },
  };
}

/** Reads the status alone. */
export async function readStatus(table: StateTable): Promise<Status> {
  return (await readState(table)).status;
}

/**
 * Stores `status` if the stored revision is the one before it, and with it the note `untold`.
 * @throws ConflictError if it is another
 */
export async function writeStatus(
  table: StateTable,
  status: Status,
  untold: string | null = null,
): Promise<void> {
  const before = status.revision - 1;
  const text = JSON.stringify(status);
  if (Buffer.byteLength(text) > statusBytesMax) throw new Error("the status is too large to store");
  const free = before === 0 ? "attribute_not_exists(#r) OR #r = :before" : "#r = :before";
  try {
    await table.once.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: keyOf(tableKeys.status),
        UpdateExpression: untold === null ? setStatus : `${setStatus}, #u = :untold`,
        ConditionExpression: free,
        ExpressionAttributeNames: {
          ...{ "#r": "revision", "#s": "status" },
          ...(untold === null ? {} : { "#u": "untold" }),
        },
        ExpressionAttributeValues: {
          ":before": { N: String(before) },
          ":revision": { N: String(status.revision) },
          ":status": { S: text },
          ...(untold === null ? {} : { ":untold": { S: untold } }),
        },
      }),
    );
  } catch (error) {
    if (!isRefused(error)) throw error;
    throw new ConflictError(`revision ${status.revision} does not follow the stored one`);
  }
}

/** Stores notes, whatever was there; only the holder of the lease writes notes. */
export async function writeNotes(
  table: StateTable,
  notes: Readonly<Partial<Record<Note, string>>>,
): Promise<void> {
  const entries = Object.entries(notes);
  for (const [note, text] of entries) {
    if (Buffer.byteLength(text) > noteBytesMax) throw new Error(`the note ${note} is too large`);
  }
  const named = entries.map(([note, text], at) => ({ note, text, name: `#n${at}`, to: `:n${at}` }));
  await table.repeatable.send(
    new UpdateItemCommand({
      TableName: table.name,
      Key: keyOf(tableKeys.status),
      UpdateExpression: `SET ${named.map(({ name, to }) => `${name} = ${to}`).join(", ")}`,
      ExpressionAttributeNames: Object.fromEntries(named.map(({ name, note }) => [name, note])),
      ExpressionAttributeValues: Object.fromEntries(named.map(({ to, text }) => [to, { S: text }])),
    }),
  );
}

/** A key of `tableKeys` as DynamoDB takes it. */
export function keyOf(key: { readonly pk: string; readonly sk: string }): {
  pk: AttributeValue.SMember;
  sk: AttributeValue.SMember;
} {
  return { pk: { S: key.pk }, sk: { S: key.sk } };
}

/** Whether DynamoDB refused a write because its condition was not met. */
export function isRefused(error: unknown): boolean {
  return error instanceof ConditionalCheckFailedException;
}

/** A revision that was damaged by hand counts, or no later one could ever be committed. */
function statusOf(item: Readonly<Record<string, AttributeValue>>): Status {
  const revision = Number(item.revision?.N ?? 0);
  const stored = parsed(item.status?.S);
  const status = statusProblem(stored) === null ? (stored as Status) : initialStatus();
  return { ...status, revision };
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
