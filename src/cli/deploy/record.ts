/** What was deployed and when, kept in the state table: rollback chooses from it. */
import { type AttributeValue, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { StateTable } from "../../aws/table.ts";
import { tableKeys } from "../../core/deployment.ts";
import { isNamed } from "../aws/errors.ts";

/** One deployment that succeeded. */
export interface DeploymentRecord {
  readonly atMs: number;
  /** The image by digest. */
  readonly image: string;
  readonly by: string;
}

/** Records that are read at most: nobody goes back further. */
const recordsMax = 50;

/** Notes that an image is deployed. */
export async function recordDeployment(table: StateTable, record: DeploymentRecord): Promise<void> {
  await table.once.send(
    new PutItemCommand({
      TableName: table.name,
      Item: {
        [tableKeys.partition]: { S: tableKeys.deployment },
        [tableKeys.sort]: { S: String(record.atMs).padStart(15, "0") },
        image: { S: record.image },
        by: { S: record.by },
      },
    }),
  );
}

/** The deployments, newest first; none without a table. */
export async function readDeployments(table: StateTable): Promise<readonly DeploymentRecord[]> {
  try {
    const { Items: items = [] } = await table.repeatable.send(
      new QueryCommand({
        TableName: table.name,
        KeyConditionExpression: "pk = :deployment",
        ExpressionAttributeValues: { ":deployment": { S: tableKeys.deployment } },
        ScanIndexForward: false,
        Limit: recordsMax,
        ConsistentRead: true,
      }),
    );
    return items.flatMap(recordOf);
  } catch (error) {
    if (isNamed(error, "ResourceNotFoundException")) return [];
    throw error;
  }
}

function recordOf(item: Readonly<Record<string, AttributeValue>>): readonly DeploymentRecord[] {
  const atMs = Number(item[tableKeys.sort]?.S);
  const image = item.image?.S;
  if (image === undefined || !Number.isFinite(atMs)) return [];
  return [{ atMs, image, by: item.by?.S ?? "" }];
}
