/**
 * What CloudFormation may do for the burst stack. The controller itself can do none of it; it may
 * only ask CloudFormation for the one template with this one role.
 */
import type { CfnRole } from "aws-cdk-lib/aws-iam";
import { Aws } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import { alarmName, appTag } from "../core/deployment.ts";
import { balancerArn, burstStackArn } from "./controller-policy.ts";
import { arn, type Plan, type Statement } from "./plan.ts";
import { addRole, ownAccount } from "./roles.ts";

/** Makes the role. */
export function addBurstRole(scope: Construct, plan: Plan): CfnRole {
  return addRole(scope, "BurstRole", {
    principal: "cloudformation.amazonaws.com",
    trust: { ...ownAccount, ArnLike: { "aws:SourceArn": burstStackArn(plan) } },
    policies: { burst: [...balancing(plan), ...running(plan), ...alarming(plan), ...wiring(plan)] },
  });
}

function allow(
  Sid: string,
  Action: readonly string[],
  Resource: string | readonly string[],
  Condition?: Statement["Condition"],
): Statement {
  return { Sid, Effect: "Allow", Action, Resource, ...(Condition && { Condition }) };
}

const prefixed = (service: string, actions: readonly string[]): readonly string[] =>
  actions.map((action) => `${service}:${action}`);

function balancing(plan: Plan): readonly Statement[] {
  const own = (kind: string): string =>
    arn("elasticloadbalancing", `${kind}/app/${plan.config.name}-????????/*`);
  return [
    allow("BalancerRead", ["elasticloadbalancing:Describe*"], "*"),
    allow(
      "Balancer",
      prefixed("elasticloadbalancing", [
        "CreateLoadBalancer",
        "DeleteLoadBalancer",
        "ModifyLoadBalancerAttributes",
        "SetIpAddressType",
        "SetSecurityGroups",
        "SetSubnets",
        "CreateTargetGroup",
        "DeleteTargetGroup",
        "ModifyTargetGroup",
        "ModifyTargetGroupAttributes",
        "CreateListener",
        "DeleteListener",
        "ModifyListener",
        "ModifyListenerAttributes",
        "CreateRule",
        "DeleteRule",
        "ModifyRule",
        "AddTags",
        "RemoveTags",
      ]),
      [
        balancerArn(plan),
        own("listener"),
        own("listener-rule"),
        arn("elasticloadbalancing", `targetgroup/${plan.config.name}-????????/*`),
      ],
    ),
    // The priority of a rule is set on the rule, whose ARN names the balancer as well.
    allow("BalancerRules", ["elasticloadbalancing:SetRulePriorities"], own("listener-rule")),
  ];
}

function running({ names }: Plan): readonly Statement[] {
  return [
    allow(
      "Service",
      prefixed("ecs", [
        "CreateService",
        "UpdateService",
        "DeleteService",
        "DescribeServices",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
      ]),
      arn("ecs", `service/${names.cluster}/*`),
    ),
    allow(
      "ServiceRead",
      prefixed("ecs", [
        "DescribeClusters",
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "DescribeTaskDefinition",
        "ListServiceDeployments",
      ]),
      "*",
    ),
    allow(
      "Scaling",
      prefixed("application-autoscaling", [
        "RegisterScalableTarget",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "DeleteScalingPolicy",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
      ]),
      arn("application-autoscaling", "scalable-target/*"),
    ),
    allow("ScalingRead", ["application-autoscaling:Describe*"], "*"),
  ];
}

function alarming({ config }: Plan): readonly Statement[] {
  return [
    allow(
      "Alarm",
      prefixed("cloudwatch", [
        "PutMetricAlarm",
        "DeleteAlarms",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
      ]),
      arn("cloudwatch", `alarm:${alarmName(config.name, "quiet")}`),
    ),
    allow("AlarmRead", ["cloudwatch:DescribeAlarms"], "*"),
  ];
}

/** Everything that is created must carry our tag, and only what carries it may be changed. */
function wiring(plan: Plan): readonly Statement[] {
  const { standby, network, name } = plan.config;
  const read = allow("NetworkRead", ["ec2:Describe*"], "*");
  const cold = standby === "cold";
  const nat = network.tasks === "private" && network.vpcId === null;
  if (!cold && !nat) return [read];
  const create = [
    ...(cold ? coldCreate : []),
    ...(nat ? ["AllocateAddress", "CreateNatGateway"] : []),
  ];
  const parents = [...(cold ? coldParents : []), ...(nat ? ["CreateNatGateway"] : [])];
  const own = [
    ...(cold ? coldOwn : []),
    ...(nat ? ["DeleteNatGateway", "ReleaseAddress", "DisassociateAddress"] : []),
    "CreateRoute",
    "DeleteRoute",
  ];
  const tagged = (when: "Request" | "Resource"): Statement["Condition"] => ({
    StringEquals: { [`aws:${when}Tag/${appTag}`]: name },
  });
  return [
    read,
    allow("NetworkCreate", prefixed("ec2", [...create, "CreateTags"]), ec2(), tagged("Request")),
    // What a new part hangs on has its tag already, and is no part of the request.
    allow("NetworkParents", prefixed("ec2", parents), ec2(), tagged("Resource")),
    allow("NetworkOwn", prefixed("ec2", own), ec2(), tagged("Resource")),
  ];
}

const ec2 = (): string => `arn:${Aws.PARTITION}:ec2:${Aws.REGION}:${Aws.ACCOUNT_ID}:*/*`;

const coldCreate = [
  "CreateVpc",
  "CreateInternetGateway",
  "CreateSubnet",
  "CreateRouteTable",
  "CreateSecurityGroup",
  "CreateVpcEndpoint",
];
const coldParents = [
  "CreateSubnet",
  "CreateRouteTable",
  "CreateSecurityGroup",
  "CreateVpcEndpoint",
];
const coldOwn = [
  "DeleteVpc",
  "ModifyVpcAttribute",
  "AttachInternetGateway",
  "DetachInternetGateway",
  "DeleteInternetGateway",
  "DeleteSubnet",
  "ModifySubnetAttribute",
  "DeleteRouteTable",
  "AssociateRouteTable",
  "DisassociateRouteTable",
  "AuthorizeSecurityGroupIngress",
  "AuthorizeSecurityGroupEgress",
  "RevokeSecurityGroupIngress",
  "RevokeSecurityGroupEgress",
  "DeleteSecurityGroup",
  "DeleteVpcEndpoints",
  "ModifyVpcEndpoint",
];
