/** The records of a removed service: they would point at an API that is gone. */
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { recordIdentifiers } from "../../core/deployment.ts";
import type { Zone } from "../aws/domain.ts";
import { clientOf, type Session } from "../aws/session.ts";

/** Removes the weighted records that are ours, and no others; resolves with how many. */
export async function removeRecords(session: Session, zone: Zone, domain: string): Promise<number> {
  const client = new Route53Client(clientOf(session));
  const { ResourceRecordSets: sets = [] } = await client.send(
    new ListResourceRecordSetsCommand({
      HostedZoneId: zone.id,
      StartRecordName: domain,
      StartRecordType: "A",
      MaxItems: 100,
    }),
  );
  const identifiers: readonly (string | undefined)[] = Object.values(recordIdentifiers);
  const ours = sets.filter(
    ({ Name, Type, SetIdentifier }) =>
      Name === `${domain}.` && Type === "A" && identifiers.includes(SetIdentifier),
  );
  if (ours.length === 0) return 0;
  const changes = ours.map((set) => ({ Action: "DELETE" as const, ResourceRecordSet: set }));
  const batch = { Comment: "lambdaflex destroy", Changes: changes };
  await client.send(
    new ChangeResourceRecordSetsCommand({ HostedZoneId: zone.id, ChangeBatch: batch }),
  );
  return ours.length;
}
