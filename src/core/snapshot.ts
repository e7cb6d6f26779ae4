/** Makes the snapshot that views show from what an adapter observed and the engine derived. */
import { type AlarmDefinition, datapoints } from "./alarms.ts";
import { type CostProfile, type CostWindow, costOfWindows } from "./cost.ts";
import type { Prices } from "./prices.ts";
import type { AlarmReading, CostReading, Snapshot, SwitchReading, TierReading } from "./record.ts";
import type {
  Decision,
  EngineSettings,
  Observation,
  RecentTraffic,
  Sample,
  Status,
  Step,
  Tier,
} from "./types.ts";

/** A window of the bill that knows when it began. */
export interface DatedCostWindow extends CostWindow {
  readonly startMs: number;
}

/** What a snapshot is made of. */
export interface SnapshotSource {
  readonly service: string;
  readonly policy: string;
  readonly nowMs: number;
  readonly status: Status;
  readonly world: Observation;
  readonly step: Pick<Step, "phase" | "wait">;
  readonly decision: Decision;
  readonly settings: EngineSettings;
  readonly definitions: readonly AlarmDefinition[];
  /** Lambda environments that exist, `null` if nobody can tell. */
  readonly environments: number | null;
  /** Why the target is what it is, `null` if that is not remembered. */
  readonly switchReason: string | null;
  /** Oldest first and without a gap; empty if nothing was counted. */
  readonly windows: readonly DatedCostWindow[];
  readonly profile: CostProfile;
  /** @default the prices of us-east-1 */
  readonly prices?: Prices;
}

/** One snapshot of the whole. */
export function snapshotOf(source: SnapshotSource): Snapshot {
  const { service, policy, nowMs, status, world, step, decision, settings } = source;
  return {
    atMs: nowMs,
    service,
    phase: step.phase,
    target: status.target,
    targetSinceMs: status.targetSinceMs,
    route: world.dns.route,
    inSync: world.dns.inSync,
    wait: step.wait,
    reason: decision.reason,
    policy,
    override: status.override,
    dwellUntilMs: dwellUntil(status, settings, nowMs),
    dwellMs: { lambda: settings.dwellLambdaMs, fargate: settings.dwellFargateMs },
    holdUntilMs:
      status.holdUntilMs !== null && status.holdUntilMs > nowMs ? status.holdUntilMs : null,
    failures: status.failures,
    tiers: tierReadings(source),
    alarms: source.definitions.map((definition) => readAlarm(definition, world)),
    lastSwitch: lastSwitch(source),
    cost: costReading(source),
    loadFactor: null,
  };
}

function dwellUntil(status: Status, settings: EngineSettings, nowMs: number): number | null {
  const dwellMs = status.target === "fargate" ? settings.dwellFargateMs : settings.dwellLambdaMs;
  const untilMs = status.targetSinceMs + dwellMs;
  // A service that has never moved owes no stay to anybody.
  return status.targetSinceMs > 0 && untilMs > nowMs ? untilMs : null;
}

function tierReadings({ world, environments }: SnapshotSource): Snapshot["tiers"] {
  const { lambda, fargate, dns, recent, samples } = world;
  const traffic = (
    tier: Tier,
  ): Omit<TierReading, "state" | "weight" | "digest" | "running" | "desired" | "failure"> => ({
    ...ratesOf(recent[tier]),
    latencyMsP50: null,
    latencyMsP99: newest(samples, tier)?.latencyMsP99 ?? null,
    failed: null,
  });
  return {
    lambda: {
      state: lambda.state,
      weight: dns.route.lambda,
      digest: lambda.digest,
      running: environments,
      desired: null,
      ...traffic("lambda"),
      failure: null,
    },
    fargate: {
      state: fargate.state,
      weight: dns.route.fargate,
      digest: fargate.digest,
      running: fargate.tasksHealthy,
      desired: fargate.tasksDesired,
      ...traffic("fargate"),
      failure: fargate.failure,
    },
  };
}

function ratesOf({ windowMs, requests, errors }: RecentTraffic): {
  readonly requestsPerSecond: number | null;
  readonly errorShare: number | null;
} {
  return {
    requestsPerSecond: windowMs > 0 ? (requests * 1000) / windowMs : null,
    errorShare: requests > 0 ? errors / requests : null,
  };
}

function newest(samples: readonly Sample[], tier: Tier): Sample | undefined {
  return samples.findLast((sample) => sample.tier === tier);
}

/**
 * What an alarm compares now: the newest datapoints of as many periods as it looks at. CloudWatch
 * reports a minute some time after its end; until then it is not one without data.
 */
export function readAlarm(
  definition: AlarmDefinition,
  world: Pick<Observation, "alarms" | "samples">,
): AlarmReading {
  const { name, sentence, threshold, comparison, treatMissingData } = definition;
  const periodMs = definition.periodSeconds * 1000;
  const last = world.samples.at(-1);
  const toMs = last === undefined ? 0 : last.startMs + last.periodMs;
  const fromMs = toMs - definition.evaluationPeriods * periodMs;
  const points = datapoints(definition, world.samples, fromMs, toMs);
  const below = comparison === "LessThanThreshold";
  const breaches = (point: number | null): boolean => {
    if (point === null) return treatMissingData === "breaching";
    return below ? point < threshold : point >= threshold;
  };
  return {
    name,
    state: world.alarms[name],
    sentence,
    threshold,
    breachesWhen: below ? "below" : "at-least",
    value: points.at(-1) ?? null,
    breaching: points.filter(breaches).length,
    periodsToAlarm: definition.datapointsToAlarm,
    periods: definition.evaluationPeriods,
  };
}

function lastSwitch({
  status,
  switchReason,
  windows,
  profile,
  prices,
}: SnapshotSource): SwitchReading | null {
  const { target, targetSinceMs } = status;
  if (targetSinceMs === 0) return null;
  const base = { atMs: targetSinceMs, to: target, reason: switchReason };
  const at = windows.findIndex(({ startMs, periodMs }) => startMs + periodMs > targetSinceMs);
  // A bill that misses the beginning would call the switch cheaper than it was.
  const first = windows[at];
  if (first === undefined || first.startMs > targetSinceMs) {
    return { ...base, actualUsd: null, stayedUsd: null };
  }
  const whole = costOfWindows(windows, profile, prices);
  const before = costOfWindows(windows.slice(0, at), profile, prices);
  const stayed = target === "fargate" ? "alwaysLambda" : "alwaysFargate";
  return {
    ...base,
    // Of the balancer's hours only those count that began after the switch.
    actualUsd: whole.actual.usd - before.actual.usd,
    stayedUsd: whole[stayed].usd - before[stayed].usd,
  };
}

function costReading({ windows, profile, prices }: SnapshotSource): CostReading | null {
  const [first] = windows;
  if (first === undefined) return null;
  const { actual, alwaysLambda, alwaysFargate } = costOfWindows(windows, profile, prices);
  return {
    sinceMs: first.startMs,
    actualUsd: actual.usd,
    alwaysLambdaUsd: alwaysLambda.usd,
    alwaysFargateUsd: alwaysFargate.usd,
  };
}
