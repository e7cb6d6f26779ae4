/** A control plane over a clock, a store and tiers that a test has in its hands. */
import assert from "node:assert/strict";
import {
  type BurstTier,
  type ControlPlane,
  createControlPlane,
  type PlaneFacts,
} from "../src/local/control-plane.ts";
import type { Delays } from "../src/local/delays.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";

/** Unlike each other, so that none can be taken for another. */
const delays: Delays = {
  balancerMs: () => 150_000,
  taskStartMs: () => 40_000,
  removalMs: () => 130_000,
  dnsMs: () => 20_000,
  alarmMs: () => 7_000,
};

/** A tier that becomes healthy and stops when the test says so. */
export interface Puppet extends BurstTier {
  readonly tasks: number;
  readonly resumed: boolean;
  healthy: number;
  digest: string;
  failure: string | null;
  stopped: boolean;
}

/** The control plane, and everything around it that a test may look at or break. */
export interface PlaneStage {
  readonly clock: ManualClock;
  readonly plane: ControlPlane;
  readonly puppets: Puppet[];
  readonly saved: PlaneFacts[];
  readonly lines: string[];
  /** The tier's start and stop wait for these. */
  starting: Promise<void>;
  stopping: Promise<void>;
  /** The store's write waits for it. */
  storing: Promise<void>;
  refuse: string | null;
  disk: "works" | "full";
}

/** A control plane at rest, or as `before` describes. */
export function planeStage(before: PlaneFacts | null = null): PlaneStage {
  const clock = manualClock(before?.atMs ?? 1_000_000);
  const made: Omit<PlaneStage, "plane"> = {
    clock,
    puppets: [],
    saved: [],
    lines: [],
    starting: Promise.resolve(),
    stopping: Promise.resolve(),
    storing: Promise.resolve(),
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
      await made.storing;
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
export async function serving(at: PlaneStage): Promise<Puppet> {
  at.plane.provision("sha256:one", 3);
  await at.clock.pass(150_000);
  const puppet = at.puppets.at(-1) ?? assert.fail("no tier was started");
  puppet.healthy = 3;
  assert.equal(at.plane.burst().state, "ready");
  return puppet;
}

/** A promise that a test opens. */
export function gate(): { readonly promise: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}
