/** The guard's own calls, with its own permissions, against AWS on loopback. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SendAnswer } from "../../src/controller/custom-resource.ts";
import { createGuard } from "../../src/controller/guard-handler.ts";
import { deploymentNames, recordIdentifiers } from "../../src/core/deployment.ts";
import { app, type BaseStack, burstStack, deployBase, domain, settle } from "../aws/base-stack.ts";
import { type Loopback, startLoopback } from "../aws/loopback/server.ts";
import { policyGuard } from "../aws/policy/evaluate.ts";
import { changeByHand } from "../aws/world/dns.ts";
import { createStack } from "../aws/world/stacks/lifecycle.ts";
import { parseTemplate } from "../aws/world/template.ts";
import { createWorld, type World } from "../aws/world/world.ts";

const names = deploymentNames(app);
const guardKey = "AKIAGUARD";
const environmentBefore = { ...process.env };
let world: World;
let aws: Loopback;
let base: BaseStack;

before(async () => {
  world = createWorld({ seed: 7 });
  base = deployBase(world);
  aws = await startLoopback(world);
  Object.assign(process.env, aws.environment, { AWS_ACCESS_KEY_ID: guardKey });
  const guard = world.functions.get(names.guardFunction);
  const role = String(guard?.versions.get("$LATEST")?.properties.Role);
  aws.guard = policyGuard(world, role, (key) => key === guardKey);
});
after(async () => {
  process.env = environmentBefore;
  await aws.stop();
});

/** Brings the burst tier up and half of the traffic to it, as the controller does. */
function burst(): void {
  const { environment } = base;
  const url = new URL(environment.LAMBDAFLEX_BURST_TEMPLATE_URL ?? "");
  const [bucket = "", key = ""] = url.pathname.slice(1).split("/");
  const templateBody = String(world.buckets.get(bucket)?.get(key));
  const stack = createStack(world, names.burstStack, {
    templateBody,
    template: parseTemplate(templateBody),
    parameters: {
      ...JSON.parse(environment.LAMBDAFLEX_BURST_PARAMETERS ?? ""),
      TaskDefinitionArn: environment.LAMBDAFLEX_TASK_DEFINITION ?? "",
      Operation: "create",
      InitialTasks: "2",
    },
    tags: {},
    roleArn: environment.LAMBDAFLEX_BURST_ROLE_ARN ?? "",
    token: world.uniqueId(),
    capabilities: [],
    onFailure: "DELETE",
  });
  settle(world, stack, "CREATE_COMPLETE");
  const record = (tier: "lambda" | "fargate", DNSName: string, HostedZoneId: string) => ({
    Name: `${domain}.`,
    Type: "A",
    SetIdentifier: recordIdentifiers[tier],
    Weight: 50,
    AliasTarget: { HostedZoneId, DNSName, EvaluateTargetHealth: true },
  });
  const outputs = new Map(stack.outputs.map(({ key: name, value }) => [name, value]));
  const api = environment.LAMBDAFLEX_API_TARGET ?? "";
  const other = { ...record("lambda", "x", "y"), Name: `other.${base.zone.name}` };
  changeByHand(world, base.zone, () => [
    other,
    record("lambda", `${api}.`, environment.LAMBDAFLEX_API_TARGET_ZONE ?? ""),
    record("fargate", `${outputs.get("AlbDnsName")}.`, outputs.get("AlbZoneId") ?? ""),
  ]);
  world.advance(120_000);
}

interface Answer {
  readonly Status: string;
  readonly Reason?: string;
}

/** Calls the guard as CloudFormation does; the answers that it sends. */
async function call(RequestType: "Create" | "Delete", remainingMs = 900_000): Promise<Answer[]> {
  const answers: Answer[] = [];
  const send: SendAnswer = async (_url, { body }) => {
    answers.push(JSON.parse(new TextDecoder().decode(body)) as Answer);
    return { status: 200 };
  };
  const { environment } = base;
  const handler = createGuard({
    environment: {
      AWS_REGION: world.region,
      LAMBDAFLEX_APP: app,
      LAMBDAFLEX_TOPIC: environment.LAMBDAFLEX_TOPIC,
    },
    nowMs: () => world.nowMs,
    sleep: async (ms) => world.advance(ms),
    send,
  });
  const untilMs = world.nowMs + remainingMs;
  const event = {
    RequestType,
    ResponseURL: "https://answers.example.com/",
    StackId: base.stack.id,
    RequestId: "request",
    LogicalResourceId: "Guard",
    ResourceProperties: {
      BurstStack: names.burstStack,
      BurstRoleArn: environment.LAMBDAFLEX_BURST_ROLE_ARN,
      Domain: domain,
      HostedZoneId: base.zone.id,
      ApiTarget: environment.LAMBDAFLEX_API_TARGET,
      ApiTargetZone: environment.LAMBDAFLEX_API_TARGET_ZONE,
    },
  };
  const getRemainingTimeInMillis = (): number => untilMs - world.nowMs;
  await handler(event, { awsRequestId: "run", getRemainingTimeInMillis });
  return answers;
}

describe("the guard", () => {
  test("has nothing to do when the stack is made", async () => {
    assert.deepEqual(
      (await call("Create")).map(({ Status }) => Status),
      ["SUCCESS"],
    );
  });

  test("hands over to the next run when the time is short", async () => {
    burst();
    const begun = aws.calls.length;
    assert.deepEqual(await call("Delete", 90_000), []);
    const own = aws.calls.slice(begun).filter(({ action }) => action === "Invoke");
    assert.deepEqual(
      own.map(({ outcome }) => outcome),
      ["ok"],
    );
  });

  test("tells what keeps the stack, and leaves what serves", async () => {
    const failing = { resource: "TargetGroup", operation: "delete", reason: "in use" } as const;
    world.plannedFailures.push({ ...failing, times: 100 });
    const [answer] = await call("Delete");
    assert.equal(answer?.Status, "FAILED");
    assert.match(answer?.Reason ?? "", /TargetGroup .*in use/);
    assert.ok(base.zone.records.some(({ SetIdentifier }) => SetIdentifier === "lambda"));
    world.plannedFailures.length = 0;
  });

  test("leaves no stack and no record of ours, and takes none of others", async () => {
    assert.deepEqual(
      (await call("Delete")).map(({ Status }) => Status),
      ["SUCCESS"],
    );
    assert.equal(burstStack(world)?.status ?? "DELETE_COMPLETE", "DELETE_COMPLETE");
    assert.deepEqual(
      base.zone.records.map(({ Name }) => Name),
      [`other.${base.zone.name}`],
    );
    const denied = aws.calls.filter(({ outcome }) => outcome === "AccessDenied");
    assert.deepEqual(denied, []);
  });

  test("passes the word of a failing controller on", async () => {
    const handler = createGuard({
      environment: {
        AWS_REGION: world.region,
        LAMBDAFLEX_APP: app,
        LAMBDAFLEX_TOPIC: base.environment.LAMBDAFLEX_TOPIC,
      },
      nowMs: () => world.nowMs,
      sleep: async (ms) => world.advance(ms),
      send: async () => assert.fail("nobody waits for an answer"),
    });
    const context = { awsRequestId: "run", getRemainingTimeInMillis: () => 900_000 };
    const states = { state: { value: "OK", reason: "fine" }, previousState: { value: "ALARM" } };
    await handler({ alarmData: { state: { value: "ALARM", reason: "3 errors" } } }, context);
    await handler({ alarmData: states }, context);
    const subjects = world.published.map(({ subject }) => subject);
    assert.deepEqual(subjects.slice(-2), [
      "shop: the controller fails",
      "shop: the controller works again",
    ]);
  });
});
