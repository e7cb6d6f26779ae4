/** The two weighted alias records: read back, compared with what was commanded, changed at once. */
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  NoSuchChange,
  type ResourceRecordSet,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import { recordIdentifiers } from "../core/deployment.ts";
import { lambdaOnly, type Route, type Tier } from "../core/index.ts";
import { toRoute53Weights } from "../core/route.ts";
import type { DomainFacts } from "./deployment.ts";

/** An alias target. */
export interface AliasFacts {
  readonly name: string;
  readonly zoneId: string;
}

/** The records of the domain that the controller owns. */
export type OwnRecords = Readonly<Record<Tier, ResourceRecordSet | null>>;

/** Record sets of one name at most that are looked through. */
const recordsMax = 100;

/** A name in a zone. */
export type RecordPlace = Pick<DomainFacts, "name" | "zoneId">;

/** Reads the records of both tiers. Others of the same name are not the controller's. */
export async function readRecords(client: Route53Client, domain: RecordPlace): Promise<OwnRecords> {
  return ownAmong(await listRecords(client, domain), domain);
}

/**
 * The route that the records of the domain stand for. A name that somebody else's record answers
 * cannot be moved, nor can a record of ours stand beside that one: until `lambdaflex deploy
 * --take-domain` replaces it, it counts as the route that needs no change.
 */
export async function readRoute(
  client: Route53Client,
  domain: DomainFacts,
  balancer: AliasFacts | null,
): Promise<Route> {
  const sets = await listRecords(client, domain);
  const own = ownAmong(sets, domain);
  const foreign = sets.some(
    ({ Name, Type, SetIdentifier: id }) =>
      sameName(Name, domain.name) && (Type === "CNAME" || (Type === "A" && id === undefined)),
  );
  return foreign ? lambdaOnly : routeOfRecords(own, domain, balancer);
}

async function listRecords(
  client: Route53Client,
  domain: RecordPlace,
): Promise<readonly ResourceRecordSet[]> {
  const { ResourceRecordSets: sets = [] } = await client.send(
    new ListResourceRecordSetsCommand({
      HostedZoneId: domain.zoneId,
      StartRecordName: domain.name,
      StartRecordType: "A",
      MaxItems: recordsMax,
    }),
  );
  return sets;
}

function ownAmong(sets: readonly ResourceRecordSet[], domain: RecordPlace): OwnRecords {
  const own = (tier: Tier): ResourceRecordSet | null =>
    sets.find((set) => {
      const named = sameName(set.Name, domain.name) && set.Type === "A";
      return named && set.SetIdentifier === recordIdentifiers[tier];
    }) ?? null;
  return { lambda: own("lambda"), fargate: own("fargate") };
}

/**
 * The route that the records stand for. A record that points elsewhere than it should counts as
 * missing, so that the engine sees a difference and commands the right one again. `balancer` is
 * `null` while nobody knows where the Fargate record should point.
 */
export function routeOfRecords(
  records: OwnRecords,
  domain: DomainFacts,
  balancer: AliasFacts | null,
): Route {
  const api = { name: domain.apiTarget, zoneId: domain.apiTargetZone };
  const lambda = records.lambda && pointsTo(records.lambda, api) ? records.lambda : null;
  const { fargate } = records;
  const rightly = fargate !== null && (balancer === null || pointsTo(fargate, balancer));
  const weights = { lambda: lambda?.Weight ?? 0, fargate: rightly ? (fargate?.Weight ?? 0) : 0 };
  const sum = weights.lambda + weights.fargate;
  const share = sum === 0 ? 0 : Math.round((100 * weights.fargate) / sum);
  return {
    // Weights that are all 0 are no route that was ever commanded.
    lambda: sum === 0 ? 0 : 100 - share,
    fargate: share,
    fargateRecord: rightly,
  };
}

/**
 * The region, other than this one, that a record leads into; `null` if none does. A zone knows no
 * region: the same domain deployed in two of them would have the same records, and each of the two
 * controllers would take them from the other.
 */
export function otherRegion(
  records: readonly (ResourceRecordSet | null)[],
  region: string,
): string | null {
  for (const record of records) {
    const found = regionOf(record?.AliasTarget?.DNSName ?? "");
    if (found !== null && found !== region) return found;
  }
  return null;
}

/** The region that the name of an API or a balancer holds. */
function regionOf(name: string): string | null {
  return /\.([a-z]{2}(?:-[a-z]+)+-\d+)\./.exec(name.toLowerCase())?.[1] ?? null;
}

/** Removes the records of both tiers, unless they lead into another region; tells how many. */
export async function removeRecords(
  client: Route53Client,
  domain: RecordPlace,
  region: string,
): Promise<number> {
  const records = await readRecords(client, domain);
  if (otherRegion(Object.values(records), region) !== null) return 0;
  const changes = Object.values(records).flatMap((record) =>
    record === null ? [] : [{ Action: "DELETE" as const, ResourceRecordSet: record }],
  );
  if (changes.length > 0) await send(client, domain, changes);
  return changes.length;
}

/** Brings both records to `route` in one batch. Resolves with the id of the change. */
export async function changeRecords(
  client: Route53Client,
  domain: DomainFacts,
  route: Route,
  balancer: AliasFacts | null,
): Promise<string> {
  const records = await readRecords(client, domain);
  const here = regionOf(domain.apiTarget);
  const other = here === null ? null : otherRegion(Object.values(records), here);
  if (other !== null)
    throw new Error(`the records of ${domain.name} lead to ${other}: another deployment has them`);
  const weights = toRoute53Weights(route);
  const api = { name: domain.apiTarget, zoneId: domain.apiTargetZone };
  const changes: Change[] = [upsert(domain, "lambda", weights.lambda, api)];
  if (route.fargateRecord) {
    const target = balancer ?? (route.fargate === 0 ? aliasOf(records.fargate) : null);
    if (target === null) throw new Error("there is no balancer that a record could point to");
    changes.push(upsert(domain, "fargate", weights.fargate, target));
  } else if (records.fargate !== null) {
    changes.push({ Action: "DELETE", ResourceRecordSet: records.fargate });
  }
  return send(client, domain, changes);
}

async function send(
  client: Route53Client,
  { zoneId }: RecordPlace,
  changes: Change[],
): Promise<string> {
  const { ChangeInfo: info } = await client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: { Comment: "lambdaflex", Changes: changes },
    }),
  );
  return info?.Id ?? "";
}

/** Whether every name server has taken a change over. Route 53 forgets changes that long have. */
export async function isInSync(client: Route53Client, changeId: string): Promise<boolean> {
  try {
    const { ChangeInfo: info } = await client.send(new GetChangeCommand({ Id: changeId }));
    return info?.Status === "INSYNC";
  } catch (error) {
    if (error instanceof NoSuchChange) return true;
    throw error;
  }
}

function upsert(domain: DomainFacts, tier: Tier, weight: number, target: AliasFacts): Change {
  return { Action: "UPSERT", ResourceRecordSet: tierRecord(domain, tier, weight, target) };
}

/** The record of a tier, as it is made. */
export function tierRecord(
  domain: RecordPlace,
  tier: Tier,
  weight: number,
  target: AliasFacts,
): ResourceRecordSet {
  return {
    Name: domain.name,
    Type: "A",
    SetIdentifier: recordIdentifiers[tier],
    Weight: weight,
    AliasTarget: {
      HostedZoneId: target.zoneId,
      DNSName: target.name,
      // On both, so that DNS alone falls back to the other tier when one is dead.
      EvaluateTargetHealth: true,
    },
  };
}

function aliasOf(record: ResourceRecordSet | null): AliasFacts | null {
  const { DNSName: name, HostedZoneId: zoneId } = record?.AliasTarget ?? {};
  return name === undefined || zoneId === undefined ? null : { name, zoneId };
}

function pointsTo(record: ResourceRecordSet, target: AliasFacts): boolean {
  const alias = aliasOf(record);
  return alias !== null && alias.zoneId === target.zoneId && sameName(alias.name, target.name);
}

/** Route 53 writes names in lower case with a dot at the end, consoles with `dualstack.`. */
function sameName(a: string | undefined, b: string): boolean {
  const plain = (name: string): string =>
    name
      .toLowerCase()
      .replace(/\.$/, "")
      .replace(/^dualstack\./, "");
  return a !== undefined && plain(a) === plain(b);
}
