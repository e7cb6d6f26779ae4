import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { RehearsalResult } from "../local/rehearsal.ts";
import { rehearsalSummary } from "./rehearsal-summary.ts";
import { rehearsalView } from "./rehearsal-view.ts";

test("the times of a view never go back, although ticks are told late", () => {
  const said: string[] = [];
  const nothing = (): void => undefined;
  const view = rehearsalView({
    say: (line) => said.push(stripVTControlCharacters(line).trim()),
    picture: nothing,
    plain: nothing,
    close: nothing,
  });
  view.onAlarm("quiet", "OK", 1_000_000);
  view.onAlarm("quiet", "ALARM", 1_065_000);
  view.onAlarm("busy-requests", "OK", 1_030_000);
  view.onAlarm("throttled", "OK", 1_125_000);
  assert.deepEqual(said, [
    "0:00 alarm quiet: OK",
    "1:05 alarm quiet: ALARM",
    "1:05 alarm busy-requests: OK",
    "2:05 alarm throttled: OK",
  ]);
});

test("a summary tells of a way that turned back, and why", () => {
  const tier = { requests: 1, failed: 0, p50Ms: 1, p99Ms: 2 };
  const result: RehearsalResult = {
    requests: 2,
    failed: 0,
    byTier: { lambda: tier, fargate: tier },
    transitions: [],
    turnedBack: [
      {
        direction: "up",
        ms: 125_000,
        reason: "target fargate: busy",
        because: "no task is healthy",
      },
    ],
    coldStarts: 0,
    cost: { actual: 0, alwaysLambda: 0, alwaysFargate: 0, assumptions: [] },
    leftRunning: 0,
    complete: false,
    ok: false,
    virtualMs: 1,
    speed: 60,
    failures: [],
  };
  const lines = [
    "Turned back on the way up: 2 m 05 s",
    "  why     target fargate: busy",
    "  but     no task is healthy",
  ];
  assert.ok(rehearsalSummary(result).includes(`${lines.join("\n")}\n`));
});
