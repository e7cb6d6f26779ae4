/** `lambdaflex destroy` against an account on this machine: drained, removed, and proved gone. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { UpdateResult } from "../../../src/cli/deploy/update.ts";
import type { RemovalResult } from "../../../src/cli/destroy/removal.ts";
import { pinned } from "../../../src/core/override.ts";
import { changeByHand } from "../../aws/world/dns.ts";
import { addRepository, pushImage } from "../../aws/world/repositories.ts";
import { assertMistake } from "../mistake.ts";
import { type Ended, eventually, patienceMs, run } from "../rig.ts";
import {
  type Account,
  app,
  digestOf,
  domain,
  names,
  openAccount,
  pushed,
  serviceFolder,
} from "./account.ts";
import { runController } from "./controller.ts";

let account: Account;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(() => account.stop());

const lambdaflex = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  run(folder, args, account.options);

const deployed = async (folder: string, digit: string): Promise<UpdateResult> => {
  const image = pushed(account.world, digit);
  const { code, stdout, stderr } = await lambdaflex(folder, "deploy", "--json", "--image", image);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as UpdateResult;
};

const removal = ({ stdout }: Ended): RemovalResult => JSON.parse(stdout) as RemovalResult;

/** The weights of the domain's records by tier. */
function weights(): Readonly<Record<string, number>> {
  const records = [...account.world.zones.values()].flatMap((zone) => zone.records);
  const own = records.filter(({ Name }) => Name === `${domain}.`);
  return Object.fromEntries(
    own.map(({ SetIdentifier = "", Weight = -1 }) => [SetIdentifier, Weight]),
  );
}

const living = (): readonly string[] =>
  account.world.stacks
    .filter(({ status }) => status !== "DELETE_COMPLETE")
    .map(({ name, status }) => `${name} ${status}`);

test("nobody is asked and nobody has agreed: nothing is removed", async () => {
  const folder = serviceFolder();
  const ended = await lambdaflex(folder, "destroy");
  assertMistake(ended, "CONFIRMATION_MISSING", /Add --yes if shop and all that belongs to it/);
  const { calls } = account.aws;
  assert.deepEqual(
    calls.filter(({ action }) => action !== "GetCallerIdentity"),
    [],
  );
});

test("a service on both tiers follows a deployment, then drains and is gone", async () => {
  const folder = serviceFolder({
    transition: { drainQuietMinutes: 3, drainMinutesMax: 20, dwellMinutes: 5, cooldownMinutes: 5 },
    thresholds: { down: { minutes: 4 } },
  });
  await deployed(folder, "a");
  account.aws.callMs = 100;
  const controller = runController(account);
  try {
    await controller.override(pinned("fargate"));
    const onFargate = (): true | string => weights().fargate === 255 || JSON.stringify(weights());
    await eventually(onFargate, patienceMs);

    const { burst } = await deployed(folder, "b");
    assert.deepEqual(burst, { state: "updated" });
    const [service] = account.world.services.values();
    const definition = account.world.taskDefinitions.get(service?.taskDefinition ?? "");
    assert.ok(JSON.stringify(definition).includes(digestOf("b")), JSON.stringify(definition));
    assert.equal(weights().fargate, 255, "traffic stays where it is");

    const ended = await lambdaflex(folder, "destroy", "--yes", "--json");
    assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
    assert.match(ended.stderr, /pinned to Lambda: clients leave the burst tier/);
    const { ok, remaining, unproven, failures } = removal(ended);
    assert.deepEqual([ok, remaining, unproven, failures], [true, [], [], []]);
  } finally {
    await controller.stop();
  }
  assert.deepEqual(living(), []);
  assert.equal(account.world.balancers.size, 0);
  assert.deepEqual(weights(), {});
  assert.equal(account.world.repositories.has(names.repository), false);
});

test("what cannot be removed says why, and the next time goes on", async () => {
  const folder = serviceFolder();
  await deployed(folder, "a");
  const reason = "resource has a dependent object";
  const resource = "AWS::EC2::SecurityGroup";
  // CloudFormation itself tries three times.
  account.world.plannedFailures.push({ resource, operation: "delete", reason, times: 9 });
  const failed = await lambdaflex(folder, "destroy", "--yes", "--now");
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stdout, /^failed: .*\(AWS::EC2::SecurityGroup\): .*dependent object$/m);
  assert.match(failed.stdout, /^still there: stack shop-base \(DELETE_FAILED\)$/m);
  account.world.plannedFailures.splice(0);
  const ended = await lambdaflex(folder, "destroy", "--yes", "--keep-images");
  assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  assert.match(ended.stdout, /shop in 123456789012\/us-east-1: removed, and nothing billable/);
  assert.match(ended.stdout, /kept on purpose: the images in lambdaflex\/shop/);
  assert.equal(account.world.repositories.has(names.repository), true);
});

test("a NAT gateway that was left, or its address, is found at EC2 itself", async () => {
  const { tagged } = account.world;
  const arn = (rest: string): string => `arn:aws:ec2:us-east-1:123456789012:${rest}`;
  const tags = { "lambdaflex:app": app };
  const others = { "lambdaflex:app": "shop-eu" };
  tagged.set(arn("natgateway/nat-1"), { type: "AWS::EC2::NatGateway", tags });
  tagged.set(arn("elastic-ip/eipalloc-1"), { type: "AWS::EC2::EIP", tags });
  tagged.set(arn("natgateway/nat-2"), { type: "AWS::EC2::NatGateway", tags: others });
  const ended = await lambdaflex(serviceFolder(), "destroy", "--yes", "--json");
  assert.equal(ended.code, 1, ended.stderr);
  const { remaining, unproven } = removal(ended);
  assert.deepEqual(remaining, ["NAT gateway nat-1", "address eipalloc-1"]);
  assert.deepEqual(unproven, []);
});

test("in the wrong region the records of the right one stay", async () => {
  const [zone] = account.world.zones.values();
  assert.ok(zone);
  const DNSName = "d-abc.execute-api.eu-west-1.amazonaws.com.";
  const AliasTarget = { HostedZoneId: "ZLY8HYME6SFDD", DNSName, EvaluateTargetHealth: true };
  const record = { Name: `${domain}.`, Type: "A", SetIdentifier: "lambda", Weight: 255 };
  changeByHand(account.world, zone, () => [{ ...record, AliasTarget }]);
  const ended = await lambdaflex(serviceFolder(), "destroy", "--yes");
  assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  assert.deepEqual(weights(), { lambda: 255 });
});

test("a repository that somebody else made keeps its images", async () => {
  const repository = addRepository(account.world, names.repository, {});
  pushImage(repository, digestOf("a"), {});
  const folder = serviceFolder();
  await deployed(folder, "a");
  const ended = await lambdaflex(folder, "destroy", "--yes");
  assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  assert.match(ended.stdout, /kept on purpose: the ECR repository lambdaflex\/shop, made by some/);
  assert.equal(account.world.repositories.get(names.repository)?.images.size, 1);
});

test("a stack that somebody else made is not removed", async () => {
  const folder = serviceFolder();
  await deployed(folder, "a");
  const [base] = account.world.stacks;
  assert.ok(base);
  const tags = { ...base.request.tags };
  Object.assign(base, { request: { ...base.request, tags: {} }, outputs: [] });
  assertMistake(
    await lambdaflex(folder, "destroy", "--yes"),
    "NAME_TAKEN",
    /has not made for shop/,
  );
  assert.deepEqual(living(), ["shop-base CREATE_COMPLETE"]);
  base.request = { ...base.request, tags };
  assert.equal((await lambdaflex(folder, "destroy", "--yes")).code, 0);
  assert.equal(tags["lambdaflex:app"], app);
});

test("a burst stack that lost its base and its guard is removed all the same", async () => {
  const folder = serviceFolder();
  await deployed(folder, "a");
  account.aws.callMs = 100;
  const controller = runController(account);
  try {
    await controller.override(pinned("fargate"));
    const hasBurst = (): true | string =>
      living().includes("shop-burst CREATE_COMPLETE") || living().join();
    await eventually(hasBurst, patienceMs);
  } finally {
    await controller.stop();
  }
  account.aws.callMs = 15_000;
  const ended = await lambdaflex(folder, "destroy", "--yes", "--now", "--json");
  assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  assert.match(ended.stderr, /removing shop-burst, which nobody looks after any more/);
  assert.deepEqual([living(), account.world.balancers.size, weights()], [[], 0, {}]);
});
