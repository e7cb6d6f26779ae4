/** A batch of record changes: all of it or nothing. */
import { absolute, type HostedZone, type RecordSet, recordKey } from "../../../world/dns.ts";
import { AwsError } from "../../wire/protocol.ts";

/** A change as it arrives: texts where the API has numbers and lists. */
export interface BatchChange {
  readonly Action: string;
  readonly ResourceRecordSet: {
    readonly Name: string;
    readonly Type: string;
    readonly SetIdentifier?: string;
    readonly Weight?: string;
    readonly TTL?: string;
    readonly ResourceRecords?: {
      readonly ResourceRecord?: { readonly Value: string } | readonly { readonly Value: string }[];
    };
    readonly AliasTarget?: {
      readonly HostedZoneId: string;
      readonly DNSName: string;
      readonly EvaluateTargetHealth: string;
    };
  };
}

type AsList = <T>(value: T | readonly T[] | undefined) => readonly T[];

function recordOf({ ResourceRecordSet: given }: BatchChange, asList: AsList): RecordSet {
  const { AliasTarget: alias } = given;
  const values = asList(given.ResourceRecords?.ResourceRecord);
  return {
    Name: absolute(given.Name),
    Type: given.Type,
    ...(given.SetIdentifier !== undefined && { SetIdentifier: given.SetIdentifier }),
    ...(given.Weight !== undefined && { Weight: Number(given.Weight) }),
    ...(given.TTL !== undefined && { TTL: Number(given.TTL) }),
    ...(values.length > 0 && { ResourceRecords: values as readonly { Value: string }[] }),
    ...(alias && {
      AliasTarget: {
        HostedZoneId: alias.HostedZoneId,
        DNSName: absolute(alias.DNSName),
        EvaluateTargetHealth: alias.EvaluateTargetHealth === "true",
      },
    }),
  };
}

function refuse(message: string): never {
  throw new AwsError("InvalidChangeBatch", `[${message}]`);
}

/** The records after the batch. Throws and changes nothing if one change is impossible. */
export function applyBatch(
  zone: HostedZone,
  changes: readonly BatchChange[],
  asList: AsList,
): readonly RecordSet[] {
  const records = new Map(zone.records.map((record) => [recordKey(record), record]));
  for (const change of changes) {
    const record = recordOf(change, asList);
    const key = recordKey(record);
    if (!record.Name.endsWith(zone.name)) {
      refuse(`RRSet with DNS name ${record.Name} is not permitted in zone ${zone.name}`);
    }
    refuseWrongAlias(record);
    if ((record.Weight === undefined) !== (record.SetIdentifier === undefined)) {
      refuse(`Missing field 'SetIdentifier' or 'Weight' in [name='${record.Name}']`);
    }
    if (record.Weight !== undefined && !(record.Weight >= 0 && record.Weight <= 255)) {
      refuse(`Weight ${record.Weight} is out of range`);
    }
    if (change.Action === "DELETE") {
      const existing = records.get(key);
      // A deletion must name the record exactly as it is.
      if (!existing) {
        refuse(`Tried to delete resource record set [name='${record.Name}'] but it was not found`);
      }
      if (JSON.stringify(existing) !== JSON.stringify(record)) {
        refuse(`Tried to delete [name='${record.Name}'] but the values do not match`);
      }
      records.delete(key);
    } else if (change.Action === "CREATE" && records.has(key)) {
      refuse(`Tried to create resource record set [name='${record.Name}'] but it already exists`);
    } else records.set(key, record);
  }
  refuseMixed([...records.values()]);
  return [...records.values()];
}

/** The zones that AWS keeps its balancers and regional API domains in, by the ends of names. */
const awsZones: Readonly<Record<string, string>> = {
  ".us-east-1.elb.amazonaws.com.": "Z35SXDOTRQ7X7K",
  ".execute-api.us-east-1.amazonaws.com.": "Z1UJRXOUMOOFQ8",
};

/** An alias has no TTL of its own, and names the zone that its target lies in. */
function refuseWrongAlias({ Name, Type, TTL, AliasTarget: alias }: RecordSet): void {
  if (alias === undefined) return;
  if (TTL !== undefined) refuse(`An alias has no TTL [name='${Name}', type='${Type}']`);
  const end = Object.keys(awsZones).find((suffix) => alias.DNSName.endsWith(suffix));
  if (end === undefined || awsZones[end] === alias.HostedZoneId) return;
  const target = `${alias.DNSName}, type ${Type} in zone ${alias.HostedZoneId}`;
  const why = "the alias target name does not lie within the target zone";
  refuse(`Tried to create an alias that targets ${target}, but ${why}`);
}

/** A name has either one simple record of a type or weighted ones. */
function refuseMixed(records: readonly RecordSet[]): void {
  for (const { Name, Type } of records.filter((record) => record.Type === "CNAME")) {
    const other = records.find((record) => record.Name === Name && record.Type !== Type);
    if (other) refuse(`RRSet of type ${other.Type} with DNS name ${Name} conflicts with a CNAME`);
  }
  for (const record of records) {
    if (record.SetIdentifier !== undefined) continue;
    const other = records.find(
      ({ Name, Type, SetIdentifier }) =>
        Name === record.Name && Type === record.Type && SetIdentifier !== undefined,
    );
    if (other) refuse(`RRSet ${record.Name} with type ${record.Type} exists as a simple record`);
  }
}
