import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type ManualClock, manualClock } from "../../test/manual-clock.ts";
import { alarmsAtStart } from "../core/alarms.ts";
import {
  ConflictError,
  initialStatus,
  lambdaOnly,
  type Observation,
  routeOf,
  type Sample,
  type Status,
} from "../core/index.ts";
import { commitOverride, pinned } from "../core/override.ts";
import { LocalCloud, type LocalCloudParts, mergeSamples } from "./cloud.ts";
import { type ControlPlane, createControlPlane } from "./control-plane.ts";
import { awsDelays } from "./delays.ts";
import { createMeter } from "./meter.ts";

const minute = 60_000;

/** Revisions in memory, with the compare-and-swap of the files. */
interface Store {
  revision: number;
  value: Status | null;
}

let clock: ManualClock;
let plane: ControlPlane;
let store: Store;
let parts: LocalCloudParts;
let cloud: LocalCloud;
const world = {
  probes: [] as string[],
  probeAnswers: true,
  environmentFailure: null as string | null,
  tasks: { desired: 2, healthy: 2, digest: "sha256:one" },
};

beforeEach(() => {
  clock = manualClock(10 * minute);
  store = { revision: 0, value: null };
  Object.assign(world, { probes: [], probeAnswers: true, environmentFailure: null });
  world.tasks = { desired: 2, healthy: 2, digest: "sha256:one" };
  plane = createControlPlane({
    clock,
    delays: awsDelays(() => 0, "warm"),
    store: { read: async () => null, write: async () => undefined },
    tasksMin: 2,
    before: null,
    startBurst: async () => ({
      stats: () => ({ ...world.tasks, failure: null }),
      deploy: () => undefined,
      stop: async () => undefined,
    }),
  });
  const probe = (tier: string) => async (): Promise<boolean> => {
    world.probes.push(tier);
    return world.probeAnswers;
  };
  parts = {
    clock,
    plane,
    store: {
      read: async () => ({ ...store }),
      async write(revision, value) {
        if (store.revision >= revision) return false;
        store = { revision, value };
        return true;
      },
    },
    lambdaMeter: createMeter("lambda", clock, minute),
    fargateMeter: createMeter("fargate", clock, minute),
    alarms: () => alarmsAtStart,
    digest: () => "sha256:one",
    lambdaStats: () => ({ environments: 1, failure: world.environmentFailure }),
    concurrencyMax: 10,
    fargateStats: () => (plane.facts.stack === "complete" ? world.tasks : null),
    probeLambda: probe("lambda"),
    probeFargate: probe("fargate"),
  };
  cloud = new LocalCloud(parts);
});

const look = async (): Promise<Observation> => (await cloud.observe()).world;

async function burst(): Promise<void> {
  await cloud.apply({ type: "provision", digest: "sha256:one", tasks: 2 });
  await clock.pass(200_000);
  assert.equal((await look()).fargate.state, "ready");
}

describe("what is observed", () => {
  it("windows come closed, from both tiers, in order", async () => {
    parts.lambdaMeter.started();
    parts.lambdaMeter.finished({ status: 200, latencyMs: 3 });
    assert.deepEqual((await look()).samples, []);
    await clock.pass(2 * minute);
    parts.fargateMeter.started();
    const { samples } = await look();
    assert.deepEqual(
      samples.map(({ tier, startMs, requests }) => [tier, startMs / minute, requests]),
      [
        ["lambda", 10, 1],
        ["fargate", 10, 0],
        ["lambda", 11, 0],
        ["fargate", 11, 0],
      ],
    );
  });

  it("a window that closes during the look is seen whole or not at all", async () => {
    let ms = 10 * minute;
    const ticking = { ...clock, nowMs: () => ms++ };
    const lambdaMeter = createMeter("lambda", ticking, minute);
    const fargateMeter = createMeter("fargate", ticking, minute);
    const looking = new LocalCloud({ ...parts, clock: ticking, lambdaMeter, fargateMeter });
    for (const before of [4, 3, 2, 1, 0]) {
      ms = 11 * minute - before;
      const { samples } = (await looking.observe()).world;
      assert.notEqual(samples.length, 1, `${before} ms before the end of the minute`);
    }
  });

  it("free concurrency is what the account has left", async () => {
    for (let index = 0; index < 12; index += 1) {
      parts.lambdaMeter.started();
      const { concurrencyFree } = (await look()).lambda;
      assert.equal(concurrencyFree, Math.max(0, 9 - index));
    }
  });

  it("Lambda has failed when no environment starts, or it does not answer a probe", async () => {
    assert.equal((await look()).lambda.state, "ready");
    world.environmentFailure = "exited with code 1";
    assert.equal((await look()).lambda.state, "failed");
    world.environmentFailure = null;
    await burst();
    store = { revision: 1, value: { ...initialStatus(), target: "lambda", route: routeOf(50) } };
    world.probeAnswers = false;
    assert.equal((await look()).lambda.state, "failed");
  });

  it("a tier is probed only while traffic is about to move to it", async () => {
    const probed = async (target: "lambda" | "fargate", percent: number): Promise<string[]> => {
      world.probes.length = 0;
      store = { revision: 1, value: { ...initialStatus(), target, route: routeOf(percent) } };
      await look();
      return [...world.probes];
    };
    assert.deepEqual(await probed("fargate", 0), [], "there is nothing to probe yet");
    await burst();
    assert.deepEqual(await probed("fargate", 0), ["fargate"]);
    assert.deepEqual(await probed("fargate", 50), ["fargate"]);
    assert.deepEqual(await probed("fargate", 100), []);
    assert.deepEqual(await probed("lambda", 100), ["lambda"]);
    assert.deepEqual(await probed("lambda", 0), []);
  });

  it("the burst tier runs what its tasks run, not what was ordered", async () => {
    await burst();
    world.tasks = { ...world.tasks, digest: "sha256:zero" };
    assert.equal((await look()).fargate.digest, "sha256:zero");
    await cloud.apply({ type: "deprovision" });
    await clock.pass(300_000);
    const { state, digest, tasksHealthy } = (await look()).fargate;
    assert.deepEqual([state, digest, tasksHealthy], ["absent", null, 0]);
  });

  it("a changed record shows at once, and is in sync later", async () => {
    await cloud.apply({ type: "route", route: routeOf(10) });
    assert.deepEqual((await look()).dns, { route: routeOf(10), inSync: false });
    assert.deepEqual(plane.effectiveRoute, lambdaOnly, "DNS still answers the old weights");
    await clock.pass(minute);
    assert.deepEqual((await look()).dns, { route: routeOf(10), inSync: true });
  });

  it("the balancer is not silent while it still answers", async () => {
    assert.equal((await look()).balancerLastRequestMs, null);
    parts.fargateMeter.started();
    await clock.pass(10 * minute);
    assert.equal((await look()).balancerLastRequestMs, clock.nowMs());
  });
});

describe("the status", () => {
  it("is the initial one before anything was committed", async () => {
    assert.deepEqual((await cloud.observe()).status, initialStatus());
  });

  it("goes on after a damaged revision: its number counts, the one before holds", async () => {
    store = { revision: 7, value: { ...initialStatus(), revision: 6, tasks: 4 } };
    const { status } = await cloud.observe();
    assert.deepEqual([status.revision, status.tasks], [7, 4]);
    await cloud.commit({ ...status, revision: 8 });
    assert.equal((await cloud.observe()).status.revision, 8);
  });

  it("goes on although every revision was damaged", async () => {
    store = { revision: 7, value: null };
    const { status } = await cloud.observe();
    assert.deepEqual(status, { ...initialStatus(), revision: 7 });
    await cloud.commit({ ...status, revision: 8 });
  });

  it("is refused when somebody else was faster, be it between look and write", async () => {
    const commit = cloud.commit({ ...initialStatus(), revision: 1 });
    store = { revision: 1, value: initialStatus() };
    await assert.rejects(commit, ConflictError);
    await assert.rejects(cloud.commit({ ...initialStatus(), revision: 3 }), ConflictError);
  });
});

describe("the owner's word", () => {
  it("is committed, ends a back-off, and can be taken back", async () => {
    store = { revision: 3, value: { ...initialStatus(), revision: 3, holdUntilMs: 99, tasks: 2 } };
    await commitOverride(cloud, pinned("fargate"));
    const { status } = await cloud.observe();
    assert.deepEqual(status.override, { tier: "fargate", untilMs: null });
    assert.deepEqual([status.revision, status.holdUntilMs, status.tasks], [4, null, 2]);
    await commitOverride(cloud, null);
    assert.equal((await cloud.observe()).status.override, null);
  });

  it("tries again when the controller was faster, but not for ever", async () => {
    let faster = 3;
    const read = parts.store.read;
    const busy = new LocalCloud({
      ...parts,
      store: {
        read,
        async write(revision, value) {
          faster -= 1;
          if (faster >= 0) store = { revision, value: initialStatus() };
          return parts.store.write(revision, value);
        },
      },
    });
    await commitOverride(busy, pinned("fargate"));
    const { status } = await cloud.observe();
    assert.deepEqual([status.revision, status.override?.tier], [4, "fargate"]);
    faster = 1000;
    await assert.rejects(commitOverride(busy, pinned("lambda")), ConflictError);
  });
});

it("windows of both tiers are merged in order of time, none lost", () => {
  const at = (tier: Sample["tier"], startMs: number): Sample => ({
    tier,
    startMs,
    periodMs: minute,
    requests: 1,
    errors: 0,
    throttles: 0,
    concurrencyMax: 1,
    latencyMsP99: 1,
  });
  const merged = mergeSamples(
    [at("lambda", 0), at("lambda", minute), at("lambda", 2 * minute)],
    [at("fargate", minute)],
  );
  assert.deepEqual(
    merged.map(({ tier, startMs }) => `${tier} ${startMs / minute}`),
    ["lambda 0", "lambda 1", "fargate 1", "lambda 2"],
  );
});
