/** The domain's hosted zone and certificate: found, and fit for the service. */
import { ACMClient, DescribeCertificateCommand } from "@aws-sdk/client-acm";
import {
  GetHostedZoneCommand,
  type HostedZone,
  ListHostedZonesByNameCommand,
  Route53Client,
} from "@aws-sdk/client-route-53";
import { UserError } from "../../config/errors.ts";
import { isNamed } from "./errors.ts";
import { clientOf, type Session } from "./session.ts";

/** A public zone that covers the domain. */
export interface Zone {
  readonly id: string;
  readonly name: string;
}

/** `example.com` covers itself and everything below; names of zones end with a dot. */
function covers(zone: string, domain: string): boolean {
  const name = zone.replace(/\.$/, "");
  return domain === name || domain.endsWith(`.${name}`);
}

function zoneOf({ Id = "", Name = "" }: HostedZone): Zone {
  return { id: Id.replace(/^\/hostedzone\//, ""), name: Name.replace(/\.$/, "") };
}

/** The public zone nearest to the domain, or the one that is given. Throws ZONE_NOT_FOUND. */
export async function findZone(
  session: Session,
  domain: string,
  given: string | null,
): Promise<Zone> {
  const client = new Route53Client(clientOf(session));
  if (given !== null) return requireZone(client, domain, given);
  const labels = domain.split(".");
  const hidden: string[] = [];
  for (let from = 0; from < labels.length - 1; from += 1) {
    const name = labels.slice(from).join(".");
    const { HostedZones: zones = [] } = await client.send(
      new ListHostedZonesByNameCommand({ DNSName: name, MaxItems: 10 }),
    );
    const same = zones.filter((zone) => zone.Name === `${name}.`);
    const visible = same.filter((zone) => zone.Config?.PrivateZone !== true);
    const [first] = visible;
    if (visible.length > 1) throw severalZones(name, visible.map(zoneOf));
    if (first !== undefined) return zoneOf(first);
    hidden.push(...same.map(({ Name = "" }) => Name.replace(/\.$/, "")));
  }
  const message =
    hidden.length > 0
      ? `only private zones cover ${domain}: ${hidden.join(", ")}`
      : `account ${session.account} has no hosted zone for ${domain}`;
  const hint =
    "Create a public zone in Route 53 and delegate it, use the account that has it, " +
    "or leave domain out.";
  throw new UserError("ZONE_NOT_FOUND", message, hint);
}

function severalZones(name: string, zones: readonly Zone[]): UserError {
  const ids = zones.map(({ id }) => id).join(", ");
  const message = `there are several public zones ${name}: ${ids}`;
  return new UserError("ZONE_NOT_FOUND", message, "Choose one with hostedZoneId.");
}

async function requireZone(client: Route53Client, domain: string, id: string): Promise<Zone> {
  const hint = "Correct hostedZoneId, or leave it out: the zone is then looked up by domain.";
  const found = await client.send(new GetHostedZoneCommand({ Id: id })).catch((error) => {
    if (!isNamed(error, "NoSuchHostedZone", "InvalidInput")) throw error;
    throw new UserError("ZONE_NOT_FOUND", `there is no hosted zone ${id}`, hint);
  });
  const zone = found.HostedZone ?? { Id: id, Name: "", CallerReference: "" };
  if (zone.Config?.PrivateZone === true) {
    throw new UserError("ZONE_NOT_FOUND", `the hosted zone ${id} is private`, hint);
  }
  if (!covers(zone.Name ?? "", domain)) {
    const message = `the hosted zone ${id} is of ${zone.Name}, which does not cover ${domain}`;
    throw new UserError("ZONE_NOT_FOUND", message, hint);
  }
  return zoneOf(zone);
}

/** Throws UserError CERTIFICATE_REGION or CERTIFICATE_INVALID unless the service can use it. */
export async function requireCertificate(
  session: Session,
  domain: string,
  arn: string,
): Promise<void> {
  const region = arn.split(":")[3] ?? "";
  if (region !== session.region) {
    const where = region || "no region";
    const message = `the certificate is in ${where}, the service in ${session.region}`;
    const hint = "Request one in that region, or leave certificateArn out: one is made, for free.";
    throw new UserError("CERTIFICATE_REGION", message, hint);
  }
  const hint = "Leave certificateArn out: a certificate is made and renewed, for free.";
  const client = new ACMClient(clientOf(session));
  const command = new DescribeCertificateCommand({ CertificateArn: arn });
  const { Certificate: found } = await client.send(command).catch((error) => {
    if (!isNamed(error, "ResourceNotFoundException", "ValidationException")) throw error;
    throw new UserError("CERTIFICATE_INVALID", `there is no certificate ${arn}`, hint);
  });
  if (found?.Status !== "ISSUED") {
    const message = `the certificate is ${found?.Status ?? "unknown"}, not ISSUED`;
    throw new UserError("CERTIFICATE_INVALID", message, hint);
  }
  const names = [found.DomainName ?? "", ...(found.SubjectAlternativeNames ?? [])];
  if (names.some((name) => matches(name, domain))) return;
  const message = `the certificate covers ${[...new Set(names)].join(", ")}, not ${domain}`;
  throw new UserError("CERTIFICATE_INVALID", message, hint);
}

/** A star stands for one label. */
function matches(name: string, domain: string): boolean {
  if (!name.startsWith("*.")) return name === domain;
  const [label = "", ...rest] = domain.split(".");
  return label !== "" && rest.join(".") === name.slice(2);
}
