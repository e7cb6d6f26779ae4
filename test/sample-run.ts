/** A made-up run in the form of records: one whole cycle over an hour, for views and readers. */
import type { RunHead, RunRecord, Snapshot, TierReading } from "../src/core/record.ts";
import type { Phase, Tier } from "../src/core/types.ts";

const startMs = Date.UTC(2026, 0, 5, 9);
const minuteMs = 60_000;

/** The first line of the sample. */
export const sampleHead: RunHead = {
  type: "run",
  version: 1,
  atMs: startMs,
  service: "sample",
  command: "rehearse",
  speed: 60,
};

/** When each phase begins, in minutes, with the weight of Fargate and the target. */
const course: readonly (readonly [minute: number, Phase, weight: number, Tier])[] = [
  [0, "steady", 0, "lambda"],
  [10, "provisioning", 0, "fargate"],
  [14, "shifting", 10, "fargate"],
  [17, "shifting", 50, "fargate"],
  [20, "steady", 100, "fargate"],
  [45, "shifting", 50, "lambda"],
  [48, "draining", 0, "lambda"],
  [54, "deprovisioning", 0, "lambda"],
  [58, "steady", 0, "lambda"],
];

function reading(tier: Tier, share: number, perSecond: number, exists: boolean): TierReading {
  const fargate = tier === "fargate";
  const state = exists ? "ready" : "absent";
  return {
    state,
    weight: Math.round(share * 100),
    digest: "sha256:one",
    running: fargate ? (exists ? 3 : 0) : Math.ceil((perSecond * share) / 10),
    desired: fargate ? (exists ? 3 : 0) : null,
    requestsPerSecond: perSecond * share,
    errorShare: 0,
    latencyMsP50: share > 0 ? 4 + share : null,
    latencyMsP99: share > 0 ? 40 + 20 * share : null,
    failed: 0,
    failure: null,
  };
}

/** The snapshot at a share (0 to 1) of the hour. */
export function sampleSnapshot(share: number): Snapshot {
  const minute = share * 60;
  const [, phase, fargate, target] = course.findLast(([from]) => from <= minute) ?? [
    0,
    "steady",
    0,
    "lambda",
  ];
  const perSecond = 60 + 55 * Math.sin(share * Math.PI) + 5 * Math.sin(share * 400);
  const exists = minute >= 12 && minute < 56;
  const weight = fargate / 100;
  return {
    atMs: Math.round(startMs + minute * minuteMs),
    service: "sample",
    phase,
    target,
    targetSinceMs: startMs,
    route: { lambda: 100 - fargate, fargate, fargateRecord: fargate > 0 },
    inSync: true,
    wait: phase === "shifting" ? { kind: "ttl", message: "2 × TTL", leftMs: 74_000 } : null,
    reason: `${Math.round(perSecond * 60)} requests/min, bursts at 3,000 in 2 of 3 minutes`,
    policy: "threshold",
    override: null,
    dwellUntilMs: null,
    dwellMs: { lambda: 600_000, fargate: 3_000_000 },
    holdUntilMs: null,
    failures: 0,
    tiers: {
      lambda: reading("lambda", 1 - weight, perSecond, true),
      fargate: reading("fargate", weight, perSecond, exists),
    },
    alarms: [
      {
        name: "busy-requests",
        state: minute > 9 && minute < 20 ? "ALARM" : "OK",
        sentence: "Lambda answers so many requests that Fargate is worth its price.",
        threshold: 3000,
        breachesWhen: "at-least",
        value: Math.round(perSecond * 60),
        breaching: 2,
        periodsToAlarm: 2,
        periods: 3,
      },
    ],
    lastSwitch: null,
    cost: {
      sinceMs: startMs,
      actualUsd: 0.2 * share,
      alwaysLambdaUsd: 0.24 * share,
      alwaysFargateUsd: 0.13 * share,
    },
    loadFactor: 1,
  };
}

/** The whole run with so many snapshots, in the order of time. */
export function sampleRun(snapshots: number): readonly RunRecord[] {
  const records: RunRecord[] = [sampleHead];
  let before: Phase | null = null;
  for (let at = 0; at < snapshots; at += 1) {
    const snapshot = sampleSnapshot(at / Math.max(1, snapshots - 1));
    const { atMs, phase, target } = snapshot;
    if (before !== null && phase !== before) {
      const message = `target ${target}: <b>${phase}</b> & "why"`;
      const data = { requests: 3000 };
      records.push({ type: "event", event: { atMs, type: "decision", message, phase, data } });
    }
    before = phase;
    records.push({ type: "snapshot", snapshot });
  }
  records.push({ type: "end", atMs: startMs + 60 * minuteMs, ok: true, message: "It is over." });
  return records;
}
