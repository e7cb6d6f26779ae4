/** Windows, late data and silence, from series as CloudWatch has them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readDeployment } from "./deployment.ts";
import { metricQueries, type SeriesName } from "./metric-queries.ts";
import {
  accountInUse,
  backfillMsMax,
  closedSamples,
  lastRequestMs,
  metricDelayMs,
  readFromMs,
  recentTraffic,
  type Series,
} from "./metrics.ts";

const minute = 60_000;
const names: readonly SeriesName[] = [
  "lambdaRequests",
  "lambdaErrors",
  "lambdaLatency",
  "throttles",
  "concurrency",
  "duration",
  "accountConcurrency",
  "fargateRequests",
  "fargateErrors",
  "balancerErrors",
  "fargateLatency",
  "fargateMean",
];

/** Series with values by minute; what is not named has no point. */
function seriesOf(points: Partial<Record<SeriesName, Readonly<Record<number, number>>>>): Series {
  const maps = names.map((name) => {
    const entries = Object.entries(points[name] ?? {});
    return [name, new Map(entries.map(([at, value]) => [Number(at) * minute, value]))];
  });
  return Object.fromEntries(maps) as Series;
}

test("a minute closes when its late data had time; one without data is one of zero", () => {
  const series = seriesOf({
    lambdaRequests: { 10: 600, 12: 60 },
    lambdaLatency: { 10: 80 },
    fargateRequests: { 10: 1200 },
    fargateMean: { 10: 0.05 },
    fargateErrors: { 10: 2 },
    balancerErrors: { 10: 3 },
    fargateLatency: { 10: 0.2 },
  });
  const almost = 13 * minute + metricDelayMs - 1;
  assert.equal(closedSamples(series, 10 * minute, almost, false).length, 2);
  const samples = closedSamples(series, 10 * minute, almost + 1, true);
  assert.equal(samples.length, 6);
  const [lambda, fargate, empty] = samples;
  assert.equal(lambda?.requests, 600);
  assert.equal(lambda?.latencyMsP99, 80);
  assert.equal(fargate?.errors, 5);
  assert.equal(fargate?.concurrencyMax, 1);
  assert.equal(fargate?.latencyMsP99, 200);
  assert.equal(empty?.requests, 0);
  assert.equal(empty?.latencyMsP99, null);
});

/** Times between two looks. */
const looks = fc.array(fc.integer({ min: 1_000, max: 20 * minute }), { maxLength: 30 });

test("every window is read once, in order and without a gap, whenever one looks", () => {
  const series = seriesOf({});
  fc.assert(
    fc.property(looks, (steps) => {
      let nowMs = 1000 * minute;
      let seenMs = -1;
      const read: number[] = [];
      for (const step of steps) {
        nowMs += step;
        const fromMs = readFromMs(seenMs, 10 * minute, nowMs);
        for (const { startMs } of closedSamples(series, fromMs, nowMs, false)) {
          if (startMs <= seenMs) continue;
          read.push(startMs);
          seenMs = startMs;
        }
      }
      read.forEach((startMs, at) => {
        if (at > 0) assert.equal(startMs - (read[at - 1] ?? 0), minute);
      });
    }),
  );
});

test("what is made up for after a long sleep has a bound", () => {
  const nowMs = 1e6 * minute;
  assert.equal(readFromMs(minute, 0, nowMs), nowMs - backfillMsMax);
  assert.ok(readFromMs(nowMs - minute, 60 * minute, nowMs) <= nowMs - 60 * minute);
});

test("late data do not look like less traffic", () => {
  const steady = { 5: 600, 6: 600, 7: 600, 8: 600 };
  for (const lateMinutes of [0, 1, 2]) {
    const nowMs = 9 * minute + lateMinutes * minute;
    const { lambda } = recentTraffic(seriesOf({ lambdaRequests: steady }), nowMs);
    assert.equal((lambda.requests / lambda.windowMs) * 1000, 10, `${lateMinutes} minutes late`);
  }
});

test("silence counts from when the metrics could have shown a request", () => {
  const series = seriesOf({ fargateRequests: { 10: 4, 11: 0 } });
  assert.equal(lastRequestMs(series, 30 * minute), 11 * minute + metricDelayMs);
  assert.equal(lastRequestMs(series, 11 * minute), 11 * minute);
  assert.equal(lastRequestMs(seriesOf({}), 30 * minute), null);
});

test("the account's use is the most of the newest minutes", () => {
  const series = seriesOf({ accountConcurrency: { 1: 900, 27: 40, 28: 30 } });
  assert.equal(accountInUse(series, 30 * minute), 40);
});

const variables = {
  LAMBDAFLEX_APP: "shop",
  LAMBDAFLEX_TABLE: "shop-state",
  LAMBDAFLEX_API_ID: "api1",
  LAMBDAFLEX_API_URL: "https://example.com",
  LAMBDAFLEX_BURST_PARAMETERS: "{}",
  LAMBDAFLEX_DIGEST: `sha256:${"a".repeat(64)}`,
};

test("HTTP and REST APIs are asked by the names that they have", () => {
  const asked = (door: string): readonly string[] => {
    const deployment = readDeployment({ ...variables, LAMBDAFLEX_FRONT_DOOR: door });
    return metricQueries(deployment, null).map(({ MetricStat: stat }) => {
      const [dimension] = stat?.Metric?.Dimensions ?? [];
      return `${stat?.Metric?.MetricName} ${dimension?.Name}=${dimension?.Value}`;
    });
  };
  assert.ok(asked("http").includes("5xx ApiId=api1"));
  assert.ok(asked("rest").includes("5XXError ApiName=shop-api"));
});
