/** What the burst tier will run: cluster and task definition, which cost nothing by themselves. */
import { CfnCluster, CfnTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import { Aws, CfnDeletionPolicy } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import type { Plan } from "./plan.ts";
import type { ServiceRoles } from "./roles.ts";
import { secretForTask } from "./secrets.ts";
import { serviceVariables } from "./variables.ts";

/** Name of the one container of a task. */
export const containerName = "app";

/** What the burst stack and the controller refer to. */
export interface FargateDefinition {
  readonly cluster: CfnCluster;
  readonly taskDefinition: CfnTaskDefinition;
}

/** Makes cluster and task definition. */
export function addFargateDefinition(
  scope: Construct,
  plan: Plan,
  roles: ServiceRoles,
  logs: CfnLogGroup,
): FargateDefinition {
  const { config, names } = plan;
  const cluster = new CfnCluster(scope, "Cluster", {
    clusterName: names.cluster,
    capacityProviders: ["FARGATE"],
    clusterSettings: [{ name: "containerInsights", value: "disabled" }],
  });
  const arm = config.lambda.architecture === "arm64";
  const taskDefinition = new CfnTaskDefinition(scope, "TaskDefinition", {
    family: names.appFunction,
    cpu: String(config.fargate.vcpu * 1024),
    memory: String(config.fargate.memoryMB),
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    runtimePlatform: {
      operatingSystemFamily: "LINUX",
      cpuArchitecture: arm ? "ARM64" : "X86_64",
    },
    executionRoleArn: roles.executionRole.attrArn,
    taskRoleArn: roles.taskRole.attrArn,
    containerDefinitions: [container(plan, logs)],
    volumes: [{ name: "tmp" }],
  });
  // A service that runs the old revision must be able to replace its tasks until it is updated.
  taskDefinition.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
  taskDefinition.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE;
  return { cluster, taskDefinition };
}

/** As on Lambda: not root, nothing writable but /tmp. */
function container(
  { config, image }: Plan,
  logs: CfnLogGroup,
): CfnTaskDefinition.ContainerDefinitionProperty {
  return {
    name: containerName,
    image,
    essential: true,
    user: "1000",
    readonlyRootFilesystem: true,
    stopTimeout: config.fargate.stopTimeoutSeconds,
    linuxParameters: { initProcessEnabled: true },
    portMappings: [{ containerPort: config.port, protocol: "tcp" }],
    environment: Object.entries(serviceVariables(config, "fargate")).map(([name, value]) => ({
      name,
      value,
    })),
    secrets: Object.entries(config.secrets).map(([name, reference]) => ({
      name,
      valueFrom: secretForTask(reference),
    })),
    mountPoints: [{ sourceVolume: "tmp", containerPath: "/tmp", readOnly: false }],
    logConfiguration: {
      logDriver: "awslogs",
      options: {
        "awslogs-group": logs.ref,
        "awslogs-region": Aws.REGION,
        "awslogs-stream-prefix": "fargate",
      },
    },
  };
}
