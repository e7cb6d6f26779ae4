/**
 * What a removed stack left behind and is still billed: balancers and services. They are asked for
 * at their own services and not by tag search, which shows the deleted for hours.
 */
import {
  DeleteServiceCommand,
  DescribeServicesCommand,
  type ECSClient,
  ListServicesCommand,
} from "@aws-sdk/client-ecs";
import {
  DeleteLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  type ElasticLoadBalancingV2Client,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { appTag } from "../core/deployment.ts";

/** Something billable that nothing owns any more. */
export interface Orphan {
  readonly kind: "balancer" | "service";
  readonly arn: string;
  /** A service whose tasks are already stopping only needs time. */
  readonly leaving: boolean;
}

/** Where to look. */
export interface SweepParts {
  readonly elb: ElasticLoadBalancingV2Client;
  readonly ecs: ECSClient;
  readonly app: string;
  readonly cluster: string;
}

/** Pages that are looked through at most; 400 balancers are on one. */
const pagesMax = 10;

/** DescribeTags and DescribeServices take that many at once. */
const batchMax = 10;

/** Finds leftovers by name and by tag. */
export async function findOrphans(parts: SweepParts): Promise<readonly Orphan[]> {
  const [balancers, services] = await Promise.all([leftBalancers(parts), leftServices(parts)]);
  return [...balancers, ...services];
}

/** Removes leftovers; what refuses is tried again at the next tick. */
export async function removeOrphans(parts: SweepParts): Promise<void> {
  for (const { kind, arn, leaving } of await findOrphans(parts)) {
    if (leaving) continue;
    if (kind === "balancer") {
      await parts.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: arn }));
    } else {
      await parts.ecs.send(
        new DeleteServiceCommand({ cluster: parts.cluster, service: arn, force: true }),
      );
    }
  }
}

async function leftBalancers({ elb, app }: SweepParts): Promise<readonly Orphan[]> {
  const arns: string[] = [];
  let marker: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await elb.send(
      new DescribeLoadBalancersCommand({ PageSize: 400, ...(marker ? { Marker: marker } : {}) }),
    );
    for (const { LoadBalancerName: name, LoadBalancerArn: arn } of answer.LoadBalancers ?? []) {
      if (name?.startsWith(`${app}-`) && arn !== undefined) arns.push(arn);
    }
    marker = answer.NextMarker;
    if (marker === undefined || marker === "") break;
  }
  const own = await Promise.all(batches(arns).map((batch) => taggedOurs(elb, batch, app)));
  return own.flat().map((arn) => ({ kind: "balancer", arn, leaving: false }));
}

/** `shop-eu` has balancers that begin with `shop-` as well: the tag tells. */
async function taggedOurs(
  elb: ElasticLoadBalancingV2Client,
  arns: string[],
  app: string,
): Promise<readonly string[]> {
  const { TagDescriptions: found = [] } = await elb.send(
    new DescribeTagsCommand({ ResourceArns: arns }),
  );
  return found.flatMap(({ ResourceArn: arn, Tags: tags = [] }) => {
    const ours = tags.some(({ Key: key, Value: value }) => key === appTag && value === app);
    return ours && arn !== undefined ? [arn] : [];
  });
}

async function leftServices({ ecs, cluster }: SweepParts): Promise<readonly Orphan[]> {
  // The cluster is the application's own, so whatever runs in it is.
  const { serviceArns: arns = [] } = await ecs.send(
    new ListServicesCommand({ cluster, maxResults: batchMax }),
  );
  if (arns.length === 0) return [];
  const { services = [] } = await ecs.send(
    new DescribeServicesCommand({ cluster, services: arns.slice(0, batchMax) }),
  );
  return services.flatMap(({ serviceArn: arn, status }) => {
    if (arn === undefined || status === "INACTIVE") return [];
    return [{ kind: "service" as const, arn, leaving: status === "DRAINING" }];
  });
}

function batches(arns: readonly string[]): string[][] {
  const count = Math.ceil(arns.length / batchMax);
  return Array.from({ length: count }, (_, at) => arns.slice(at * batchMax, (at + 1) * batchMax));
}
