import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { cloudContract } from "../../test/contract.ts";
import type { Policy } from "../core/types.ts";
import { alwaysPolicy } from "../policies/always.ts";
import { autoPolicy } from "../policies/auto.ts";
import { breakEvenPolicy } from "../policies/break-even.ts";
import { economicsOf, lambdaMinuteUsd } from "../policies/economics.ts";
import { thresholdPolicy } from "../policies/threshold.ts";
import { workFunctionPolicy } from "../policies/work-function.ts";
import { minuteCosts } from "./model.ts";
import { type RealisticResult, runRealistic } from "./realistic.ts";
import { RealisticCloud, type RealisticMinute } from "./realistic-cloud.ts";
import {
  idealisedScenario,
  type RealisticScenario,
  realisticDefault,
} from "./realistic-scenario.ts";
import { replay } from "./replay.ts";

const economics = economicsOf();
const options = { economics, tasksMax: 1000 };
const { thresholds } = realisticDefault;
const threshold = thresholdPolicy({
  tasksMin: 2,
  tasksMax: 1000,
  requestsPerTaskPerMinute: 3000,
  thresholds,
});
const eager = workFunctionPolicy({ ...options, up: 0.1, down: 0.3 });
const policies: readonly Policy[] = [
  threshold,
  eager,
  breakEvenPolicy(options),
  autoPolicy(options),
  alwaysPolicy("fargate", economics),
];

cloudContract("sim realistic", async () => {
  const cloud = new RealisticCloud(new Float64Array(5000), realisticDefault, 7);
  return {
    cloud,
    advance: async () => void cloud.advanceTo(cloud.nowMs + 20_000),
    stop: async () => undefined,
  };
});

const flat = (minutes: number, rps: number): number[] => Array<number>(minutes).fill(rps);
const span = fc.tuple(fc.integer({ min: 1, max: 150 }), fc.constantFrom(0, 0.02, 9, 40, 600, 7000));
const loads = fc
  .array(span, { minLength: 1, maxLength: 8 })
  .map((spans) => Float64Array.from(spans.flatMap(([minutes, rps]) => flat(minutes, rps))));
const scenarios: fc.Arbitrary<RealisticScenario> = fc
  .record({
    concurrencyMax: fc.constantFrom(10, 1000, 100_000),
    excess: fc.constantFrom("queue" as const, "lambda" as const),
    ttlExtendedSeconds: fc.constantFrom(0, 600, 20_000),
    tasksMax: fc.constantFrom(4, 1000),
  })
  .map(({ concurrencyMax, excess, ttlExtendedSeconds, tasksMax }) => ({
    ...realisticDefault,
    engine: { ...realisticDefault.engine, tasksMax },
    lambda: { ...realisticDefault.lambda, concurrencyMax },
    fargate: { ...realisticDefault.fargate, excess },
    clients: { ...realisticDefault.clients, ttlExtendedSeconds },
  }));

function near(actual: number, expected: number, tolerance: number, what: string): void {
  const wide = tolerance * Math.max(1e-6, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= wide, `${what}: ${actual} is not ${expected}`);
}

describe("the realistic model", () => {
  it("accounts for every request", async () => {
    const chosen = fc.constantFrom(...policies);
    const start = fc.constantFrom("lambda" as const, "fargate" as const);
    const law = fc.asyncProperty(
      loads,
      chosen,
      scenarios,
      start,
      fc.nat(),
      async (rps, policy, scenario, startOn, seed) => {
        const rows: RealisticMinute[] = [];
        const onMinute = (row: RealisticMinute): void => void rows.push(row);
        const result = await runRealistic(rps, policy, scenario, seed, { startOn, onMinute });
        const { arrived, ...parts } = result.requests;
        const total = rps.reduce((sum, rate) => sum + rate * 60, 0);
        near(arrived, total, 1e-9, "arrived");
        const sum = Object.values(parts).reduce((all, part) => all + part, 0);
        near(sum, arrived, 1e-9, "parts");
        for (const part of Object.values(parts)) assert.ok(part >= -1e-6, JSON.stringify(parts));
        for (const key of ["lambda", "fargate", "throttled", "timedOut", "refused"] as const) {
          const ofMinutes = rows.reduce((all, row) => all + row[key], 0);
          near(ofMinutes, result.requests[key], 1e-9, `minutes' ${key}`);
        }
        assert.equal(rows.length, rps.length);
        for (const row of rows) assert.ok(row.fargateShare >= 0 && row.fargateShare <= 1);
        assert.ok(result.coldStarts <= parts.lambda * (1 + 1e-9) + 1e-9);
        assert.ok(result.queued <= parts.fargate * (1 + 1e-9) + 1e-9);
        near(rows.at(-1)?.costUsd ?? 0, result.costUsd, 1e-9, "cost");
      },
    );
    await fc.assert(law, { seed: 11, numRuns: 80 });
  });

  it("never costs less than the cheaper tier at each minute, ideally deployed", async () => {
    const law = fc.asyncProperty(
      loads,
      fc.constantFrom(...policies),
      fc.nat(),
      async (rps, policy, seed) => {
        const result = await runRealistic(rps, policy, realisticDefault, seed);
        const { throttled, timedOut, refused, waiting } = result.requests;
        const lost = throttled + timedOut + refused + waiting;
        let leastUsd = 0;
        for (const rate of rps) {
          const burst = economics.baseUsdPerMinute + economics.capacityUsdPerMinutePerRps * rate;
          leastUsd += Math.min(lambdaMinuteUsd(economics, rate), burst);
        }
        // Lambda is paid for what it serves alone: what was lost might have been paid there.
        leastUsd -= (lost / 60) * economics.lambdaUsdPerMinutePerRps;
        assert.ok(result.costUsd >= leastUsd * (1 - 1e-9), `${result.costUsd} < ${leastUsd}`);
      },
    );
    await fc.assert(law, { seed: 12, numRuns: 60 });
  });

  it("becomes the ideal model when nothing takes longer than it says", async () => {
    const scenario = idealisedScenario();
    const calm = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.constantFrom(0, 9, 20, 60, 800));
    const counters = [eager, workFunctionPolicy(options), breakEvenPolicy(options)];
    const law = fc.asyncProperty(
      fc.array(calm, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...counters, autoPolicy(options)),
      async (spans, policy) => {
        const rps = Float64Array.from(spans.flatMap(([minutes, rate]) => flat(minutes, rate)));
        const ideal = replay(minuteCosts(rps), policy);
        const real = await runRealistic(rps, policy, scenario, 1);
        assert.equal(real.transitions.length, ideal.transitions);
        // Each way down takes a few seconds more: one poll for each of its steps.
        const slackUsd = ideal.transitions * (5 / 60) * economics.baseUsdPerMinute;
        const differs = Math.abs(real.costUsd - ideal.costUsd);
        assert.ok(differs <= slackUsd + 1e-9, `${real.costUsd} for ${ideal.costUsd}`);
      },
    );
    await fc.assert(law, { seed: 13, numRuns: 60 });
  });

  it("replays a seed exactly, and another seed differs", async () => {
    const rps = Float64Array.from([...flat(60, 0.2), ...flat(200, 300), ...flat(300, 0.5)]);
    const run = (seed: number): Promise<RealisticResult> =>
      runRealistic(rps, autoPolicy(options), realisticDefault, seed);
    const [first, again, other] = await Promise.all([run(5), run(5), run(6)]);
    assert.deepEqual(again, first);
    assert.notDeepEqual(other.transitions, first.transitions);
  });
});

describe("a match day", () => {
  const rps = Float64Array.from([...flat(60, 10), ...flat(180, 400), ...flat(240, 2)]);

  it("goes up in minutes, serves, and comes back to nothing", async () => {
    const rows: RealisticMinute[] = [];
    const onMinute = (row: RealisticMinute): void => void rows.push(row);
    const result = await runRealistic(rps, threshold, realisticDefault, 3, { onMinute });
    assert.deepEqual(
      result.transitions.map(({ tier }) => tier),
      ["fargate", "lambda"],
    );
    const [up, down] = result.transitions;
    assert.ok(up?.shiftedAtMs != null && up.completedAtMs !== null && down !== undefined);
    // Minutes 60 and 61 are busy and can be read by minute 64 at the latest.
    assert.ok(up.atMs > 61 * 60_000 && up.atMs < 66 * 60_000, String(up.atMs));
    const readyMs = up.shiftedAtMs - up.atMs;
    // Balancer, task, health checks, then 30 s of health: the published ranges added up.
    assert.ok(readyMs >= 211_000 && readyMs <= 297_000, String(readyMs));
    assert.match(up.reason, /busy-requests: 24,000 requests\/min/);
    assert.ok(down.completedAtMs !== null);
    const last = rows.at(-1);
    assert.ok(last !== undefined && last.tasksHealthy === 0 && last.fargateShare === 0);
    // About four and a half hours of balancer, billed as whole ones.
    const hours = result.bill.balancerUsd / 0.0225;
    near(hours, Math.ceil((down.completedAtMs - up.atMs) / 3_600_000), 1e-9, "balancer hours");
    assert.equal(result.requests.throttled, 0);
  });

  it("lets requests wait while tasks lag behind, unless Lambda takes them", async () => {
    const surge = Float64Array.from([...flat(30, 60), ...flat(40, 1500)]);
    const run = (excess: "queue" | "lambda"): Promise<RealisticResult> => {
      const fargate = { ...realisticDefault.fargate, excess };
      const scenario = { ...realisticDefault, fargate };
      const always = alwaysPolicy("fargate", economics);
      return runRealistic(surge, always, scenario, 4, { startOn: "fargate" });
    };
    const queue = await run("queue");
    assert.ok(queue.requests.timedOut > 100_000, "two tasks can not answer 1,500 requests/s");
    assert.ok((queue.latencyMsP99 ?? 0) > 10_000);
    const lambda = await run("lambda");
    assert.equal(lambda.requests.timedOut, 0);
    assert.ok(lambda.requests.lambda > 100_000);
    assert.ok((lambda.latencyMsP99 ?? 0) < 2000);
  });

  it("throttles where the account's concurrency ends, and the alarm leads out of it", async () => {
    const lambda = { ...realisticDefault.lambda, concurrencyMax: 10 };
    const scenario = { ...realisticDefault, lambda };
    const result = await runRealistic(rps, threshold, scenario, 3);
    assert.ok(result.requests.throttled > 50_000, String(result.requests.throttled));
    assert.match(result.transitions[0]?.reason ?? "", /refused/);
  });

  it("loses the clients that keep an address longer than the longest drain", async () => {
    const clients = { ttlExtendersShare: 0.1, ttlExtendedSeconds: 20_000 };
    const scenario = { ...realisticDefault, clients };
    const stubborn = await runRealistic(rps, threshold, scenario, 3);
    assert.ok(stubborn.requests.refused > 0);
    const prompt = { ...scenario, clients: { ...clients, ttlExtendedSeconds: 1200 } };
    const patient = await runRealistic(rps, threshold, prompt, 3);
    assert.equal(patient.requests.refused, 0);
  });
});
