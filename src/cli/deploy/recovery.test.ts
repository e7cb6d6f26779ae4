/** Stuck stacks over the wire: left by themselves, or named with the failing resource's reason. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { startLoopback } from "../../../test/aws/loopback/server.ts";
import { createStack, deleteStack } from "../../../test/aws/world/stacks/lifecycle.ts";
import type { StackRecord } from "../../../test/aws/world/stacks/stack.ts";
import { parseTemplate } from "../../../test/aws/world/template.ts";
import { createWorld, type World } from "../../../test/aws/world/world.ts";
import { appTag } from "../../core/deployment.ts";
import type { StackFacts } from "../aws/stacks.ts";
import { recovered } from "./recovery.ts";

const type = "AWS::SNS::Topic";

interface Stage {
  readonly world: World;
  readonly stack: StackRecord;
  readonly said: string[];
  readonly recover: () => Promise<StackFacts | null>;
}

/** A small stack of ours, and how a deployment brings it into order. */
async function startStage(t: TestContext): Promise<Stage> {
  const world = createWorld({ seed: 9 });
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const client = new CloudFormationClient({ region: world.region });
  t.after(async () => {
    client.destroy();
    process.env = before;
    await aws.stop();
  });
  const templateBody = JSON.stringify({ Resources: { Topic: { Type: type } } });
  const stack = createStack(world, "shop-base", {
    templateBody,
    template: parseTemplate(templateBody),
    parameters: {},
    tags: { [appTag]: "shop" },
    roleArn: "",
    token: "one",
    capabilities: [],
    onFailure: "ROLLBACK",
  });
  world.advance(10 * 60_000);
  const said: string[] = [];
  const signal = new AbortController().signal;
  const pause = async (): Promise<void> => world.advance(30_000);
  const pace = { pollMs: 1, signal, nowMs: () => world.nowMs, pause };
  const say = (line: string): void => void said.push(line);
  const recovery = { client, app: "shop", stack: "shop-base", pace, say, onEvent: () => undefined };
  return { world, stack, said, recover: () => recovered(recovery) };
}

/** A removal that fails `times` times; CloudFormation itself tries more than once. */
function removeInVain({ world, stack }: Stage, times: number): void {
  world.plannedFailures.push({ resource: type, operation: "delete", reason: "in use", times });
  deleteStack(world, stack, { token: "by-hand" });
  world.advance(30 * 60_000);
  assert.equal(stack.status, "DELETE_FAILED");
}

test("a removal that stopped is tried again, and the stack can be made anew", async (t) => {
  const stage = await startStage(t);
  removeInVain(stage, 99);
  stage.world.plannedFailures.splice(0);
  assert.equal(await stage.recover(), null);
  assert.match(stage.said.join("\n"), /is DELETE_FAILED: its removal stopped/);
});

test("a state that stays is told with the resource's own reason", async (t) => {
  const stage = await startStage(t);
  removeInVain(stage, 99);
  await assert.rejects(stage.recover(), {
    code: "STACK_STUCK",
    message: /shop-base stays DELETE_FAILED: Topic \(AWS::SNS::Topic\): in use/,
  });
});

test("what CloudFormation is at is waited for", async (t) => {
  const stage = await startStage(t);
  deleteStack(stage.world, stage.stack, { token: "by-hand" });
  assert.equal(stage.stack.status, "DELETE_IN_PROGRESS");
  assert.equal(await stage.recover(), null);
  assert.match(stage.said.join("\n"), /DELETE_IN_PROGRESS: waiting for it/);
});

test("a name that an interruption left in review belongs to nobody", async (t) => {
  const stage = await startStage(t);
  stage.stack.status = "REVIEW_IN_PROGRESS";
  stage.stack.request = { ...stage.stack.request, tags: {} };
  assert.equal((await stage.recover())?.status, "REVIEW_IN_PROGRESS");
  stage.stack.request = { ...stage.stack.request, tags: { owner: "somebody" } };
  await assert.rejects(stage.recover(), { code: "NAME_TAKEN" });
});
