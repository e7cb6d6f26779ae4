/** What follows from the policy that a configuration names. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { alarmDefinitions } from "../core/alarms.ts";
import type { Sample } from "../core/types.ts";
import { parseConfig } from "./parse.ts";
import { alarmThresholds, stirringWindows } from "./policy.ts";
import type { Config } from "./types.ts";

const configOf = (raw: object = {}): Config =>
  parseConfig({ command: "node server.js", ...raw }, "shop", "shop.json");

const windowOf = (requests: number, durationMsMean?: number): Sample => ({
  tier: "lambda",
  startMs: 0,
  periodMs: 60_000,
  requests,
  errors: 0,
  throttles: 0,
  concurrencyMax: 1,
  latencyMsP99: 20,
  ...(durationMsMean === undefined ? {} : { durationMsMean }),
});

const ringsAt = (config: Config, name: string): number | undefined =>
  alarmDefinitions(alarmThresholds(config), config.lambda.concurrencyMax).find(
    (definition) => definition.name === name,
  )?.threshold;

test("alarms decide as configured, or wake a policy where Fargate begins to pay", () => {
  const configured = configOf({ policy: "threshold" });
  assert.deepEqual(alarmThresholds(configured), configured.thresholds);
  assert.equal(ringsAt(configOf(), "busy-requests"), 915);
  assert.equal(ringsAt(configOf(), "busy-concurrency"), 0.6 * configOf().lambda.concurrencyMax);
  const thresholds = { up: { requestsPerMinute: 500 }, down: { requestsPerMinute: 50 } };
  assert.equal(ringsAt(configOf({ policy: "auto", thresholds }), "busy-requests"), 500);
  const tasks = { fargate: { minTasks: 20, maxTasks: 40 } };
  assert.equal(ringsAt(configOf(tasks), "busy-requests"), 3000, "never above what is configured");
});

test("a window stirs from half of the break-even rate on, at its own duration", () => {
  const stirs = stirringWindows(configOf());
  assert.ok(stirs !== null);
  assert.equal(stirringWindows(configOf({ policy: "threshold" })), null);
  assert.equal(stirs(windowOf(0)), false);
  assert.equal(stirs(windowOf(450)), false);
  assert.equal(stirs(windowOf(460)), true);
  assert.equal(stirs(windowOf(120, 50)), false);
  assert.equal(stirs(windowOf(120, 800)), true, "long requests make Fargate pay much earlier");
});

test("more requests, or longer ones, never stir less", () => {
  const stirs = stirringWindows(configOf());
  const amount = fc.integer({ min: 1, max: 10_000 });
  fc.assert(
    fc.property(amount, amount, amount, amount, (requests, more, durationMs, longer) => {
      if (stirs?.(windowOf(requests, durationMs)) !== true) return;
      assert.ok(stirs(windowOf(requests + more, durationMs + longer)));
    }),
  );
});
