import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
} from "@aws-sdk/client-cloudformation";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  paginateGetMetricData,
} from "@aws-sdk/client-cloudwatch";
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { DescribeServicesCommand, ECSClient } from "@aws-sdk/client-ecs";
import {
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { GetFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type SeededDeployment, seedDeployment } from "../deployment.ts";
import { createWorld, type World } from "../world/world.ts";
import { scriptedFault } from "./faults.ts";
import { type Loopback, startLoopback } from "./server.ts";

describe("the loopback", () => {
  let world: World;
  let aws: Loopback;
  let seeded: SeededDeployment;

  beforeEach(async () => {
    world = createWorld();
    seeded = seedDeployment(world);
    aws = await startLoopback(world);
  });
  afterEach(() => aws.stop());

  const settings = (): {
    endpoint: string;
    region: string;
    maxAttempts: number;
    credentials: { accessKeyId: string; secretAccessKey: string };
  } => ({
    endpoint: aws.endpoint,
    region: world.region,
    maxAttempts: 1,
    credentials: { accessKeyId: "AKIATEST", secretAccessKey: "secret" },
  });

  const burst = {
    StackName: "shop-burst",
    OnFailure: "DELETE" as const,
    Parameters: [] as { ParameterKey: string; ParameterValue: string }[],
    TemplateURL: "",
  };
  const createBurst = (cloudformation: CloudFormationClient) =>
    cloudformation.send(
      new CreateStackCommand({
        ...burst,
        TemplateURL: seeded.variables.LAMBDAFLEX_BURST_TEMPLATE_URL,
        Parameters: Object.entries({
          ...(JSON.parse(seeded.variables.LAMBDAFLEX_BURST_PARAMETERS) as Record<string, string>),
          TaskDefinitionArn: seeded.taskDefinition,
        }).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
      }),
    );

  it("brings a stack up and down with its tasks", async () => {
    const cloudformation = new CloudFormationClient(settings());
    const { StackId } = await createBurst(cloudformation);
    const status = async (): Promise<string | undefined> =>
      (await cloudformation.send(new DescribeStacksCommand({ StackName: StackId }))).Stacks?.[0]
        ?.StackStatus;
    assert.equal(await status(), "CREATE_IN_PROGRESS");
    world.advance(600_000);
    assert.equal(await status(), "CREATE_COMPLETE");
    const { Stacks } = await cloudformation.send(
      new DescribeStacksCommand({ StackName: burst.StackName }),
    );
    const output = (key: string): string =>
      Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue ?? "";
    const { services } = await new ECSClient(settings()).send(
      new DescribeServicesCommand({ cluster: seeded.app, services: [output("ServiceName")] }),
    );
    assert.equal(services?.[0]?.runningCount, 2);
    assert.equal(services?.[0]?.deployments?.[0]?.rolloutState, "COMPLETED");
    const { TargetHealthDescriptions } = await new ElasticLoadBalancingV2Client(settings()).send(
      new DescribeTargetHealthCommand({ TargetGroupArn: output("TargetGroupArn") }),
    );
    assert.equal(TargetHealthDescriptions?.length, 2);
    await cloudformation.send(new DeleteStackCommand({ StackName: burst.StackName }));
    world.advance(600_000);
    assert.equal(await status(), "DELETE_COMPLETE");
    await assert.rejects(
      cloudformation.send(new DescribeStacksCommand({ StackName: burst.StackName })),
      { name: "ValidationError", message: /does not exist/ },
    );
    assert.equal(world.balancers.size + world.services.size + world.targetGroups.size, 0);
  });

  it("deletes a stack that cannot be created, and tells the reason by its id only", async () => {
    const reason = "You've reached the limit on the number of load balancers";
    world.plannedFailures.push({ resource: "Alb", operation: "create", reason, times: 1 });
    const cloudformation = new CloudFormationClient(settings());
    const { StackId } = await createBurst(cloudformation);
    world.advance(600_000);
    await assert.rejects(
      cloudformation.send(new DescribeStackEventsCommand({ StackName: burst.StackName })),
    );
    const events: (string | undefined)[] = [];
    const pages = paginateDescribeStackEvents({ client: cloudformation }, { StackName: StackId });
    for await (const page of pages) {
      for (const event of page.StackEvents ?? []) events.push(event.ResourceStatusReason);
    }
    assert.ok(events.includes(reason));
    assert.equal(world.tagged.size, 0);
  });

  it("shows what it has accepted a moment later", async () => {
    world.stackLagMs = () => 2_000;
    const cloudformation = new CloudFormationClient(settings());
    const { StackId } = await createBurst(cloudformation);
    const look = () => cloudformation.send(new DescribeStacksCommand({ StackName: StackId }));
    await assert.rejects(look(), /does not exist/);
    world.advance(2_000);
    assert.equal((await look()).Stacks?.[0]?.StackStatus, "CREATE_IN_PROGRESS");
  });

  it("decides conditional writes", async () => {
    const client = new DynamoDBClient(settings());
    const table = { TableName: seeded.variables.LAMBDAFLEX_TABLE };
    const Key = { pk: { S: "status" }, sk: { S: "status" } };
    await client.send(new PutItemCommand({ ...table, Item: { ...Key, n: { N: "1" } } }));
    const swap = (from: string, to: string) =>
      client.send(
        new UpdateItemCommand({
          ...table,
          Key,
          UpdateExpression: "SET #n = :to",
          ConditionExpression: "attribute_not_exists(#n) OR #n = :from",
          ExpressionAttributeNames: { "#n": "n" },
          ExpressionAttributeValues: { ":from": { N: from }, ":to": { N: to } },
        }),
      );
    await swap("1", "2");
    await assert.rejects(swap("1", "3"), ConditionalCheckFailedException);
    const { Item } = await client.send(new GetItemCommand({ ...table, Key }));
    assert.deepEqual(Item?.n, { N: "2" });
  });

  it("changes records in one batch that takes its time", async () => {
    const client = new Route53Client(settings());
    const { ChangeInfo } = await client.send(
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
                Weight: 0,
                AliasTarget: {
                  HostedZoneId: "Z35SXDOTRQ7X7K",
                  DNSName: "b.elb.amazonaws.com",
                  EvaluateTargetHealth: true,
                },
              },
            },
          ],
        },
      }),
    );
    assert.equal(ChangeInfo?.Status, "PENDING");
    world.advance(60_000);
    const change = await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
    assert.equal(change.ChangeInfo?.Status, "INSYNC");
    const listed = await client.send(
      new ListResourceRecordSetsCommand({
        HostedZoneId: seeded.zone.id,
        StartRecordName: seeded.domain,
        StartRecordType: "A",
      }),
    );
    const weights = listed.ResourceRecordSets?.map(({ SetIdentifier, Weight }) => [
      SetIdentifier,
      Weight,
    ]);
    assert.deepEqual(weights, [
      ["fargate", 0],
      ["lambda", 255],
    ]);
  });

  it("raises an alarm when the clients are many, and tells the metrics behind it", async () => {
    world.traffic.rate = () => 100;
    world.advance(600_000);
    const client = new CloudWatchClient(settings());
    const { MetricAlarms } = await client.send(
      new DescribeAlarmsCommand({ AlarmNames: ["shop-busy-requests", "shop-throttled"] }),
    );
    const states = MetricAlarms?.map(({ StateValue }) => StateValue);
    assert.deepEqual(states, ["ALARM", "OK"]);
    const values: number[] = [];
    const Metric = {
      Namespace: "AWS/ApiGateway",
      MetricName: "Count",
      Dimensions: [{ Name: "ApiId", Value: seeded.variables.LAMBDAFLEX_API_ID }],
    };
    const pages = paginateGetMetricData(
      { client },
      {
        StartTime: new Date(world.nowMs - 600_000),
        EndTime: new Date(world.nowMs),
        MaxDatapoints: 3,
        MetricDataQueries: [{ Id: "m", MetricStat: { Metric, Period: 60, Stat: "Sum" } }],
      },
    );
    for await (const page of pages) values.push(...(page.MetricDataResults?.[0]?.Values ?? []));
    assert.ok(values.length >= 7, String(values));
    assert.ok(values.slice(1, -1).every((value) => Math.abs(value - 6_000) < 1));
  });

  it("tells what an alias runs and who is asking", async () => {
    const { Code } = await new LambdaClient(settings()).send(
      new GetFunctionCommand({ FunctionName: "shop-app", Qualifier: "live" }),
    );
    assert.ok(Code?.ResolvedImageUri?.endsWith(seeded.digest));
    const { Account } = await new STSClient(settings()).send(new GetCallerIdentityCommand({}));
    assert.equal(Account, world.account);
  });

  it("fails as it is told to, with or without effect", async () => {
    const client = new DynamoDBClient(settings());
    const table = { TableName: seeded.variables.LAMBDAFLEX_TABLE };
    const put = (sk: string) =>
      client.send(new PutItemCommand({ ...table, Item: { pk: { S: "x" }, sk: { S: sk } } }));
    for (const [kind, effect] of [
      ["throttle", false],
      ["fails-before", false],
      ["breaks-before", false],
      ["denied", false],
      ["fails-after", true],
      ["breaks-after", true],
    ] as const) {
      aws.faults = scriptedFault("PutItem", kind);
      await assert.rejects(put(kind), kind);
      assert.equal(world.tables.get(table.TableName)?.items.has(`x|${kind}`), effect, kind);
      assert.equal(aws.calls.at(-1)?.fault, kind);
    }
  });
});

it("refuses to be a proof for calls that it does not know", async () => {
  const aws = await startLoopback(createWorld());
  await fetch(aws.endpoint).then((response) => response.text());
  await assert.rejects(aws.stop(), /not emulated/);
});
