/** Load balancers, listeners and target groups. */
import { healthyTasks, type Task } from "./ecs.ts";
import { arnOf, type World } from "./world.ts";

/** An application load balancer. */
export interface Balancer {
  readonly arn: string;
  readonly name: string;
  readonly fullName: string;
  readonly dnsName: string;
  readonly zoneId: string;
  state: "provisioning" | "active";
  readonly createdMs: number;
}

/** A listener with the target groups that it forwards to. */
export interface Listener {
  readonly arn: string;
  readonly balancerArn: string;
  readonly targetGroupArns: readonly string[];
}

/** A target group. */
export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly fullName: string;
}

/** Registers a new balancer, not yet serving. */
export function addBalancer(world: World, name: string): Balancer {
  for (const other of world.balancers.values()) {
    if (other.name === name) throw new Error(`A load balancer with the name '${name}' exists`);
  }
  const fullName = `app/${name}/${world.uniqueId(16)}`;
  const balancer: Balancer = {
    arn: arnOf(world, "elasticloadbalancing", `loadbalancer/${fullName}`),
    name,
    fullName,
    dnsName: `${name}-${Math.floor(world.random() * 1e9)}.${world.region}.elb.amazonaws.com`,
    zoneId: "Z35SXDOTRQ7X7K",
    state: "provisioning",
    createdMs: world.nowMs,
  };
  world.balancers.set(balancer.arn, balancer);
  return balancer;
}

/** Registers a target group. */
export function addTargetGroup(world: World, name: string): TargetGroup {
  const fullName = `targetgroup/${name}/${world.uniqueId(16)}`;
  const group: TargetGroup = {
    arn: arnOf(world, "elasticloadbalancing", fullName),
    name,
    fullName,
  };
  world.targetGroups.set(group.arn, group);
  return group;
}

/** The tasks that are registered in a target group. */
export function targetsOf(world: World, groupArn: string): readonly Task[] {
  return [...world.services.values()]
    .filter((service) => service.targetGroupArns.includes(groupArn))
    .flatMap((service) => service.tasks.filter((task) => task.state !== "pending"));
}

/** The balancer that an alias record points to; prefixes and trailing dots do not matter. */
export function balancerOf(world: World, dnsName: string): Balancer | null {
  const plain = dnsName
    .toLowerCase()
    .replace(/\.$/, "")
    .replace(/^dualstack\./, "");
  for (const balancer of world.balancers.values()) {
    if (balancer.dnsName.toLowerCase() === plain) return balancer;
  }
  return null;
}

/** The target groups behind a balancer. */
export function groupsBehind(world: World, balancer: Balancer): readonly TargetGroup[] {
  const arns = new Set(
    [...world.listeners.values()]
      .filter((listener) => listener.balancerArn === balancer.arn)
      .flatMap((listener) => listener.targetGroupArns),
  );
  return [...arns].flatMap((arn) => world.targetGroups.get(arn) ?? []);
}

/** How many healthy targets answer behind a balancer. */
export function healthyBehind(world: World, balancer: Balancer): number {
  if (balancer.state !== "active") return 0;
  const arns = new Set(groupsBehind(world, balancer).map(({ arn }) => arn));
  return [...world.services.values()]
    .filter((service) => service.targetGroupArns.some((arn) => arns.has(arn)))
    .reduce((sum, service) => sum + healthyTasks(service).length, 0);
}
