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
import { addRole, type ServiceRoles } from "./roles.ts";

/** Makes the role. */
export function addBurstRole(scope: Construct, plan: Plan, roles: ServiceRoles): CfnRole {
  return addRole(scope, "BurstRole", {
    principal: "cloudformation.amazonaws.com",
    // AWS promises nowhere that CloudFormation names account and stack when it takes a role.
    trust: {
      StringEqualsIfExists: { "aws:SourceAccount": Aws.ACCOUNT_ID },
      ArnLikeIfExists: { "aws:SourceArn": burstStackArn(plan) },
    },
    policies: {
      burst: [
        ...balancing(plan),
        ...running(plan),
        handingOn(roles),
        ...scaling(),
        ...alarming(plan),
        ...wiring(plan),
      ],
    },
  });
}

interface Allowed {
  readonly on: string | readonly string[];
  readonly when?: Statement["Condition"];
  readonly why?: string;
}

function allow(Sid: string, Action: readonly string[], { on, when, why }: Allowed): Statement {
  const Condition = when && { Condition: when };
  return { Sid, Effect: "Allow", Action, Resource: on, ...Condition, ...(why && { why }) };
}

/** Reads that know no resource: they tell names and sizes, and change nothing. */
const reads: Allowed = {
  on: "*",
  why: "These reads know no resource, or CloudFormation asks about several at once.",
};

const named = "The end of the name is made when the resource is.";

const prefixed = (service: string, actions: readonly string[]): readonly string[] =>
  actions.map((action) => `${service}:${action}`);

function balancing(plan: Plan): readonly Statement[] {
  const own = (kind: string): string =>
    arn("elasticloadbalancing", `${kind}/app/${plan.config.name}-????????/*`);
  return [
    allow("BalancerRead", ["elasticloadbalancing:Describe*"], reads),
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
        "SetRulePriorities",
        "AddTags",
        "RemoveTags",
      ]),
      {
        on: [
          balancerArn(plan),
          own("listener"),
          own("listener-rule"),
          arn("elasticloadbalancing", `targetgroup/${plan.config.name}-????????/*`),
        ],
        why: named,
      },
    ),
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
      { on: arn("ecs", `service/${names.cluster}/*`), why: named },
    ),
    // An update that is rolled back stops the deployment that it began.
    allow(
      "Deployment",
      prefixed("ecs", [
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "ListServiceDeployments",
        "StopServiceDeployment",
      ]),
      {
        on: ["service", "service-deployment", "service-revision"].map((kind) => {
          return arn("ecs", `${kind}/${names.cluster}/*`);
        }),
        why: named,
      },
    ),
    allow("Cluster", ["ecs:DescribeClusters"], { on: arn("ecs", `cluster/${names.cluster}`) }),
    allow("TaskDefinitionRead", ["ecs:DescribeTaskDefinition"], reads),
  ];
}

/** CloudFormation's own list for a service has it: a task gets both roles from ECS. */
function handingOn({ taskRole, executionRole }: ServiceRoles): Statement {
  return allow("TaskRoles", ["iam:PassRole"], {
    on: [taskRole.attrArn, executionRole.attrArn],
    when: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
  });
}

function scaling(): readonly Statement[] {
  return [
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
      {
        on: arn("application-autoscaling", "scalable-target/*"),
        why: "A scalable target's ARN holds an id that is made when the target is.",
      },
    ),
    allow("ScalingRead", ["application-autoscaling:Describe*"], reads),
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
      { on: arn("cloudwatch", `alarm:${alarmName(config.name, "quiet")}`) },
    ),
    // Source: Application Auto Scaling User Guide, "Permissions validation for Application Auto
    // Scaling API calls on target resources". It makes its alarms with a role of its own.
    allow("ScalingAlarm", prefixed("cloudwatch", ["PutMetricAlarm", "DeleteAlarms"]), {
      on: "*",
      when: { StringEquals: { "aws:RequestedRegion": Aws.REGION } },
      why: "Scaling asks first, as its caller and for an alarm without a name, if it may have any.",
    }),
    allow("AlarmRead", ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], reads),
  ];
}

/** Everything that is created must carry our tag, and only what carries it may be changed. */
function wiring(plan: Plan): readonly Statement[] {
  const { standby, network, name } = plan.config;
  // A balancer is refused to whoever may not look up which security groups its VPC has.
  const read = allow("NetworkRead", ["ec2:Describe*", "ec2:GetSecurityGroupsForVpc"], reads);
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
  const tagged = (who: "Request" | "Resource"): Allowed => ({
    on: arn("ec2", "*/*"),
    when: { StringEquals: { [`aws:${who}Tag/${appTag}`]: name } },
    why: "Ids are made when the parts are; the tag tells which are ours.",
  });
  return [
    read,
    allow("NetworkCreate", prefixed("ec2", [...create, "CreateTags"]), tagged("Request")),
    // What a new part hangs on has its tag already, and is no part of the request.
    allow("NetworkParents", prefixed("ec2", parents), tagged("Resource")),
    allow("NetworkOwn", prefixed("ec2", own), tagged("Resource")),
  ];
}

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
