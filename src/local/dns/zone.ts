/**
 * The zone of one service: what each name answers.
 *
 * Both tiers listen on 127.0.0.1, so an address alone can not tell them apart. The weighted answer
 * is therefore an SRV record (RFC 2782), which names a port as well.
 */
import type { Answer } from "dns-packet";
import type { Random } from "../../core/random.ts";
import { pickTier, type WeightedRecord } from "../../core/route.ts";
import type { Tier } from "../../core/types.ts";
import type { Endpoint } from "../service.ts";
import { type Question, type Reply, rcode, typeNumber } from "./wire.ts";

/** A weighted record and where its tier listens; without an endpoint it is never answered. */
export interface DnsRecord extends WeightedRecord {
  readonly endpoint: Endpoint | null;
}

/** What the answers of a zone are made of. */
export interface Zone {
  /** Name of the service and of the zone, in lower case. */
  readonly host: string;
  readonly ttlSeconds: number;
  /** Read anew for each question. */
  readonly records: () => readonly DnsRecord[];
  readonly random: Random;
}

/** The name that clients of `host` ask for its SRV record. */
export function serviceName(host: string): string {
  return `_http._tcp.${host}`;
}

/** The name of one tier's address. */
export function tierName(tier: Tier, host: string): string {
  return `${tier}.${host}`;
}

const loopback = "127.0.0.1";
/** How long the absence of a name may be remembered, the minimum of the SOA record. */
const absentSeconds = 5;

/** The answer to one question. */
export function answer(zone: Zone, question: Question): Reply {
  const { host } = zone;
  const inZone = question.name === host || question.name.endsWith(`.${host}`);
  const transfer = question.type === typeNumber.AXFR || question.type === typeNumber.IXFR;
  if (question.class !== 1 || !inZone || transfer) return bareReply(rcode.refused);
  const sets = recordSets(zone, question.name);
  if (sets === null) return { ...absent(zone), rcode: rcode.nameError };
  for (const [type, found] of sets) {
    // ANY may be answered with one set of the name's choice (RFC 8482).
    if (question.type !== type && question.type !== typeNumber.ANY) continue;
    const { answers, additionals } = found();
    if (answers.length > 0) return { ...absent(zone), authorities: [], answers, additionals };
  }
  return absent(zone);
}

/** An answer without any section, for questions that are not ours. */
export function bareReply(code: number): Reply {
  return { rcode: code, authoritative: false, answers: [], authorities: [], additionals: [] };
}

type RecordSet = () => Pick<Reply, "answers" | "additionals">;

/** The sets of records that a name has, `null` when the name does not exist. */
function recordSets(zone: Zone, name: string): ReadonlyMap<number, RecordSet> | null {
  const { host, ttlSeconds } = zone;
  const only = (record: Answer): RecordSet => {
    return () => ({ answers: [record], additionals: [] });
  };
  const address = only({ type: "A", name, ttl: ttlSeconds, data: loopback });
  switch (name) {
    case host: {
      const server: Answer = { type: "NS", name, ttl: ttlSeconds, data: `ns.${host}` };
      return new Map([
        [typeNumber.A, address],
        [typeNumber.SOA, only(startOfAuthority(zone))],
        [typeNumber.NS, only(server)],
      ]);
    }
    case `ns.${host}`:
    case tierName("lambda", host):
    case tierName("fargate", host):
      return new Map([[typeNumber.A, address]]);
    case serviceName(host):
      return new Map([[typeNumber.SRV, () => weightedSet(zone, name)]]);
    // Exists because a name below it exists: no data, but no name error either.
    case `_tcp.${host}`:
      return new Map();
    default:
      return null;
  }
}

function weightedSet(zone: Zone, name: string): ReturnType<RecordSet> {
  const records = zone.records().filter((record) => record.endpoint !== null);
  const tier = pickTier(records, zone.random);
  const endpoint = records.find((record) => record.exists && record.tier === tier)?.endpoint;
  if (tier === null || !endpoint) return { answers: [], additionals: [] };
  const target = tierName(tier, zone.host);
  const ttl = zone.ttlSeconds;
  return {
    answers: [{ type: "SRV", name, ttl, data: { target, port: endpoint.port } }],
    additionals: [{ type: "A", name: target, ttl, data: endpoint.host }],
  };
}

function absent(zone: Zone): Reply {
  return {
    rcode: rcode.noError,
    authoritative: true,
    answers: [],
    authorities: [startOfAuthority(zone)],
    additionals: [],
  };
}

function startOfAuthority({ host, ttlSeconds }: Zone): Answer {
  return {
    type: "SOA",
    name: host,
    ttl: Math.min(ttlSeconds, absentSeconds),
    data: {
      mname: `ns.${host}`,
      rname: `hostmaster.${host}`,
      serial: 1,
      refresh: 7200,
      retry: 900,
      expire: 1_209_600,
      minimum: absentSeconds,
    },
  };
}
