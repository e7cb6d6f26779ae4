/** Where a name led before it was taken over: kept in the state table, and how it is restored. */
import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Change, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { keyOf, type StateTable } from "../../aws/table.ts";
import { tableKeys } from "../../core/deployment.ts";
import { type Claim, recordText } from "../aws/claim.ts";
import { isNamed } from "../aws/errors.ts";

/** A claim that was taken over. */
export interface Former extends Claim {
  readonly atMs: number;
  readonly by: string;
}

/** An alias is remembered as long as AWS says of what it leads to: a minute. */
const aliasTtlSeconds = 60;

/** Route 53's name servers follow a change within this time. */
const serversSeconds = 60;

/** How long clients may go on to where the records led. */
export function keepSeconds(records: readonly ResourceRecordSet[]): number {
  return serversSeconds + Math.max(...records.map(({ TTL = aliasTtlSeconds }) => TTL));
}

/** Where the records led, in one line. */
export function formerText({ foreign }: Claim): string {
  return foreign.map(recordText).join("; ");
}

/** The command that brings the records back, in place of `ours` if there is one. */
export function restoreCommand({ zoneId, foreign }: Claim, ours: ResourceRecordSet | null): string {
  const changes: Change[] = [
    ...(ours === null ? [] : [{ Action: "DELETE" as const, ResourceRecordSet: ours }]),
    ...foreign.map((record) => ({ Action: "CREATE" as const, ResourceRecordSet: record })),
  ];
  const batch = JSON.stringify({ Changes: changes });
  const quoted = `'${batch.replaceAll("'", "'\\''")}'`;
  const zone = `--hosted-zone-id ${zoneId}`;
  return `aws route53 change-resource-record-sets ${zone} --change-batch ${quoted}`;
}

/** Keeps where the name led. */
export async function keepFormer(table: StateTable, former: Former): Promise<void> {
  const item = { ...keyOf(tableKeys.former), former: { S: JSON.stringify(former) } };
  await table.repeatable.send(new PutItemCommand({ TableName: table.name, Item: item }));
}

/** Where the name led before it was taken over; `null` if it never was. */
export async function readFormer(table: StateTable): Promise<Former | null> {
  try {
    const { Item: item } = await table.repeatable.send(
      new GetItemCommand({
        TableName: table.name,
        Key: keyOf(tableKeys.former),
        ConsistentRead: true,
      }),
    );
    const text = item?.former?.S;
    return text === undefined ? null : (JSON.parse(text) as Former);
  } catch (error) {
    if (isNamed(error, "ResourceNotFoundException")) return null;
    throw error;
  }
}
