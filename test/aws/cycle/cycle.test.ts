/** The real bundle against an account: up with the demand, down again, nothing left. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { tableKeys } from "../../../src/core/deployment.ts";
import type { EngineEvent } from "../../../src/core/index.ts";
import { burstStack } from "../base-stack.ts";
import { roleStatements } from "../policy/evaluate.ts";
import { refusedRequests } from "../policy/used.ts";
import { type Bundle, bundleController } from "./bundle.ts";
import { type Cycle, controllerKey, startCycle } from "./cycle.ts";

describe("a whole cycle of the controller's bundle", () => {
  let bundle: Bundle;
  let cycle: Cycle;

  before(async () => {
    bundle = await bundleController();
    cycle = await startCycle({ seed: 5, bundle: bundle.file });
  });
  after(async () => {
    await cycle.stop();
    bundle.remove();
  });

  const fargateShare = (): number => cycle.monitor.weights.at(-1)?.fargate ?? 0;

  it("makes the Lambda record first", async () => {
    assert.ok(await cycle.until(() => cycle.monitor.weights.length > 0, 3), cycle.log.join("\n"));
    assert.deepEqual(cycle.monitor.weights[0]?.lambda, 255);
  });

  it("goes up when clients are many", async () => {
    await cycle.until(() => false, 5);
    cycle.world.traffic.rate = () => 60;
    assert.ok(await cycle.until(() => fargateShare() === 255, 40), cycle.log.join("\n"));
    const { total, losses } = cycle.world.traffic;
    assert.deepEqual(losses, []);
    assert.ok(total.lambda > 0);
  });

  it("comes down when they are few, and leaves nothing", async () => {
    await cycle.until(() => false, 5);
    cycle.world.traffic.rate = () => 1;
    const gone = (): boolean =>
      burstStack(cycle.world) === null && cycle.world.balancers.size === 0;
    assert.ok(await cycle.until(gone, 90), cycle.log.join("\n"));
    const weights = cycle.monitor.weights.map(({ lambda, fargate }) => [lambda, fargate]);
    assert.deepEqual(weights.at(-1), [255, null]);
    assert.deepEqual(cycle.world.traffic.losses, []);
    assert.deepEqual(cycle.monitor.violations, []);
    assert.equal(cycle.world.services.size, 0);
  });

  it("asked for nothing that its policy does not allow", () => {
    const statements = roleStatements(cycle.world, cycle.base.controllerRole);
    assert.deepEqual(refusedRequests(cycle.aws.calls, controllerKey, statements), []);
    assert.ok(cycle.aws.calls.every(({ outcome }) => !outcome.includes("AccessDenied")));
  });

  it("at rest makes two calls a tick, both free", async () => {
    await cycle.until(() => false, 5);
    const before = cycle.aws.calls.length;
    await cycle.until(() => false, 12);
    const calls = cycle.aws.calls.slice(before);
    const free = new Set(["GetItem", "DescribeAlarms", "ListResourceRecordSets"]);
    assert.deepEqual(
      calls.filter(({ action }) => !free.has(action)).map(({ action }) => action),
      [],
    );
    assert.ok(calls.length <= 24, `${calls.length} calls in 12 ticks`);
  });

  it("left a history that says what happened and why", () => {
    const table = cycle.world.tables.get(cycle.base.environment.LAMBDAFLEX_TABLE ?? "");
    const events = [...(table?.items.values() ?? [])].flatMap(({ pk, event }) =>
      pk?.S === tableKeys.event ? [JSON.parse(String(event?.S)) as EngineEvent] : [],
    );
    const types = events.sort((a, b) => a.atMs - b.atMs).map(({ type }) => type);
    for (const type of ["decision", "provision", "shift", "deprovision", "notice"] as const) {
      assert.ok(types.includes(type), `${type} is not in ${types}`);
    }
    const decisions = events.filter(({ type }) => type === "decision");
    assert.deepEqual(
      decisions.map(({ data }) => data.target),
      ["fargate", "lambda"],
    );
    assert.match(decisions[0]?.message ?? "", /\d/, "a reason has numbers");
  });
});
