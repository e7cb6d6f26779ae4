/** The burst tier's tasks and how many of them run. */
import { CfnScalableTarget, CfnScalingPolicy } from "aws-cdk-lib/aws-applicationautoscaling";
import { CfnService } from "aws-cdk-lib/aws-ecs";
import { Aws, CfnCondition, type CfnResource, Fn, Token } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import type { Balancer } from "./balancer.ts";
import { containerName } from "./fargate-definition.ts";
import type { Network } from "./network.ts";
import type { Plan } from "./plan.ts";

/** Seconds until scaling looks again: quick up, slow down. */
const cooldown = { scaleOutCooldown: 30, scaleInCooldown: 300 };

/** What the service is made of besides its balancer. */
export interface ServiceInputs {
  readonly taskDefinition: string;
  readonly initialTasks: string;
  readonly operation: string;
  readonly network: Network;
  readonly securityGroups: readonly string[];
  /** The way out of private tasks: without it no image could be pulled. */
  readonly wayOut: readonly CfnResource[];
}

/** Makes the service and its scaling. */
export function addBurstService(
  scope: Construct,
  plan: Plan,
  entrance: Balancer,
  inputs: ServiceInputs,
): CfnService {
  const { config, names } = plan;
  const creating = new CfnCondition(scope, "Creating", {
    expression: Fn.conditionEquals(inputs.operation, "create"),
  });
  const count = Fn.conditionIf(creating.logicalId, inputs.initialTasks, Aws.NO_VALUE);
  const service = new CfnService(scope, "Service", {
    cluster: names.cluster,
    taskDefinition: inputs.taskDefinition,
    // An update leaves out the count, or it would undo what scaling has chosen.
    desiredCount: Token.asNumber(count),
    platformVersion: "LATEST",
    capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
    healthCheckGracePeriodSeconds: Math.ceil(config.readiness.timeoutSeconds),
    deploymentConfiguration: {
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
    networkConfiguration: {
      awsvpcConfiguration: {
        assignPublicIp: config.network.tasks === "public" ? "ENABLED" : "DISABLED",
        subnets: [...inputs.network.taskSubnetIds],
        securityGroups: [...inputs.securityGroups],
      },
    },
    loadBalancers: [
      { containerName, containerPort: config.port, targetGroupArn: entrance.targetGroup.ref },
    ],
    propagateTags: "SERVICE",
    enableEcsManagedTags: true,
  });
  for (const part of [entrance.attached, ...inputs.wayOut]) service.addResourceDependency(part);
  addScaling(scope, plan, entrance, service);
  return service;
}

function addScaling(scope: Construct, plan: Plan, entrance: Balancer, service: CfnService): void {
  const { fargate } = plan.config;
  const target = new CfnScalableTarget(scope, "Scaling", {
    serviceNamespace: "ecs",
    scalableDimension: "ecs:service:DesiredCount",
    resourceId: `service/${plan.names.cluster}/${service.attrName}`,
    minCapacity: fargate.minTasks,
    maxCapacity: fargate.maxTasks,
    // No role: ECS is scaled with the service-linked one, and handing it over would need PassRole.
  });
  const { loadBalancerFullName, targetGroupFullName } = {
    loadBalancerFullName: entrance.balancer.attrLoadBalancerFullName,
    targetGroupFullName: entrance.targetGroup.attrTargetGroupFullName,
  };
  new CfnScalingPolicy(scope, "CpuPolicy", {
    policyName: "cpu",
    policyType: "TargetTrackingScaling",
    scalingTargetId: target.ref,
    targetTrackingScalingPolicyConfiguration: {
      ...cooldown,
      targetValue: fargate.cpuPercent,
      predefinedMetricSpecification: { predefinedMetricType: "ECSServiceAverageCPUUtilization" },
    },
  });
  const requests = new CfnScalingPolicy(scope, "RequestPolicy", {
    policyName: "requests",
    policyType: "TargetTrackingScaling",
    scalingTargetId: target.ref,
    targetTrackingScalingPolicyConfiguration: {
      ...cooldown,
      targetValue: fargate.requestsPerTaskPerMinute,
      predefinedMetricSpecification: {
        predefinedMetricType: "ALBRequestCountPerTarget",
        resourceLabel: `${loadBalancerFullName}/${targetGroupFullName}`,
      },
    },
  });
  requests.addResourceDependency(entrance.attached);
}
