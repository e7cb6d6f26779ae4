/** The local cloud with real processes, sockets and files is held to the contract as well. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { prepare } from "../src/cli/prepare.ts";
import { routeOf } from "../src/core/index.ts";
import { leashedLeft } from "../src/local/leash.ts";
import { type Local, startLocal } from "../src/local/start.ts";
import { cloudContract } from "./contract.ts";
import { eventually } from "./manual-clock.ts";

const example = join(import.meta.dirname, "..", "examples", "pet-store-node");

/** A virtual hour in six real seconds. */
const speed = 600;

const makeFolder = (): string => mkdtempSync(join(tmpdir(), "lambdaflex-contract-"));

async function start(stateFolder: string): Promise<Local> {
  const prepared = await prepare(example, () => undefined, new AbortController().signal);
  return startLocal({
    ...prepared.local,
    speed,
    seed: 1,
    stateFolder,
    startMs: 1_700_000_000_000,
    controlled: false,
  });
}

async function stop(local: Local): Promise<void> {
  await local.stop();
  assert.equal(await leashedLeft(2_000), 0, "processes are left running");
}

cloudContract("local", async () => {
  const folder = makeFolder();
  const local = await start(folder);
  return {
    cloud: local.cloud,
    advance: () => local.clock.sleep(5_000),
    async stop() {
      await stop(local);
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

test("the local cloud goes on where it was, and time with it", async (t) => {
  const folder = makeFolder();
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const first = await start(folder);
  t.after(first.stop);
  const { status, world } = await first.cloud.observe();
  const { digest } = world.lambda;
  await first.cloud.apply({ type: "provision", digest, tasks: 2 });
  await first.cloud.apply({ type: "route", route: routeOf(100) });
  await eventually(async () => {
    const { fargate, dns } = (await first.cloud.observe()).world;
    return fargate.tasksHealthy === 2 && dns.inSync;
  }, "the burst tier serves");
  const route = routeOf(100);
  const windowSeenMs = first.clock.nowMs() + 3_600_000;
  await first.cloud.commit({ ...status, revision: 1, target: "fargate", route, windowSeenMs });
  await stop(first);

  const second = await start(folder);
  t.after(second.stop);
  assert.ok(second.clock.nowMs() > windowSeenMs, "no window may come again");
  const after = await second.cloud.observe();
  assert.equal(after.status.revision, 1);
  assert.equal(after.world.fargate.state, "ready", "nobody may take it for a failure");
  assert.equal(after.world.fargate.digest, digest);
  assert.deepEqual(after.world.dns, { route, inSync: true });
  await stop(second);
});
