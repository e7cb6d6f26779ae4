/** Route 53: batches of changes, records in the order of the API, zones by name. */
import { absolute, changeZone, type HostedZone, type RecordSet } from "../../../world/dns.ts";
import type { World } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { restXml } from "../../wire/rest.ts";
import { applyBatch, type BatchChange } from "./batch.ts";

const version = "/2013-04-01";

const itemNames: Readonly<Record<string, string>> = {
  ResourceRecordSets: "ResourceRecordSet",
  ResourceRecords: "ResourceRecord",
  HostedZones: "HostedZone",
  NameServers: "NameServer",
  VPCs: "VPC",
  ResourceTagSet: "Tag",
};

function zoneOf(world: World, id: string): HostedZone {
  const zone = world.zones.get(plainId(id));
  if (!zone) throw new AwsError("NoSuchHostedZone", `No hosted zone found with ID: ${id}`, 404);
  return zone;
}

const plainId = (id: string): string => id.replace(/^\/(hostedzone|change)\//, "");
const zoneArn = (id: string): string => `arn:aws:route53:::hostedzone/${plainId(id)}`;

const asList = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined || (typeof value === "string" && value === "")
    ? []
    : Array.isArray(value)
      ? value
      : [value as T];

interface ChangeInput {
  readonly Id: string;
  readonly ChangeBatch: { readonly Changes: { readonly Change: BatchChange | BatchChange[] } };
}

interface ListInput {
  readonly Id: string;
  readonly name?: string;
  readonly type?: string;
  readonly identifier?: string;
  readonly maxitems?: string;
}

const changesOf = (input: ChangeInput): readonly BatchChange[] =>
  asList(input.ChangeBatch.Changes.Change);

/** Route 53 sorts by the labels of a name from the right, a name before those below it. */
function sortKey({ Name, Type, SetIdentifier }: RecordSet): string {
  return [absolute(Name).split(".").reverse().join("."), Type, SetIdentifier ?? ""].join("\0");
}

/** Records on one page at most, few enough that callers have to turn pages. */
const pageMax = 2;

function listRecords(input: ListInput, world: World): object {
  const zone = zoneOf(world, input.Id);
  const sorted = [...zone.records].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  const start = sortKey({
    Name: input.name ?? "",
    Type: input.type ?? "",
    ...(input.identifier !== undefined && { SetIdentifier: input.identifier }),
  });
  const rest = input.name === undefined ? sorted : sorted.filter((one) => sortKey(one) >= start);
  const size = Math.min(pageMax, Number(input.maxitems ?? 100));
  const next = rest[size];
  return {
    ResourceRecordSets: rest.slice(0, size),
    IsTruncated: next !== undefined,
    MaxItems: size,
    ...(next && {
      NextRecordName: next.Name,
      NextRecordType: next.Type,
      NextRecordIdentifier: next.SetIdentifier,
    }),
  };
}

function describeZone(zone: HostedZone): object {
  return {
    Id: `/hostedzone/${zone.id}`,
    Name: zone.name,
    CallerReference: "made-by-hand",
    Config: { PrivateZone: false },
    ResourceRecordSetCount: zone.records.length,
  };
}

function zonesByName(input: { dnsname?: string; maxitems?: string }, world: World): object {
  const reversed = (name: string): string => absolute(name).split(".").reverse().join(".");
  const start = input.dnsname === undefined ? "" : reversed(input.dnsname);
  const found = [...world.zones.values()]
    .filter(({ name }) => reversed(name) >= start)
    .sort((a, b) => (reversed(a.name) < reversed(b.name) ? -1 : 1))
    .slice(0, Number(input.maxitems ?? 100));
  return { HostedZones: found.map(describeZone), IsTruncated: false, MaxItems: 100 };
}

function changeInfo(change: { id: string; submittedMs: number; insyncMs: number }, nowMs: number) {
  return {
    ChangeInfo: {
      Id: `/change/${change.id}`,
      Status: change.insyncMs <= nowMs ? "INSYNC" : "PENDING",
      SubmittedAt: new Date(change.submittedMs),
    },
  };
}

/** The service. */
export const route53: Service = {
  scope: "route53",
  protocol: restXml(
    [
      {
        action: "ChangeResourceRecordSets",
        method: "POST",
        path: `${version}/hostedzone/{Id}/rrset`,
      },
      { action: "ListResourceRecordSets", method: "GET", path: `${version}/hostedzone/{Id}/rrset` },
      { action: "GetChange", method: "GET", path: `${version}/change/{Id}` },
      { action: "ListHostedZonesByName", method: "GET", path: `${version}/hostedzonesbyname` },
      { action: "GetHostedZone", method: "GET", path: `${version}/hostedzone/{Id}` },
      { action: "ListHostedZones", method: "GET", path: `${version}/hostedzone` },
    ],
    (list) => itemNames[list] ?? "member",
  ),
  operations: {
    ChangeResourceRecordSets: operation<ChangeInput>(
      (input, world) => {
        const zone = zoneOf(world, input.Id);
        const records = applyBatch(zone, changesOf(input), asList);
        return changeInfo(changeZone(world, zone, records), world.nowMs);
      },
      (input) =>
        access("route53:ChangeResourceRecordSets", zoneArn(input.Id), {
          "route53:ChangeResourceRecordSetsNormalizedRecordNames": changesOf(input).map((change) =>
            absolute(change.ResourceRecordSet.Name).replace(/\.$/, ""),
          ),
          "route53:ChangeResourceRecordSetsRecordTypes": changesOf(input).map(
            (change) => change.ResourceRecordSet.Type,
          ),
          "route53:ChangeResourceRecordSetsActions": changesOf(input).map(({ Action }) => Action),
        }),
    ),
    ListResourceRecordSets: operation<ListInput>(listRecords, (input) =>
      access("route53:ListResourceRecordSets", zoneArn(input.Id)),
    ),
    GetChange: operation<{ Id: string }>(
      (input, world) => {
        const all = [...world.zones.values()].flatMap(({ changes }) => changes);
        const change = all.find(({ id }) => id === plainId(input.Id));
        if (!change) throw new AwsError("NoSuchChange", `Could not find ${input.Id}`, 404);
        return changeInfo(change, world.nowMs);
      },
      (input) => access("route53:GetChange", `arn:aws:route53:::change/${plainId(input.Id)}`),
    ),
    ListHostedZonesByName: operation(zonesByName, () =>
      access("route53:ListHostedZonesByName", "*"),
    ),
    ListHostedZones: operation(
      (_input: object, world) => zonesByName({}, world),
      () => access("route53:ListHostedZones", "*"),
    ),
    GetHostedZone: operation<{ Id: string }>(
      (input, world) => ({
        HostedZone: describeZone(zoneOf(world, input.Id)),
        DelegationSet: { NameServers: ["ns-1.awsdns-01.org", "ns-2.awsdns-02.com"] },
      }),
      (input) => access("route53:GetHostedZone", zoneArn(input.Id)),
    ),
  },
};
