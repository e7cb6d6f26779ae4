import assert from "node:assert/strict";
import { test } from "node:test";
import { newStage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { type EngineEvent, type Policy, tick } from "../core/index.ts";
import { eventsOfTick } from "./events.ts";
import { nothingTold } from "./told.ts";

const up: Policy = {
  name: "up",
  decide: (_view, policyState) => ({
    decision: { type: "target", tier: "fargate", tasks: 2, reason: "61 requests" },
    policyState,
  }),
};

test("a decision is committed with its reason, whatever fails after it", async () => {
  const stage = newStage();
  stage.failNext = "apply";
  const cloud = stageCloud(stage);
  const committed: EngineEvent[] = [];
  const noting = {
    observe: () => cloud.observe(),
    apply: (action: Parameters<typeof cloud.apply>[0]) => cloud.apply(action),
    async commit(...[status, events = []]: Parameters<typeof cloud.commit>) {
      await cloud.commit(status);
      committed.push(...events);
    },
  };
  const result = await tick(noting, up, stageSettings, stage.nowMs);
  assert.equal(result.ok, false);
  assert.ok(committed.some(({ message }) => message.includes("61 requests")));
  const own = eventsOfTick(result, nothingTold, null, stage.nowMs);
  assert.match(own.map(({ message }) => message).join("\n"), /^could not change AWS: /);
});

test("an arrival is told when a phase was left, and a refusal as a notice", async () => {
  const stage = newStage();
  const steady: Policy = {
    name: "steady",
    decide: (_view, policyState) => ({ decision: { type: "hold", reason: "calm" }, policyState }),
  };
  const result = await tick(stageCloud(stage), steady, stageSettings, stage.nowMs);
  const moving = { ...nothingTold, phase: "deprovisioning" } as const;
  const [arrived] = eventsOfTick(result, moving, null, stage.nowMs);
  assert.match(arrived?.message ?? "", /all traffic is on Lambda and nothing .* is left/);
  assert.deepEqual(eventsOfTick(result, { ...nothingTold, phase: "steady" }, null, 0), []);
  const [refused] = eventsOfTick(result, nothingTold, "no burst", stage.nowMs);
  assert.equal(refused?.type, "notice");
});
