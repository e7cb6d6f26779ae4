/** Proves by name and by tag that nothing billable remains. */
import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { ECSClient } from "@aws-sdk/client-ecs";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { findOrphans } from "../../aws/orphans.ts";
import { appTag, type DeploymentNames } from "../../core/deployment.ts";
import { isNamed } from "../aws/errors.ts";
import { clientOf, type Session } from "../aws/session.ts";
import { readStack } from "../aws/stacks.ts";

/** What was looked for. */
export interface Proof {
  /** What certainly still exists and costs something. */
  readonly remaining: readonly string[];
  /** What only the tag search shows; it lags behind a removal by hours. */
  readonly unproven: readonly string[];
  /** How much was looked at, for the report. */
  readonly looked: readonly string[];
}

/** Where to look. */
export interface ProofParts {
  readonly app: string;
  readonly names: DeploymentNames;
  readonly session: Session;
  readonly cloudformation: CloudFormationClient;
  readonly dynamodb: DynamoDBClient;
  /** The repository that stays because it was asked for. */
  readonly keepImages: boolean;
}

const kinds = (...names: readonly string[]): RegExp =>
  new RegExp(`^arn:[^:]+:(${names.join("|")})`);

/** Kinds that their own services are asked for; what the tag search shows of them is old. */
const asked = kinds(
  "elasticloadbalancing:.*:loadbalancer/",
  "ecs:.*:service/",
  "ecr:.*:repository/",
  "dynamodb:.*:table/",
  "ec2:.*:(natgateway|elastic-ip)/",
);

/** Other kinds that are billed by the hour; all the rest costs nothing while unused. */
const billable = kinds("ecs:.*:task/");

/** Looks at everything that would be billed. */
export async function prove(parts: ProofParts): Promise<Proof> {
  // EC2's client takes a second to load.
  const { remainingNetwork } = await import("./network.ts");
  const [certain, tagged] = await Promise.all([
    Promise.all([remainingByName(parts), remainingNetwork(parts.app, parts.session)]),
    taggedArns(parts),
  ]);
  const unproven = tagged.filter((arn) => billable.test(arn) && !asked.test(arn));
  const looked = [
    "both stacks, balancers, services, the table and the repository by name",
    "NAT gateways and addresses at EC2 by their tag",
    `${tagged.length} resources by the tag ${appTag}=${parts.app}`,
  ];
  return { remaining: certain.flat(), unproven, looked };
}

async function remainingByName(parts: ProofParts): Promise<readonly string[]> {
  const { app, names, session, cloudformation, dynamodb, keepImages } = parts;
  const settings = clientOf(session);
  const stacks = [names.burstStack, names.baseStack].map(async (name) => {
    const stack = await readStack(cloudformation, name);
    return stack === null ? [] : [`stack ${name} (${stack.status})`];
  });
  const orphans = absentAs<readonly { readonly arn: string }[]>(
    findOrphans({
      elb: new ElasticLoadBalancingV2Client(settings),
      ecs: new ECSClient(settings),
      app,
      cluster: names.cluster,
    }),
    ["ClusterNotFoundException"],
    [],
  ).then((found) => found.map(({ arn }) => arn));
  const table = absentAs<readonly string[]>(
    dynamodb
      .send(new DescribeTableCommand({ TableName: names.table }))
      .then(() => [`table ${names.table}`]),
    ["ResourceNotFoundException"],
    [],
  );
  const repository = absentAs<readonly string[]>(
    new ECRClient(settings)
      .send(new DescribeRepositoriesCommand({ repositoryNames: [names.repository] }))
      .then(() => (keepImages ? [] : [`repository ${names.repository}`])),
    ["RepositoryNotFoundException"],
    [],
  );
  return (await Promise.all([...stacks, orphans, table, repository])).flat();
}

/** What does not exist is what we hope for. */
async function absentAs<T>(asking: Promise<T>, names: readonly string[], absent: T): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (isNamed(error, ...names)) return absent;
    throw error;
  }
}

/** Pages of the tag search that are read at most; one has a hundred resources. */
const pagesMax = 20;

async function taggedArns({ app, session }: ProofParts): Promise<readonly string[]> {
  const client = new ResourceGroupsTaggingAPIClient(clientOf(session));
  const input = { TagFilters: [{ Key: appTag, Values: [app] }] };
  const arns: string[] = [];
  let pages = 0;
  for await (const page of paginateGetResources({ client }, input)) {
    arns.push(...(page.ResourceTagMappingList ?? []).map(({ ResourceARN = "" }) => ResourceARN));
    pages += 1;
    if (pages >= pagesMax) break;
  }
  return arns;
}
