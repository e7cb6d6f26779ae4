import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settled } from "../../test/manual-clock.ts";
import { gate, planeStage, serving } from "../../test/plane-stage.ts";
import { lambdaOnly, routeOf } from "../core/index.ts";

describe("the burst stack", () => {
  it("comes after its delay, and is ready when a task is healthy", async () => {
    const { clock, plane, puppets } = planeStage();
    assert.equal(plane.burst().state, "absent");
    plane.provision("sha256:one", 3);
    assert.equal(plane.burst().state, "starting");
    await clock.pass(149_999);
    assert.equal(puppets.length, 0);
    assert.equal(plane.facts.stack, "creating");
    await clock.pass(1);
    assert.equal(puppets.length, 1);
    assert.equal(plane.facts.stack, "complete");
    const [puppet] = puppets;
    assert.ok(puppet);
    assert.deepEqual([puppet.digest, puppet.tasks, puppet.resumed], ["sha256:one", 3, false]);
    assert.equal(plane.burst().state, "starting");
    puppet.healthy = 1;
    assert.equal(plane.burst().state, "ready");
    assert.equal(plane.milestones.servesAtMs, null, "the fewest tasks are two");
    await clock.pass(10_000);
    puppet.healthy = 2;
    await clock.pass(1000);
    assert.equal(plane.milestones.servesAtMs, 1_161_000);
  });

  it("is created once, however often it is asked for", async () => {
    const { clock, plane, puppets } = planeStage();
    for (let round = 0; round < 4; round += 1) {
      plane.provision("sha256:one", 2);
      await clock.pass(70_000);
    }
    assert.equal(puppets.length, 1);
    await clock.pass(1_000_000);
    assert.equal(puppets.length, 1);
  });

  it("is removed after its delay, once, and can come back", async () => {
    const at = planeStage();
    const { clock, plane } = at;
    const puppet = await serving(at);
    plane.deprovision();
    assert.equal(plane.burst().state, "stopping");
    await clock.pass(129_999);
    assert.equal(puppet.stopped, true);
    plane.deprovision();
    plane.provision("sha256:two", 2);
    assert.equal(plane.burst().state, "stopping");
    assert.equal(plane.facts.digest, "sha256:one");
    await clock.pass(1);
    assert.equal(plane.burst().state, "absent");
    assert.equal(plane.milestones.goneAtMs, clock.nowMs());
    plane.deprovision();
    assert.equal(plane.burst().state, "absent");
    assert.equal((await serving(at)).digest, "sha256:one");
  });

  it("is not gone before its tasks are", async () => {
    const at = planeStage();
    await serving(at);
    const tasks = gate();
    at.stopping = tasks.promise;
    at.plane.deprovision();
    await at.clock.pass(500_000);
    assert.equal(at.plane.burst().state, "stopping");
    tasks.open();
    await at.clock.pass(1);
    assert.equal(at.plane.burst().state, "absent");
  });

  it("that is removed while it is created never starts a task", async () => {
    const { clock, plane, puppets } = planeStage();
    plane.provision("sha256:one", 2);
    await clock.pass(100_000);
    plane.deprovision();
    await clock.pass(129_999);
    assert.equal(plane.burst().state, "stopping");
    await clock.pass(1_000_000);
    assert.equal(plane.burst().state, "absent");
    assert.equal(puppets.length, 0);
  });

  it("that is removed while its tasks start stops them; the next one is its own", async () => {
    const at = planeStage();
    const { clock, plane, puppets } = at;
    const slow = gate();
    at.starting = slow.promise;
    plane.provision("sha256:one", 2);
    await clock.pass(150_000);
    plane.deprovision();
    await clock.pass(1_000_000);
    slow.open();
    await clock.pass(1_000_000);
    assert.equal(plane.burst().state, "absent");
    assert.deepEqual(
      puppets.map(({ stopped }) => stopped),
      [true],
    );
    const next = await serving(at);
    assert.equal(next.stopped, false);
    assert.equal(puppets.length, 2);
  });

  it("takes another image without a new stack", async () => {
    const at = planeStage();
    const puppet = await serving(at);
    at.plane.provision("sha256:two", 2);
    assert.equal(puppet.digest, "sha256:two");
    assert.equal(at.plane.facts.digest, "sha256:two");
    await at.clock.pass(1_000_000);
    assert.equal(at.puppets.length, 1);
  });

  it("starts with the newest image, whenever that came", async () => {
    const early = planeStage();
    early.plane.provision("sha256:one", 2);
    early.plane.provision("sha256:two", 2);
    await early.clock.pass(150_000);
    assert.equal(early.puppets[0]?.digest, "sha256:two");

    const late = planeStage();
    const slow = gate();
    late.starting = slow.promise;
    late.plane.provision("sha256:one", 2);
    await late.clock.pass(150_000);
    late.plane.provision("sha256:two", 2);
    slow.open();
    await settled();
    assert.equal(late.puppets[0]?.digest, "sha256:two");
  });
});

describe("a failure", () => {
  it("to start shows with its reason, and a removal cleans it up", async () => {
    const at = planeStage();
    at.refuse = "no port is free";
    at.plane.provision("sha256:one", 2);
    await at.clock.pass(150_000);
    assert.deepEqual(at.plane.burst(), { state: "failed", failure: "no port is free" });
    assert.match(at.lines.join(), /no port is free/);
    at.plane.deprovision();
    await at.clock.pass(130_000);
    assert.deepEqual(at.plane.burst(), { state: "absent", failure: null });
    at.refuse = null;
    at.plane.provision("sha256:one", 2);
    assert.equal(at.plane.burst().state, "starting");
  });

  it("that comes after the removal says nothing about the next stack", async () => {
    const at = planeStage();
    const slow = gate();
    at.starting = slow.promise;
    at.refuse = "too late";
    at.plane.provision("sha256:one", 2);
    await at.clock.pass(150_000);
    at.plane.deprovision();
    slow.open();
    await at.clock.pass(130_000);
    at.refuse = null;
    at.plane.provision("sha256:one", 2);
    assert.deepEqual(at.plane.burst(), { state: "starting", failure: null });
  });

  it("of the tasks is one only while none of them serves", async () => {
    const at = planeStage();
    const puppet = await serving(at);
    puppet.failure = "a task crashed";
    assert.equal(at.plane.burst().state, "ready");
    puppet.healthy = 0;
    assert.deepEqual(at.plane.burst(), { state: "failed", failure: "a task crashed" });
    puppet.failure = null;
    assert.equal(at.plane.burst().state, "starting");
  });

  it("of the disk is told and stops nothing", async () => {
    const at = planeStage();
    at.disk = "full";
    await serving(at);
    assert.match(at.lines.join(), /ENOSPC/);
    at.disk = "works";
    at.plane.setRoute(routeOf(10));
    await settled();
    assert.deepEqual(at.saved.at(-1), at.plane.facts);
  });
});

describe("the record", () => {
  it("is answered after the delay, and only then in sync", async () => {
    const { clock, plane } = planeStage();
    assert.equal(plane.inSync, true);
    plane.setRoute(routeOf(10));
    assert.equal(plane.inSync, false);
    assert.deepEqual(plane.effectiveRoute, lambdaOnly);
    await clock.pass(19_999);
    assert.deepEqual(plane.effectiveRoute, lambdaOnly);
    await clock.pass(1);
    assert.deepEqual([plane.effectiveRoute, plane.inSync], [routeOf(10), true]);
    assert.equal(plane.milestones.inSyncAtMs, clock.nowMs());
  });

  it("said twice does not begin anew; a later word replaces the earlier", async () => {
    const { clock, plane } = planeStage();
    plane.setRoute(routeOf(10));
    await clock.pass(15_000);
    plane.setRoute(routeOf(10));
    await clock.pass(5_000);
    assert.equal(plane.inSync, true);
    plane.setRoute(routeOf(50));
    await clock.pass(15_000);
    plane.setRoute(routeOf(10));
    await clock.pass(19_999);
    assert.equal(plane.inSync, false);
    assert.deepEqual(plane.effectiveRoute, routeOf(10), "50 was never in force");
    await clock.pass(1);
    assert.deepEqual([plane.effectiveRoute, plane.inSync], [routeOf(10), true]);
  });
});
