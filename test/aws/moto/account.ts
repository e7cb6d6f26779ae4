/** What a base stack would leave in an account, made with single calls that moto knows. */
import { CloudWatchClient, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateClusterCommand, ECSClient } from "@aws-sdk/client-ecs";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  LambdaClient,
  PublishVersionCommand,
} from "@aws-sdk/client-lambda";
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { controllerConfigText } from "../../../src/config/controller.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import {
  alarmName,
  type ControllerVariables,
  deploymentNames,
  recordIdentifiers,
} from "../../../src/core/deployment.ts";

/** The region that everything is in. */
export const region = "us-east-1";

const app = "shop";
const domain = "shop.example.com";
const account = "123456789012";
const digest = `sha256:${"a".repeat(64)}`;
const apiTarget = `d-abc.execute-api.${region}.amazonaws.com`;
const apiTargetZone = "Z1UJRXOUMOOFQ8";

/** Makes the account's parts; resolves with the variables of a controller. */
export async function makeAccount(templateUrl: string): Promise<ControllerVariables> {
  const names = deploymentNames(app);
  const options = { region };
  await new DynamoDBClient(options).send(
    new CreateTableCommand({
      TableName: names.table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
  await new ECSClient(options).send(new CreateClusterCommand({ clusterName: names.cluster }));
  const zoneId = await makeZone();
  const roleArn = await makeFunction(names.appFunction, names.alias);
  await makeAlarm();
  const { TopicArn: topic = "" } = await new SNSClient(options).send(
    new CreateTopicCommand({ Name: "shop-events" }),
  );
  await new SSMClient(options).send(
    new PutParameterCommand({
      Name: "/shop/webhook",
      Type: "SecureString",
      Value: "https://hooks.example.com/secret",
    }),
  );
  const config = parseConfig({ name: app, command: "node server.js", domain }, app, "test");
  return {
    LAMBDAFLEX_APP: app,
    LAMBDAFLEX_CONFIG: controllerConfigText(config),
    LAMBDAFLEX_TABLE: names.table,
    LAMBDAFLEX_FRONT_DOOR: "http",
    LAMBDAFLEX_API_ID: "api1234567",
    LAMBDAFLEX_DOMAIN: domain,
    LAMBDAFLEX_HOSTED_ZONE_ID: zoneId,
    LAMBDAFLEX_API_TARGET: apiTarget,
    LAMBDAFLEX_API_TARGET_ZONE: apiTargetZone,
    LAMBDAFLEX_API_URL: `https://${domain}`,
    LAMBDAFLEX_BURST_TEMPLATE_URL: templateUrl,
    LAMBDAFLEX_BURST_ROLE_ARN: roleArn,
    LAMBDAFLEX_BURST_PARAMETERS: "{}",
    LAMBDAFLEX_TASK_DEFINITION: `arn:aws:ecs:${region}:${account}:task-definition/shop-app:1`,
    LAMBDAFLEX_DIGEST: digest,
    LAMBDAFLEX_TOPIC: topic,
    LAMBDAFLEX_WEBHOOK: "/shop/webhook",
  };
}

async function makeZone(): Promise<string> {
  const client = new Route53Client({ region });
  const { HostedZone: zone } = await client.send(
    new CreateHostedZoneCommand({ Name: "example.com", CallerReference: "one" }),
  );
  const zoneId = (zone?.Id ?? "").replace("/hostedzone/", "");
  const record = {
    Name: domain,
    Type: "A" as const,
    SetIdentifier: recordIdentifiers.lambda,
    Weight: 255,
    AliasTarget: { HostedZoneId: apiTargetZone, DNSName: apiTarget, EvaluateTargetHealth: true },
  };
  await client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: { Changes: [{ Action: "CREATE", ResourceRecordSet: record }] },
    }),
  );
  return zoneId;
}

async function makeFunction(name: string, alias: string): Promise<string> {
  const { Role: role } = await new IAMClient({ region }).send(
    new CreateRoleCommand({ RoleName: "shop-burst", AssumeRolePolicyDocument: "{}" }),
  );
  const client = new LambdaClient({ region });
  const image = `${account}.dkr.ecr.${region}.amazonaws.com/lambdaflex/shop@${digest}`;
  await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      PackageType: "Image",
      Code: { ImageUri: image },
      Role: role?.Arn,
    }),
  );
  const { Version: version } = await client.send(new PublishVersionCommand({ FunctionName: name }));
  await client.send(
    new CreateAliasCommand({ FunctionName: name, Name: alias, FunctionVersion: version }),
  );
  return role?.Arn ?? "";
}

async function makeAlarm(): Promise<void> {
  await new CloudWatchClient({ region }).send(
    new PutMetricAlarmCommand({
      AlarmName: alarmName(app, "busy-requests"),
      Namespace: "AWS/ApiGateway",
      MetricName: "Count",
      Dimensions: [{ Name: "ApiId", Value: "api1234567" }],
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 3000,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      TreatMissingData: "notBreaching",
    }),
  );
}
