import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scenarioDefault } from "../sim/model.ts";
import {
  breakEvenTable,
  fargateIdleUsd,
  idleBill,
  monthOf,
  sensitivities,
} from "./cost-estimate.ts";
import { breakEvenText, idleText, sensitivityText } from "./cost-tables.ts";

const about = (value: number, expected: number): void =>
  assert.ok(Math.abs(value / expected - 1) < 1e-3, `${value} instead of ${expected}`);

describe("a service's cost", () => {
  it("at a steady rate is the model's minute times a month", () => {
    const traffic = { kind: "rate", requestsPerSecond: 100 } as const;
    const month = monthOf(traffic, scenarioDefault);
    // 100 · 60 · (1.2e-6 + 0.5 · 0.05 · 1.66667e-5) = 0.009700005 USD a minute, 43,200 minutes.
    about(month.alwaysLambda, 419.04);
    // (0.0325 + 2 · 0.029685 + 0.008 · 1.8) / 60 = 0.00177117 USD a minute.
    about(month.alwaysFargate, 76.514);
    assert.equal(month.optimum, month.alwaysFargate);
    assert.equal(month.flexible, null);
  });

  it("over a trace is scaled to a month and has the optimum below it", () => {
    const rps = new Float64Array(1440).map((_, minute) => (minute < 480 ? 200 : 1));
    const month = monthOf({ kind: "trace", rps, startSeconds: 0 }, scenarioDefault);
    const best = Math.min(month.alwaysLambda, month.alwaysFargate);
    assert.ok(month.optimum < best);
    assert.ok((month.flexible ?? 0) >= month.optimum);
    const twice = Float64Array.from([...rps, ...rps]);
    const same = monthOf({ kind: "trace", rps: twice, startSeconds: 0 }, scenarioDefault);
    about(same.alwaysLambda, month.alwaysLambda);
  });

  it("breaks even where the benchmark says, and never where Fargate cannot win", () => {
    const own = breakEvenTable(scenarioDefault).find(
      (cell) =>
        cell.lambdaMemoryMB === 512 &&
        cell.lambdaDurationMs === 50 &&
        cell.front === "http-api" &&
        cell.architecture === "x86_64" &&
        cell.tasksMin === 2,
    );
    about(own?.breakEvenRequestsPerSecond ?? 0, 16.18);
    const profile = { ...scenarioDefault.profile, requestsPerSecondPerTask: 1 };
    const hopeless = { ...scenarioDefault, profile };
    assert.ok(breakEvenTable(hopeless).some((cell) => cell.breakEvenRequestsPerSecond === null));
    assert.match(breakEvenText(hopeless), /never/);
  });

  it("idle is next to nothing beside Fargate's", () => {
    const lines = idleBill(scenarioDefault);
    const total = lines.reduce((sum, { usd }) => sum + usd, 0);
    const besides = lines.filter(({ what }) => what !== "alarms" && what !== "hosted zone");
    assert.ok(total < 1);
    assert.ok(besides.reduce((sum, { usd }) => sum + usd, 0) <= 0.1);
    assert.ok(lines.every(({ assumes }) => assumes.length > 10));
    // 60 looks · 7 series · 0.00001 USD
    about(lines.find(({ what }) => what === "policy's looks")?.usd ?? 0, 0.0042);
    // 720 · (0.0325 + 2 · 0.029685)
    about(fargateIdleUsd(scenarioDefault), 66.146);
    assert.match(idleText(lines, scenarioDefault), /Fargate left on: 66\.15/);
  });

  it("changes with one setting at a time, and only to what exists", () => {
    const traffic = { kind: "rate", requestsPerSecond: 20 } as const;
    const all = sensitivities(scenarioDefault, traffic);
    const now = monthOf(traffic, scenarioDefault);
    const by = new Map(all.map((one) => [one.change, one]));
    const slow = by.get("duration 100 ms");
    assert.ok((slow?.month?.alwaysLambda ?? 0) > now.alwaysLambda);
    assert.equal(slow?.month?.alwaysFargate, now.alwaysFargate);
    assert.ok((by.get("front rest-api")?.breakEvenRequestsPerSecond ?? 99) < 7);
    const large = { ...scenarioDefault.profile, taskVcpu: 16, taskMemoryMB: 32_768 };
    const largest = sensitivities({ ...scenarioDefault, profile: large }, null);
    assert.ok(!largest.some(({ change }) => change.startsWith("task of twice")));
    const text = sensitivityText(all, { breakEven: 16.18, month: now });
    assert.match(text, /as it is\s+16\.2\s+83\.81/);
  });
});
