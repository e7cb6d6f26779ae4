/** Route 53: batches that take time to reach every server, and what resolvers then see. */
import { balancerOf, healthyBehind } from "./elb.ts";
import type { World } from "./world.ts";

/** A record set, as Route 53 stores it. */
export interface RecordSet {
  readonly Name: string;
  readonly Type: string;
  readonly SetIdentifier?: string;
  readonly Weight?: number;
  readonly TTL?: number;
  readonly ResourceRecords?: readonly { readonly Value: string }[];
  readonly AliasTarget?: {
    readonly HostedZoneId: string;
    readonly DNSName: string;
    readonly EvaluateTargetHealth: boolean;
  };
}

/** One change of a zone. */
export interface ZoneChange {
  readonly id: string;
  readonly submittedMs: number;
  readonly insyncMs: number;
}

/** A hosted zone: what the control plane says, and what the servers answer. */
export interface HostedZone {
  readonly id: string;
  readonly name: string;
  records: readonly RecordSet[];
  /** What each of the servers answers: they take a change over one after the other. */
  servers: (readonly RecordSet[])[];
  /** Number of the change that each server took over last. */
  readonly taken: number[];
  readonly changes: ZoneChange[];
}

/** Name servers of a zone. */
const serverCount = 4;

/** A zone without records. */
export function addZone(world: World, name: string, id = `Z${world.uniqueId(14)}`): HostedZone {
  const zone: HostedZone = {
    id: id.toUpperCase(),
    name: absolute(name),
    records: [],
    servers: Array.from({ length: serverCount }, () => []),
    taken: [],
    changes: [],
  };
  world.zones.set(zone.id, zone);
  return zone;
}

/** A name as Route 53 writes it: lower case, with the dot of the root. */
export function absolute(name: string): string {
  return name.endsWith(".") ? name.toLowerCase() : `${name.toLowerCase()}.`;
}

/** What makes two record sets the same one. */
export function recordKey(record: RecordSet): string {
  return `${absolute(record.Name)}|${record.Type}|${record.SetIdentifier ?? ""}`;
}

/** Takes `records` over at once, and lets the servers follow within a minute. */
export function changeZone(
  world: World,
  zone: HostedZone,
  records: readonly RecordSet[],
): ZoneChange {
  const delayMs = world.delays.dnsMs();
  const version = zone.changes.length + 1;
  zone.records = records;
  for (let server = 0; server < serverCount; server += 1) {
    const share = server === serverCount - 1 ? 1 : world.random();
    world.after(delayMs * share, () => {
      // A newer change may have been faster: servers never go back.
      if ((zone.taken[server] ?? 0) > version) return;
      zone.servers[server] = records;
      zone.taken[server] = version;
    });
  }
  const change: ZoneChange = {
    id: `C${world.uniqueId(20).toUpperCase()}`,
    submittedMs: world.nowMs,
    insyncMs: world.nowMs + delayMs,
  };
  zone.changes.push(change);
  return change;
}

/** A change made behind the controller's back, by hand. */
export function changeByHand(
  world: World,
  zone: HostedZone,
  change: (records: readonly RecordSet[]) => readonly RecordSet[],
): void {
  changeZone(world, zone, change(zone.records));
}

/** Where one server sends a client, as shares of the alias targets; empty = no such name. */
export function answers(
  world: World,
  zone: HostedZone,
  server: number,
  name: string,
): ReadonlyMap<string, number> {
  const wanted = absolute(name);
  const found = (zone.servers[server] ?? []).filter(
    (record) => absolute(record.Name) === wanted && record.Type === "A",
  );
  const shares = new Map<string, number>();
  for (const record of eligible(world, found)) {
    const target = record.AliasTarget?.DNSName ?? record.ResourceRecords?.[0]?.Value ?? "";
    shares.set(target, (shares.get(target) ?? 0) + record.share);
  }
  return shares;
}

interface Share extends RecordSet {
  readonly share: number;
}

/** Non-zero weights first; if all of those are unhealthy, the zero-weight records. */
function eligible(world: World, records: readonly RecordSet[]): readonly Share[] {
  const healthy = (record: RecordSet): boolean => {
    if (!record.AliasTarget?.EvaluateTargetHealth) return true;
    const { DNSName } = record.AliasTarget;
    if (!DNSName.includes(".elb.")) return true;
    const balancer = balancerOf(world, DNSName);
    return balancer !== null && healthyBehind(world, balancer) > 0;
  };
  const weighted = records.filter(({ Weight }) => (Weight ?? 1) > 0);
  const idle = records.filter(({ Weight }) => Weight === 0);
  const groups = [weighted.filter(healthy), idle.filter(healthy), weighted, idle];
  const group = groups.find((some) => some.length > 0) ?? [];
  const weightOf = (record: RecordSet): number => record.Weight || 1;
  const sum = group.reduce((total, record) => total + weightOf(record), 0);
  return group.map((record) => ({ ...record, share: weightOf(record) / sum }));
}
