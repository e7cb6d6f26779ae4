/** `lambdaflex deploy` while a burst serves: what has to wait for it, and what has not. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { UpdateResult } from "../../../src/cli/deploy/update.ts";
import { pinned } from "../../../src/core/override.ts";
import { assertMistake } from "../mistake.ts";
import { type Ended, eventually, patienceMs, run } from "../rig.ts";
import { type Account, app, domain, names, openAccount, pushed, serviceFolder } from "./account.ts";
import { runController } from "./controller.ts";

let account: Account;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(() => account.stop());

const deploy = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  run(folder, ["deploy", ...args], account.options);

function resultOf({ code, stdout, stderr }: Ended): UpdateResult {
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return JSON.parse(stdout) as UpdateResult;
}

test("the network waits for the burst that runs on it; everything else does not", async () => {
  const { world, options } = account;
  const quick = { drainQuietMinutes: 3, drainMinutesMax: 20, dwellMinutes: 5, cooldownMinutes: 5 };
  const keys = { transition: quick, thresholds: { down: { minutes: 4 } } };
  const folder = serviceFolder(keys);
  const configure = (more: object): void => {
    const config = { name: app, command: "node server.js", domain, ...keys, ...more };
    writeFileSync(join(folder, "lambdaflex.json"), JSON.stringify(config));
  };
  const weightOf = (tier: string): number | undefined =>
    [...world.zones.values()]
      .flatMap(({ records }) => records)
      .find(({ SetIdentifier }) => SetIdentifier === tier)?.Weight;
  const stack = (name: string) =>
    world.stacks.find((one) => one.name === name && one.status !== "DELETE_COMPLETE");
  resultOf(await deploy(folder, "--json", "--image", pushed(world, "a")));
  account.aws.callMs = 100;
  const controller = runController(account);
  try {
    await controller.override(pinned("fargate"));
    await eventually(() => weightOf("fargate") === 255 || `${weightOf("fargate")}`, patienceMs);

    const before = stack(names.baseStack)?.request.templateBody;
    const image = pushed(world, "b");
    for (const more of [{ port: 9000 }, { standby: "cold" }, { network: { tasks: "private" } }]) {
      configure(more);
      const ended = await deploy(folder, "--image", image);
      assertMistake(
        ended,
        "NETWORK_IN_USE",
        /shop-burst runs on what would change: \w+ \(AWS::EC2/,
      );
      assert.match(ended.stderr, /lambdaflex pin lambda .*wait until shop-burst is gone/);
    }
    assert.equal(stack(names.baseStack)?.request.templateBody, before, "nothing was changed");
    const warned = await run(folder, ["diff"], options);
    assert.match(warned.stdout, /^deploy refuses this while the burst runs: NETWORK_IN_USE$/m);

    configure({ lambda: { memoryMB: 2048 }, fargate: { maxTasks: 7 }, logRetentionDays: 30 });
    const quiet = await run(folder, ["diff", "--json"], options);
    assert.deepEqual(JSON.parse(quiet.stdout).inUse, []);
    const harmless = resultOf(await deploy(folder, "--json", "--image", image));
    assert.deepEqual([harmless.unchanged, harmless.burst], [false, { state: "updated" }]);
    assert.equal(weightOf("fargate"), 255, "traffic stays where it is");

    configure({ port: 9000 });
    await controller.override(pinned("lambda"));
    await eventually(() => stack(names.burstStack) === undefined || "still there", patienceMs);
    assert.equal(resultOf(await deploy(folder, "--json", "--image", image)).unchanged, false);
  } finally {
    await controller.stop();
  }
});
