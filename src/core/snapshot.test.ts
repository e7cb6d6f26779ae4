import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AlarmDefinition, alarmDefinitions, alarmsAtStart } from "./alarms.ts";
import { costOfWindows, profileDefault } from "./cost.ts";
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
    assert.deepEqual(tiers.lambda, {
      state: "ready",
      weight: 100,
      digest: "sha256:1",
      running: 3,
      desired: null,
      requestsPerSecond: 2,
      errorShare: 0.1,
      latencyMsP50: null,
      latencyMsP99: 12,
      failed: null,
      failure: null,
    });
    assert.deepEqual([tiers.fargate.errorShare, tiers.fargate.desired], [null, 0]);
  });

  test("tells a rate and a share as soon as there is anything to divide by", () => {
    const read = (windowMs: number, requests: number): readonly (number | null)[] => {
      const recent = { windowMs, requests, errors: requests };
      const seen = { ...world(), recent: { lambda: recent, fargate: recent } };
      const { requestsPerSecond, errorShare } = snapshotOf(source({ world: seen })).tiers.lambda;
      return [requestsPerSecond, errorShare];
    };
    assert.deepEqual(read(0, 0), [null, null]);
    assert.deepEqual(read(1, 1), [1000, 1]);
  });

  test("tells the end of a back-off until it is over", () => {
    const at = (holdUntilMs: number | null): number | null =>
      snapshotOf(source({ nowMs: 500, status: { ...initialStatus(), holdUntilMs } })).holdUntilMs;
    assert.deepEqual([null, 499, 500, 501].map(at), [null, null, null, 501]);
  });

  test("knows no stay and no switch of a service that has never moved", () => {
    const { dwellUntilMs, lastSwitch, cost } = snapshotOf(source());
    assert.deepEqual([dwellUntilMs, lastSwitch, cost], [null, null, null]);
    assert.equal(snapshotOf(source({ nowMs: 1 })).dwellUntilMs, null);
  });

  test("tells the end of the minimum stay until it has passed", () => {
    const at = (target: Tier, nowMs: number, targetSinceMs = 60 * minute): number | null =>
      snapshotOf(source({ nowMs, status: { ...initialStatus(), target, targetSinceMs } }))
        .dwellUntilMs;
    assert.equal(at("fargate", 109 * minute), 110 * minute);
    assert.equal(at("fargate", 110 * minute), null);
    assert.equal(at("lambda", 69 * minute), 70 * minute);
    assert.equal(at("lambda", 70 * minute), null);
    assert.equal(at("lambda", 2, 1), 10 * minute + 1);
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
    const base = { atMs: 60 * minute, to: "fargate", reason: "busy" };
    assert.deepEqual(from(61), { ...base, actualUsd: null, stayedUsd: null });
    assert.deepEqual(from(10), { ...base, actualUsd: null, stayedUsd: null });
  });

  test("bills the whole, and since the last switch what was sent since", () => {
    const status = { ...initialStatus(), target: "fargate" as const, targetSinceMs: 60 * minute };
    const bill = (windows: SnapshotSource["windows"]): ReturnType<typeof snapshotOf> =>
      snapshotOf(source({ status, windows }));
    const windowAt = (at: number, lambdaRequests: number): SnapshotSource["windows"][number] => {
      const rest = { periodMs: minute, fargateRequests: 0, tasks: 0, balancer: false };
      return { startMs: at * minute, lambdaRequests, ...rest };
    };
    const since = [windowAt(60, 700), windowAt(61, 500)];
    const alone = bill(since);
    const { usd } = costOfWindows(since, profileDefault).actual;
    const { alwaysLambda, alwaysFargate } = costOfWindows(since, profileDefault);
    assert.ok(usd > 0);
    assert.deepEqual(alone.cost, {
      sinceMs: 60 * minute,
      actualUsd: usd,
      alwaysLambdaUsd: alwaysLambda.usd,
      alwaysFargateUsd: alwaysFargate.usd,
    });
    assert.equal(alone.lastSwitch?.stayedUsd, alwaysLambda.usd);
    // Whatever came before, the last minute before the switch included, is not the switch's.
    const { lastSwitch } = bill([windowAt(58, 9000), windowAt(59, 9000), ...since]);
    const near = (left: number | null | undefined, right: number): void =>
      assert.ok(Math.abs((left ?? 0) - right) < 1e-12, `${left} is not ${right}`);
    near(lastSwitch?.actualUsd, usd);
    near(lastSwitch?.stayedUsd, alwaysLambda.usd);
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
    const reading = readAlarm(busy, { alarms: alarmsAtStart, samples });
    assert.deepEqual([reading.value, reading.breaching, reading.periods], [3000, 2, 3]);
  });

  test("reads the newest minutes that are reported, whatever time it is", () => {
    const lateMs = 30_000_967 * minute;
    const samples = [5000, 3000, 3000, 2000].map((requests, at) =>
      window("lambda", lateMs + at * minute, requests),
    );
    const seen = { alarms: alarmsAtStart, samples };
    const { value, breaching } = readAlarm(busy, seen);
    assert.deepEqual([value, breaching], [2000, 2]);
    assert.equal(readAlarm(quiet, seen).value, 2000);
  });

  test("breaches at or above the threshold, or below it", () => {
    const read = (definition: AlarmDefinition, requests: number): readonly unknown[] => {
      const seen = { alarms: alarmsAtStart, samples: [window("lambda", 14 * minute, requests)] };
      const { breachesWhen, breaching } = readAlarm(definition, seen);
      return [breachesWhen, breaching];
    };
    assert.deepEqual(read(busy, 2999), ["at-least", 0]);
    assert.deepEqual(read(busy, 3000), ["at-least", 1]);
    // Fourteen minutes without a request, and the last one.
    assert.deepEqual(read(quiet, 299), ["below", 15]);
    assert.deepEqual(read(quiet, 300), ["below", 14]);
  });

  test("takes a missing datapoint for no number", () => {
    const nothing = { alarms: alarmsAtStart, samples: [] };
    assert.equal(readAlarm({ ...busy, threshold: 0 }, nothing).breaching, 0);
  });

  test("takes silence for quiet, and for not busy", () => {
    const silent = { alarms: alarmsAtStart, samples: [] };
    assert.equal(readAlarm(busy, silent).breaching, 0);
    assert.equal(readAlarm(quiet, silent).breaching, 15);
  });
});
