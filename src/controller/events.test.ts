import assert from "node:assert/strict";
import { test } from "node:test";
import { newStage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { type Policy, tick } from "../core/index.ts";
import { eventsOfTick } from "./events.ts";
import { nothingTold } from "./told.ts";

const up: Policy = {
  name: "up",
  decide: (_view, policyState) => ({
    decision: { type: "target", tier: "fargate", tasks: 2, reason: "61 requests" },
    policyState,
  }),
};

test("a decision is told although what follows it fails", async () => {
  const stage = newStage();
  stage.failNext = "apply";
  const result = await tick(stageCloud(stage), up, stageSettings, stage.nowMs);
  assert.equal(result.ok, false);
  const messages = eventsOfTick(result, nothingTold, null, stage.nowMs).map((one) => one.message);
  assert.ok(
    messages.some((message) => message.includes("61 requests")),
    messages.join("\n"),
  );
  assert.ok(messages.some((message) => message.startsWith("could not change AWS")));
});

test("a decision whose invocation died is told by the next one, once", async () => {
  const stage = newStage();
  await tick(stageCloud(stage), up, stageSettings, stage.nowMs);
  const decidedMs = stage.nowMs;
  stage.nowMs += 60_000;
  const result = await tick(stageCloud(stage), up, stageSettings, stage.nowMs);
  const decisions = (targetSinceMs: number): readonly number[] =>
    eventsOfTick(result, { ...nothingTold, targetSinceMs }, null, stage.nowMs)
      .filter(({ type }) => type === "decision")
      .map(({ atMs }) => atMs);
  assert.deepEqual(decisions(0), [decidedMs]);
  assert.deepEqual(decisions(decidedMs), []);
});
