import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { settled } from "../../test/manual-clock.ts";
import { gate, planeStage, serving } from "../../test/plane-stage.ts";
import { lambdaOnly, routeOf } from "../core/index.ts";
import { isPlaneFacts, type PlaneFacts } from "./control-plane.ts";

describe("after a kill", () => {
  const atMs = 5_000_000;
  const base: PlaneFacts = {
    stack: "absent",
    digest: null,
    tasks: 0,
    stackDueMs: 0,
    route: lambdaOnly,
    pendingRoute: null,
    atMs,
  };
  const stack = { digest: "sha256:one", tasks: 3 };

  it("an absent stack stays absent", async () => {
    const { clock, plane, puppets } = planeStage(base);
    await plane.resume();
    await clock.pass(1_000_000);
    assert.equal(plane.burst().state, "absent");
    assert.equal(puppets.length, 0);
  });

  it("a stack that was being created is complete when it would have been", async () => {
    const dueMs = atMs + 60_000;
    const at = planeStage({ ...base, ...stack, stack: "creating", stackDueMs: dueMs });
    await at.plane.resume();
    assert.equal(at.plane.burst().state, "starting");
    await at.clock.pass(59_999);
    assert.equal(at.puppets.length, 0);
    await at.clock.pass(1);
    assert.deepEqual([at.puppets[0]?.tasks, at.puppets[0]?.resumed], [3, false]);
    assert.equal(at.plane.facts.stack, "complete");
  });

  it("a stack that was being removed is gone when it would have been", async () => {
    const dueMs = atMs + 60_000;
    const at = planeStage({ ...base, ...stack, stack: "deleting", stackDueMs: dueMs });
    await at.plane.resume();
    await at.clock.pass(59_999);
    assert.equal(at.plane.burst().state, "stopping");
    await at.clock.pass(1);
    assert.equal(at.plane.burst().state, "absent");
    assert.equal(at.puppets.length, 0);
  });

  it("a complete stack serves again before anybody looks", async () => {
    const at = planeStage({ ...base, ...stack, stack: "complete", route: routeOf(100) });
    let resumed = false;
    const resuming = at.plane.resume().then(() => {
      resumed = true;
    });
    await at.clock.pass(5000);
    const [puppet] = at.puppets;
    assert.ok(puppet);
    assert.deepEqual([puppet.digest, puppet.tasks, puppet.resumed], ["sha256:one", 3, true]);
    assert.equal(resumed, false);
    puppet.healthy = 1;
    await at.clock.pass(1000);
    await resuming;
    assert.equal(at.plane.burst().state, "ready");
    assert.deepEqual(at.plane.effectiveRoute, routeOf(100));
  });

  it("a complete stack that does not come back is not awaited for ever", async () => {
    const at = planeStage({ ...base, ...stack, stack: "complete" });
    const resuming = at.plane.resume();
    await at.clock.pass(400_000);
    await resuming;
    assert.equal(at.plane.burst().state, "starting");

    const failing = planeStage({ ...base, ...stack, stack: "complete" });
    failing.refuse = "no port is free";
    await failing.plane.resume();
    assert.equal(failing.plane.burst().state, "failed");
  });

  it("a change of the record goes on", async () => {
    const pendingRoute = { route: routeOf(50), dueMs: atMs + 9_000 };
    const { clock, plane } = planeStage({ ...base, pendingRoute });
    await plane.resume();
    assert.equal(plane.inSync, false);
    await clock.pass(8_999);
    assert.deepEqual(plane.effectiveRoute, lambdaOnly);
    await clock.pass(1);
    assert.deepEqual([plane.effectiveRoute, plane.inSync], [routeOf(50), true]);
  });

  it("what was due meanwhile is done at once", async () => {
    const pendingRoute = { route: routeOf(50), dueMs: atMs - 1 };
    const { clock, plane } = planeStage({
      ...base,
      ...stack,
      pendingRoute,
      stack: "deleting",
      stackDueMs: atMs - 1,
    });
    await plane.resume();
    await clock.pass(1);
    assert.deepEqual(
      [plane.burst().state, plane.effectiveRoute, plane.facts.stack],
      ["absent", routeOf(50), "absent"],
    );
  });

  it("facts of another version are told from ours", () => {
    assert.ok(isPlaneFacts(JSON.parse(JSON.stringify(base))));
    for (const key of Object.keys(base)) {
      const { [key as keyof PlaneFacts]: _, ...rest } = base;
      assert.equal(isPlaneFacts(rest), false, `without ${key}`);
    }
    for (const value of [{ version: 1 }, [], { ...base, atMs: null }]) {
      assert.equal(isPlaneFacts(value), false);
    }
  });
});

describe("stop", () => {
  it("stops the tier, stores the last facts and leaves no timer", async () => {
    const at = planeStage();
    const puppet = await serving(at);
    const disk = gate();
    at.storing = disk.promise;
    at.plane.setRoute(routeOf(10));
    let stopped = false;
    const stopping = at.plane.stop().then(() => {
      stopped = true;
    });
    await settled();
    assert.equal(stopped, false);
    disk.open();
    await stopping;
    assert.equal(puppet.stopped, true);
    assert.equal(at.clock.waiting, 0);
    assert.deepEqual(at.saved.at(-1), at.plane.facts, "the last facts are stored");
  });

  it("waits for a tier that is just starting, and for one that is just stopping", async () => {
    for (const during of ["start", "removal"] as const) {
      const at = planeStage();
      const slow = gate();
      if (during === "start") {
        at.starting = slow.promise;
        at.plane.provision("sha256:one", 2);
        await at.clock.pass(150_000);
      } else {
        await serving(at);
        at.stopping = slow.promise;
        at.plane.deprovision();
        await settled();
      }
      let stopped = false;
      const stopping = at.plane.stop().then(() => {
        stopped = true;
      });
      await settled();
      assert.equal(stopped, false, during);
      slow.open();
      await stopping;
      assert.deepEqual(
        at.puppets.map((puppet) => puppet.stopped),
        [true],
        during,
      );
      assert.equal(at.clock.waiting, 0, during);
    }
  });
});

it("whatever is asked: time never runs back, one tier at a time, nothing is left", async () => {
  const asked = fc.array(
    fc.record({
      what: fc.constantFrom("provision", "other", "deprovision", "route", "healthy", "restart"),
      passMs: fc.integer({ min: 0, max: 200_000 }),
    }),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(asked, async (steps) => {
      let at = planeStage();
      let latestMs = at.clock.nowMs();
      const look = (): void => {
        for (const { atMs } of at.saved.splice(0)) {
          assert.ok(atMs >= latestMs, `${atMs} after ${latestMs}`);
          latestMs = atMs;
        }
        assert.ok(at.puppets.filter(({ stopped }) => !stopped).length <= 1);
      };
      for (const { what, passMs } of steps) {
        if (what === "provision") at.plane.provision("sha256:one", 2);
        if (what === "other") at.plane.provision("sha256:two", 2);
        if (what === "deprovision") at.plane.deprovision();
        if (what === "route") at.plane.setRoute(routeOf(passMs % 101));
        if (what === "healthy") for (const puppet of at.puppets) puppet.healthy = 2;
        if (what === "restart") {
          await at.plane.stop();
          look();
          at = planeStage(at.plane.facts);
          const resuming = at.plane.resume();
          await at.clock.pass(301_000);
          await resuming;
        }
        await at.clock.pass(passMs);
        look();
      }
      at.plane.deprovision();
      await at.clock.pass(300_000);
      assert.equal(at.plane.burst().state, "absent");
      assert.ok(at.puppets.every(({ stopped }) => stopped));
      await at.plane.stop();
      assert.equal(at.clock.waiting, 0);
    }),
    { numRuns: 100 },
  );
});
