/** The Fargate tier as the engine sees it, put together from stack, service and targets. */
import { DescribeServicesCommand, type ECSClient } from "@aws-sdk/client-ecs";
import {
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  TargetGroupNotFoundException,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { BurstOutputs } from "../core/deployment.ts";
import type { FargateFacts, Tier } from "../core/index.ts";
import type { BurstReading } from "./burst-stack.ts";
import type { Deployment } from "./deployment.ts";

/** What a running service says of itself. */
export interface ServiceFacts {
  readonly tasksDesired: number;
  readonly tasksHealthy: number;
  /** Task definitions that tasks run, or are started from. */
  readonly taskDefinitions: readonly string[];
}

/** While nothing runs. */
export const noService: ServiceFacts = { tasksDesired: 0, tasksHealthy: 0, taskDefinitions: [] };

/** Reads the service and the health of its targets. One that is gone meanwhile has none. */
export async function readService(
  clients: { readonly ecs: ECSClient; readonly elb: ElasticLoadBalancingV2Client },
  cluster: string,
  burst: BurstOutputs,
): Promise<ServiceFacts> {
  const [tasksHealthy, { services = [] }] = await Promise.all([
    healthyTargets(clients.elb, burst.TargetGroupArn),
    clients.ecs.send(new DescribeServicesCommand({ cluster, services: [burst.ServiceName] })),
  ]);
  const service = services.find(({ status }) => status === "ACTIVE");
  if (service === undefined) return noService;
  const running = (service.deployments ?? []).filter(({ status, runningCount = 0 }) => {
    return status === "PRIMARY" || runningCount > 0;
  });
  return {
    tasksDesired: service.desiredCount ?? 0,
    tasksHealthy,
    taskDefinitions: running.flatMap(({ taskDefinition }) => taskDefinition ?? []),
  };
}

async function healthyTargets(
  client: ElasticLoadBalancingV2Client,
  targetGroup: string,
): Promise<number> {
  try {
    const { TargetHealthDescriptions: targets = [] } = await client.send(
      new DescribeTargetHealthCommand({ TargetGroupArn: targetGroup }),
    );
    return targets.filter(({ TargetHealth: health }) => health?.State === "healthy").length;
  } catch (error) {
    if (error instanceof TargetGroupNotFoundException) return 0;
    throw error;
  }
}

/**
 * The tier's facts. `probeOk` and `orphans` are read by others. A tier by a former template has
 * another digest than Lambda until its update begins, which is how the engine is moved to order
 * it; on its way out it needs none, and may take its traffic back as it is.
 */
export function fargateFacts(
  reading: BurstReading,
  service: ServiceFacts,
  deployment: Deployment,
  target: Tier,
): Omit<FargateFacts, "probeOk" | "orphans"> {
  const { tasksDesired, tasksHealthy } = service;
  const base = { tasksDesired, tasksHealthy, failure: null };
  switch (reading.kind) {
    case "absent":
      return { ...base, state: "absent", digest: null };
    case "creating": {
      const asked = reading.stack?.taskDefinition ?? deployment.taskDefinition;
      return { ...base, state: "starting", digest: digestOf([asked], deployment) };
    }
    case "removing":
      return { ...base, state: "stopping", digest: null };
    case "failed":
      return { ...base, state: "failed", digest: null, failure: reading.failure };
    case "standing": {
      const runs = digestOf(service.taskDefinitions, deployment);
      const ready = runs !== null && tasksHealthy > 0;
      const former = reading.outdated && target === "fargate" && runs === deployment.digest;
      const digest = former ? "image with former settings" : runs;
      return { ...base, state: ready ? "ready" : "starting", digest, failure: reading.refusal };
    }
  }
}

/** Its digest if all run the wanted definition; else the name of another, which is no digest. */
function digestOf(running: readonly string[], deployment: Deployment): string | null {
  const other = running.find((definition) => definition !== deployment.taskDefinition);
  if (other !== undefined) return `image of ${other.slice(other.lastIndexOf("/") + 1)}`;
  return running.length === 0 ? null : deployment.digest;
}
