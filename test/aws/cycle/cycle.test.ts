/** The real bundle against an account: up with the demand, down again, nothing left. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { burstStack } from "../base-stack.ts";
import { type Bundle, bundleController } from "./bundle.ts";
import { type Cycle, startCycle } from "./cycle.ts";

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
});
