import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type ManualClock, manualClock, settled } from "../../test/manual-clock.ts";
import { lambdaOnly, routeOf } from "../core/index.ts";
import {
  type BurstTier,
  type ControlPlane,
  createControlPlane,
  isPlaneFacts,
  type PlaneFacts,
} from "./control-plane.ts";
import type { Delays } from "./delays.ts";

/** Unlike each other, so that none can be taken for another. */
const delays: Delays = {
  balancerMs: () => 150_000,
  taskStartMs: () => 40_000,
  removalMs: () => 130_000,
  dnsMs: () => 20_000,
  alarmMs: () => 7_000,
};

/** A tier that becomes healthy and stops when the test says so. */
interface Puppet extends BurstTier {
  readonly tasks: number;
  readonly resumed: boolean;
  healthy: number;
  digest: string;
  failure: string | null;
  stopped: boolean;
}

interface Stage {
  readonly clock: ManualClock;
  readonly plane: ControlPlane;
  readonly puppets: Puppet[];
  readonly saved: PlaneFacts[];
  readonly lines: string[];
  /** The tier's start and stop wait for these. */
  starting: Promise<void>;
  stopping: Promise<void>;
  refuse: string | null;
  disk: "works" | "full";
}

function stage(before: PlaneFacts | null = null): Stage {
  const clock = manualClock(before?.atMs ?? 1_000_000);
  const made: Omit<Stage, "plane"> = {
    clock,
    puppets: [],
    saved: [],
    lines: [],
    starting: Promise.resolve(),
    stopping: Promise.resolve(),
    refuse: null,
    disk: "works",
  };
  const startBurst = async (
    digest: string,
    tasks: number,
    resumed: boolean,
  ): Promise<BurstTier> => {
    await made.starting;
    if (made.refuse !== null) throw new Error(made.refuse);
    const puppet: Puppet = {
      digest,
      tasks,
      resumed,
      healthy: 0,
      failure: null,
      stopped: false,
      stats: () => puppet,
      deploy: (next) => {
        puppet.digest = next;
      },
      async stop() {
        await made.stopping;
        puppet.stopped = true;
      },
    };
    made.puppets.push(puppet);
    return puppet;
  };
  const store = {
    read: async () => before,
    async write(facts: PlaneFacts) {
      if (made.disk === "full") throw new Error("ENOSPC");
      made.saved.push(facts);
    },
  };
  const plane = createControlPlane({
    clock,
    delays,
    store,
    before,
    startBurst,
    tasksMin: 2,
    onLog: (line) => made.lines.push(line),
  });
  return Object.assign(made, { plane });
}

/** A tier that serves, as it is after a provisioning. */
async function serving(at: Stage): Promise<Puppet> {
  at.plane.provision("sha256:one", 3);
  await at.clock.pass(150_000);
  const puppet = at.puppets.at(-1) ?? assert.fail("no tier was started");
  puppet.healthy = 3;
  assert.equal(at.plane.burst().state, "ready");
  return puppet;
}

function gate(): { readonly promise: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

describe("the burst stack", () => {
  it("comes after its delay, and is ready when a task is healthy", async () => {
    const { clock, plane, puppets } = stage();
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
    const { clock, plane, puppets } = stage();
    for (let round = 0; round < 4; round += 1) {
      plane.provision("sha256:one", 2);
      await clock.pass(70_000);
    }
    assert.equal(puppets.length, 1);
    await clock.pass(1_000_000);
    assert.equal(puppets.length, 1);
  });

  it("is removed after its delay, once, and can come back", async () => {
    const at = stage();
    const { clock, plane } = at;
    const puppet = await serving(at);
    plane.deprovision();
    assert.equal(plane.burst().state, "stopping");
    await clock.pass(129_999);
    assert.equal(puppet.stopped, true);
    plane.deprovision();
    plane.provision("sha256:two", 2);
    assert.equal(plane.burst().state, "stopping");
    await clock.pass(1);
    assert.equal(plane.burst().state, "absent");
    assert.equal(plane.milestones.goneAtMs, clock.nowMs());
    plane.deprovision();
    assert.equal(plane.burst().state, "absent");
    assert.equal((await serving(at)).digest, "sha256:one");
  });

  it("is not gone before its tasks are", async () => {
    const at = stage();
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
    const { clock, plane, puppets } = stage();
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
    const at = stage();
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
    const at = stage();
    const puppet = await serving(at);
    at.plane.provision("sha256:two", 2);
    assert.equal(puppet.digest, "sha256:two");
    assert.equal(at.plane.facts.digest, "sha256:two");
    await at.clock.pass(1_000_000);
    assert.equal(at.puppets.length, 1);
  });

  it("starts with the newest image, whenever that came", async () => {
    const early = stage();
    early.plane.provision("sha256:one", 2);
    early.plane.provision("sha256:two", 2);
    await early.clock.pass(150_000);
    assert.equal(early.puppets[0]?.digest, "sha256:two");

    const late = stage();
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
    const at = stage();
    at.refuse = "no port is free";
    at.plane.provision("sha256:one", 2);
    await at.clock.pass(150_000);
    assert.deepEqual(at.plane.burst(), { state: "failed", failure: "no port is free" });
    assert.match(at.lines.join(), /no port is free/);
    at.plane.deprovision();
    await at.clock.pass(130_000);
    assert.deepEqual(at.plane.burst(), { state: "absent", failure: null });
    at.refuse = null;
    await serving(at);
  });

  it("that comes after the removal says nothing about the next stack", async () => {
    const at = stage();
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
    const at = stage();
    const puppet = await serving(at);
    puppet.failure = "a task crashed";
    assert.equal(at.plane.burst().state, "ready");
    puppet.healthy = 0;
    assert.deepEqual(at.plane.burst(), { state: "failed", failure: "a task crashed" });
    puppet.failure = null;
    assert.equal(at.plane.burst().state, "starting");
  });

  it("of the disk is told and stops nothing", async () => {
    const at = stage();
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
    const { clock, plane } = stage();
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
    const { clock, plane } = stage();
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
    const { clock, plane, puppets } = stage(base);
    await plane.resume();
    await clock.pass(1_000_000);
    assert.equal(plane.burst().state, "absent");
    assert.equal(puppets.length, 0);
  });

  it("a stack that was being created is complete when it would have been", async () => {
    const dueMs = atMs + 60_000;
    const at = stage({ ...base, ...stack, stack: "creating", stackDueMs: dueMs });
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
    const at = stage({ ...base, ...stack, stack: "deleting", stackDueMs: dueMs });
    await at.plane.resume();
    await at.clock.pass(59_999);
    assert.equal(at.plane.burst().state, "stopping");
    await at.clock.pass(1);
    assert.equal(at.plane.burst().state, "absent");
    assert.equal(at.puppets.length, 0);
  });

  it("a complete stack serves again before anybody looks", async () => {
    const at = stage({ ...base, ...stack, stack: "complete", route: routeOf(100) });
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
    const at = stage({ ...base, ...stack, stack: "complete" });
    const resuming = at.plane.resume();
    await at.clock.pass(400_000);
    await resuming;
    assert.equal(at.plane.burst().state, "starting");

    const failing = stage({ ...base, ...stack, stack: "complete" });
    failing.refuse = "no port is free";
    await failing.plane.resume();
    assert.equal(failing.plane.burst().state, "failed");
  });

  it("a change of the record goes on", async () => {
    const pendingRoute = { route: routeOf(50), dueMs: atMs + 9_000 };
    const { clock, plane } = stage({ ...base, pendingRoute });
    await plane.resume();
    assert.equal(plane.inSync, false);
    await clock.pass(8_999);
    assert.deepEqual(plane.effectiveRoute, lambdaOnly);
    await clock.pass(1);
    assert.deepEqual([plane.effectiveRoute, plane.inSync], [routeOf(50), true]);
  });

  it("what was due meanwhile is done at once", async () => {
    const pendingRoute = { route: routeOf(50), dueMs: atMs - 1 };
    const { clock, plane } = stage({
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
  it("stops the tier and leaves no timer", async () => {
    const at = stage();
    const puppet = await serving(at);
    at.plane.setRoute(routeOf(10));
    await at.plane.stop();
    assert.equal(puppet.stopped, true);
    assert.equal(at.clock.waiting, 0);
    assert.deepEqual(at.saved.at(-1), at.plane.facts, "the last facts are stored");
  });

  it("waits for a tier that is just starting, and for one that is just stopping", async () => {
    for (const during of ["start", "removal"] as const) {
      const at = stage();
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

it("whatever is asked: time never runs back, one tier at a time, and removal ends in nothing", async () => {
  const asked = fc.array(
    fc.record({
      what: fc.constantFrom("provision", "other", "deprovision", "route", "healthy", "restart"),
      passMs: fc.integer({ min: 0, max: 200_000 }),
    }),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(asked, async (steps) => {
      let at = stage();
      let latestMs = 0;
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
          at = stage(at.plane.facts);
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
