/**
 * What every adapter of the Cloud port must do. The same cases run against each of them, because a
 * proof in one world says nothing about another that behaves differently.
 */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  type Cloud,
  ConflictError,
  initialStatus,
  lambdaOnly,
  type Observation,
  routeOf,
  type Status,
} from "../src/core/index.ts";

/** One cloud at rest on Lambda, without a controller, and how its time passes. */
export interface CloudUnderTest {
  readonly cloud: Cloud;
  /** Lets some time of the cloud pass: virtual time at once, or real time in small steps. */
  advance(): Promise<void>;
  stop(): Promise<void>;
}

/** Registers the contract's cases for an adapter. */
export function cloudContract(name: string, makeCloud: () => Promise<CloudUnderTest>): void {
  describe(`the Cloud contract: ${name}`, () => {
    let under: CloudUnderTest;
    beforeEach(async () => {
      under = await makeCloud();
    });
    afterEach(() => under.stop());

    const look = async (): Promise<Observation> => (await under.cloud.observe()).world;
    const until = async (done: (world: Observation) => boolean): Promise<Observation> => {
      for (let round = 0; round < 2000; round += 1) {
        const world = await look();
        if (done(world)) return world;
        await under.advance();
      }
      return assert.fail(`never came true: ${JSON.stringify(await look(), null, 1)}`);
    };
    const provision = async (): Promise<Observation> => {
      const { digest } = (await look()).lambda;
      await under.cloud.apply({ type: "provision", digest, tasks: 2 });
      return until(({ fargate }) => fargate.state === "ready" && fargate.tasksHealthy >= 2);
    };

    it("begins on Lambda with nothing else there", async () => {
      const { status, world } = await under.cloud.observe();
      assert.deepEqual(status, initialStatus());
      assert.equal(world.lambda.state, "ready");
      assert.equal(world.fargate.state, "absent");
      assert.equal(world.fargate.digest, null);
      assert.deepEqual(world.dns, { route: lambdaOnly, inSync: true });
      assert.deepEqual(world.fargate.orphans, []);
      assert.equal(world.alarms.quiet, "INSUFFICIENT_DATA");
    });

    it("remembers a status as it was committed", async () => {
      const status: Status = {
        ...initialStatus(),
        revision: 1,
        tasks: 3,
        override: { tier: "fargate", untilMs: null },
        policyState: { windows: [{ startMs: 1, requests: 0.5 }] },
      };
      await under.cloud.commit(status);
      assert.deepEqual((await under.cloud.observe()).status, status);
    });

    it("lets one of two commits of the same revision win", async () => {
      const commit = (tasks: number): Promise<void> =>
        under.cloud.commit({ ...initialStatus(), revision: 1, tasks });
      const outcomes = await Promise.allSettled([1, 2, 3, 4].map(commit));
      const lost = outcomes.filter((outcome) => outcome.status === "rejected");
      assert.equal(lost.length, 3);
      for (const { reason } of lost) assert.ok(reason instanceof ConflictError, String(reason));
      const winner = outcomes.findIndex((outcome) => outcome.status === "fulfilled");
      assert.equal((await under.cloud.observe()).status.tasks, winner + 1);
    });

    it("refuses a revision that is not the next one", async () => {
      const at = (revision: number): Status => ({ ...initialStatus(), revision });
      await assert.rejects(under.cloud.commit(at(2)), ConflictError);
      await under.cloud.commit(at(1));
      await assert.rejects(under.cloud.commit(at(1)), ConflictError);
      await under.cloud.commit(at(2));
    });

    it("brings the burst tier up with Lambda's image and leaves the weights alone", async () => {
      const { digest } = (await look()).lambda;
      await under.cloud.apply({ type: "provision", digest, tasks: 2 });
      await under.cloud.apply({ type: "provision", digest, tasks: 2 });
      assert.equal((await look()).fargate.state, "starting");
      const world = await provision();
      assert.equal(world.fargate.digest, digest);
      assert.deepEqual(world.dns.route, lambdaOnly);
    });

    it("shows new weights at once and says when they are in sync", async () => {
      await provision();
      for (const percent of [10, 50, 100, 0]) {
        const route = routeOf(percent);
        await under.cloud.apply({ type: "route", route });
        await under.cloud.apply({ type: "route", route });
        const { dns } = await look();
        assert.deepEqual(dns.route, route);
        assert.equal(dns.inSync, false);
        await until((world) => world.dns.inSync);
      }
    });

    it("removes the burst tier, however often it is told to", async () => {
      await provision();
      await under.cloud.apply({ type: "deprovision" });
      await under.cloud.apply({ type: "deprovision" });
      assert.equal((await look()).fargate.state, "stopping");
      const world = await until(({ fargate }) => fargate.state === "absent");
      assert.equal(world.fargate.tasksHealthy, 0);
      await under.cloud.apply({ type: "deprovision" });
      assert.equal((await look()).fargate.state, "absent");
    });

    it("can be told to remove a burst tier that is still starting", async () => {
      const { digest } = (await look()).lambda;
      await under.cloud.apply({ type: "provision", digest, tasks: 2 });
      await under.cloud.apply({ type: "deprovision" });
      await until(({ fargate }) => fargate.state === "absent");
      await provision();
    });
  });
}
