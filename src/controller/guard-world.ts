/** What the guard sees and does in AWS. */
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
} from "@aws-sdk/client-cloudformation";
import { Route53Client } from "@aws-sdk/client-route-53";
import { failureIn, saysNothingThere } from "../aws/burst-stack.ts";
import { type ClientSettings, retrying } from "../aws/clients.ts";
import type { DomainFacts } from "../aws/deployment.ts";
import {
  changeRecords,
  isInSync,
  otherRegion,
  readRecords,
  removeRecords,
  routeOfRecords,
} from "../aws/records.ts";
import type { Route } from "../core/index.ts";
import type { GuardProperties } from "./custom-resource.ts";
import type { GuardWorld } from "./guard.ts";

/** Route 53 says within a minute that every name server knows a change. */
const syncPolls = 60;
const syncPollMs = 2_000;

const lambdaAlone: Route = { lambda: 100, fargate: 0, fargateRecord: false };

/** The world of a deployment, by the properties of its guard. */
export function guardWorld(
  properties: GuardProperties,
  settings: ClientSettings,
  sleep: (ms: number) => Promise<void>,
): GuardWorld {
  const cloudformation = new CloudFormationClient(retrying(settings));
  const route53 = new Route53Client(retrying(settings));
  const { BurstStack: StackName, BurstRoleArn: RoleARN } = properties;
  const domain = domainOf(properties);
  return {
    async see() {
      const [onLambda, stackStatus] = await Promise.all([
        domain === null ? true : answersWithLambda(route53, domain, settings.region),
        statusOf(cloudformation, StackName),
      ]);
      return { onLambda, stackStatus };
    },
    async returnToLambda() {
      if (domain === null) return;
      const change = await changeRecords(route53, domain, lambdaAlone, null);
      for (let poll = 0; poll < syncPolls; poll += 1) {
        if (await isInSync(route53, change)) return;
        await sleep(syncPollMs);
      }
    },
    async deleteStack() {
      await cloudformation.send(new DeleteStackCommand({ StackName, RoleARN }));
    },
    async deleteFailure() {
      const answer = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
      const events = [...(answer.StackEvents ?? [])].reverse();
      const reason = failureIn(events, "DELETE") ?? "no reason given";
      return `${StackName} could not be deleted: ${reason}`;
    },
    async removeRecords() {
      if (domain !== null) await removeRecords(route53, domain, settings.region);
    },
  };
}

function domainOf(properties: GuardProperties): DomainFacts | null {
  const { Domain: name, HostedZoneId: zoneId, ApiTarget, ApiTargetZone } = properties;
  if (name === "") return null;
  return { name, zoneId, apiTarget: ApiTarget, apiTargetZone: ApiTargetZone };
}

/**
 * A deployment that never moved may have no record at all: then nothing answers with Fargate, nor
 * where another region's deployment has the records.
 */
async function answersWithLambda(
  client: Route53Client,
  domain: DomainFacts,
  region: string,
): Promise<boolean> {
  const records = await readRecords(client, domain);
  if (records.lambda === null && records.fargate === null) return true;
  if (otherRegion(Object.values(records), region) !== null) return true;
  return records.fargate === null && routeOfRecords(records, domain, null).lambda === 100;
}

async function statusOf(client: CloudFormationClient, name: string): Promise<string | null> {
  try {
    const { Stacks: stacks = [] } = await client.send(
      new DescribeStacksCommand({ StackName: name }),
    );
    const status = stacks[0]?.StackStatus ?? null;
    return status === "DELETE_COMPLETE" ? null : status;
  } catch (error) {
    if (saysNothingThere(error)) return null;
    throw error;
  }
}
