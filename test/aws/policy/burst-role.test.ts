/** The role that CloudFormation works with, against what its handlers ask of AWS. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deploymentNames } from "../../../src/core/deployment.ts";
import { app, type BaseStack, type ConfigKeys, deployBase, settle } from "../base-stack.ts";
import { templateAt } from "../loopback/services/cloudformation/request.ts";
import { trusts } from "../world/handlers.ts";
import { createStack, deleteStack, updateStack } from "../world/stacks/lifecycle.ts";
import type { StackRecord, StackRequest } from "../world/stacks/stack.ts";
import { parseTemplate } from "../world/template.ts";
import { createWorld, type World } from "../world/world.ts";

const variants: Readonly<Record<string, ConfigKeys>> = {
  warm: {},
  cold: { standby: "cold" },
  rest: { frontDoor: "rest" },
  private: { network: { tasks: "private" } },
  "cold and private": { standby: "cold", network: { tasks: "private" } },
};

const { burstStack } = deploymentNames(app);

/** What the controller would ask for. */
function burstRequest(world: World, base: BaseStack, blueprint: string): StackRequest {
  const { environment } = base;
  const templateBody = templateAt(world, environment.LAMBDAFLEX_BURST_TEMPLATE_URL ?? "");
  return {
    templateBody,
    template: parseTemplate(templateBody),
    parameters: {
      ...JSON.parse(environment.LAMBDAFLEX_BURST_PARAMETERS ?? "{}"),
      TaskDefinitionArn: environment.LAMBDAFLEX_TASK_DEFINITION ?? "",
      Blueprint: blueprint,
      Operation: blueprint === "first" ? "create" : "update",
      InitialTasks: "2",
    },
    tags: { "lambdaflex:app": app, "lambdaflex:stack": "burst" },
    roleArn: environment.LAMBDAFLEX_BURST_ROLE_ARN ?? "",
    token: blueprint,
    capabilities: [],
    onFailure: "ROLLBACK",
  };
}

function started(config: ConfigKeys): { world: World; base: BaseStack; burst: StackRecord } {
  const world = createWorld({ seed: 4 });
  const base = deployBase(world, config);
  const burst = createStack(world, burstStack, burstRequest(world, base, "first"));
  settle(world, burst, "CREATE_COMPLETE");
  return { world, base, burst };
}

describe("the burst role", () => {
  for (const [name, config] of Object.entries(variants)) {
    it(`${name}: makes, changes and removes the burst stack`, () => {
      const { world, base, burst } = started(config);
      updateStack(world, burst, burstRequest(world, base, "second"));
      settle(world, burst, "UPDATE_COMPLETE");
      deleteStack(world, burst, { token: "gone" });
      settle(world, burst, "DELETE_COMPLETE");
    });
  }

  it("changes nothing of a network that is not the application's", () => {
    const { world, burst } = started({ standby: "cold" });
    const vpc = burst.resources.get("Vpc");
    assert.ok(vpc);
    vpc.properties = { ...vpc.properties, Tags: [{ Key: "lambdaflex:app", Value: "other" }] };
    burst.request = { ...burst.request, tags: {} };
    deleteStack(world, burst, { token: "gone" });
    settle(world, burst, "DELETE_FAILED");
    const reasons = burst.events.map(({ reason }) => reason).join("\n");
    assert.match(reasons, /not authorized to perform: ec2:\w+ on \S+:vpc\//);
  });

  it("can be taken for the burst stack, and for no other", () => {
    const { world, base, burst } = started({});
    const role = [...world.roles.values()].find(({ arn }) => arn === burst.request.roleArn);
    const trust = (stack: StackRecord | null, account: string): boolean =>
      trusts(role?.trust, stack, account);
    assert.deepEqual([trust(null, ""), trust(burst, world.account)], [true, true]);
    assert.deepEqual(
      [trust(base.stack, world.account), trust(burst, "999999999999")],
      [false, false],
    );
  });
});
