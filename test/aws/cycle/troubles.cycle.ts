/** Bad input and stuck states, one by one: recovered from by itself, with traffic served. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { deploymentNames } from "../../../src/core/deployment.ts";
import {
  app,
  burstStack,
  type ConfigKeys,
  deployImage,
  deploySettings,
  digestOf,
} from "../base-stack.ts";
import { scriptedFault } from "../loopback/faults.ts";
import { changeByHand } from "../world/dns.ts";
import { deleteStack } from "../world/stacks/lifecycle.ts";
import type { StackRecord } from "../world/stacks/stack.ts";
import { digestOfImage } from "../world/world.ts";
import { type Bundle, bundleController } from "./bundle.ts";
import { type Cycle, shortStays, startCycle } from "./cycle.ts";
import { outage } from "./incidents.ts";
import { atRest } from "./story.ts";

describe("troubles", () => {
  let bundle: Bundle;
  let cycle: Cycle;
  before(async () => {
    bundle = await bundleController();
  });
  after(() => bundle.remove());
  afterEach(async () => {
    await cycle.stop();
    assert.deepEqual(cycle.monitor.violations, []);
  });

  const share = (): number => cycle.monitor.weights.at(-1)?.fargate ?? 0;
  const status = (): string => burstStack(cycle.world)?.status ?? "absent";
  const reach = async (done: () => boolean, minutes: number): Promise<void> => {
    const told = (): string =>
      [`${status()}, weight ${share()}`, ...cycle.log.slice(-30)].join("\n");
    assert.ok(await cycle.until(done, minutes), told());
  };
  const lost = (): number =>
    cycle.world.traffic.losses.reduce((sum, { requests }) => sum + requests, 0);
  const history = (): string => JSON.stringify([...historyItems(cycle)]);

  async function begin(): Promise<void> {
    cycle = await startCycle({ seed: 21, bundle: bundle.file });
    await reach(() => cycle.monitor.weights.length > 0, 5);
    await cycle.until(() => false, 3);
    cycle.world.traffic.rate = () => 60;
  }
  async function onFargate(): Promise<void> {
    await begin();
    await reach(() => share() === 255, 40);
  }
  async function comeDown(): Promise<void> {
    cycle.world.traffic.rate = () => 1;
    await reach(() => atRest(cycle), 150);
  }
  const burst = (): StackRecord => burstStack(cycle.world) ?? assert.fail("no burst stack");

  it("tries again when the stack cannot be created, and says the resource's reason", async () => {
    await begin();
    const reason = "You've reached the limit on the number of load balancers";
    const resource = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    cycle.world.plannedFailures.push({ resource, operation: "create", reason, times: 1 });
    await reach(() => share() === 255, 60);
    assert.ok(history().includes("limit on the number of load balancers"), history());
    assert.equal(lost(), 0);
    await comeDown();
  });

  for (const times of [1, 3, 6]) {
    it(`removes a stack whose removal fails ${times} times`, async () => {
      await onFargate();
      const resource = "AWS::ElasticLoadBalancingV2::LoadBalancer";
      const reason = "is in use";
      cycle.world.plannedFailures.push({ resource, operation: "delete", reason, times });
      await comeDown();
      assert.equal(lost(), 0);
      assert.equal(cycle.world.balancers.size, 0);
    });
  }

  it("leaves a stack that neither updates nor rolls back, and serves meanwhile", async () => {
    await onFargate();
    const reason = "Service was unable to stabilise";
    const resource = "AWS::ECS::Service";
    cycle.world.plannedFailures.push({ resource, operation: "update", reason, times: 2 });
    deployImage(cycle.world, cycle.base, shortStays, digestOf("b"));
    const stack = burst();
    const stuck = "UPDATE_ROLLBACK_FAILED";
    await reach(() => stack.events.some((event) => event.status === stuck), 20);
    await reach(() => stack.status !== stuck, 30);
    await comeDown();
    assert.equal(lost(), 0);
  });

  it("brings new settings to a tier that serves, and says why it keeps the former", async () => {
    await onFargate();
    const reason = "The health check cannot be changed";
    const resource = "AWS::ElasticLoadBalancingV2::TargetGroup";
    cycle.world.plannedFailures.push({ resource, operation: "update", reason, times: 2 });
    const stack = burst();
    const interval = (): unknown =>
      [...stack.resources.values()].find(({ type }) => type === resource)?.properties
        .HealthCheckIntervalSeconds;
    deploySettings(cycle.world, cycle.base, withInterval(7));
    await reach(() => history().includes("serves on with its former settings"), 20);
    await cycle.until(() => false, 5);
    const updates = stack.events.filter((event) => event.reason === "User Initiated");
    assert.equal(updates.filter((event) => event.status === "UPDATE_IN_PROGRESS").length, 1);
    deploySettings(cycle.world, cycle.base, withInterval(8));
    await reach(() => stack.status === "UPDATE_COMPLETE" && interval() === 8, 20);
    assert.equal(share(), 255, "it was never taken for a failed tier");
    assert.ok(!history().includes("Fargate failed"), history());
    assert.equal(lost(), 0);
    await comeDown();
  });

  it("brings both tiers to a new image that is deployed in the middle of a shift", async () => {
    await begin();
    await reach(() => share() > 0 && share() < 255, 40);
    deployImage(cycle.world, cycle.base, shortStays, digestOf("b"));
    await reach(() => share() === 255 && runs(cycle) === digestOf("b"), 60);
    assert.equal(lost(), 0);
    await comeDown();
  });

  it("falls back by DNS and recovers when the burst stack is deleted by hand", async () => {
    await onFargate();
    const beganMs = cycle.world.nowMs;
    deleteStack(cycle.world, burst(), { token: "by-hand" });
    await reach(() => cycle.monitor.weights.at(-1)?.fargate === null, 30);
    const late = cycle.world.traffic.losses.filter(({ atMs }) => atMs > beganMs + 4 * 60_000);
    assert.deepEqual(late, []);
    await comeDown();
  });

  it("puts a record right that is changed by hand, whether at rest or not", async () => {
    await begin();
    cycle.world.traffic.rate = () => 1;
    await cycle.until(() => false, 8);
    const halve = (): void =>
      changeByHand(cycle.world, cycle.base.zone, (records) =>
        records.map((record) => ({ ...record, ...(record.SetIdentifier && { Weight: 7 }) })),
      );
    const lambdaWeight = (): number | undefined =>
      cycle.base.zone.records.find(({ SetIdentifier }) => SetIdentifier === "lambda")?.Weight;
    changeByHand(cycle.world, cycle.base.zone, () => []);
    await reach(() => lambdaWeight() === 255, 12);
    cycle.world.traffic.rate = () => 60;
    await reach(() => share() === 255, 40);
    halve();
    await reach(() => lambdaWeight() === 0, 5);
    await comeDown();
  });

  it("bursts before an account with ten environments throttles for long", async () => {
    await begin();
    cycle.world.concurrencyQuota = 10;
    cycle.world.traffic.rate = () => 300;
    await reach(() => share() === 255, 40);
    await cycle.until(() => false, 3);
    const { throttled } = cycle.world.traffic.total;
    await cycle.until(() => false, 5);
    assert.equal(cycle.world.traffic.total.throttled, throttled);
    assert.equal(lost(), 0);
    await comeDown();
  });

  it("does not repeat a request whose answer was lost", async () => {
    await begin();
    cycle.faults = scriptedFault("CreateStack", "dies-after");
    await reach(() => share() === 255, 40);
    const name = deploymentNames(app).burstStack;
    assert.equal(cycle.world.stacks.filter((stack) => stack.name === name).length, 1);
    cycle.faults = scriptedFault("DeleteStack", "breaks-after", 2);
    await comeDown();
    assert.equal(lost(), 0);
  });

  it("gives up an answer that never comes, and goes on", async () => {
    await begin();
    cycle.faults = scriptedFault("DescribeStacks", "hangs", 2);
    await reach(() => share() === 255, 40);
    await comeDown();
  });

  for (const service of ["dynamodb", "route53", "cloudformation", "monitoring", "lambda"]) {
    it(`goes on where it was when ${service} was down for ten minutes`, async () => {
      await begin();
      await reach(() => share() > 0, 40);
      outage(service, 10).happen(cycle);
      await cycle.until(() => false, 11);
      await reach(() => share() === 255, 60);
      outage(service, 10).happen(cycle);
      await comeDown();
      assert.equal(lost(), 0);
    });
  }

  it("writes the decision down although the stack is refused at first", async () => {
    await begin();
    cycle.faults = scriptedFault("CreateStack", "denied", 2);
    await reach(() => share() === 255, 40);
    assert.ok(history().includes("target fargate"), history());
    await comeDown();
  });
});

const withInterval = (intervalSeconds: number): ConfigKeys => ({
  ...shortStays,
  fargate: { healthCheck: { intervalSeconds } },
});

function* historyItems({ world, base }: Cycle): Iterable<string> {
  const table = world.tables.get(base.environment.LAMBDAFLEX_TABLE ?? "");
  for (const item of table?.items.values() ?? []) {
    if (item.pk?.S === "event") yield String(item.event?.S);
  }
}

function runs({ world }: Cycle): string {
  const [service] = world.services.values();
  const definition = world.taskDefinitions.get(service?.taskDefinition ?? "");
  return digestOfImage(definition?.containers[0]?.image ?? "");
}
