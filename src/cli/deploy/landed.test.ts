/** Two deployments at once: the one that finds nothing to do waits for the one that does it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { startLoopback } from "../../../test/aws/loopback/server.ts";
import { createStack } from "../../../test/aws/world/stacks/lifecycle.ts";
import { parseTemplate } from "../../../test/aws/world/template.ts";
import { createWorld, type World } from "../../../test/aws/world/world.ts";
import { appTag } from "../../core/deployment.ts";
import type { StackFacts } from "../aws/stacks.ts";
import { landed } from "./landed.ts";

const type = "AWS::SNS::Topic";

interface Stage {
  readonly world: World;
  readonly said: string[];
  /** Somebody else begins to create the stack with an image. */
  readonly begin: (image: string) => void;
  readonly land: (image: string) => Promise<StackFacts>;
}

async function startStage(t: TestContext): Promise<Stage> {
  const world = createWorld({ seed: 4 });
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const client = new CloudFormationClient({ region: world.region });
  t.after(async () => {
    client.destroy();
    process.env = before;
    await aws.stop();
  });
  const begin = (image: string): void => {
    const templateBody = JSON.stringify({
      Resources: { Topic: { Type: type } },
      Outputs: { ImageUri: { Value: image } },
    });
    createStack(world, "shop-base", {
      templateBody,
      template: parseTemplate(templateBody),
      parameters: {},
      tags: { [appTag]: "shop" },
      roleArn: "",
      token: "theirs",
      capabilities: [],
      onFailure: "ROLLBACK",
    });
  };
  const said: string[] = [];
  const signal = new AbortController().signal;
  const pause = async (): Promise<void> => world.advance(30_000);
  const pace = { pollMs: 1, signal, nowMs: () => world.nowMs, pause };
  const land = (image: string): Promise<StackFacts> => {
    const say = (line: string): void => void said.push(line);
    return landed({ client, stack: "shop-base", image, pace, say, onEvent: () => undefined });
  };
  return { world, said, begin, land };
}

test("a stack that another deployment is still making is waited for", async (t) => {
  const { begin, land, said } = await startStage(t);
  begin("a");
  const stack = await land("a");
  assert.deepEqual([stack.status, stack.outputs.ImageUri], ["CREATE_COMPLETE", "a"]);
  assert.match(said.join(), /CREATE_IN_PROGRESS by another deployment: waiting for it/);
});

test("its failure is ours, and another image is another deployment", async (t) => {
  const { world, begin, land } = await startStage(t);
  world.plannedFailures.push({ resource: type, operation: "create", reason: "quota", times: 1 });
  begin("a");
  await assert.rejects(land("a"), /shop-base is ROLLBACK_COMPLETE/);
  const [stack] = world.stacks;
  assert.ok(stack);
  stack.status = "DELETE_COMPLETE";
  await assert.rejects(land("a"), /shop-base is gone/);
  begin("b");
  await assert.rejects(land("a"), { code: "DEPLOYMENT_LOCKED", message: /shop-base runs b/ });
});

test("a rollback of before is no failure of a deployment that finds nothing to do", async (t) => {
  const { world, begin, land } = await startStage(t);
  begin("a");
  world.advance(10 * 60_000);
  const [stack] = world.stacks;
  assert.ok(stack);
  stack.status = "UPDATE_ROLLBACK_COMPLETE";
  assert.equal((await land("a")).outputs.ImageUri, "a");
});
