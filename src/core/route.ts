/** Weighted routing with the rules of Route 53, shared by every cloud that answers DNS itself. */
import type { Random } from "./random.ts";
import type { Route, Tier } from "./types.ts";

/** The largest weight that a Route 53 record can have. */
export const weightMax = 255;

/** One weighted record, as far as choosing needs it. */
export interface WeightedRecord {
  readonly tier: Tier;
  /** Whole number from 0 to 255; shares are relative to the sum. */
  readonly weight: number;
  /** What the health evaluation of the record says; a record without one is always healthy. */
  readonly healthy: boolean;
  /** Records that do not exist are never answered. */
  readonly exists: boolean;
}

/**
 * The tier that one resolution is answered with, or `null` when no record exists.
 *
 * Healthy records of positive weight share the answers by weight. Are all of those unhealthy, the
 * healthy ones of weight 0 answer. Is nothing healthy, everything counts as healthy, because an
 * answer that may fail is better than none. Records that all weigh 0 are equal.
 */
export function pickTier(records: readonly WeightedRecord[], random: Random): Tier | null {
  const existing = records.filter((record) => record.exists);
  const healthy = existing.filter((record) => record.healthy);
  const usable = healthy.length > 0 ? healthy : existing;
  const weighted = usable.filter((record) => record.weight > 0);
  if (weighted.length === 0) return pickByWeight(usable, () => 1, random);
  return pickByWeight(weighted, (record) => record.weight, random);
}

function pickByWeight(
  records: readonly WeightedRecord[],
  weightOf: (record: WeightedRecord) => number,
  random: Random,
): Tier | null {
  let left = random() * records.reduce((sum, record) => sum + weightOf(record), 0);
  for (const record of records) {
    left -= weightOf(record);
    if (left < 0) return record.tier;
  }
  return records.at(-1)?.tier ?? null;
}

/**
 * The record weights that stand for a route: per cent while both tiers share the traffic, and 255
 * beside 0 when one has all of it. Both sum to one share, but 255 says at a glance that the shift
 * is over, and the 0 is the fallback that answers when the other tier is unhealthy.
 */
export function toRoute53Weights(route: Route): Readonly<Record<Tier, number>> {
  if (route.lambda === 0) return { lambda: 0, fargate: weightMax };
  if (route.fargate === 0) return { lambda: weightMax, fargate: 0 };
  return { lambda: route.lambda, fargate: route.fargate };
}
