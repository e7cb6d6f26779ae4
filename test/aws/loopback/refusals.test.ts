/** The loopback refuses what AWS would: a request that only an emulator takes proves nothing. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
} from "@aws-sdk/client-cloudformation";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import {
  type AliasTarget,
  ChangeResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { type SeededDeployment, seedDeployment } from "../deployment.ts";
import { createWorld, type World } from "../world/world.ts";
import { type Loopback, startLoopback } from "./server.ts";

describe("the loopback refuses", () => {
  let world: World;
  let aws: Loopback;
  let seeded: SeededDeployment;

  beforeEach(async () => {
    world = createWorld({ seed: 1 });
    seeded = seedDeployment(world);
    aws = await startLoopback(world);
    Object.assign(process.env, aws.environment);
  });
  afterEach(() => aws.stop());

  const settings = () => ({ region: world.region, maxAttempts: 1 });

  const put = (record: Partial<ResourceRecordSet>, alias: Partial<AliasTarget> = {}) =>
    new Route53Client(settings()).send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: seeded.zone.id,
        ChangeBatch: {
          Changes: [
            {
              Action: "UPSERT",
              ResourceRecordSet: {
                Name: seeded.domain,
                Type: "A",
                SetIdentifier: "fargate",
                Weight: 255,
                AliasTarget: {
                  HostedZoneId: "Z35SXDOTRQ7X7K",
                  DNSName: "b-1.us-east-1.elb.amazonaws.com",
                  EvaluateTargetHealth: true,
                  ...alias,
                },
                ...record,
              },
            },
          ],
        },
      }),
    );

  it("an alias in the zone of another service, with a TTL, or without an identifier", async () => {
    await put({});
    await assert.rejects(put({}, { HostedZoneId: "Z1UJRXOUMOOFQ8" }), /not lie within the target/);
    const DNSName = "d-1.execute-api.us-east-1.amazonaws.com";
    await assert.rejects(put({}, { DNSName }), /not lie within the target zone/);
    await assert.rejects(put({ TTL: 60 }), /has no TTL/);
    await assert.rejects(put({ SetIdentifier: undefined }), /Missing field/);
  });

  it("values that no expression of the request uses", async () => {
    const update = new UpdateItemCommand({
      TableName: seeded.variables.LAMBDAFLEX_TABLE,
      Key: { pk: { S: "a" }, sk: { S: "b" } },
      UpdateExpression: "SET #o = :owner",
      ExpressionAttributeNames: { "#o": "owner" },
      ExpressionAttributeValues: { ":owner": { S: "x" }, ":own": { S: "y" } },
    });
    await assert.rejects(new DynamoDBClient(settings()).send(update), /unused .*:own/);
  });

  it("a request token that was another request's", async () => {
    const client = new CloudFormationClient(settings());
    const TemplateURL = seeded.variables.LAMBDAFLEX_BURST_TEMPLATE_URL;
    const Parameters = Object.entries({
      ...JSON.parse(seeded.variables.LAMBDAFLEX_BURST_PARAMETERS ?? "{}"),
      TaskDefinitionArn: seeded.variables.LAMBDAFLEX_TASK_DEFINITION,
    }).map(([ParameterKey, value]) => ({ ParameterKey, ParameterValue: String(value) }));
    const create = (StackName: string, ClientRequestToken: string) =>
      client.send(
        new CreateStackCommand({ StackName, TemplateURL, Parameters, ClientRequestToken }),
      );
    const first = await create("one", "t-1");
    assert.deepEqual((await create("one", "t-1")).StackId, first.StackId);
    await assert.rejects(create("two", "t-1"), { name: "TokenAlreadyExistsException" });
    const remove = new DeleteStackCommand({ StackName: "one", ClientRequestToken: "t-1" });
    await assert.rejects(client.send(remove), { name: "TokenAlreadyExistsException" });
    await assert.rejects(create("two", "t_2"), /malformed/);
  });
});
