import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { cloudContract } from "../../test/contract.ts";
import type { Policy } from "../core/types.ts";
import { alwaysPolicy } from "../policies/always.ts";
import { autoPolicy } from "../policies/auto.ts";
import { breakEvenPolicy } from "../policies/break-even.ts";
import { economicsOf } from "../policies/economics.ts";
import { thresholdPolicy } from "../policies/threshold.ts";
import { workFunctionPolicy } from "../policies/work-function.ts";
import { alarmBoard } from "./alarms.ts";
import { SimCloud } from "./cloud.ts";
import { minuteCosts } from "./model.ts";
import { replay } from "./replay.ts";
import { runEngine } from "./run.ts";

const economics = economicsOf();
const options = { economics, tasksMax: 1000 };

const thresholds = {
  up: { requestsPerMinute: 1500, concurrency: 1e9, periods: 2, of: 3 },
  down: { requestsPerMinute: 900, minutes: 20 },
};

cloudContract("sim", async () => {
  const cloud = new SimCloud(minuteCosts(new Float64Array(5000)));
  return { cloud, advance: async () => cloud.advance(), stop: async () => undefined };
});

describe("the engine in the ideal model", () => {
  const policies: readonly Policy[] = [
    alwaysPolicy("fargate", economics),
    breakEvenPolicy(options),
    workFunctionPolicy(options),
    workFunctionPolicy({ ...options, up: 0.03, down: 0.1 }),
    autoPolicy(options),
    thresholdPolicy({ tasksMin: 2, tasksMax: 1000, requestsPerTaskPerMinute: 3000, thresholds }),
  ];

  it("pays what the fast replay says", async () => {
    const span = fc.tuple(fc.integer({ min: 1, max: 200 }), fc.constantFrom(0, 9, 20, 60, 800));
    const law = fc.asyncProperty(
      fc.array(span, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...policies),
      async (spans, policy) => {
        const rps = spans.flatMap(([minutes, rate]) => Array<number>(minutes).fill(rate));
        const costs = minuteCosts(Float64Array.from(rps));
        const fast = replay(costs, policy, { alarms: alarmBoard(thresholds) });
        const slow = await runEngine(costs, policy, { alarms: alarmBoard(thresholds) });
        assert.ok(Math.abs(slow.costUsd - fast.costUsd) <= 1e-9 * (1 + fast.costUsd));
        assert.equal(slow.transitions, fast.transitions);
        assert.equal(slow.minutesOnFargate, fast.minutes.fargate);
      },
    );
    await fc.assert(law, { seed: 3, numRuns: 60 });
  });

  it("lets the alarms decide for the threshold policy", async () => {
    const rps = Float64Array.from({ length: 200 }, (_, minute) => (minute < 100 ? 60 : 10));
    const policy = policies.at(-1) ?? assert.fail();
    const alarms = alarmBoard(thresholds);
    const seen: string[] = [];
    const onDecision = (nowMs: number, message: string): void => {
      seen.push(`${nowMs / 60_000} ${message}`);
    };
    await runEngine(minuteCosts(rps), policy, { alarms, onDecision });
    // Busy in minutes 0 and 1, seen 2 minutes late; 20 quiet minutes from 100 on, likewise.
    assert.match(seen[0] ?? "", /^3 target fargate: busy-requests: 3,600 requests/);
    assert.match(seen[1] ?? "", /^121 target lambda: quiet/);
    assert.equal(seen.length, 2);
  });

  it("tells each change of target with its reason", async () => {
    const rps = Float64Array.from({ length: 600 }, (_, minute) => (minute < 300 ? 400 : 0));
    const told: string[] = [];
    await runEngine(minuteCosts(rps), autoPolicy(options), {
      onDecision: (_, message) => told.push(message),
    });
    assert.equal(told.length, 2);
    assert.match(told[0] ?? "", /^target fargate: .* requests\/s .* follows /);
    assert.match(told[1] ?? "", /^target lambda: .* requests\/s .* follows /);
  });
});
