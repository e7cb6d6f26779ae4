import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createAgenda } from "./agenda.ts";
import { Audience } from "./audience.ts";
import { LambdaPool } from "./lambda-pool.ts";
import { realisticDefault } from "./realistic-scenario.ts";
import { DelayTally, erlangB, erlangC } from "./waiting.ts";

function near(actual: number, expected: number, tolerance: number): void {
  const differs = Math.abs(actual - expected);
  assert.ok(differs <= tolerance * Math.abs(expected), `${actual} is not ${expected}`);
}

describe("waiting", () => {
  it("agrees with what Erlang's formulas give by hand", () => {
    // B(1, a) = a/(1+a); B(2, 1) = (1/2)/(1 + 1 + 1/2). C(1, a) = a; C(2, 1) = 1/3.
    assert.equal(erlangB(1, 1), 0.5);
    near(erlangB(2, 1), 0.2, 1e-12);
    near(erlangC(1, 0.5), 0.5, 1e-12);
    near(erlangC(2, 1), 1 / 3, 1e-12);
    assert.equal(erlangC(3, 3), 1);
  });

  it("knows the tail of exponential service, and of a delay before it", () => {
    const tally = new DelayTally();
    assert.equal(tally.latencyMs(0.01, 50), null);
    tally.add(1000, 0);
    near(tally.latencyMs(0.01, 50) ?? 0, 50 * Math.log(100), 1e-6);
    tally.add(1000, 2);
    // Half of all wait 2 s: one in a hundred of all is one in fifty of those.
    near(tally.latencyMs(0.01, 50) ?? 0, 2000 + 50 * Math.log(50), 0.06);
  });
});

describe("the agenda", () => {
  it("runs what is due in the order of time, then of making", () => {
    const agenda = createAgenda();
    const ran: string[] = [];
    const note = (name: string) => () => void ran.push(name);
    agenda.at(20, note("late"));
    agenda.at(10, () => {
      ran.push("first");
      agenda.at(10, note("made on the way"));
    });
    agenda.at(10, note("second"));
    agenda.at(15, note("cancelled"))();
    agenda.runDue(19);
    assert.deepEqual(ran, ["first", "second", "made on the way"]);
    assert.equal(agenda.nextMs, 20);
  });
});

describe("the audience", () => {
  it("follows a change in a straight line over one TTL", () => {
    const audience = new Audience({ ttlExtendersShare: 0, ttlExtendedSeconds: 0 }, 60_000, 0);
    audience.answer(100, 1000);
    assert.equal(audience.nextBendMs(1000), 61_000);
    near(audience.fargateShare(1000, 31_000), 0.25, 1e-12);
    assert.equal(audience.fargateShare(61_000, 90_000), 1);
    assert.equal(audience.nextBendMs(61_000), Number.POSITIVE_INFINITY);
  });

  it("stays within the weights, and arrives when the last answer has expired", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 400_000 }), fc.nat(100)), {
      minLength: 1,
      maxLength: 8,
    });
    const law = fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (changes, share) => {
      const clients = { ttlExtendersShare: share, ttlExtendedSeconds: 300 };
      const audience = new Audience(clients, 60_000, 50);
      let nowMs = 0;
      const weights = [0.5];
      for (const [afterMs, percent] of changes) {
        nowMs += afterMs;
        audience.answer(percent, nowMs);
        weights.push(percent / 100);
        const at = audience.fargateShare(nowMs + 10_000, nowMs + 10_000);
        assert.ok(at >= Math.min(...weights) - 1e-9 && at <= Math.max(...weights) + 1e-9);
        nowMs += 10_000;
      }
      assert.equal(audience.fargateShare(nowMs + 300_000, nowMs + 310_000), weights.at(-1));
    });
    fc.assert(law, { seed: 21, numRuns: 300 });
  });
});

describe("the environments", () => {
  const { lambda } = realisticDefault;
  const serve = (rps: number, minutes: number, pool: LambdaPool): number => {
    let cold = 0;
    let atMs = 0;
    while (atMs < minutes * 60_000) {
      const stepMs = Math.min(60_000, pool.stepMsMax(rps, atMs));
      cold += pool.serve((rps * stepMs) / 1000, atMs, atMs + stepMs).coldStarts;
      atMs += stepMs;
    }
    return cold;
  };

  it("are cold for a request an hour and warm for ten a second", () => {
    const rare = 1 / 3600;
    const cold = serve(rare, 6000, new LambdaPool(lambda, 50));
    // A gap of 300 s or more: exp(−300/3600) of 100 requests.
    near(cold, 100 * Math.exp(-300 / 3600), 0.02);
    const warm = serve(10, 600, new LambdaPool(lambda, 50));
    assert.ok(warm > 2 && warm < 0.01 * 10 * 36_000, String(warm));
  });

  it("follow the offered load, and leave again", () => {
    const pool = new LambdaPool(lambda, 50);
    serve(2000, 10, pool);
    assert.ok(pool.environments >= 100 + 2 * 10, "100 in use, and what chance adds");
    const most = pool.environments;
    serve(0.01, 60, pool);
    assert.ok(pool.environments < most / 100, String(pool.environments));
  });

  it("start 1,000 at once and 1,000 more in ten seconds, no more than the quota", () => {
    const pool = new LambdaPool({ ...lambda, concurrencyMax: 1500, coldStartSeconds: 30 }, 1000);
    const first = pool.serve(5000, 0, 1000);
    near(first.coldStarts, 1000, 1e-9);
    near(first.throttled, 4000, 1e-9);
    pool.serve(50_000, 1000, 11_000);
    assert.ok(pool.environments <= 1500);
    near(pool.environments, 1500, 1e-9);
  });
});
