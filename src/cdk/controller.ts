/** The engine: its function, what it remembers, who it tells, and what wakes it. */
import { CfnTable } from "aws-cdk-lib/aws-dynamodb";
import type { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnEventInvokeConfig, CfnFunction, CfnPermission } from "aws-cdk-lib/aws-lambda";
import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { CfnSubscription, CfnTopic } from "aws-cdk-lib/aws-sns";
import { Aws, Fn, Stack } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import { controllerConfigText } from "../config/controller.ts";
import { type ControllerVariables, tableKeys } from "../core/deployment.ts";
import type { BurstInputs } from "./burst-template.ts";
import { controllerStatements, type PolicyPlaces } from "./controller-policy.ts";
import type { FargateDefinition } from "./fargate-definition.ts";
import type { FrontDoor } from "./front-door.ts";
import { arn, type Plan } from "./plan.ts";
import { addRole, ownAccount } from "./roles.ts";

/** The runtime of the controller and of the guard. */
export const runtime = "nodejs24.x";

/** A folder that CloudFormation finds in a bucket. */
export interface StagedCode {
  readonly s3Bucket: string;
  readonly s3Key: string;
}

/** What the engine remembers and who it tells. */
export interface Memory {
  readonly table: CfnTable;
  readonly topic: CfnTopic;
}

/** Makes the state table and the topic. */
export function addMemory(scope: Construct, { config, names }: Plan): Memory {
  const { partition, sort, ttl } = tableKeys;
  // Encrypted with the key that DynamoDB owns: one of KMS would be billed for every minute's read.
  const table = new CfnTable(scope, "Table", {
    tableName: names.table,
    billingMode: "PAY_PER_REQUEST",
    attributeDefinitions: [
      { attributeName: partition, attributeType: "S" },
      { attributeName: sort, attributeType: "S" },
    ],
    keySchema: [
      { attributeName: partition, keyType: "HASH" },
      { attributeName: sort, keyType: "RANGE" },
    ],
    timeToLiveSpecification: { attributeName: ttl, enabled: true },
  });
  const topic = new CfnTopic(scope, "Topic", { kmsMasterKeyId: "alias/aws/sns" });
  config.notifications.emails.forEach((endpoint, at) => {
    new CfnSubscription(scope, `Email${at + 1}`, {
      topicArn: topic.ref,
      protocol: "email",
      endpoint,
    });
  });
  return { table, topic };
}

/** What the controller is made from. */
export interface ControllerParts {
  readonly code: StagedCode;
  readonly logs: CfnLogGroup;
  readonly memory: Memory;
  readonly door: FrontDoor;
  readonly fargate: FargateDefinition;
  readonly burstRole: CfnRole;
  readonly burstInputs: BurstInputs;
  readonly template: PolicyPlaces["template"];
}

/** Makes the controller's function with its role. */
export function addController(scope: Construct, plan: Plan, parts: ControllerParts): CfnFunction {
  const { logs, memory, burstRole, template } = parts;
  const role = addRole(scope, "ControllerRole", {
    principal: "lambda.amazonaws.com",
    policies: {
      controller: controllerStatements(plan, {
        table: memory.table.attrArn,
        topic: memory.topic.ref,
        controllerLogs: logs.attrArn,
        burstRole: burstRole.attrArn,
        template,
      }),
    },
  });
  const controller = new CfnFunction(scope, "Controller", {
    functionName: plan.names.controllerFunction,
    runtime,
    handler: "index.handler",
    code: parts.code,
    role: role.attrArn,
    architectures: ["arm64"],
    memorySize: 256,
    // Shorter than the minute between two ticks.
    timeout: 55,
    // Lambda's own lines about each tick would be most of the log.
    loggingConfig: { logGroup: logs.ref, logFormat: "JSON", systemLogLevel: "WARN" },
    environment: { variables: { ...controllerVariables(scope, plan, parts) } },
  });
  // A tick that failed is not worth repeating: the next one sees what is true then.
  new CfnEventInvokeConfig(scope, "ControllerAsync", {
    functionName: controller.ref,
    qualifier: "$LATEST",
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: 60,
  });
  return controller;
}

function controllerVariables(
  scope: Construct,
  plan: Plan,
  parts: ControllerParts,
): ControllerVariables {
  const { config, hostedZoneId, image } = plan;
  const { door, memory, template } = parts;
  return {
    LAMBDAFLEX_APP: config.name,
    LAMBDAFLEX_CONFIG: controllerConfigText(config),
    LAMBDAFLEX_TABLE: memory.table.ref,
    LAMBDAFLEX_FRONT_DOOR: config.frontDoor,
    LAMBDAFLEX_API_ID: door.api.id,
    LAMBDAFLEX_DOMAIN: config.domain ?? "",
    LAMBDAFLEX_HOSTED_ZONE_ID: hostedZoneId ?? "",
    LAMBDAFLEX_API_TARGET: door.domain?.target ?? "",
    LAMBDAFLEX_API_TARGET_ZONE: door.domain?.targetZone ?? "",
    LAMBDAFLEX_API_URL: door.url,
    LAMBDAFLEX_BURST_TEMPLATE_URL: template?.url ?? "",
    LAMBDAFLEX_BURST_ROLE_ARN: parts.burstRole.attrArn,
    LAMBDAFLEX_BURST_PARAMETERS: Stack.of(scope).toJsonString(parts.burstInputs),
    LAMBDAFLEX_TASK_DEFINITION: parts.fargate.taskDefinition.ref,
    LAMBDAFLEX_DIGEST: Fn.select(1, Fn.split("@", image)),
    LAMBDAFLEX_TOPIC: memory.topic.ref,
    LAMBDAFLEX_WEBHOOK: config.notifications.webhook ?? "",
  };
}

/** What wakes the controller; all of it goes before anything else when the stack is removed. */
export function addWaking(
  scope: Construct,
  { config, names }: Plan,
  controller: CfnFunction,
): readonly [CfnSchedule, CfnPermission] {
  const role = addRole(scope, "ScheduleRole", {
    principal: "scheduler.amazonaws.com",
    trust: ownAccount,
    policies: {
      invoke: [{ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: controller.attrArn }],
    },
  });
  const schedule = new CfnSchedule(scope, "Schedule", {
    name: names.schedule,
    scheduleExpression: "rate(1 minute)",
    flexibleTimeWindow: { mode: "OFF" },
    target: {
      arn: controller.attrArn,
      roleArn: role.attrArn,
      input: '{"source":"tick"}',
      retryPolicy: { maximumRetryAttempts: 0 },
    },
  });
  const permission = allowAlarms(scope, "AlarmPermission", controller, `${config.name}-*`);
  return [schedule, permission];
}

/** Lets CloudWatch's alarms of these names invoke a function. */
export function allowAlarms(
  scope: Construct,
  id: string,
  target: CfnFunction,
  alarms: string,
): CfnPermission {
  return new CfnPermission(scope, id, {
    functionName: target.ref,
    action: "lambda:InvokeFunction",
    principal: "lambda.alarms.cloudwatch.amazonaws.com",
    sourceAccount: Aws.ACCOUNT_ID,
    sourceArn: arn("cloudwatch", `alarm:${alarms}`),
  });
}
