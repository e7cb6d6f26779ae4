/** Clusters, task definitions, services and their scaling as resources of a stack. */
import { isStable, type Service, settleTasks, stopTask } from "../ecs.ts";
import { listOf, numberOf, objectOf, textOf } from "../json.ts";
import { arnOf, type World } from "../world.ts";
import type { Kind, ResourceAt } from "./kind.ts";

const cluster: Kind = {
  create({ world, resource, properties }) {
    const name = textOf(properties.ClusterName) || `${resource.logicalId}-${world.uniqueId(6)}`;
    world.clusters.add(name);
    const arn = arnOf(world, "ecs", `cluster/${name}`);
    return { physicalId: name, arn, attributes: { Arn: arn } };
  },
  update: () => undefined,
  remove({ world, resource }) {
    const busy = [...world.services.values()].some((one) => one.cluster === resource.physicalId);
    if (busy) throw new Error("The Cluster cannot be deleted while Services are active.");
    world.clusters.delete(resource.physicalId);
  },
};

const taskDefinition: Kind = {
  create({ world, resource, properties }) {
    const family = textOf(properties.Family) || resource.logicalId;
    const revisions = [...world.taskDefinitions.values()].filter((one) => one.family === family);
    const revision = revisions.length + 1;
    const arn = arnOf(world, "ecs", `task-definition/${family}:${revision}`);
    const containers = listOf(properties.ContainerDefinitions).map((json) => ({
      name: textOf(objectOf(json).Name),
      image: textOf(objectOf(json).Image),
    }));
    const cpu = numberOf(properties.Cpu, 256);
    world.taskDefinitions.set(arn, { arn, family, revision, containers, cpu });
    return { physicalId: arn, arn, attributes: { TaskDefinitionArn: arn } };
  },
};

function serviceOf({ world, resource }: ResourceAt): Service {
  const service = world.services.get(resource.physicalId);
  if (!service) throw new Error(`Service ${resource.physicalId} was not found.`);
  return service;
}

function vcpusOver(world: World, definition: string, tasks: number): boolean {
  const cpu = world.taskDefinitions.get(definition)?.cpu ?? 256;
  return (cpu * tasks) / 1024 > world.vcpuQuota;
}

const service: Kind = {
  createMs: () => 2_000,
  create({ world, stack, resource, properties }) {
    const clusterName = textOf(properties.Cluster).split("/").at(-1) ?? "";
    if (!world.clusters.has(clusterName)) throw new Error("Cluster not found.");
    const definition = textOf(properties.TaskDefinition);
    if (!world.taskDefinitions.has(definition)) throw new Error("Unable to find task definition");
    const groups = listOf(properties.LoadBalancers).map((json) =>
      textOf(objectOf(json).TargetGroupArn),
    );
    for (const group of groups) checkGroup(world, group);
    const desired = numberOf(properties.DesiredCount, 1);
    if (vcpusOver(world, definition, desired)) {
      throw new Error("You've reached the limit on the number of vCPUs you can run concurrently");
    }
    const suffix = world.uniqueId(12);
    const name = textOf(properties.ServiceName) || `${stack.name}-${resource.logicalId}-${suffix}`;
    const arn = arnOf(world, "ecs", `service/${clusterName}/${name}`);
    const made: Service = {
      arn,
      name,
      cluster: clusterName,
      targetGroupArns: groups,
      createdMs: world.nowMs,
      taskDefinition: definition,
      desired,
      tasks: [],
      scaling: null,
      failure: null,
      deleted: false,
    };
    world.services.set(arn, made);
    settleTasks(world, made);
    return { physicalId: arn, arn, attributes: { Name: name, ServiceArn: arn } };
  },
  ready: (at) => stabilised(serviceOf(at)),
  update(at) {
    const found = serviceOf(at);
    found.failure = null;
    found.taskDefinition = textOf(at.properties.TaskDefinition);
    if (at.properties.DesiredCount !== undefined) {
      found.desired = numberOf(at.properties.DesiredCount);
    }
    settleTasks(at.world, found);
  },
  remove(at) {
    const found = at.world.services.get(at.resource.physicalId);
    if (!found) return;
    found.desired = 0;
    found.deleted = true;
    for (const task of [...found.tasks]) stopTask(at.world, found, task);
  },
  gone({ world, resource }) {
    const found = world.services.get(resource.physicalId);
    if (found && found.tasks.length > 0) return false;
    world.services.delete(resource.physicalId);
    return true;
  },
  deleteMs: (world) => world.delays.removalMs() / 2,
};

/** The circuit breaker gives a deployment up when its tasks do not become healthy. */
function stabilised(found: Service): boolean | string {
  if (found.failure !== null)
    return `ECS Deployment Circuit Breaker was triggered: ${found.failure}`;
  return isStable(found);
}

function checkGroup(world: World, group: string): void {
  const used = [...world.listeners.values()].some((one) => one.targetGroupArns.includes(group));
  if (!used) {
    throw new Error(`The target group with targetGroupArn ${group} does not have an associated LB`);
  }
}

const scalableTarget: Kind = {
  create({ world, properties }) {
    const resourceId = textOf(properties.ResourceId);
    const [, clusterName, name] = resourceId.split("/");
    const arn = arnOf(world, "ecs", `service/${clusterName}/${name}`);
    const found = world.services.get(arn);
    if (!found) throw new Error(`ECS service doesn't exist: ${resourceId}`);
    found.scaling = {
      min: numberOf(properties.MinCapacity),
      max: numberOf(properties.MaxCapacity),
    };
    return { physicalId: `${resourceId}|ecs:service:DesiredCount|ecs` };
  },
  update: () => undefined,
  remove({ world, resource }) {
    const [, clusterName, name] = (resource.physicalId.split("|")[0] ?? "").split("/");
    const found = world.services.get(arnOf(world, "ecs", `service/${clusterName}/${name}`));
    if (found) found.scaling = null;
  },
};

/** Types by name. */
export const containerKinds: Readonly<Record<string, Kind>> = {
  "AWS::ECS::Cluster": cluster,
  "AWS::ECS::TaskDefinition": taskDefinition,
  "AWS::ECS::Service": service,
  "AWS::ApplicationAutoScaling::ScalableTarget": scalableTarget,
};
