/** The policy of the controller against the calls of a cycle in which everything goes wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deployImage, digestOf } from "../base-stack.ts";
import { bundleController } from "../cycle/bundle.ts";
import { controllerKey, shortStays, startCycle } from "../cycle/cycle.ts";
import { atRest } from "../cycle/story.ts";
import { roleStatements } from "./evaluate.ts";
import { impliedRights, refusedRequests, unusedActions, usedActions } from "./used.ts";

test("the policy allows every call, and every right is used or has a reason", async () => {
  const bundle = await bundleController();
  const cycle = await startCycle({ seed: 3, bundle: bundle.file });
  const { world, aws, base } = cycle;
  const share = (): number => cycle.monitor.weights.at(-1)?.fargate ?? 0;
  try {
    await cycle.until(() => cycle.monitor.weights.length > 0, 5);
    world.traffic.rate = () => 60;
    assert.ok(await cycle.until(() => share() === 255, 40));
    const service = { resource: "AWS::ECS::Service", reason: "did not stabilise" };
    world.plannedFailures.push({ ...service, operation: "update", times: 2 });
    deployImage(world, base, shortStays, digestOf("b"));
    await cycle.until(() => false, 12);
    const balancer = { resource: "AWS::ElasticLoadBalancingV2::LoadBalancer", reason: "in use" };
    for (const one of [service, balancer]) {
      world.plannedFailures.push({ ...one, operation: "delete", times: 4 });
    }
    world.traffic.rate = () => 1;
    assert.ok(await cycle.until(() => atRest(cycle), 150), cycle.log.slice(-30).join("\n"));
    const statements = roleStatements(world, base.controllerRole);
    assert.deepEqual(refusedRequests(aws.calls, controllerKey, statements), []);
    const unused = unusedActions(statements, usedActions(aws.calls, controllerKey));
    assert.deepEqual(unused, Object.keys(impliedRights).sort());
  } finally {
    await cycle.stop();
    bundle.remove();
  }
});
