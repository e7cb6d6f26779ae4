/**
 * The guard: when the base stack is removed it first brings traffic back, removes the burst stack
 * and its records, and waits. CloudFormation knows nothing of the burst stack and would leave it.
 *
 * It also passes the alarm of a failing controller on, since CloudWatch may not publish to an
 * encrypted topic (docs/decisions/0022-who-tells-of-a-broken-controller.md).
 */
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import type { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnEventInvokeConfig, CfnFunction } from "aws-cdk-lib/aws-lambda";
import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import { Aws, CfnCustomResource, CfnResource } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import { alarmName } from "../core/deployment.ts";
import { allowAlarms, type Memory, runtime, type StagedCode } from "./controller.ts";
import { burstStackArn, ownRecords } from "./controller-policy.ts";
import type { FrontDoor } from "./front-door.ts";
import { arn, type Plan, type Statement } from "./plan.ts";
import { addRole, writeLogs } from "./roles.ts";

/** The longest that Lambda runs; the guard calls itself again if that is too short. */
const guardSeconds = 900;

/** The longest that CloudFormation waits for the guard. */
const serviceTimeoutSeconds = 3600;

/** What the guard is made from. */
export interface GuardParts {
  readonly code: StagedCode;
  readonly logs: CfnLogGroup;
  readonly memory: Memory;
  readonly door: FrontDoor;
  readonly burstRole: CfnRole;
}

/** The guard's function and the resource whose removal calls it. */
export interface Guard {
  readonly guard: CfnFunction;
  readonly resource: CfnResource;
}

/** Makes the guard. Everything that is in `scope` by now will outlive it. */
export function addGuard(scope: Construct, plan: Plan, parts: GuardParts): Guard {
  const { config, names, hostedZoneId } = plan;
  const { memory, door, burstRole } = parts;
  const role = addRole(scope, "GuardRole", {
    principal: "lambda.amazonaws.com",
    policies: { guard: guardStatements(plan, parts) },
  });
  const guard = new CfnFunction(scope, "Guard", {
    functionName: names.guardFunction,
    runtime,
    handler: "guard.handler",
    code: parts.code,
    role: role.attrArn,
    architectures: ["arm64"],
    memorySize: 256,
    timeout: guardSeconds,
    loggingConfig: { logGroup: parts.logs.ref, logFormat: "JSON", systemLogLevel: "WARN" },
    environment: {
      variables: { LAMBDAFLEX_APP: config.name, LAMBDAFLEX_TOPIC: memory.topic.ref },
    },
  });
  new CfnEventInvokeConfig(scope, "GuardAsync", {
    functionName: guard.ref,
    qualifier: "$LATEST",
    maximumRetryAttempts: 0,
  });
  const resource = new CfnCustomResource(scope, "DeleteGuard", {
    serviceToken: guard.attrArn,
    serviceTimeout: serviceTimeoutSeconds,
  });
  resource.addPropertyOverride("BurstStack", names.burstStack);
  resource.addPropertyOverride("BurstRoleArn", burstRole.attrArn);
  resource.addPropertyOverride("Domain", config.domain ?? "");
  resource.addPropertyOverride("HostedZoneId", hostedZoneId ?? "");
  resource.addPropertyOverride("ApiTarget", door.domain?.target ?? "");
  resource.addPropertyOverride("ApiTargetZone", door.domain?.targetZone ?? "");
  const implied: readonly unknown[] = [resource, guard, burstRole, door.domain?.resource];
  for (const part of scope.node.findAll()) {
    if (!CfnResource.isCfnResource(part) || implied.includes(part)) continue;
    resource.addResourceDependency(part);
  }
  return { guard, resource };
}

/** The alarm that rings when the controller itself fails. */
export function addControllerAlarm(
  scope: Construct,
  { config, names }: Plan,
  { guard }: Guard,
): readonly CfnResource[] {
  const alarm = alarmName(config.name, "controller-errors");
  const permission = allowAlarms(scope, "GuardAlarmPermission", guard, alarm);
  const errors = new CfnAlarm(scope, "ControllerErrorsAlarm", {
    alarmName: alarm,
    alarmDescription: "The controller fails: the service runs, but no longer changes its tier.",
    namespace: "AWS/Lambda",
    metricName: "Errors",
    dimensions: [{ name: "FunctionName", value: names.controllerFunction }],
    statistic: "Sum",
    period: 300,
    evaluationPeriods: 1,
    threshold: 3,
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    treatMissingData: "notBreaching",
    alarmActions: [guard.attrArn],
    okActions: [guard.attrArn],
  });
  return [permission, errors];
}

const stackId = "The id of a stack is made when the stack is.";

function guardStatements(plan: Plan, { logs, memory, burstRole }: GuardParts): Statement[] {
  const zone = `arn:${Aws.PARTITION}:route53:::hostedzone/${plan.hostedZoneId}`;
  const statements: Statement[] = [
    writeLogs(logs),
    {
      Sid: "BurstStackDelete",
      Effect: "Allow",
      Action: "cloudformation:DeleteStack",
      Resource: burstStackArn(plan),
      Condition: { ArnEquals: { "cloudformation:RoleArn": burstRole.attrArn } },
      why: stackId,
    },
    {
      Sid: "BurstStackRead",
      Effect: "Allow",
      Action: ["cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"],
      Resource: burstStackArn(plan),
      why: stackId,
    },
    {
      Sid: "PassBurstRole",
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: burstRole.attrArn,
      Condition: { StringEquals: { "iam:PassedToService": "cloudformation.amazonaws.com" } },
    },
    {
      Sid: "Itself",
      Effect: "Allow",
      Action: "lambda:InvokeFunction",
      Resource: arn("lambda", `function:${plan.names.guardFunction}`),
    },
    { Sid: "Tell", Effect: "Allow", Action: "sns:Publish", Resource: memory.topic.ref },
  ];
  if (plan.config.domain === null) return statements;
  return [
    ...statements,
    {
      Sid: "OwnRecords",
      Effect: "Allow",
      Action: "route53:ChangeResourceRecordSets",
      Resource: zone,
      Condition: ownRecords(plan),
    },
    {
      Sid: "ZoneRead",
      Effect: "Allow",
      Action: "route53:ListResourceRecordSets",
      Resource: zone,
    },
    {
      Sid: "ChangeRead",
      Effect: "Allow",
      Action: "route53:GetChange",
      Resource: `arn:${Aws.PARTITION}:route53:::change/*`,
      why: "The id of a change is made when the change is.",
    },
  ];
}
