/**
 * What a deployment would take from under a burst that runs: parts of the network that stand in
 * the base stack, and parts of the burst stack that its next update would move or make anew.
 */

/** A template as far as it is compared. */
export interface Template {
  readonly Resources?: Readonly<Record<string, TemplateResource>>;
}

interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** The properties whose change is felt by who uses a resource; `all` but its tags. */
type Felt = readonly string[] | "all";

/**
 * In base. A listener holds its certificate, and tasks run in their cluster; everything else is
 * read anew (task definition, roles of the service) or stands beside the burst tier.
 */
const feltInBase: Readonly<Record<string, Felt>> = {
  "AWS::CertificateManager::Certificate": "all",
  "AWS::ECS::Cluster": ["ClusterName"],
};

/**
 * In burst, whose next update follows the next image. What is changed in place and at once is left
 * out: checks, time-outs, attributes, scaling.
 */
const feltInBurst: Readonly<Record<string, Felt>> = {
  "AWS::ECS::Service": ["Cluster", "LoadBalancers", "NetworkConfiguration"],
  "AWS::ElasticLoadBalancingV2::Listener": ["Port", "Protocol"],
  "AWS::ElasticLoadBalancingV2::LoadBalancer": [
    "Name",
    "Scheme",
    "SecurityGroups",
    "Subnets",
    "Type",
  ],
  "AWS::ElasticLoadBalancingV2::TargetGroup": ["Name", "Port", "Protocol", "TargetType", "VpcId"],
};

/** What of the base stack would change or go that a burst stands on, a sentence each. */
export function baseChanges(deployed: Template, next: Template): readonly string[] {
  return [...feltChanges(deployed, next, feltInBase), ...lostRights(deployed, next)];
}

/** What of the burst stack its next update would move; `next` is `null` if there is none. */
export function burstChanges(deployed: Template, next: Template | null): readonly string[] {
  return feltChanges(deployed, next ?? {}, feltInBurst);
}

function feltChanges(
  deployed: Template,
  next: Template,
  felt: Readonly<Record<string, Felt>>,
): readonly string[] {
  return Object.entries(deployed.Resources ?? {}).flatMap(([id, before]) => {
    const properties = before.Type.startsWith("AWS::EC2::") ? "all" : felt[before.Type];
    if (properties === undefined) return [];
    const after = next.Resources?.[id];
    const what = `${nameOf(id)} (${before.Type})`;
    if (after === undefined || after.Type !== before.Type) return [`${what} would go`];
    const same = shown(before, properties) === shown(after, properties);
    return same ? [] : [`${what} would change`];
  });
}

function shown({ Properties: properties = {} }: TemplateResource, felt: Felt): string {
  const entries = Object.entries(properties).filter(([key]) =>
    felt === "all" ? key !== "Tags" : felt.includes(key),
  );
  return stable(Object.fromEntries(entries));
}

/** JSON in which the order of keys says nothing. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** CloudFormation removes the burst stack with this role: without its rights parts would stay. */
function lostRights(deployed: Template, next: Template): readonly string[] {
  return Object.entries(deployed.Resources ?? {}).flatMap(([id, before]) => {
    if (!isBurstRole(before)) return [];
    const kept = rightsOf(next.Resources?.[id]);
    const lost = [...rightsOf(before)].filter((right) => !kept.has(right));
    if (lost.length === 0) return [];
    const [first = ""] = lost.map((right) => right.split(" ")[0]);
    return [`${nameOf(id)} (${before.Type}) would lose ${lost.length} rights, ${first} among them`];
  });
}

function isBurstRole({ Type, Properties: properties = {} }: TemplateResource): boolean {
  const trust = stable(properties.AssumeRolePolicyDocument ?? {});
  return Type === "AWS::IAM::Role" && trust.includes('"Service":"cloudformation.amazonaws.com"');
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Each action with what it is allowed on. */
function rightsOf(role: TemplateResource | undefined): ReadonlySet<string> {
  const policies = (role?.Properties?.Policies ?? []) as readonly {
    readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  }[];
  const statements = policies.flatMap(({ PolicyDocument: { Statement: all } }) => all);
  return new Set(
    statements.flatMap(({ Action, Resource, Condition = {} }) =>
      [Action].flat().map((action) => `${action} ${stable([Resource, Condition])}`),
    ),
  );
}

/** Names of resources as people wrote them; what follows only makes them unique. */
function nameOf(logicalId: string): string {
  return logicalId.replace(/(?<=.)[0-9A-F]{8}$/, "").replace(/^Service(?=.)/, "");
}
