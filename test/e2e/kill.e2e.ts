/** kill -9 in each phase: the children end by themselves, the next start resumes and converges. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { moments } from "./moments.ts";
import { portsOf, processesIn } from "./processes.ts";
import { type Ended, makeFolder, nothingLeft, type Run, run, start } from "./rig.ts";
import { goodServer, quickArgs, quickConfig, quickTrace } from "./services.ts";

/** Children have this long to notice that lambdaflex is dead; real milliseconds. */
const leashMs = 5_000;
const args = [...quickArgs, "--json"];

function service(): string {
  return makeFolder({
    "server.cjs": goodServer,
    "lambdaflex.json": quickConfig,
    "trace.csv": quickTrace,
  });
}

/** Moments at which the stack of the burst tier exists, and nobody has asked for its removal. */
const burstExists = new Set([
  "provisioning",
  "shifting up",
  "steady on Fargate",
  "shifting down",
  "draining",
  "deprovisioning",
]);

/** Kills lambdaflex like the kernel does when memory runs out, and waits for its children. */
async function killed(folder: string, lambdaflex: Run): Promise<void> {
  const pids = processesIn(folder).map(({ pid }) => pid);
  const ports = portsOf(pids);
  assert.ok(pids.length > 1, "the service runs");
  assert.ok(ports.length > 1, "something listens");
  lambdaflex.kill("SIGKILL");
  assert.equal((await lambdaflex.ended).code, 137);
  await nothingLeft(folder, leashMs, ports);
}

function assertWholeCycle({ code, stdout, stderr }: Ended): void {
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const { failed, transitions, leftRunning } = JSON.parse(stdout);
  assert.equal(failed, 0);
  assert.equal(leftRunning, 0);
  const directions = transitions.map((one: { direction: string }) => one.direction);
  assert.deepEqual(directions, ["up", "down"]);
}

describe("lambdaflex is killed while", { concurrency: 2 }, () => {
  for (const [name, said] of Object.entries(moments)) {
    test(`${name}, and a whole cycle follows`, async () => {
      const folder = service();
      const first = start(folder, args);
      await first.line(said);
      await killed(folder, first);
      const second = await run(folder, args);
      assertWholeCycle(second);
      // It knows of the burst tier and removes it before anything else.
      const story = second.stderr.replaceAll(/.*alarm quiet.*/g, "");
      if (burstExists.has(name)) assert.match(story, /remove the burst tier.*ALARM.*provision/s);
      await nothingLeft(folder, 1000);
    });
  }
});

describe("lambdaflex is killed", { concurrency: 2 }, () => {
  test("again while it clears up after a kill", async () => {
    const folder = service();
    const first = start(folder, args);
    await first.line(moments["steady on Fargate"] as RegExp);
    await killed(folder, first);
    const second = start(folder, args);
    await second.line(/target lambda: set by hand/);
    await killed(folder, second);
    const third = await run(folder, args);
    assertWholeCycle(third);
  });

  test("and its newest state is damaged, as by a full disk", async () => {
    const folder = service();
    const first = start(folder, args);
    await first.line(moments["steady on Fargate"] as RegExp);
    await killed(folder, first);
    const state = join(folder, ".lambdaflex", "rehearse");
    const revisions = readdirSync(state).flatMap(
      (name) => /^status\.(\d+)\./.exec(name)?.[1] ?? [],
    );
    const newest = Math.max(...revisions.map(Number));
    writeFileSync(join(state, `status.${newest}.json`), '{ "revision": 1');
    assertWholeCycle(await run(folder, args));
    await nothingLeft(folder, 1000);
  });
});
