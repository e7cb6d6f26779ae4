/** What a deployment says of a burst tier, over the wire. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { deployImage, digestOf, seedDeployment } from "../../../test/aws/deployment.ts";
import { startLoopback } from "../../../test/aws/loopback/server.ts";
import { createWorld } from "../../../test/aws/world/world.ts";
import { awsCloud, openTable, readDeployment } from "../../aws/index.ts";
import { deploymentNames } from "../../core/deployment.ts";
import { type BurstOutcome, burstFollows } from "./burst.ts";

/** A burst tier that did not take an image, and what is said of it from some time on. */
async function afterBadImage(t: TestContext): Promise<{
  readonly failedMs: number;
  readonly laterMs: number;
  readonly follows: (sinceMs: number) => Promise<BurstOutcome>;
}> {
  const world = createWorld({ seed: 5 });
  const seeded = seedDeployment(world);
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const settings = { readinessPath: "/", drainQuietMs: 600_000, stirs: null };
  const { region } = world;
  const nowMs = (): number => world.nowMs;
  const make = (variables: object): ReturnType<typeof awsCloud> =>
    awsCloud(readDeployment({ ...seeded.variables, ...variables }), {
      region,
      nowMs,
      settings,
      probe: async () => true,
    });
  const first = make({});
  await first.apply({ type: "provision", digest: seeded.digest, tasks: 2 });
  world.advance(15 * 60_000);
  const digest = digestOf("b");
  world.application.taskHealthy = (image) => !image.includes(digest);
  const taskDefinition = deployImage(world, seeded, digest);
  const variables = { LAMBDAFLEX_DIGEST: digest, LAMBDAFLEX_TASK_DEFINITION: taskDefinition };
  const second = make(variables);
  const failedMs = world.nowMs;
  await second.apply({ type: "provision", digest, tasks: 2 });
  world.advance(60 * 60_000);
  const names = deploymentNames(seeded.app);
  const found = world.functions.get(names.appFunction);
  assert.ok(found);
  const environment = { LAMBDAFLEX_TASK_DEFINITION: `${taskDefinition}0` };
  world.functions.set(names.controllerFunction, { ...found, environment });
  const table = openTable(names.table, { region });
  const signal = new AbortController().signal;
  const pace = { pollMs: 1, signal, nowMs, pause: async () => world.advance(2_000) };
  const cloudformation = new CloudFormationClient({ region });
  const lambda = new LambdaClient({ region });
  t.after(async () => {
    for (const one of [first, second]) one.close();
    for (const one of [cloudformation, lambda, table.once, table.repeatable]) one.destroy();
    process.env = before;
    await aws.stop();
  });
  const parts = { cloudformation, lambda, table, names, pace, say: () => undefined };
  const follows = (sinceMs: number): Promise<BurstOutcome> => burstFollows({ ...parts, sinceMs });
  return { failedMs, laterMs: world.nowMs, follows };
}

test("an image that the burst tier refuses is the failure of its own deployment", async (t) => {
  const { failedMs, laterMs, follows } = await afterBadImage(t);
  const failed = await follows(failedMs);
  assert.equal(failed.state, "failed", JSON.stringify(failed));
  assert.match("reason" in failed ? failed.reason : "", /UPDATE_ROLLBACK_COMPLETE: Service/);
  // The next one, with an image that is repaired, finds a tier that is on its way out.
  assert.deepEqual(await follows(laterMs), { state: "leaving" });
});
