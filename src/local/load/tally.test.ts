import assert from "node:assert/strict";
import { test } from "node:test";
import { createTally, type Ending } from "./tally.ts";

const template = { method: "GET", path: "/pets/{n}", weight: 1, expect: [200] };
const good: Ending = {
  atMs: 0,
  tier: "lambda",
  template,
  status: 200,
  error: null,
  latencyMs: 5,
};

test("requests are counted by tier, status and latency", () => {
  const tally = createTally();
  for (let ms = 1; ms <= 1000; ms += 1) tally.ended({ ...good, latencyMs: ms });
  tally.ended({ ...good, tier: "fargate", status: 404, error: "unexpected status" });
  tally.ended({ ...good, tier: "fargate", status: null, error: "ECONNRESET" });
  tally.ended({ ...good, tier: null, status: null, error: "client overload" });
  tally.late(3);
  tally.late(2);
  const stats = tally.snapshot(0, 9);
  assert.deepEqual([stats.requests, stats.failed, stats.outstanding], [1003, 3, 9]);
  assert.equal(stats.lateMsMax, 3);
  const { lambda, fargate } = stats.byTier;
  assert.deepEqual(lambda.statuses, { 200: 1000 });
  // The histogram keeps three significant digits.
  assert.ok(Math.abs((lambda.p50Ms ?? 0) - 500) < 1 && Math.abs((lambda.p99Ms ?? 0) - 990) < 1);
  assert.deepEqual([fargate.requests, fargate.failed, fargate.statuses], [2, 2, { 404: 1 }]);
});

test("a tier without answers has no percentiles", () => {
  const { byTier } = createTally().snapshot(0, 0);
  assert.deepEqual([byTier.fargate.p50Ms, byTier.fargate.p99Ms], [null, null]);
});

test("rates cover the last second", () => {
  const tally = createTally();
  for (let ms = 0; ms <= 3000; ms += 200) {
    tally.snapshot(ms, 0);
    for (let i = 0; i < 20; i += 1) tally.ended(good);
  }
  const { perSecond, byTier } = tally.snapshot(3200, 0);
  assert.deepEqual([perSecond, byTier.lambda.perSecond, byTier.fargate.perSecond], [100, 100, 0]);
  assert.equal(tally.snapshot(9000, 0).perSecond < 5, true, "and fall back to 0");
});

test("failures are grouped by kind, fifty kinds are kept, all are counted", () => {
  const tally = createTally();
  for (let i = 0; i < 300; i += 1) {
    const error = `error ${i % 60}`;
    tally.ended({ ...good, atMs: i, status: null, error });
  }
  const { failed, failures } = tally.snapshot(0, 0);
  assert.equal(failed, 300);
  assert.equal(failures.length, 50);
  const { method, path } = template;
  const kind = { tier: "lambda", method, path, status: null, error: "error 0" } as const;
  assert.deepEqual(failures[0], { ...kind, atMs: 0, count: 5 });
});
