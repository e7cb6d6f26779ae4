/** What the alarms are made of, number by number, and each datapoint by itself. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AlarmDefinition, alarmDefinitions, datapoints, type Thresholds } from "./alarms.ts";
import type { AlarmName, Sample, Tier } from "./types.ts";

const thresholds: Thresholds = {
  up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
  down: { requestsPerMinute: 300, minutes: 15 },
};
const definitions = alarmDefinitions(thresholds);
const minuteMs = 60_000;

function named(name: AlarmName): AlarmDefinition {
  const found = definitions.find((definition) => definition.name === name);
  assert.ok(found);
  return found;
}

function sample(tier: Tier, minute: number, values: Partial<Sample>): Sample {
  return {
    tier,
    startMs: minute * minuteMs,
    periodMs: minuteMs,
    requests: 0,
    errors: 0,
    throttles: 0,
    concurrencyMax: 0,
    latencyMsP99: null,
    ...values,
  };
}

describe("the definitions", () => {
  const busy = {
    stack: "base",
    periodSeconds: 60,
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
    comparison: "GreaterThanOrEqualToThreshold",
    treatMissingData: "notBreaching",
  } as const;
  const single = (metric: string) => ({ kind: "single", of: { tier: "lambda", metric } });

  test("are what CloudWatch is given", () => {
    const told = definitions.map(({ sentence, ...rest }) => {
      assert.match(sentence, /^[A-Z].{20,}\.$/, "people are told what it means");
      return rest;
    });
    assert.deepEqual(told, [
      {
        ...busy,
        name: "busy-requests",
        metrics: single("requests"),
        statistic: "Sum",
        threshold: 3000,
      },
      {
        ...busy,
        name: "busy-concurrency",
        metrics: single("concurrencyMax"),
        statistic: "Maximum",
        threshold: 50,
      },
      {
        ...busy,
        name: "throttled",
        metrics: single("throttles"),
        statistic: "Sum",
        evaluationPeriods: 1,
        datapointsToAlarm: 1,
        threshold: 1,
      },
      {
        name: "quiet",
        stack: "burst",
        metrics: {
          kind: "sum",
          of: [
            { tier: "lambda", metric: "requests" },
            { tier: "fargate", metric: "requests" },
          ],
          fill: 0,
        },
        statistic: "Sum",
        periodSeconds: 60,
        evaluationPeriods: 15,
        datapointsToAlarm: 15,
        threshold: 300,
        comparison: "LessThanThreshold",
        treatMissingData: "breaching",
      },
    ]);
  });

  test("ring before the account's concurrency runs out", () => {
    const limit = (concurrency: number, quota?: number): number | undefined =>
      alarmDefinitions({ ...thresholds, up: { ...thresholds.up, concurrency } }, quota)[1]
        ?.threshold;
    assert.equal(limit(9999), 600);
    assert.equal(limit(9999, 999), 599);
    assert.equal(limit(9999, 1), 1);
    assert.equal(limit(599), 599);
  });
});

describe("datapoints", () => {
  const concurrency = named("busy-concurrency");
  const one = (definition: AlarmDefinition, samples: readonly Sample[], to = 2): unknown =>
    datapoints(definition, samples, 0, to * minuteMs);

  test("add up or take the most, and tell nothing where there was nothing", () => {
    const twice = (values: Partial<Sample>) => [0, 0].map(() => sample("lambda", 0, values));
    assert.deepEqual(one(named("busy-requests"), twice({ requests: 5 })), [10, null]);
    assert.deepEqual(one(concurrency, twice({ requests: 5, concurrencyMax: 7 })), [7, null]);
    assert.deepEqual(one(concurrency, twice({ concurrencyMax: 1 })), [1, null]);
    assert.deepEqual(one(concurrency, twice({ concurrencyMax: 0 })), [null, null]);
    assert.deepEqual(one(named("busy-requests"), twice({ concurrencyMax: 1 })), [null, null]);
    // The most of several negative numbers is one of them, not nothing.
    const below = [sample("lambda", 0, { requests: 1, concurrencyMax: -2 })];
    assert.deepEqual(one(concurrency, below), [-2, null]);
  });

  test("cover a period that has only begun", () => {
    const samples = [sample("lambda", 2, { requests: 5 })];
    assert.deepEqual(one(named("busy-requests"), samples, 2.5), [null, null, 5]);
    assert.deepEqual(one(named("busy-requests"), [], 2.5), [null, null, null]);
  });

  test("of both tiers are added where either has one", () => {
    const on = (tier: Tier, minute: number) => sample(tier, minute, { requests: 5 });
    const quiet = named("quiet");
    assert.deepEqual(one(quiet, [on("fargate", 0), on("fargate", 1)]), [5, 5]);
    assert.deepEqual(one(quiet, [on("lambda", 1)]), [0, 5]);
    assert.deepEqual(one(quiet, [on("lambda", 0), on("fargate", 1)]), [5, 5]);
    assert.deepEqual(one(quiet, []), [null, null]);
  });
});
