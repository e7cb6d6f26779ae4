/**
 * Watches what the controller does to the account, and compares it with what is true there: the
 * invariants of src/core/invariants.ts, but over the world and not over what was observed of it.
 */
import { type BaseStack, burstStack, domain } from "../base-stack.ts";
import type { Call, Loopback } from "../loopback/server.ts";
import { absolute, type RecordSet } from "../world/dns.ts";
import { balancerOf, healthyBehind } from "../world/elb.ts";
import { digestOfImage, type World } from "../world/world.ts";

/** A state of the two records. */
export interface Weights {
  readonly atMs: number;
  readonly lambda: number | null;
  readonly fargate: number | null;
}

/** What was seen. */
export interface Monitor {
  /** Each change of the weights, oldest first. */
  readonly weights: Weights[];
  /** What must never happen, but did. */
  readonly violations: string[];
}

/** TTL of the records; nobody may still know an address that is removed. */
const ttlMs = 60_000;

const changing = new Set(["ok", "fails-after", "breaks-after", "dies-after"]);

/** Begins to watch. */
export function monitor(world: World, aws: Loopback, base: BaseStack): Monitor {
  const seen: Monitor = { weights: [], violations: [] };
  let before: Weights = { atMs: world.nowMs, lambda: null, fargate: null };
  aws.onCall = (call) => {
    if (!changing.has(call.outcome)) return;
    if (call.action === "ChangeResourceRecordSets") {
      const now = weightsOf(world, base);
      if (now.lambda !== before.lambda || now.fargate !== before.fargate) seen.weights.push(now);
      seen.violations.push(...wrongWeights(world, base, before, now));
      before = now;
    }
    if (call.action === "DeleteStack") seen.violations.push(...earlyRemoval(world, base, call));
  };
  return seen;
}

function ownRecords(base: BaseStack): readonly RecordSet[] {
  return base.zone.records.filter(({ Name }) => Name === absolute(domain));
}

function weightsOf(world: World, base: BaseStack): Weights {
  const weight = (tier: string): number | null =>
    ownRecords(base).find(({ SetIdentifier }) => SetIdentifier === tier)?.Weight ?? null;
  return { atMs: world.nowMs, lambda: weight("lambda"), fargate: weight("fargate") };
}

function wrongWeights(world: World, base: BaseStack, before: Weights, now: Weights): string[] {
  const wrong: string[] = [];
  const at = `at ${new Date(world.nowMs).toISOString()}`;
  if (now.lambda === null) wrong.push(`4: the Lambda record is gone ${at}`);
  if ((now.lambda ?? 0) + (now.fargate ?? 0) === 0) wrong.push(`2: all weights are 0 ${at}`);
  if ((now.fargate ?? 0) <= (before.fargate ?? 0)) return wrong;
  const record = ownRecords(base).find(({ SetIdentifier }) => SetIdentifier === "fargate");
  const balancer = balancerOf(world, record?.AliasTarget?.DNSName ?? "");
  if (balancer === null || healthyBehind(world, balancer) === 0) {
    wrong.push(`1: weight ${now.fargate} for Fargate, which has no healthy target ${at}`);
  }
  const live = liveDigest(world);
  const service = [...world.services.values()][0];
  const image = world.taskDefinitions.get(service?.taskDefinition ?? "")?.containers[0]?.image;
  if (live !== digestOfImage(image ?? "")) wrong.push(`9: weight for another image ${at}`);
  return wrong;
}

function liveDigest(world: World): string {
  const found = world.functions.get("shop-app");
  const version = found?.aliases.get("live") ?? "";
  return digestOfImage(found?.versions.get(version)?.imageUri ?? "");
}

/** Who resolved the name within the last TTL must still find the balancer. */
function earlyRemoval(world: World, base: BaseStack, call: Call): string[] {
  const burst = burstStack(world);
  const dnsName = burst?.outputs.find(({ key }) => key === "AlbDnsName")?.value;
  if (dnsName === undefined) return [];
  const at = `at ${new Date(call.atMs).toISOString()}`;
  const served = base.zone.servers.some((records) =>
    records.some(({ SetIdentifier }) => SetIdentifier === "fargate"),
  );
  if (served) return [`3: removal while a name server still answers with Fargate ${at}`];
  const last = base.zone.changes.at(-1);
  const early = last !== undefined && world.nowMs - last.insyncMs < ttlMs;
  return early ? [`10: removal ${world.nowMs - last.insyncMs} ms after the last change ${at}`] : [];
}
