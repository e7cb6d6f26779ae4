/** DynamoDB: strongly consistent, with conditions that really decide. */
import type {
  DeleteItemCommandInput,
  GetItemCommandInput,
  PutItemCommandInput,
  QueryCommandInput,
  UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { arnOf, type Item, type Table, type World } from "../../../world/world.ts";
import { type AccessRequest, access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";
import { holds, type Placeholders, updated } from "./expression.ts";

/** Largest item that DynamoDB stores. */
const itemBytesMax = 400 * 1024;

function tableOf(world: World, name: string | undefined): Table {
  const found = world.tables.get((name ?? "").split("/").at(-1) ?? "");
  if (!found) throw new AwsError("ResourceNotFoundException", "Requested resource not found");
  return found;
}

function keyOf(table: Table, item: Item): string {
  return table.keys
    .map((name) => {
      const value = item[name]?.S ?? item[name]?.N;
      if (value === undefined) {
        throw new AwsError("ValidationException", "The provided key element does not match");
      }
      return String(value);
    })
    .join("|");
}

interface Expressions {
  readonly ExpressionAttributeNames?: unknown;
  readonly ExpressionAttributeValues?: unknown;
}

const placeholdersOf = (input: Expressions): Placeholders => ({
  names: (input.ExpressionAttributeNames ?? {}) as Placeholders["names"],
  values: (input.ExpressionAttributeValues ?? {}) as Placeholders["values"],
});

/** DynamoDB refuses placeholders that no expression of the request uses. */
function refuseUnused(input: object): void {
  const { ExpressionAttributeNames, ExpressionAttributeValues } = input as Expressions;
  const written = Object.entries(input)
    .filter(([member]) => member.endsWith("Expression"))
    .map(([, text]) => String(text))
    .join(" ");
  const used = new Set(written.match(/[#:]\w+/g));
  for (const given of [ExpressionAttributeNames, ExpressionAttributeValues]) {
    const unused = Object.keys(given ?? {}).filter((key) => !used.has(key));
    if (unused.length === 0) continue;
    const message = `Value provided is unused in expressions: keys: {${unused.join(", ")}}`;
    throw new AwsError("ValidationException", message);
  }
}

interface Conditional extends Expressions {
  readonly ConditionExpression?: string | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
}

function check(input: Conditional, before: Item | undefined): void {
  if (holds(input.ConditionExpression, before ?? {}, placeholdersOf(input))) return;
  const wantsItem = input.ReturnValuesOnConditionCheckFailure === "ALL_OLD" && before;
  const members = wantsItem ? { Item: before } : {};
  const message = "The conditional request failed";
  throw new AwsError("ConditionalCheckFailedException", message, 400, members);
}

function store(table: Table, item: Item): void {
  if (Buffer.byteLength(JSON.stringify(item)) > itemBytesMax) {
    throw new AwsError("ValidationException", "Item size has exceeded the maximum allowed size");
  }
  table.items.set(keyOf(table, item), item);
}

const accessTo =
  (action: string) =>
  (input: { readonly TableName?: string | undefined }, world: World): readonly AccessRequest[] => {
    const name = (input.TableName ?? "").split("/").at(-1) ?? "";
    return access(`dynamodb:${action}`, arnOf(world, "dynamodb", `table/${name}`));
  };

function query(input: QueryCommandInput, world: World): object {
  refuseUnused(input);
  const table = tableOf(world, input.TableName);
  const [, sort = "sk"] = table.keys;
  const placeholders = placeholdersOf(input);
  const matching = [...table.items.values()]
    .filter((item) => holds(input.KeyConditionExpression, item, placeholders))
    .sort((a, b) => (String(a[sort]?.S) < String(b[sort]?.S) ? -1 : 1));
  if (input.ScanIndexForward === false) matching.reverse();
  const startKey = input.ExclusiveStartKey as unknown as Item | undefined;
  const from = startKey
    ? matching.findIndex((item) => keyOf(table, item) === keyOf(table, startKey)) + 1
    : 0;
  const size = input.Limit ?? 50;
  const page = matching.slice(from, from + size);
  const last = page.at(-1);
  const more = from + size < matching.length && last !== undefined;
  const found = page.filter((item) => holds(input.FilterExpression, item, placeholders));
  return {
    Items: input.Select === "COUNT" ? undefined : found,
    Count: found.length,
    ScannedCount: page.length,
    ...(more && {
      LastEvaluatedKey: Object.fromEntries(table.keys.map((name) => [name, last[name]])),
    }),
  };
}

/** The service. */
export const dynamodb: Service = {
  scope: "dynamodb",
  protocol: json,
  operations: {
    GetItem: operation<GetItemCommandInput>((input, world) => {
      const table = tableOf(world, input.TableName);
      const found = table.items.get(keyOf(table, input.Key as unknown as Item));
      return found ? { Item: found } : {};
    }, accessTo("GetItem")),
    PutItem: operation<PutItemCommandInput>((input, world) => {
      refuseUnused(input);
      const table = tableOf(world, input.TableName);
      const item = input.Item as unknown as Item;
      check(input, table.items.get(keyOf(table, item)));
      store(table, item);
      return {};
    }, accessTo("PutItem")),
    UpdateItem: operation<UpdateItemCommandInput>((input, world) => {
      refuseUnused(input);
      const table = tableOf(world, input.TableName);
      const key = input.Key as unknown as Item;
      const before = table.items.get(keyOf(table, key));
      check(input, before);
      const expression = input.UpdateExpression ?? "";
      const after = { ...updated(expression, before ?? {}, placeholdersOf(input)), ...key };
      store(table, after);
      const { ReturnValues: returns } = input;
      if (returns === "ALL_NEW") return { Attributes: after };
      return returns === "ALL_OLD" && before ? { Attributes: before } : {};
    }, accessTo("UpdateItem")),
    DeleteItem: operation<DeleteItemCommandInput>((input, world) => {
      refuseUnused(input);
      const table = tableOf(world, input.TableName);
      const key = keyOf(table, input.Key as unknown as Item);
      check(input, table.items.get(key));
      table.items.delete(key);
      return {};
    }, accessTo("DeleteItem")),
    Query: operation<QueryCommandInput>(query, accessTo("Query")),
    DescribeTable: operation<{ TableName?: string }>((input, world) => {
      const table = tableOf(world, input.TableName);
      const TableArn = arnOf(world, "dynamodb", `table/${table.name}`);
      return { Table: { TableName: table.name, TableStatus: "ACTIVE", TableArn } };
    }, accessTo("DescribeTable")),
  },
};
