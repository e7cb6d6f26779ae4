/**
 * Turns: who may act now, and until when. The controller's lease keeps two invocations apart, the
 * deployment's lock two deployments. A turn ends by itself, so that nobody who died holds it.
 */
import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { tableKeys } from "../core/deployment.ts";
import { isRefused, keyOf, type StateTable } from "./table.ts";

/** What there are turns for. */
export type TurnName = "lease" | "deploy";

/** Whose turn it is. */
export interface Turn {
  readonly owner: string;
  readonly untilMs: number;
}

/**
 * Takes a turn that is free or has ended, or renews one's own. Resolves with `false` while somebody
 * else has it.
 */
export async function takeTurn(
  table: StateTable,
  name: TurnName,
  turn: Turn,
  nowMs: number,
): Promise<boolean> {
  return write(table, name, turn, {
    condition: "attribute_not_exists(#o) OR #o = :owner OR #u <= :now",
    values: { ":now": { N: String(nowMs) } },
  });
}

/** Ends one's own turn early; does nothing if somebody else has taken over. */
export async function releaseTurn(table: StateTable, name: TurnName, owner: string): Promise<void> {
  await write(table, name, { owner, untilMs: 0 }, { condition: "#o = :owner", values: {} });
}

/** Whose turn it is now, `null` if nobody's. */
export async function readTurn(
  table: StateTable,
  name: TurnName,
  nowMs: number,
): Promise<Turn | null> {
  const { Item: item } = await table.repeatable.send(
    new GetItemCommand({
      TableName: table.name,
      Key: keyOf(tableKeys[name]),
      ConsistentRead: true,
    }),
  );
  const owner = item?.owner?.S;
  const untilMs = Number(item?.untilMs?.N ?? 0);
  return owner === undefined || untilMs <= nowMs ? null : { owner, untilMs };
}

async function write(
  table: StateTable,
  name: TurnName,
  turn: Turn,
  only: { readonly condition: string; readonly values: Record<string, { N: string }> },
): Promise<boolean> {
  try {
    await table.repeatable.send(
      new UpdateItemCommand({
        TableName: table.name,
        Key: keyOf(tableKeys[name]),
        UpdateExpression: "SET #o = :owner, #u = :until",
        ConditionExpression: only.condition,
        ExpressionAttributeNames: { "#o": "owner", "#u": "untilMs" },
        ExpressionAttributeValues: {
          ...only.values,
          ":owner": { S: turn.owner },
          ":until": { N: String(turn.untilMs) },
        },
      }),
    );
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}
