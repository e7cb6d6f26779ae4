/** A service as the commands see it, for tests: at rest on Lambda, unless told otherwise. */
import type { Report } from "../src/cli/source.ts";
import { alarmDefinitions, alarmsAtStart } from "../src/core/alarms.ts";
import type { Snapshot } from "../src/core/record.ts";
import { readAlarm } from "../src/core/snapshot.ts";
import type { Sample } from "../src/core/types.ts";

/** A minute of virtual time. */
export const minute = 60_000;

/** When the snapshot is taken. */
export const nowMs: number = Date.UTC(2026, 2, 1, 12);

const thresholds = {
  up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
  down: { requestsPerMinute: 300, minutes: 15 },
};

/** A minute of one tier, so many minutes ago. */
export function windowAgo(tier: "lambda" | "fargate", minutes: number, requests: number): Sample {
  const startMs = nowMs - (minutes + 1) * minute;
  const rest = { errors: 0, throttles: 0, concurrencyMax: 1, latencyMsP99: 12 };
  return { tier, startMs, periodMs: minute, requests, ...rest };
}

/** A snapshot with the readings of the alarms over `windows`. */
export function someReport(
  change: Partial<Snapshot> = {},
  windows: readonly Sample[] = [],
): Report {
  const reading = {
    requestsPerSecond: 1,
    errorShare: null,
    latencyMsP50: null,
    latencyMsP99: null,
    failed: null,
    failure: null,
  };
  const world = { alarms: alarmsAtStart, samples: windows };
  const snapshot: Snapshot = {
    atMs: nowMs,
    service: "shop",
    phase: "steady",
    target: "lambda",
    targetSinceMs: 0,
    route: { lambda: 100, fargate: 0, fargateRecord: false },
    inSync: true,
    wait: null,
    reason: "60 requests/min, bursts at 3,000 in 2 of 3 minutes",
    policy: "threshold",
    override: null,
    dwellUntilMs: null,
    dwellMs: { lambda: 10 * minute, fargate: 50 * minute },
    holdUntilMs: null,
    failures: 0,
    tiers: {
      lambda: {
        ...reading,
        state: "ready",
        weight: 100,
        digest: "sha256:0123456789abcdef",
        running: 3,
        desired: null,
      },
      fargate: { ...reading, state: "absent", weight: 0, digest: null, running: 0, desired: 0 },
    },
    alarms: alarmDefinitions(thresholds).map((alarm) => readAlarm(alarm, world)),
    lastSwitch: null,
    cost: null,
    loadFactor: null,
    ...change,
  };
  const source = { on: "local", name: "dev", at: "process 7" } as const;
  return { snapshot, windows, speed: 1, outlook: null, source };
}
