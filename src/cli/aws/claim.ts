/** Who answers for a name: nobody, a deployment of ours, or a service that is live already. */
import {
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandInput,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { otherRegion } from "../../aws/records.ts";
import { UserError } from "../../config/errors.ts";
import { recordIdentifiers } from "../../core/deployment.ts";
import type { Zone } from "./domain.ts";
import { clientOf, type Session } from "./session.ts";

/** Pages that a name's records are looked for on at most; a name has a handful. */
const recordPagesMax = 10;

/**
 * The types that lead clients somewhere. An AAAA that stays would keep half of them at the old
 * service, and an HTTPS record may hold addresses of its own.
 */
const leading: ReadonlySet<string> = new Set(["A", "AAAA", "CNAME", "HTTPS"]);

/** Records of a name that lead elsewhere than to this deployment; none for a name that is free. */
export interface Claim {
  readonly domain: string;
  readonly zoneId: string;
  readonly foreign: readonly ResourceRecordSet[];
  /** Whether a record of this deployment answers as well. */
  readonly ours: boolean;
}

/**
 * Reads who answers for the name. Throws UserError DOMAIN_TAKEN if it is a deployment of ours in
 * another region, whose records must not be taken from it.
 */
export async function readClaim(session: Session, zone: Zone, domain: string): Promise<Claim> {
  const found = await recordsAt(new Route53Client(clientOf(session)), zone, domain);
  const tiers: readonly (string | undefined)[] = Object.values(recordIdentifiers);
  const own = (record: ResourceRecordSet): boolean =>
    record.Type === "A" && tiers.includes(record.SetIdentifier);
  const where = otherRegion(found.filter(own), session.region);
  if (where !== null) {
    const message = `a deployment in ${where} answers for ${domain}`;
    const hint = `Destroy it with --region ${where}, or choose another domain or region.`;
    throw new UserError("DOMAIN_TAKEN", message, hint);
  }
  const foreign = found.filter((record) => !own(record));
  return { domain, zoneId: zone.id, foreign, ours: foreign.length < found.length };
}

/** Throws UserError DOMAIN_TAKEN if somebody else's records answer for the name. */
export function requireFree({ domain, foreign }: Claim): void {
  if (foreign.length === 0) return;
  const message = `${domain} has records already: ${foreign.map(recordText).join("; ")}`;
  const hint = foreign.some(isRouted)
    ? `Deploy with another name below the zone. ${routedHint}`
    : "If they are of the service that this one replaces: lambdaflex deploy --take-domain " +
      "deploys everything, waits until it answers, and then replaces them at once. Otherwise " +
      "deploy with another name below the zone.";
  throw new UserError("DOMAIN_TAKEN", message, hint);
}

const routedHint =
  "Records with a routing policy are of a whole set that only its owner can take apart: bring " +
  "the name to one simple record first, then run lambdaflex deploy --take-domain.";

/** Throws UserError DOMAIN_NOT_SIMPLE if the records are not simple ones that could be replaced. */
export function requireTakeable({ domain, foreign }: Claim): void {
  const routed = foreign.filter(isRouted);
  if (routed.length === 0) return;
  const list = routed.map(recordText).join("; ");
  const message = `records of ${domain} have a routing policy: ${list}`;
  throw new UserError("DOMAIN_NOT_SIMPLE", message, routedHint);
}

function isRouted({ SetIdentifier: id, TrafficPolicyInstanceId: policy }: ResourceRecordSet) {
  return id !== undefined || policy !== undefined;
}

/** A record in one line: type, where it leads, and for how long that is remembered. */
export function recordText(record: ResourceRecordSet): string {
  const { Type, AliasTarget, ResourceRecords: values = [], TTL, SetIdentifier: id } = record;
  const to = AliasTarget?.DNSName ?? values.map(({ Value }) => Value).join(", ");
  const set = id === undefined ? "" : ` (${id})`;
  return `${Type} ${to}${TTL === undefined ? "" : ` for ${TTL} s`}${set}`;
}

/** The records that answer for a name, or that none of ours could stand beside. */
async function recordsAt(
  client: Route53Client,
  { id }: Zone,
  domain: string,
): Promise<readonly ResourceRecordSet[]> {
  const found: ResourceRecordSet[] = [];
  let from: Partial<ListResourceRecordSetsCommandInput> | null = { StartRecordName: domain };
  for (let page = 0; page < recordPagesMax && from !== null; page += 1) {
    const answer: ListResourceRecordSetsCommandOutput = await client.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: id, ...from }),
    );
    const all = answer.ResourceRecordSets ?? [];
    const here = all.filter(({ Name }) => Name === `${domain}.`);
    found.push(...here.filter(({ Type = "" }) => leading.has(Type)));
    // Names come sorted: the first other one ends ours.
    const ended = here.length < all.length || answer.IsTruncated !== true;
    from = ended
      ? null
      : {
          StartRecordName: answer.NextRecordName,
          StartRecordType: answer.NextRecordType,
          StartRecordIdentifier: answer.NextRecordIdentifier,
        };
  }
  return found;
}
