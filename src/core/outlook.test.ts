import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alarmsAtStart } from "./alarms.ts";
import { outlookOf } from "./outlook.ts";
import { initialStatus } from "./status.ts";
import type { Policy, PolicyView, Sample, Status, Tier } from "./types.ts";

const minute = 60_000;
const nowMs = 1_000_000 * minute + 12_345;

function windowOf(tier: Tier, startMs: number, rate: number, periodMs: number = minute): Sample {
  const requests = (rate * periodMs) / 1000;
  return {
    tier,
    startMs,
    periodMs,
    requests,
    errors: 0,
    throttles: 0,
    concurrencyMax: 0,
    latencyMsP99: null,
  };
}

/** Leaves Lambda after so many windows of `up` requests/s in a row, Fargate below `down`. */
function patient(up: number, down: number, windows: number, seen: PolicyView[] = []): Policy {
  return {
    name: "patient",
    decide(input, state) {
      seen.push(input);
      const [sample] = input.samples;
      const rate = ((sample?.requests ?? 0) * 1000) / (sample?.periodMs ?? 1);
      const leaves = input.target === "lambda" ? rate >= up : rate < down;
      const count = leaves ? Number(state.count ?? 0) + 1 : 0;
      const other = input.target === "lambda" ? "fargate" : "lambda";
      const tier = count >= windows ? other : input.target;
      const decision = { type: "target", tier, tasks: 1, reason: "" } as const;
      return { decision, policyState: { count } };
    },
  };
}

const onLambda = initialStatus();
const onFargate: Status = { ...onLambda, target: "fargate", targetSinceMs: 5 };
const world = (...samples: readonly Sample[]) => ({ alarms: alarmsAtStart, samples });

describe("the outlook", () => {
  test("of a policy on Lambda is the rate at which it leaves, from above, to two per cent", () => {
    for (const edge of [0.5, 3, 4, 70, 100, 5000, 1e7]) {
      const told = outlookOf(patient(edge, 0, 3), onLambda, world(), nowMs);
      const rate = told?.requestsPerSecond ?? 0;
      assert.ok(rate >= edge && rate <= edge + Math.max(0.1, 0.02 * rate), `${edge}: ${rate}`);
      assert.equal(told?.withinMs, 60 * minute);
    }
  });

  test("is no nearer than it is told: each step asks for hours of imagined traffic", () => {
    const rate = (edge: number): number | null | undefined =>
      outlookOf(patient(edge, 0, 3), onLambda, world(), nowMs)?.requestsPerSecond;
    // Halved until 50 and 49 differ by two per cent, and 0.5 and 0.4375 by less than 0.1.
    assert.deepEqual([rate(49.5), rate(0.45)], [50, 0.5]);
    const seen: PolicyView[] = [];
    outlookOf(patient(49.5, 0, 3, seen), onLambda, world(), nowMs);
    const asked = new Set(seen.map(({ samples }) => (samples[0]?.requests ?? 0) / 60));
    const doubled = [1, 2, 4, 8, 16, 32, 64];
    assert.deepEqual([...asked], [2 ** 24, 0, ...doubled, 48, 56, 52, 50, 49]);
  });

  test("on Fargate is the rate from below", () => {
    for (const edge of [0.5, 3, 70, 5000]) {
      const told = outlookOf(patient(9e9, edge, 3), onFargate, world(), nowMs);
      const rate = told?.requestsPerSecond ?? 0;
      assert.ok(rate < edge && rate >= edge - Math.max(0.1, 0.021 * edge), `${edge}: ${rate}`);
    }
  });

  test("reaches as far as a day", () => {
    const within = (windows: number): number | null =>
      (outlookOf(patient(3, 0, windows), onLambda, world(), nowMs)?.withinMs ?? 0) / minute;
    assert.deepEqual([60, 61, 360, 361, 1440, 1441].map(within), [60, 360, 360, 1440, 1440, 0]);
  });

  test("tells when it leaves if the traffic stays as it is", () => {
    const policy = patient(10, 0, 7);
    const asNow = (...samples: readonly Sample[]): number | null | undefined =>
      outlookOf(policy, onLambda, world(...samples), nowMs)?.asNowMs;
    assert.equal(asNow(windowOf("lambda", 0, 10)), 7 * minute);
    assert.equal(asNow(windowOf("lambda", 0, 9.9)), null);
    assert.equal(asNow(), null);
  });

  test("forgets what takes longer than a day, though more traffic would not", () => {
    const long = (windows: number): number | null | undefined => {
      const decide: Policy["decide"] = (view, state) =>
        patient(10, 0, (view.samples[0]?.requests ?? 0) > 1e6 ? 1 : windows).decide(view, state);
      const policy: Policy = { name: "hasty", decide };
      return outlookOf(policy, onLambda, world(windowOf("lambda", 0, 10)), nowMs)?.asNowMs;
    };
    assert.deepEqual([1440, 1441].map(long), [1440 * minute, null]);
  });

  test("takes both tiers of the newest window together, whatever its length", () => {
    const rate = (...samples: readonly Sample[]): number | undefined =>
      outlookOf(patient(10, 0, 1), onLambda, world(...samples), nowMs)?.nowRequestsPerSecond;
    const old = windowOf("lambda", 0, 50);
    const newest = [windowOf("lambda", minute, 4), windowOf("fargate", minute, 3, 10_000)];
    assert.equal(rate(old, ...newest), 7);
    assert.equal(rate(), 0);
  });

  test("is any rate where every rate will do, and none where none will", () => {
    assert.equal(outlookOf(patient(0, 0, 2), onLambda, world(), nowMs)?.requestsPerSecond, null);
    const always = outlookOf(patient(0, 9e9, 2), onFargate, world(), nowMs);
    assert.deepEqual([always?.requestsPerSecond, always?.asNowMs], [null, 2 * minute]);
    assert.equal(outlookOf(patient(2e7, 0, 1), onLambda, world(), nowMs), null);
    const holds: Policy = {
      name: "holds",
      decide: (_, policyState) => ({ decision: { type: "hold", reason: "" }, policyState }),
    };
    assert.equal(outlookOf(holds, onLambda, world(), nowMs), null);
  });

  test("imagines whole minutes from now on, quiet but for their requests", () => {
    const seen: PolicyView[] = [];
    const status: Status = { ...onFargate, policyState: { count: 1 } };
    outlookOf(patient(9e9, 2, 3, seen), status, world(), nowMs);
    const beginMs = 1_000_000 * minute;
    for (const [at, input] of seen.slice(0, 2).entries()) {
      const startMs = beginMs + at * minute;
      assert.deepEqual(input, {
        nowMs: startMs + minute,
        target: "fargate",
        targetSinceMs: 5,
        phase: "steady",
        alarms: alarmsAtStart,
        samples: [windowOf("fargate", startMs, 0)],
      });
    }
    // Two windows suffice: the third had been seen before, and is remembered.
    assert.equal(seen[2]?.nowMs, beginMs + minute);
    const busy: PolicyView[] = [];
    outlookOf(patient(1, 0, 1, busy), onLambda, world(), nowMs);
    assert.deepEqual(busy[0]?.samples, [windowOf("lambda", beginMs, 2 ** 24)]);
  });
});
