import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { alarmDefinitions, alarmsAtStart, evaluateAlarms } from "../core/alarms.ts";
import type { Sample } from "../core/types.ts";
import { alarmBoard } from "./alarms.ts";

const thresholds = {
  up: { requestsPerMinute: 600, concurrency: 5, periods: 2, of: 3 },
  down: { requestsPerMinute: 300, minutes: 4 },
};

it("the board says what the core's evaluation of all samples says", () => {
  const count = fc.constantFrom(0, 1, 200, 299, 300, 600, 9000);
  const minutes = fc.array(fc.tuple(count, count, fc.boolean(), fc.nat(8)), { maxLength: 40 });
  const all = { ...thresholds, up: { ...thresholds.up, periods: 3 } };
  const law = fc.property(minutes, fc.constantFrom(thresholds, all), (shown, limits) => {
    const board = alarmBoard(limits);
    const definitions = alarmDefinitions(limits);
    const samples: Sample[] = [];
    let states = alarmsAtStart;
    shown.forEach(([lambda, fargate, burstExists, concurrencyMax], minute) => {
      const base = { startMs: minute * 60_000, periodMs: 60_000, errors: 0, latencyMsP99: null };
      const throttles = concurrencyMax === 8 ? lambda : 0;
      const onLambda = { ...base, requests: lambda, throttles, concurrencyMax };
      const busy = concurrencyMax > 0 && lambda === 0 ? { concurrencyMax: 0 } : {};
      const fresh: Sample[] = [{ ...onLambda, ...busy, tier: "lambda" }];
      const rest = { ...base, requests: fargate, throttles: 0, concurrencyMax: 0 };
      if (burstExists) fresh.push({ ...rest, tier: "fargate" });
      samples.push(...fresh);
      const nowMs = (minute + 1) * 60_000;
      states = evaluateAlarms(definitions, samples, nowMs, states, { burstExists });
      assert.deepEqual(board(fresh, burstExists), states, `minute ${minute}`);
    });
  });
  fc.assert(law, { seed: 31, numRuns: 300 });
});
