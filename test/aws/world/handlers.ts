/**
 * What CloudFormation asks of AWS in the name of a stack's role: the calls of each type's handlers
 * as its published schema lists them, on the resources that the Service Authorization Reference
 * names for each, and what Application Auto Scaling asks of other services to check its caller.
 */
import type { AccessRequest } from "../loopback/service.ts";
import { allows, statementsOf } from "../policy/evaluate.ts";
import { listOf, objectOf, textOf } from "./json.ts";
import { tagsOf } from "./kinds/balancing.ts";
import type { ResourceAt } from "./kinds/kind.ts";
import type { StackRecord } from "./stacks/stack.ts";
import { arnOf, type World } from "./world.ts";

/** What is done with a resource. */
export type Operation = "create" | "update" | "delete";

type Asked = readonly AccessRequest[];
type Handlers = Readonly<Record<Operation, (at: ResourceAt) => Asked>>;

/** What the role of the resource's stack may not do of that; "" if nothing is missing. */
export function missingRight(at: ResourceAt, operation: Operation): string {
  const role = [...at.world.roles.values()].find(({ arn }) => arn === at.stack.request.roleArn);
  // A role without a policy of its own stands for an administrator's, as the bootstrap's does.
  if (!role || role.policies.size === 0) return "";
  const statements = [...role.policies].flatMap(([name, document]) => statementsOf(name, document));
  const asked = handlers[at.resource.type]?.[operation](at);
  if (asked === undefined) throw new Error(`nobody wrote down what ${at.resource.type} needs`);
  const denied = asked.find((one) => !statements.some((statement) => allows(statement, one)));
  if (denied === undefined) return "";
  return `${role.name} is not authorized to perform: ${denied.action} on ${denied.resource}`;
}

/**
 * Whether CloudFormation may take a role for a stack. AWS promises nowhere that it names account
 * and stack when it does, so the trust must hold when it does not.
 */
export function trusts(trust: unknown, stack: StackRecord | null, account: string): boolean {
  const context: AccessRequest["context"] =
    stack === null ? {} : { "aws:SourceAccount": account, "aws:SourceArn": stack.id };
  const statements = listOf(objectOf(trust as never).Statement).flatMap((json) => {
    const { Principal, ...rest } = objectOf(json);
    const service = textOf(objectOf(Principal).Service);
    if (service !== "cloudformation.amazonaws.com") return [];
    return statementsOf("trust", { Statement: [{ ...rest, Resource: "*" }] });
  });
  const asked = { action: "sts:AssumeRole", resource: "*", context };
  return statements.some((statement) => allows(statement, asked));
}

const on = (resource: string, context: AccessRequest["context"], ...actions: string[]): Asked =>
  actions.map((action) => ({ action, resource, context }));

const anywhere = (...actions: string[]): Asked => on("*", {}, ...actions);

const elb = (names: string): string[] => names.split(" ").map((n) => `elasticloadbalancing:${n}`);

const newId = "0123456789abcdef";

/** `…:loadbalancer/app/x/1` and its like → `…:listener/app/x/1/<id>`. */
const below = (arn: string, from: string, to: string): string =>
  `${arn.replace(`:${from}/`, `:${to}/`)}/${newId}`;

const loadBalancer: Handlers = {
  create({ world, properties: { Name } }) {
    const arn = arnOf(world, "elasticloadbalancing", `loadbalancer/app/${textOf(Name)}/${newId}`);
    return [
      ...on(arn, {}, ...elb("CreateLoadBalancer AddTags ModifyLoadBalancerAttributes")),
      ...on(arn, {}, ...elb("SetSecurityGroups")),
      ...anywhere(...elb("DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeTags")),
      ...anywhere("ec2:GetSecurityGroupsForVpc"),
    ];
  },
  update: ({ resource: { physicalId } }) => [
    ...on(physicalId, {}, ...elb("ModifyLoadBalancerAttributes SetSubnets SetIpAddressType")),
    ...on(physicalId, {}, ...elb("SetSecurityGroups AddTags RemoveTags")),
  ],
  delete: ({ resource: { physicalId } }) => [
    ...on(physicalId, {}, ...elb("DeleteLoadBalancer")),
    ...anywhere(...elb("DescribeLoadBalancers")),
  ],
};

const targetGroup: Handlers = {
  create({ world, properties: { Name } }) {
    const arn = arnOf(world, "elasticloadbalancing", `targetgroup/${textOf(Name)}/${newId}`);
    return [
      ...on(arn, {}, ...elb("CreateTargetGroup AddTags ModifyTargetGroupAttributes")),
      ...anywhere(...elb("DescribeTargetGroups DescribeTargetGroupAttributes")),
    ];
  },
  update: ({ resource: { physicalId } }) =>
    on(physicalId, {}, ...elb("ModifyTargetGroup ModifyTargetGroupAttributes AddTags RemoveTags")),
  delete: ({ resource: { physicalId } }) => on(physicalId, {}, ...elb("DeleteTargetGroup")),
};

const listener: Handlers = {
  create({ properties: { LoadBalancerArn } }) {
    const balancer = textOf(LoadBalancerArn);
    const own = below(balancer, "loadbalancer", "listener");
    return [
      ...on(balancer, {}, ...elb("CreateListener")),
      ...on(own, {}, ...elb("AddTags ModifyListenerAttributes")),
      ...anywhere(...elb("DescribeListeners DescribeListenerAttributes")),
    ];
  },
  update: ({ resource: { physicalId } }) =>
    on(physicalId, {}, ...elb("ModifyListener ModifyListenerAttributes AddTags RemoveTags")),
  delete: ({ resource: { physicalId } }) => on(physicalId, {}, ...elb("DeleteListener")),
};

/** Rules are listeners in this account, so their own ARN is made from their listener's. */
const ruleOf = ({ properties: { ListenerArn } }: ResourceAt): string =>
  below(textOf(ListenerArn), "listener", "listener-rule");

const listenerRule: Handlers = {
  create: (at) => [
    ...on(textOf(at.properties.ListenerArn), {}, ...elb("CreateRule")),
    ...on(ruleOf(at), {}, ...elb("AddTags")),
    ...anywhere(...elb("DescribeRules")),
  ],
  update: (at) => on(ruleOf(at), {}, ...elb("ModifyRule SetRulePriorities AddTags RemoveTags")),
  delete: (at) => on(ruleOf(at), {}, ...elb("DeleteRule")),
};

/** A service keeps an eye on its deployment, whose ARN is made from its own. */
function deployment(service: string, ...actions: string[]): Asked {
  const own = `${service.replace(":service/", ":service-deployment/")}/${newId}`;
  return [service, own].flatMap((arn) => on(arn, {}, ...actions));
}

/** The schema lists it; whether ECS asks when the task definition stands already, nobody says. */
function passTaskRoles({ world }: ResourceAt): Asked {
  const roles = [...world.roles.values()].filter(({ trust }) =>
    JSON.stringify(trust).includes("ecs-tasks.amazonaws.com"),
  );
  const to = { "iam:PassedToService": "ecs-tasks.amazonaws.com" };
  return roles.flatMap(({ arn }) => on(arn, to, "iam:PassRole"));
}

const ecsService: Handlers = {
  create(at) {
    const { world, stack, resource, properties } = at;
    const name = `${stack.name}-${resource.logicalId}-${newId}`;
    const cluster = textOf(properties.Cluster).split("/").at(-1);
    const arn = arnOf(world, "ecs", `service/${cluster}/${name}`);
    return [
      ...on(arn, {}, "ecs:CreateService", "ecs:TagResource", "ecs:DescribeServices"),
      ...on(arn, {}, "ecs:ListServiceDeployments"),
      ...on(arnOf(world, "ecs", `cluster/${cluster}`), {}, "ecs:DescribeClusters"),
      ...deployment(arn, "ecs:DescribeServiceDeployments"),
      ...passTaskRoles(at),
    ];
  },
  update: (at) => [
    ...on(at.resource.physicalId, {}, "ecs:UpdateService", "ecs:DescribeServices"),
    ...on(at.resource.physicalId, {}, "ecs:ListServiceDeployments", "ecs:ListTagsForResource"),
    ...on(at.resource.physicalId, {}, "ecs:TagResource", "ecs:UntagResource"),
    ...deployment(at.resource.physicalId, "ecs:DescribeServiceDeployments"),
    ...deployment(at.resource.physicalId, "ecs:StopServiceDeployment"),
    ...passTaskRoles(at),
  ],
  delete: ({ resource: { physicalId } }) =>
    on(physicalId, {}, "ecs:DeleteService", "ecs:DescribeServices"),
};

/** `service/<cluster>/<name>` of a scalable target, or of a policy on one. */
const scaledBy = ({ properties: { ResourceId, ScalingTargetId } }: ResourceAt): string =>
  textOf(ResourceId) || (textOf(ScalingTargetId).split("|")[0] ?? "");

/** Application Auto Scaling asks CloudWatch, without naming an alarm, and ECS as its caller. */
function validated(at: ResourceAt): Asked {
  const nameless = arnOf(at.world, "cloudwatch", "alarm:");
  const here = { "aws:RequestedRegion": at.world.region };
  return [
    ...on(arnOf(at.world, "ecs", scaledBy(at)), {}, "ecs:DescribeServices", "ecs:UpdateService"),
    ...on(nameless, here, "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"),
    ...anywhere("cloudwatch:DescribeAlarms"),
  ];
}

const targetArn = ({ world }: ResourceAt): string =>
  arnOf(world, "application-autoscaling", `scalable-target/${newId}`);

const scaling = (actions: string): string[] =>
  actions.split(" ").map((action) => `application-autoscaling:${action}`);

const scalableTarget: Handlers = {
  create: (at) => [
    ...on(targetArn(at), {}, ...scaling("RegisterScalableTarget")),
    ...anywhere(...scaling("DescribeScalableTargets DescribeScheduledActions")),
    ...validated(at),
  ],
  update: (at) => scalableTarget.create(at),
  delete: (at) => on(targetArn(at), {}, ...scaling("DeregisterScalableTarget")),
};

const scalingPolicy: Handlers = {
  create: (at) => [
    ...on(targetArn(at), {}, ...scaling("PutScalingPolicy")),
    ...anywhere(...scaling("DescribeScalingPolicies"), "cloudwatch:GetMetricData"),
    ...validated(at),
  ],
  update: (at) => scalingPolicy.create(at),
  delete: (at) => [
    ...on(targetArn(at), {}, ...scaling("DeleteScalingPolicy")),
    ...validated(at).filter(({ action }) => action.startsWith("cloudwatch:")),
  ],
};

const alarmArn = ({ world, properties: { AlarmName } }: ResourceAt): string =>
  arnOf(world, "cloudwatch", `alarm:${textOf(AlarmName)}`);

const alarm: Handlers = {
  create: (at) => [
    ...on(alarmArn(at), {}, "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"),
    ...anywhere("cloudwatch:DescribeAlarms"),
  ],
  update: (at) => [...alarm.create(at), ...on(alarmArn(at), {}, "cloudwatch:UntagResource")],
  delete: (at) => on(alarmArn(at), {}, "cloudwatch:DeleteAlarms"),
};

const tagKeys = (who: "Request" | "Resource", tags: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(tags).map(([key, tag]) => [`aws:${who}Tag/${key}`, tag]));

/** The tags that a resource of any stack has; one of nobody's has none. */
function tagsAt(world: World, physicalId: string): Readonly<Record<string, string>> {
  for (const stack of world.stacks) {
    for (const resource of stack.resources.values()) {
      if (resource.physicalId !== physicalId) continue;
      return { ...stack.request.tags, ...tagsOf(resource.properties.Tags) };
    }
  }
  return {};
}

/** Something new of EC2 with its tags, and what it hangs on. */
function made(at: ResourceAt, kind: string, action: string, parents: Asked = []): Asked {
  const arn = arnOf(at.world, "ec2", `${kind}/new`);
  const tags = tagKeys("Request", at.tags);
  return [
    ...on(arn, tags, `ec2:${action}`),
    ...on(arn, { ...tags, "ec2:CreateAction": action }, "ec2:CreateTags"),
    ...parents,
  ];
}

/** An action on something of EC2 that is there. */
function upon({ world }: ResourceAt, kind: string, id: unknown, ...actions: string[]): Asked {
  const name = textOf(id as never);
  const tags = tagKeys("Resource", tagsAt(world, name));
  const named = actions.map((action) => `ec2:${action}`);
  return on(arnOf(world, "ec2", `${kind}/${name}`), tags, ...named);
}

const none = (): Asked => [];
const own =
  (kind: string, ...actions: string[]) =>
  (at: ResourceAt): Asked => {
    return upon(at, kind, at.resource.physicalId, ...actions);
  };

const network: Readonly<Record<string, Handlers>> = {
  VPC: {
    create: (at) => [
      ...made(at, "vpc", "CreateVpc"),
      ...on(
        arnOf(at.world, "ec2", "vpc/new"),
        tagKeys("Resource", at.tags),
        "ec2:ModifyVpcAttribute",
      ),
      ...anywhere("ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"),
    ],
    update: none,
    delete: own("vpc", "DeleteVpc"),
  },
  InternetGateway: {
    create: (at) => made(at, "internet-gateway", "CreateInternetGateway"),
    update: none,
    delete: own("internet-gateway", "DeleteInternetGateway"),
  },
  VPCGatewayAttachment: {
    create: (at) => attachment(at, "AttachInternetGateway"),
    update: none,
    delete: (at) => attachment(at, "DetachInternetGateway"),
  },
  RouteTable: {
    create: (at) =>
      made(
        at,
        "route-table",
        "CreateRouteTable",
        upon(at, "vpc", at.properties.VpcId, "CreateRouteTable"),
      ),
    update: none,
    delete: own("route-table", "DeleteRouteTable"),
  },
  Route: {
    create: (at) => upon(at, "route-table", at.properties.RouteTableId, "CreateRoute"),
    update: none,
    delete: (at) => upon(at, "route-table", at.properties.RouteTableId, "DeleteRoute"),
  },
  Subnet: {
    create: (at) => [
      ...made(at, "subnet", "CreateSubnet", upon(at, "vpc", at.properties.VpcId, "CreateSubnet")),
      ...anywhere("ec2:DescribeSubnets", "ec2:DescribeAvailabilityZones"),
    ],
    update: own("subnet", "ModifySubnetAttribute"),
    delete: own("subnet", "DeleteSubnet"),
  },
  SubnetRouteTableAssociation: {
    create: (at) => association(at, "AssociateRouteTable"),
    update: none,
    delete: (at) => association(at, "DisassociateRouteTable"),
  },
  VPCEndpoint: {
    create(at) {
      const tables = listOf(at.properties.RouteTableIds);
      return made(at, "vpc-endpoint", "CreateVpcEndpoint", [
        ...upon(at, "vpc", at.properties.VpcId, "CreateVpcEndpoint"),
        ...tables.flatMap((table) => upon(at, "route-table", table, "CreateVpcEndpoint")),
      ]);
    },
    update: none,
    delete: own("vpc-endpoint", "DeleteVpcEndpoints"),
  },
  SecurityGroup: {
    create(at) {
      const fresh = arnOf(at.world, "ec2", "security-group/new");
      const rules = ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress"];
      return [
        ...made(at, "security-group", "CreateSecurityGroup"),
        ...upon(at, "vpc", at.properties.VpcId, "CreateSecurityGroup"),
        ...on(fresh, tagKeys("Resource", at.tags), ...rules.map((rule) => `ec2:${rule}`)),
      ];
    },
    update: none,
    delete: own("security-group", "DeleteSecurityGroup"),
  },
  EIP: {
    create: (at) => made(at, "elastic-ip", "AllocateAddress"),
    update: none,
    delete: own("elastic-ip", "ReleaseAddress", "DisassociateAddress"),
  },
  NatGateway: {
    create: (at) =>
      made(at, "natgateway", "CreateNatGateway", [
        ...upon(at, "subnet", at.properties.SubnetId, "CreateNatGateway"),
        ...upon(at, "elastic-ip", at.properties.AllocationId, "CreateNatGateway"),
      ]),
    update: none,
    delete: own("natgateway", "DeleteNatGateway"),
  },
};

function attachment(at: ResourceAt, action: string): Asked {
  const { InternetGatewayId, VpcId } = at.properties;
  return [
    ...upon(at, "internet-gateway", InternetGatewayId, action),
    ...upon(at, "vpc", VpcId, action),
  ];
}

function association(at: ResourceAt, action: string): Asked {
  const { RouteTableId, SubnetId } = at.properties;
  return [
    ...upon(at, "route-table", RouteTableId, action),
    ...upon(at, "subnet", SubnetId, action),
  ];
}

const handlers: Readonly<Record<string, Handlers>> = {
  "AWS::ElasticLoadBalancingV2::LoadBalancer": loadBalancer,
  "AWS::ElasticLoadBalancingV2::TargetGroup": targetGroup,
  "AWS::ElasticLoadBalancingV2::Listener": listener,
  "AWS::ElasticLoadBalancingV2::ListenerRule": listenerRule,
  "AWS::ECS::Service": ecsService,
  "AWS::ApplicationAutoScaling::ScalableTarget": scalableTarget,
  "AWS::ApplicationAutoScaling::ScalingPolicy": scalingPolicy,
  "AWS::CloudWatch::Alarm": alarm,
  ...Object.fromEntries(
    Object.entries(network).map(([type, one]) => [`AWS::EC2::${type}`, one] as const),
  ),
};
