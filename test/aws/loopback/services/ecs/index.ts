/** ECS: services, their tasks and task definitions. */
import type {
  DeleteServiceCommandInput,
  DescribeServicesCommandInput,
  DescribeTaskDefinitionCommandInput,
  DescribeTasksCommandInput,
  ListServicesCommandInput,
  ListTasksCommandInput,
} from "@aws-sdk/client-ecs";
import {
  type Service as EcsService,
  healthyTasks,
  isStable,
  stopTask,
} from "../../../world/ecs.ts";
import { arnOf, type World } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

const clusterName = (given: string | undefined): string =>
  (given ?? "default").split("/").at(-1) ?? "";

function find(world: World, cluster: string, nameOrArn: string): EcsService | undefined {
  return [...world.services.values()].find(
    (one) => one.cluster === cluster && (one.arn === nameOrArn || one.name === nameOrArn),
  );
}

function requireCluster(world: World, cluster: string): void {
  if (!world.clusters.has(cluster)) {
    throw new AwsError("ClusterNotFoundException", "Cluster not found.");
  }
}

function serviceArn(world: World, cluster: string, nameOrArn: string): string {
  if (nameOrArn.startsWith("arn:")) return nameOrArn;
  return arnOf(world, "ecs", `service/${cluster}/${nameOrArn}`);
}

/** The tasks get their time to finish; then the service is gone. */
function remove(service: EcsService, world: World): void {
  service.desired = 0;
  service.deleted = true;
  for (const task of [...service.tasks]) stopTask(world, service, task);
  world.after(40_000, () => {
    world.services.delete(service.arn);
    world.tagged.delete(service.arn);
  });
}

function describe(service: EcsService, world: World): object {
  const running = service.tasks.filter(({ state }) => state !== "pending").length;
  const rollout = service.failure ? "FAILED" : isStable(service) ? "COMPLETED" : "IN_PROGRESS";
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: arnOf(world, "ecs", `cluster/${service.cluster}`),
    status: service.deleted ? "DRAINING" : "ACTIVE",
    desiredCount: service.desired,
    runningCount: running,
    pendingCount: service.tasks.length - running,
    taskDefinition: service.taskDefinition,
    launchType: "FARGATE",
    createdAt: new Date(service.createdMs),
    events: [],
    deployments: [
      {
        id: "ecs-svc/1",
        status: "PRIMARY",
        taskDefinition: service.taskDefinition,
        desiredCount: service.desired,
        runningCount: healthyTasks(service).length,
        pendingCount: service.tasks.length - running,
        failedTasks: 0,
        rolloutState: rollout,
        ...(service.failure !== null && { rolloutStateReason: service.failure }),
      },
    ],
    loadBalancers: service.targetGroupArns.map((targetGroupArn) => ({ targetGroupArn })),
  };
}

/** The service. */
export const ecs: Service = {
  scope: "ecs",
  protocol: json,
  operations: {
    DescribeServices: operation<DescribeServicesCommandInput>(
      (input, world) => {
        const cluster = clusterName(input.cluster);
        requireCluster(world, cluster);
        const wanted = input.services ?? [];
        const found = wanted.flatMap((name) => find(world, cluster, name) ?? []);
        const missing = wanted.filter((name) => !find(world, cluster, name));
        return {
          services: found.map((one) => describe(one, world)),
          failures: missing.map((name) => ({
            arn: serviceArn(world, cluster, name),
            reason: "MISSING",
          })),
        };
      },
      (input, world) =>
        (input.services ?? []).flatMap((name) =>
          access("ecs:DescribeServices", serviceArn(world, clusterName(input.cluster), name), {
            "ecs:cluster": arnOf(world, "ecs", `cluster/${clusterName(input.cluster)}`),
          }),
        ),
    ),
    DescribeTaskDefinition: operation<DescribeTaskDefinitionCommandInput>(
      (input, world) => {
        const name = input.taskDefinition ?? "";
        const found = [...world.taskDefinitions.values()]
          .filter(({ arn, family, revision }) =>
            [arn, family, `${family}:${revision}`].includes(name),
          )
          .at(-1);
        if (!found) throw new AwsError("ClientException", "Unable to describe task definition.");
        return {
          taskDefinition: {
            taskDefinitionArn: found.arn,
            family: found.family,
            revision: found.revision,
            status: "ACTIVE",
            cpu: String(found.cpu),
            containerDefinitions: found.containers,
          },
          tags: [],
        };
      },
      () => access("ecs:DescribeTaskDefinition", "*"),
    ),
    ListServices: operation<ListServicesCommandInput>(
      (input, world) => {
        const cluster = clusterName(input.cluster);
        requireCluster(world, cluster);
        const found = [...world.services.values()].filter((one) => one.cluster === cluster);
        return { serviceArns: found.slice(0, input.maxResults ?? 10).map(({ arn }) => arn) };
      },
      (input, world) =>
        access("ecs:ListServices", "*", {
          "ecs:cluster": arnOf(world, "ecs", `cluster/${clusterName(input.cluster)}`),
        }),
    ),
    DeleteService: operation<DeleteServiceCommandInput>(
      (input, world) => {
        const service = find(world, clusterName(input.cluster), input.service ?? "");
        if (!service) throw new AwsError("ServiceNotFoundException", "Service not found.");
        if (service.desired > 0 && input.force !== true) {
          const message = "The service cannot be stopped while it is scaled above 0.";
          throw new AwsError("InvalidParameterException", message);
        }
        remove(service, world);
        return { service: describe(service, world) };
      },
      (input, world) =>
        access(
          "ecs:DeleteService",
          serviceArn(world, clusterName(input.cluster), input.service ?? ""),
          { "ecs:cluster": arnOf(world, "ecs", `cluster/${clusterName(input.cluster)}`) },
        ),
    ),
    ListTasks: operation<ListTasksCommandInput>(
      (input, world) => {
        const cluster = clusterName(input.cluster);
        requireCluster(world, cluster);
        const service = find(world, cluster, input.serviceName ?? "");
        const tasks = service?.tasks ?? [];
        return { taskArns: tasks.map(({ id }) => arnOf(world, "ecs", `task/${cluster}/${id}`)) };
      },
      (input, world) =>
        access("ecs:ListTasks", "*", {
          "ecs:cluster": arnOf(world, "ecs", `cluster/${clusterName(input.cluster)}`),
        }),
    ),
    DescribeTasks: operation<DescribeTasksCommandInput>(
      (input, world) => {
        const cluster = clusterName(input.cluster);
        requireCluster(world, cluster);
        const all = [...world.services.values()].flatMap(({ tasks }) => tasks);
        const found = all.filter(({ id }) => input.tasks?.some((arn) => arn.endsWith(id)));
        return {
          tasks: found.map((task) => ({
            taskArn: arnOf(world, "ecs", `task/${cluster}/${task.id}`),
            taskDefinitionArn: task.taskDefinition,
            lastStatus: task.state === "pending" ? "PENDING" : "RUNNING",
            healthStatus: "UNKNOWN",
          })),
          failures: [],
        };
      },
      (input, world) =>
        (input.tasks ?? []).flatMap((task) =>
          access(
            "ecs:DescribeTasks",
            task.startsWith("arn:")
              ? task
              : arnOf(world, "ecs", `task/${clusterName(input.cluster)}/${task}`),
          ),
        ),
    ),
  },
};
