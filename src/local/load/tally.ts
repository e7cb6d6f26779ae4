/** Counts what became of the requests: by tier, by status, by latency. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Tier } from "../../core/types.ts";
import type { LoadFailure, LoadStats, RequestTemplate, TierLoadStats } from "./load.ts";

/** The end of one request. */
export interface Ending {
  /** Virtual time. */
  readonly atMs: number;
  readonly tier: Tier | null;
  readonly template: RequestTemplate;
  /** `null` without an answer. */
  readonly status: number | null;
  /** `null` if nothing is wrong. */
  readonly error: string | null;
  /** Real time since the intended arrival. */
  readonly latencyMs: number;
}

/** A running count. */
export interface Tally {
  ended(ending: Ending): void;
  /** The generator sent a request `lateMs` after its time. */
  late(lateMs: number): void;
  /** Everything so far; rates cover the real second before `nowMs`. */
  snapshot(nowMs: number, outstanding: number): LoadStats;
}

interface TierCount {
  requests: number;
  failed: number;
  readonly statuses: Record<string, number>;
  readonly latencyUs: RecordableHistogram;
}

/** Kinds of failures that are told apart. */
const failureKindsMax = 50;
/** Real span that `perSecond` covers. */
const rateMs = 1000;

/** Creates an empty tally. */
export function createTally(): Tally {
  const tiers: Readonly<Record<Tier, TierCount>> = { lambda: newCount(), fargate: newCount() };
  const failures = new Map<string, { -readonly [K in keyof LoadFailure]: LoadFailure[K] }>();
  /** Earlier counts, oldest first: all that are younger than a second, and one older. */
  const history: { nowMs: number; total: number; lambda: number; fargate: number }[] = [];
  let requests = 0;
  let failed = 0;
  let lateMsMax = 0;

  const fail = ({ atMs, tier, template, status, error }: Ending): void => {
    failed += 1;
    if (tier) tiers[tier].failed += 1;
    const { method, path } = template;
    const kind = JSON.stringify([tier, method, path, status, error]);
    const known = failures.get(kind);
    if (known) known.count += 1;
    else if (failures.size < failureKindsMax) {
      failures.set(kind, { atMs, tier, method, path, status, error: error ?? "", count: 1 });
    }
  };
  return {
    ended(ending) {
      const { tier, status, error, latencyMs } = ending;
      requests += 1;
      if (tier) {
        const count = tiers[tier];
        count.requests += 1;
        if (status !== null) {
          count.statuses[status] = (count.statuses[status] ?? 0) + 1;
          count.latencyUs.record(Math.max(1, Math.round(latencyMs * 1000)));
        }
      }
      if (error !== null) fail(ending);
    },
    late(lateMs) {
      lateMsMax = Math.max(lateMsMax, lateMs);
    },
    snapshot(nowMs, outstanding) {
      const { lambda, fargate } = tiers;
      const now = { nowMs, total: requests, lambda: lambda.requests, fargate: fargate.requests };
      history.push(now);
      while ((history[1]?.nowMs ?? nowMs) <= nowMs - rateMs) history.shift();
      const then = history[0] ?? now;
      // A load that has just started has no second behind it: its rate grows from 0.
      const seconds = Math.max(rateMs, nowMs - then.nowMs) / 1000;
      return {
        requests,
        failed,
        perSecond: (now.total - then.total) / seconds,
        outstanding,
        lateMsMax,
        byTier: {
          lambda: tierStats(lambda, (now.lambda - then.lambda) / seconds),
          fargate: tierStats(fargate, (now.fargate - then.fargate) / seconds),
        },
        failures: [...failures.values()].map((failure) => ({ ...failure })),
      };
    },
  };
}

function newCount(): TierCount {
  return { requests: 0, failed: 0, statuses: {}, latencyUs: createHistogram() };
}

function tierStats(count: TierCount, perSecond: number): TierLoadStats {
  const { requests, failed, statuses, latencyUs } = count;
  const percentile = (percent: number): number | null =>
    latencyUs.count > 0 ? latencyUs.percentile(percent) / 1000 : null;
  const p50Ms = percentile(50);
  return { requests, failed, perSecond, p50Ms, p99Ms: percentile(99), statuses: { ...statuses } };
}
