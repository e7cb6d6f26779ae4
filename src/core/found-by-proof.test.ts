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

test("a share that did not arrive is not given to a tier with the former image", async () => {
  const route = { lambda: 90, fargate: 10, fargateRecord: true };
  const none = { lambda: 100, fargate: 0, fargateRecord: false };
  const stage = servingStage({ target: "fargate", route, syncedAtMs: null }, { route: none });
  stage.lambdaDigest = "sha256:another";
  const step = await stepOf(stage, wants("fargate"));
  assert.deepEqual(kinds(step.actions), ["provision", "route"]);
  const kept = { lambda: 100, fargate: 0, fargateRecord: true };
  assert.deepEqual(step.status.route, kept, "whoever followed the record still finds it");
  assert.equal(step.phase, "provisioning", "the way begins anew, with all its proofs");
  // Proved again, it goes up by steps and not at once.
  Object.assign(stage, { status: step.status, burstDigest: stage.lambdaDigest, route: kept });
  for (let at = 0; at < 10 && stage.status.route.fargate === 0; at += 1) {
    stage.nowMs += stageSettings.healthyMs;
    stage.status = (await stepOf(stage, wants("fargate"))).status;
  }
  assert.equal(stage.status.route.fargate, stageSettings.stepPercents[0]);
});

test("a tier whose weights were never taken away turns back at once", async () => {
  const drained = { lambda: 100, fargate: 0, fargateRecord: true };
  const never = { targetSinceMs: 0, shiftedAtMs: null };
  const stage = servingStage({ target: "fargate", route: drained, ...never }, { routedAtMs: 0 });
  stage.nowMs = 500_000;
  Object.assign(stage.status, { syncedAtMs: 1, healthySinceMs: 1 });
  const [action] = (await stepOf(stage, wants("fargate"))).actions;
  assert.equal(action?.type === "route" && action.route.fargate, 100);
});

test("nor on the way back, which goes on from where the weights are", async () => {
  const byHand = { lambda: 75, fargate: 25, fargateRecord: true };
  const stage = servingStage({ target: "lambda", route: shared }, { route: byHand });
  stage.lambdaDigest = "sha256:another";
  const { status, actions } = await stepOf(stage, wants("lambda"));
  assert.deepEqual([status.route, actions], [byHand, []]);
  assert.equal(status.shiftedAtMs, stage.nowMs);
  assert.equal(status.syncedAtMs, null, "clients may still follow what was commanded before");
});

test("changed weights are put back, however long ago they were commanded", async () => {
  const route = { lambda: 0, fargate: 100, fargateRecord: true };
  const stage = servingStage({ target: "fargate", route }, { route: shared });
  stage.nowMs += 30 * 24 * 60 * 60_000;
  const step = await stepOf(stage, wants("fargate"));
  assert.equal(step.status.target, "fargate", "it is no failure of the tier");
  assert.deepEqual(step.actions, [{ type: "route", route }]);
  // That they never come back is.
  stage.status = step.status;
  stage.nowMs += stageSettings.deadlineMs.shifting + 1;
  assert.equal((await stepOf(stage, wants("fargate"))).status.target, "lambda");
});

test("a tier that has failed is not given everything at once after its back-off", async () => {
  const drained = { lambda: 100, fargate: 0, fargateRecord: true };
  const failed = { failures: 1, holdUntilMs: 1 };
  const status = { target: "lambda", route: drained, shiftedAtMs: 2, ...failed } as const;
  const stage = servingStage(status);
  const step = await stepOf(stage, wants("fargate"));
  assert.equal(step.status.target, "fargate");
  assert.equal(step.status.route.fargate, stageSettings.stepPercents[0]);
});

test("nor is it wanted again while its errors are still in sight", async () => {
  const drained = { lambda: 100, fargate: 0, fargateRecord: true };
  const stage = servingStage({ target: "lambda", route: drained });
  stage.errorsFargate = 500;
  const step = await stepOf(stage, wants("fargate"));
  assert.deepEqual([step.status.target, step.status.route.fargate], ["lambda", 0]);
  stage.errorsFargate = 5;
  assert.equal((await stepOf(stage, wants("fargate"))).status.route.fargate, 100);
});
