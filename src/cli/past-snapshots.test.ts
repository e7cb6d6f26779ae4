import assert from "node:assert/strict";
import { test } from "node:test";
import { minute, nowMs, someReport, windowAgo } from "../../test/report-stage.ts";
import type { RunRecord } from "../core/record.ts";
import type { EngineEvent } from "../core/types.ts";
import { pastSnapshots } from "./past-snapshots.ts";

const minutes = Array.from({ length: 60 }, (_, at) => 59 - at);
const windows = minutes.flatMap((ago) => [
  windowAgo("lambda", ago, ago > 30 ? 6000 : 0),
  ...(ago > 35 ? [] : [windowAgo("fargate", ago, 3000)]),
]);

const event = (ago: number, type: EngineEvent["type"], message: string, data = {}): RunRecord => ({
  type: "event",
  event: { atMs: nowMs - ago * minute, type, phase: "steady", message, data },
});

const shift = (ago: number, fargate: number, from: number, fargateRecord = true): RunRecord =>
  event(ago, "shift", "", { lambda: 100 - fargate, fargate, from, fargateRecord });

/** What it was like so many minutes ago. */
const told = (records: readonly RunRecord[]): ((ago: number) => readonly unknown[]) => {
  const past = pastSnapshots(someReport({}, windows), records);
  return (ago) => {
    const at = past.find(({ atMs }) => atMs === nowMs - ago * minute) ?? assert.fail(`${ago}`);
    return [at.phase, at.target, at.route.fargate, at.tiers.fargate.state];
  };
};

test("a past without events is what is now, with the traffic of each minute", () => {
  const past = pastSnapshots(someReport({}, windows), []);
  assert.equal(past.length, 59, "the newest minute ends now");
  const [first] = past;
  assert.equal(first?.atMs, nowMs - 59 * minute);
  assert.equal(first?.tiers.lambda.requestsPerSecond, 100);
  assert.equal(first?.tiers.fargate.requestsPerSecond, 0);
  assert.equal(past.at(-1)?.tiers.fargate.requestsPerSecond, 50);
  assert.ok(past.every(({ phase, cost }) => phase === "steady" && cost === null));
});

test("a way there and back is told by its events", () => {
  const at = told([
    event(50, "decision", "target fargate: busy"),
    event(50, "provision", "provision the burst tier"),
    shift(44, 10, 0),
    shift(40, 50, 10),
    shift(36, 100, 50),
    event(26, "decision", "target lambda: quiet"),
    shift(26, 50, 100),
    shift(22, 0, 50),
    shift(14, 0, 0, false),
    event(12, "deprovision", "remove the burst tier"),
  ]);
  assert.deepEqual(at(55), ["steady", "lambda", 0, "absent"]);
  assert.deepEqual(at(48), ["provisioning", "fargate", 0, "absent"]);
  assert.deepEqual(at(42), ["shifting", "fargate", 10, "ready"]);
  assert.deepEqual(at(30), ["steady", "fargate", 100, "ready"]);
  assert.deepEqual(at(24), ["shifting", "lambda", 50, "ready"]);
  assert.deepEqual(at(20), ["draining", "lambda", 0, "ready"]);
  assert.deepEqual(at(10).slice(0, 3), ["deprovisioning", "lambda", 0]);
  assert.deepEqual(at(2).slice(0, 3), ["steady", "lambda", 0]);
});

test("a deployment that got its first records has been steady since", () => {
  const at = told([shift(50, 0, 0, false)]);
  for (const ago of [55, 49, 40]) assert.deepEqual(at(ago).slice(0, 3), ["steady", "lambda", 0]);
});
