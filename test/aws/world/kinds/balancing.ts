/** Balancers, target groups and listeners as resources of a stack. */
import { addBalancer, addTargetGroup } from "../elb.ts";
import { isObject, type Json, listOf, objectOf, textOf } from "../json.ts";
import { arnOf, type World } from "../world.ts";
import type { Kind } from "./kind.ts";

const loadBalancer: Kind = {
  createMs: (world) => world.delays.balancerMs(),
  deleteMs: () => 4_000,
  create({ world, resource, properties }) {
    const balancer = addBalancer(world, textOf(properties.Name) || world.uniqueId(20));
    return {
      physicalId: balancer.arn,
      arn: balancer.arn,
      attributes: {
        LoadBalancerArn: balancer.arn,
        LoadBalancerFullName: balancer.fullName,
        LoadBalancerName: balancer.name,
        DNSName: balancer.dnsName,
        CanonicalHostedZoneID: balancer.zoneId,
        LogicalId: resource.logicalId,
      },
    };
  },
  ready({ world, resource }) {
    const balancer = world.balancers.get(resource.physicalId);
    if (!balancer) return "The load balancer was deleted";
    balancer.state = "active";
    return true;
  },
  update: () => undefined,
  remove({ world, resource }) {
    world.balancers.delete(resource.physicalId);
    for (const [arn, listener] of world.listeners) {
      if (listener.balancerArn === resource.physicalId) world.listeners.delete(arn);
    }
  },
};

const targetGroup: Kind = {
  create({ world, properties }) {
    const group = addTargetGroup(world, textOf(properties.Name) || world.uniqueId(20));
    const attributes = {
      TargetGroupArn: group.arn,
      TargetGroupFullName: group.fullName,
      TargetGroupName: group.name,
    };
    return { physicalId: group.arn, arn: group.arn, attributes };
  },
  update: () => undefined,
  remove({ world, resource }) {
    const used = [...world.listeners.values()].some((listener) =>
      listener.targetGroupArns.includes(resource.physicalId),
    );
    if (used) throw new Error(`Target group '${resource.physicalId}' is in use by a listener`);
    world.targetGroups.delete(resource.physicalId);
  },
};

/** Every target group named anywhere in actions. */
function forwardedTo(json: Json | undefined): readonly string[] {
  if (Array.isArray(json)) return (json as readonly Json[]).flatMap(forwardedTo);
  if (!isObject(json)) return [];
  return Object.entries(json).flatMap(([key, value]) =>
    key === "TargetGroupArn" ? [textOf(value)] : forwardedTo(value),
  );
}

function addListener(world: World, balancerArn: string, actions: Json | undefined): string {
  const fullName = world.balancers.get(balancerArn)?.fullName;
  if (fullName === undefined) throw new Error(`Load balancer '${balancerArn}' not found`);
  const arn = arnOf(world, "elasticloadbalancing", `listener/${fullName}/${world.uniqueId(16)}`);
  world.listeners.set(arn, { arn, balancerArn, targetGroupArns: forwardedTo(actions) });
  return arn;
}

const listener: Kind = {
  create({ world, properties }) {
    const arn = addListener(world, textOf(properties.LoadBalancerArn), properties.DefaultActions);
    return { physicalId: arn, arn, attributes: { ListenerArn: arn } };
  },
  update: () => undefined,
  remove({ world, resource }) {
    world.listeners.delete(resource.physicalId);
  },
};

const listenerRule: Kind = {
  create({ world, properties }) {
    const parent = world.listeners.get(textOf(properties.ListenerArn));
    if (!parent) throw new Error("One or more listeners not found");
    const arn = addListener(world, parent.balancerArn, properties.Actions);
    return { physicalId: arn, attributes: { RuleArn: arn, IsDefault: false } };
  },
  update: () => undefined,
  remove({ world, resource }) {
    world.listeners.delete(resource.physicalId);
  },
};

/** Types by name. */
export const balancingKinds: Readonly<Record<string, Kind>> = {
  "AWS::ElasticLoadBalancingV2::LoadBalancer": loadBalancer,
  "AWS::ElasticLoadBalancingV2::TargetGroup": targetGroup,
  "AWS::ElasticLoadBalancingV2::Listener": listener,
  "AWS::ElasticLoadBalancingV2::ListenerRule": listenerRule,
};

/** Tags of a resource, which CloudFormation writes as a list or as a map. */
export function tagsOf(json: Json | undefined): Record<string, string> {
  if (isObject(json)) {
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, textOf(value)]));
  }
  return Object.fromEntries(
    listOf(json).map((tag) => [textOf(objectOf(tag).Key), textOf(objectOf(tag).Value)]),
  );
}
