/** What the exploration of all states found: each story is the shortest one, in seconds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newStage, type Stage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { type Action, type Policy, planTick, type Status, type Step } from "./index.ts";

const wants = (tier: "lambda" | "fargate"): Policy => ({
  name: "test",
  decide: (_, policyState) => ({
    decision: { type: "target", tier, tasks: 2, reason: "the test wants it" },
    policyState,
  }),
});

/** A burst tier that serves since long ago, but for less than any deadline. */
function servingStage(status: Partial<Status>, changes: Partial<Stage> = {}): Stage {
  const stage = newStage();
  const longAgo = stage.nowMs - 700_000;
  stage.status = {
    ...stage.status,
    targetSinceMs: longAgo,
    syncedAtMs: longAgo,
    healthySinceMs: longAgo,
    probesOk: stageSettings.probesMin,
    ...status,
  };
  const burst = { burst: "ready", burstDigest: stage.lambdaDigest, healthy: 2 } as const;
  const since = { burstSinceMs: stage.nowMs, routedAtMs: longAgo };
  return Object.assign(stage, burst, since, { route: stage.status.route }, changes);
}

async function stepOf(stage: Stage, policy: Policy): Promise<Step> {
  const { status, world } = await stageCloud(stage).observe();
  return planTick(status, world, policy, stageSettings, stage.nowMs).step;
}

const kinds = (actions: readonly Action[]): readonly string[] => actions.map(({ type }) => type);
const shared = { lambda: 50, fargate: 50, fargateRecord: true } as const;

test("a tier whose removal has begun must prove itself anew, whatever is shown", async () => {
  const stage = servingStage({ target: "lambda" });
  const removal = await stepOf(stage, wants("lambda"));
  assert.deepEqual(kinds(removal.actions), ["deprovision"]);
  stage.status = removal.status;
  const back = await stepOf(stage, wants("fargate"));
  assert.equal(back.status.target, "fargate");
  assert.deepEqual(back.actions, [], "no weight before the new proof");
});

test("weights that a hand had set are waited for before the tier is removed", async () => {
  const stage = servingStage({ target: "lambda", shiftedAtMs: null, syncedAtMs: null });
  assert.deepEqual((await stepOf(stage, wants("lambda"))).actions, []);
  stage.status = (await stepOf(stage, wants("lambda"))).status;
  stage.nowMs += stageSettings.ttlMs - 1;
  assert.deepEqual((await stepOf(stage, wants("lambda"))).actions, []);
  stage.nowMs += 1;
  assert.deepEqual(kinds((await stepOf(stage, wants("lambda"))).actions), ["deprovision"]);
});

test("traffic that returns does not turn to a tier that has just lost its targets", async () => {
  const sick = { burst: "starting", healthy: 0 } as const;
  const byHand = { route: { lambda: 100, fargate: 0, fargateRecord: false } };
  const stage = servingStage({ target: "lambda", route: shared }, { ...sick, ...byHand });
  const step = await stepOf(stage, wants("fargate"));
  assert.equal(step.status.target, "lambda");
  assert.equal(step.status.route.fargate, 0, "the weight goes back to Lambda");
  assert.equal(step.wait?.kind, "in-sync");
});

test("a tier without targets for a moment keeps its record until clients have left", async () => {
  const route = { lambda: 100, fargate: 0, fargateRecord: true };
  const stage = servingStage({ target: "lambda", route }, { burst: "starting", healthy: 0 });
  stage.lastRequestMs = stage.nowMs - 1000;
  assert.deepEqual((await stepOf(stage, wants("lambda"))).actions, []);
  stage.burst = "failed";
  assert.deepEqual(kinds((await stepOf(stage, wants("lambda"))).actions), ["route"]);
});

test("to take back what a hand gave to Fargate needs no proof of Lambda", async () => {
  const byHand = { route: { lambda: 0, fargate: 100, fargateRecord: true } };
  const stage = servingStage({ target: "fargate" }, { ...byHand, lambdaState: "failed" });
  const step = await stepOf(stage, wants("fargate"));
  const [action] = step.actions;
  assert.equal(action?.type === "route" && action.route.fargate, 10);
});
