/** Two deployments of one service at once, against an account on this machine. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { assertMistake } from "../mistake.ts";
import { type Ended, run } from "../rig.ts";
import { type Account, names, openAccount, pushed, serviceFolder } from "./account.ts";

let account: Account;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(() => account.stop());

const deploy = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  run(folder, ["deploy", ...args], account.options);

const statusOf = (): string | undefined =>
  account.world.stacks.find(({ status }) => status !== "DELETE_COMPLETE")?.status;

const lock = (untilMs: number): void => {
  const { table } = names;
  const item = {
    pk: { S: "deploy" },
    sk: { S: "deploy" },
    owner: { S: "deploy by ann (ann@laptop, process 7) since 2026-01-01T00:00:00.000Z" },
    untilMs: { N: String(untilMs) },
  };
  const items = new Map([["deploy|deploy", item]]);
  account.world.tables.set(table, { name: table, keys: ["pk", "sk"], items });
};

test("the second one learns who is at work, and when the lock ends", async () => {
  lock(Date.now() + 90_000);
  const ended = await deploy(serviceFolder(), "--image", pushed(account.world, "a"));
  assertMistake(ended, "DEPLOYMENT_LOCKED", /ann@laptop, process 7.*\n.*within \d+ s/);
  assert.equal(statusOf(), undefined);
});

test("before there is a table nobody calls done what CloudFormation is still making", async () => {
  account.aws.callMs = 2_500;
  const folder = serviceFolder();
  const image = pushed(account.world, "a");
  const both = [0, 1].map(async () => {
    const { code, stderr } = await deploy(folder, "--image", image);
    return { code, stderr, status: statusOf() };
  });
  // Either both succeed, or one is refused in CloudFormation's words.
  const ended = await Promise.all(both);
  for (const { code, stderr, status } of ended) {
    if (code === 0) assert.equal(status, "CREATE_COMPLETE", stderr);
    else assert.match(stderr, /^error [A-Z_]+: /m);
  }
  assert.ok(ended.some(({ code }) => code === 0));
});

test("a lock whose time is over stops nobody", async () => {
  lock(Date.now() - 1);
  const ended = await deploy(serviceFolder(), "--image", pushed(account.world, "a", { os: "x" }));
  assertMistake(ended, "IMAGE_PLATFORM", /x\/arm64/);
  const item = account.world.tables.get(names.table)?.items.get("deploy|deploy");
  assert.equal(item?.untilMs?.N, "0", "released");
});
