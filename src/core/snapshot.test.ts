import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alarmDefinitions, alarmsAtStart } from "./alarms.ts";
import { profileDefault } from "./cost.ts";
import { readAlarm, type SnapshotSource, snapshotOf } from "./snapshot.ts";
import { initialStatus } from "./status.ts";
import type { EngineSettings, Observation, Sample, Tier } from "./types.ts";

const minute = 60_000;
const thresholds = {
  up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
  down: { requestsPerMinute: 300, minutes: 15 },
};
const definitions = alarmDefinitions(thresholds);
const settings = { dwellFargateMs: 50 * minute, dwellLambdaMs: 10 * minute } as EngineSettings;

function window(tier: Tier, startMs: number, requests: number): Sample {
  const rest = { errors: 0, throttles: 0, concurrencyMax: 1, latencyMsP99: 12 };
  return { tier, startMs, periodMs: minute, requests, ...rest };
}

function world(samples: readonly Sample[] = []): Observation {
  return {
    lambda: { state: "ready", digest: "sha256:1", concurrencyFree: 999 },
    fargate: {
      state: "absent",
      digest: null,
      tasksDesired: 0,
      tasksHealthy: 0,
      probeOk: null,
      failure: null,
      orphans: [],
    },
    dns: { route: { lambda: 100, fargate: 0, fargateRecord: false }, inSync: true },
    alarms: alarmsAtStart,
    samples,
    recent: {
      lambda: { windowMs: 3 * minute, requests: 360, errors: 36 },
      fargate: { windowMs: 3 * minute, requests: 0, errors: 0 },
    },
    balancerLastRequestMs: null,
  };
}

function source(over: Partial<SnapshotSource> = {}): SnapshotSource {
  return {
    service: "shop",
    policy: "threshold",
    nowMs: 100 * minute,
    status: initialStatus(),
    world: world(),
    step: { phase: "steady", wait: null },
    decision: { type: "hold", reason: "no alarm" },
    settings,
    definitions,
    environments: 3,
    switchReason: null,
    windows: [],
    profile: profileDefault,
    ...over,
  };
}

describe("a snapshot", () => {
  test("has rates, shares and the newest latency of each tier", () => {
    const { tiers } = snapshotOf(source({ world: world([window("lambda", 0, 120)]) }));
    assert.equal(tiers.lambda.requestsPerSecond, 2);
    assert.equal(tiers.lambda.errorShare, 0.1);
    assert.equal(tiers.lambda.latencyMsP99, 12);
    assert.equal(tiers.fargate.errorShare, null);
    assert.equal(tiers.lambda.running, 3);
  });

  test("knows no stay and no switch of a service that has never moved", () => {
    const { dwellUntilMs, lastSwitch, cost } = snapshotOf(source());
    assert.deepEqual([dwellUntilMs, lastSwitch, cost], [null, null, null]);
  });

  test("tells the end of the minimum stay until it has passed", () => {
    const at = (nowMs: number): number | null =>
      snapshotOf(
        source({
          nowMs,
          status: { ...initialStatus(), target: "fargate", targetSinceMs: 60 * minute },
        }),
      ).dwellUntilMs;
    assert.equal(at(109 * minute), 110 * minute);
    assert.equal(at(110 * minute), null);
  });

  test("bills the last switch only if all of it was counted", () => {
    const status = { ...initialStatus(), target: "fargate" as const, targetSinceMs: 60 * minute };
    const from = (first: number): ReturnType<typeof snapshotOf>["lastSwitch"] => {
      const windows = [0, 1, 2].map((at) => ({
        startMs: (first + at) * minute,
        periodMs: minute,
        lambdaRequests: 0,
        fargateRequests: 60_000,
        tasks: 2,
        balancer: true,
      }));
      return snapshotOf(source({ status, windows, switchReason: "busy" })).lastSwitch;
    };
    const whole = from(60);
    assert.equal(whole?.reason, "busy");
    assert.ok((whole?.actualUsd ?? 0) > 0.0225, "the balancer's hour counts whole");
    assert.ok((whole?.stayedUsd ?? 0) > 0);
    assert.equal(from(61)?.actualUsd, null);
  });
});

test("a switch back owes nothing for the balancer's hour that has begun before", () => {
  const status = { ...initialStatus(), targetSinceMs: 40 * minute };
  const windows = Array.from({ length: 60 }, (_, at) => ({
    startMs: at * minute,
    periodMs: minute,
    lambdaRequests: 0,
    fargateRequests: 0,
    tasks: 0,
    balancer: at < 42,
  }));
  const { lastSwitch } = snapshotOf(source({ status, windows }));
  assert.ok((lastSwitch?.actualUsd ?? 1) < 0.001, "two minutes of two addresses");
  assert.ok((lastSwitch?.stayedUsd ?? 0) > 0.01, "twenty minutes of Fargate");
});

describe("an alarm's reading", () => {
  const busy = definitions[0];
  assert.ok(busy);
  const quiet = definitions[3];
  assert.ok(quiet);

  test("counts the breaching ones among the periods that it looks at", () => {
    const samples = [5000, 4000, 100, 3000].map((requests, at) =>
      window("lambda", at * minute, requests),
    );
    const reading = readAlarm(busy, { alarms: alarmsAtStart, samples }, 4 * minute + 5);
    assert.deepEqual([reading.value, reading.breaching, reading.periods], [3000, 2, 3]);
  });

  test("takes silence for quiet, and for not busy", () => {
    const silent = { alarms: alarmsAtStart, samples: [] };
    assert.equal(readAlarm(busy, silent, 60 * minute).breaching, 0);
    assert.equal(readAlarm(quiet, silent, 60 * minute).breaching, 15);
  });
});
