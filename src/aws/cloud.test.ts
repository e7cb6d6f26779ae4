/** What goes wrong in AWS, and what AwsCloud makes of it, over the wire. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { deployImage, digestOf, seedDeployment } from "../../test/aws/deployment.ts";
import { scriptedFault } from "../../test/aws/loopback/faults.ts";
import { type Loopback, startLoopback } from "../../test/aws/loopback/server.ts";
import { changeByHand } from "../../test/aws/world/dns.ts";
import { addBalancer } from "../../test/aws/world/elb.ts";
import { createWorld, type World } from "../../test/aws/world/world.ts";
import { lambdaOnly, type Observation, routeOf } from "../core/index.ts";
import { type AwsCloud, awsCloud, readDeployment } from "./index.ts";

interface Stage {
  readonly world: World;
  readonly aws: Loopback;
  readonly seeded: ReturnType<typeof seedDeployment>;
  /** The cloud as a controller that starts anew sees it. */
  readonly makeCloud: (variables?: Readonly<Record<string, string>>) => AwsCloud;
  readonly look: (cloud: AwsCloud) => Promise<Observation>;
  /** Lets time pass until it is true; fails after two virtual hours. */
  readonly until: (cloud: AwsCloud, done: (world: Observation) => boolean) => Promise<Observation>;
  readonly provision: (cloud: AwsCloud) => Promise<Observation>;
}

async function startStage(t: TestContext): Promise<Stage> {
  const world = createWorld({ seed: 3 });
  const seeded = seedDeployment(world);
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const clouds: AwsCloud[] = [];
  t.after(async () => {
    for (const cloud of clouds) cloud.close();
    process.env = before;
    await aws.stop();
  });
  const look = async (cloud: AwsCloud): Promise<Observation> => (await cloud.observe()).world;
  const until: Stage["until"] = async (cloud, done) => {
    for (let round = 0; round < 240; round += 1) {
      const seen = await look(cloud);
      if (done(seen)) return seen;
      world.advance(30_000);
    }
    return assert.fail(`never came true: ${JSON.stringify((await look(cloud)).fargate)}`);
  };
  return {
    world,
    aws,
    seeded,
    look,
    until,
    makeCloud(variables = {}) {
      const cloud = awsCloud(readDeployment({ ...seeded.variables, ...variables }), {
        region: world.region,
        nowMs: () => world.nowMs,
        settings: { readinessPath: "/", drainQuietMs: 600_000, stirs: null },
        probe: async () => true,
      });
      clouds.push(cloud);
      return cloud;
    },
    async provision(cloud) {
      await cloud.apply({ type: "provision", digest: seeded.digest, tasks: 2 });
      return until(cloud, ({ fargate }) => fargate.state === "ready" && fargate.tasksHealthy >= 2);
    },
  };
}

test("a failed creation says why in the resource's own words", async (t) => {
  const stage = await startStage(t);
  const reason = "You've reached the limit on the number of vCPUs";
  const broken = { resource: "Service", operation: "create", reason, times: 1 } as const;
  stage.world.plannedFailures.push(broken);
  const cloud = stage.makeCloud();
  await cloud.apply({ type: "provision", digest: stage.seeded.digest, tasks: 2 });
  const { fargate } = await stage.until(cloud, (seen) => seen.fargate.state === "failed");
  assert.match(fargate.failure ?? "", /Service .*reached the limit on the number of vCPUs/);
  // The stack is gone after a while, but a controller that slept through it hears of it.
  stage.world.advance(30 * 60_000);
  const awoken = stage.makeCloud();
  assert.match((await stage.look(awoken)).fargate.failure ?? "", /reached the limit/);
  await awoken.apply({ type: "deprovision" });
  assert.equal((await stage.look(awoken)).fargate.state, "absent");
  await stage.provision(awoken);
});

test("an accepted creation whose answer was lost is found again", async (t) => {
  const stage = await startStage(t);
  stage.aws.faults = scriptedFault("CreateStack", "breaks-after", 4);
  const cloud = stage.makeCloud();
  await cloud
    .apply({ type: "provision", digest: stage.seeded.digest, tasks: 2 })
    .catch(() => undefined);
  assert.equal((await stage.look(cloud)).fargate.state, "starting");
  await stage.provision(cloud);
  assert.equal(stage.world.stacks.length, 1);
});

test("a burst stack that was deleted by hand is absent, and can be made again", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  await stage.provision(cloud);
  const other = stage.makeCloud();
  // Without the controller's memory the removal is somebody else's.
  stage.world.tables.get("shop-state")?.items.clear();
  await other.apply({ type: "deprovision" });
  stage.world.tables.get("shop-state")?.items.clear();
  assert.equal((await stage.look(cloud)).fargate.state, "stopping");
  const gone = await stage.until(cloud, ({ fargate }) => fargate.state === "absent");
  assert.equal(gone.fargate.failure, null);
  await stage.provision(cloud);
});

test("a table that was lost brings no request token back", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  for (let turn = 0; turn < 2; turn += 1) {
    await stage.provision(cloud);
    await cloud.apply({ type: "deprovision" });
    await stage.until(cloud, ({ fargate }) => fargate.state === "absent");
    stage.world.tables.get("shop-state")?.items.clear();
  }
  const asked = stage.aws.calls.flatMap(({ input }) => {
    const token: unknown = Reflect.get(input, "ClientRequestToken");
    return typeof token === "string" ? [token] : [];
  });
  assert.deepEqual([asked.length, new Set(asked).size], [4, 4]);
});

test("a stack of the name that somebody else made is neither taken up nor removed", async (t) => {
  const stage = await startStage(t);
  await stage.provision(stage.makeCloud());
  const [stack] = stage.world.stacks;
  assert.ok(stack);
  stack.request = { ...stack.request, tags: {}, token: "theirs" };
  stage.world.tables.get("shop-state")?.items.clear();
  const cloud = stage.makeCloud();
  assert.equal((await stage.look(cloud)).fargate.state, "absent");
  const { digest } = stage.seeded;
  const order = cloud.apply({ type: "provision", digest, tasks: 2 });
  await assert.rejects(order, /shop-burst exists that is not this application's/);
  const removals = stage.aws.calls.filter(({ action }) => action === "DeleteStack");
  assert.deepEqual([removals.length, stack.status], [0, "CREATE_COMPLETE"]);
});

test("a removal that fails is repeated, then without what is stuck, which is swept", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  await stage.provision(cloud);
  const reason = "The load balancer is busy";
  const stuck = { resource: "Alb", operation: "delete", reason, times: 99 } as const;
  stage.world.plannedFailures.push(stuck);
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await cloud.apply({ type: "deprovision" });
    const seen = await stage.until(cloud, ({ fargate }) => fargate.state !== "stopping");
    if (seen.fargate.state === "absent") break;
    assert.match(seen.fargate.failure ?? "", /Alb .*The load balancer is busy/);
  }
  const { fargate } = await stage.look(cloud);
  assert.equal(fargate.state, "absent");
  assert.equal(fargate.orphans.length, 1);
  const removals = stage.aws.calls.filter(({ action }) => action === "DeleteStack");
  assert.deepEqual(
    removals.map(({ input }) => Object.hasOwn(input, "RetainResources")),
    [false, false, true],
  );
  await cloud.apply({ type: "deprovision" });
  const swept = await stage.until(cloud, (seen) => seen.fargate.orphans.length === 0);
  assert.equal(swept.fargate.state, "absent");
  assert.equal(stage.world.balancers.size, 0);
});

test("the sweep leaves the balancers of others alone", async (t) => {
  const stage = await startStage(t);
  const { arn } = addBalancer(stage.world, "shop-eu-12345678");
  stage.world.tagged.set(arn, { type: "balancer", tags: { "lambdaflex:app": "shop-eu" } });
  const cloud = stage.makeCloud();
  assert.deepEqual((await stage.look(cloud)).fargate.orphans, []);
  await cloud.apply({ type: "deprovision" });
  assert.ok(stage.world.balancers.has(arn));
});

test("records that were changed by hand are seen, and the route is restored", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  await stage.provision(cloud);
  await cloud.apply({ type: "route", route: routeOf(50) });
  changeByHand(stage.world, stage.seeded.zone, (records) =>
    records.map((record) => ({ ...record, Weight: record.SetIdentifier === "lambda" ? 10 : 30 })),
  );
  assert.deepEqual((await stage.look(cloud)).dns.route, routeOf(75));
  changeByHand(stage.world, stage.seeded.zone, (records) =>
    records.filter(({ SetIdentifier: tier }) => tier !== "lambda"),
  );
  assert.deepEqual((await stage.look(cloud)).dns.route, routeOf(100));
  await cloud.apply({ type: "route", route: lambdaOnly });
  const { dns } = await stage.look(cloud);
  assert.deepEqual(dns, { route: lambdaOnly, inSync: false });
});

test("records that lead into another region are left to the deployment there", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  const DNSName = "d-abc.execute-api.eu-west-1.amazonaws.com.";
  const elsewhere = { HostedZoneId: "ZLY8HYME6SFDD", DNSName, EvaluateTargetHealth: true };
  changeByHand(stage.world, stage.seeded.zone, (records) =>
    records.map((record) => ({ ...record, AliasTarget: elsewhere })),
  );
  assert.equal((await stage.look(cloud)).dns.route.lambda, 0, "not our route");
  await assert.rejects(cloud.apply({ type: "route", route: lambdaOnly }), /lead to eu-west-1/);
  assert.equal(stage.seeded.zone.records[0]?.AliasTarget?.DNSName, DNSName);
});

test("a change whose id was lost is in sync only after a safe time", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  await stage.provision(cloud);
  stage.aws.faults = scriptedFault("ChangeResourceRecordSets", "fails-after", 4);
  await cloud.apply({ type: "route", route: routeOf(10) }).catch(() => undefined);
  stage.aws.faults = () => null;
  const restarted = stage.makeCloud();
  assert.deepEqual((await stage.look(restarted)).dns.route, routeOf(10));
  stage.world.advance(120_000);
  assert.equal((await stage.look(restarted)).dns.inSync, false);
  stage.world.advance(70_000);
  assert.equal((await stage.look(restarted)).dns.inSync, true);
});

test("a new image reaches a running burst tier; its old one is never called the new", async (t) => {
  const stage = await startStage(t);
  await stage.provision(stage.makeCloud());
  const digest = digestOf("b");
  const taskDefinition = deployImage(stage.world, stage.seeded, digest);
  const redeployed = stage.makeCloud({
    LAMBDAFLEX_DIGEST: digest,
    LAMBDAFLEX_TASK_DEFINITION: taskDefinition,
  });
  const before = await stage.look(redeployed);
  assert.equal(before.lambda.digest, digest);
  assert.equal(before.fargate.digest, "image of shop-app:1");
  assert.equal(before.fargate.state, "ready");
  await redeployed.apply({ type: "provision", digest, tasks: 5 });
  await redeployed.apply({ type: "provision", digest, tasks: 5 });
  const after = await stage.until(redeployed, ({ fargate }) => fargate.digest === digest);
  assert.equal(after.fargate.state, "ready");
  assert.equal(after.fargate.tasksDesired, 2, "scaling's count is left alone");
});

test("an image that does not start fails the update with the reason", async (t) => {
  const stage = await startStage(t);
  await stage.provision(stage.makeCloud());
  const digest = digestOf("c");
  stage.world.application.taskHealthy = (image) => !image.includes(digest);
  const taskDefinition = deployImage(stage.world, stage.seeded, digest);
  const redeployed = stage.makeCloud({
    LAMBDAFLEX_DIGEST: digest,
    LAMBDAFLEX_TASK_DEFINITION: taskDefinition,
  });
  await redeployed.apply({ type: "provision", digest, tasks: 2 });
  const { fargate } = await stage.until(redeployed, (seen) => seen.fargate.state === "failed");
  assert.match(fargate.failure ?? "", /Service .*Circuit Breaker/);
});

/** The same image with other settings of the burst tier, as another template's URL. */
function redeploy(stage: Stage, name: string, seconds: number): AwsCloud {
  const { LAMBDAFLEX_BURST_TEMPLATE_URL: url } = stage.seeded.variables;
  const [files] = stage.world.buckets.values();
  const before = String(files?.get("burst.template.json"));
  const changed = before.replace(/("HealthCheckIntervalSeconds": )\d+/, `$1${seconds}`);
  assert.notEqual(changed, before);
  files?.set(name, Buffer.from(changed));
  return stage.makeCloud({
    LAMBDAFLEX_BURST_TEMPLATE_URL: url.replace("burst.template.json", name),
  });
}

const updatesOf = ({ aws }: Stage): number =>
  aws.calls.filter(({ action }) => action === "UpdateStack").length;

/** Lets the engine's part be played: on the way to Fargate what differs is provisioned. */
async function towardsFargate(stage: Stage): Promise<void> {
  const { status } = await stage.makeCloud().observe();
  const revision = status.revision + 1;
  await stage.makeCloud().commit({ ...status, revision, target: "fargate" });
}

test("new settings reach a running burst tier, which serves meanwhile", async (t) => {
  const stage = await startStage(t);
  await stage.provision(stage.makeCloud());
  const redeployed = redeploy(stage, "b.json", 7);
  const { digest } = stage.seeded;
  const leaving = await stage.look(redeployed);
  assert.equal(leaving.fargate.digest, digest, "on its way out it may be turned back as it is");
  await towardsFargate(stage);
  const before = await stage.look(redeployed);
  assert.equal(before.fargate.digest, "image with former settings");
  await redeployed.apply({ type: "provision", digest, tasks: 5 });
  await redeployed.apply({ type: "provision", digest, tasks: 5 });
  stage.world.advance(1_000);
  const during = await stage.look(redeployed);
  assert.deepEqual([during.fargate.state, during.fargate.digest], ["ready", digest]);
  stage.world.advance(10 * 60_000);
  const after = await stage.look(redeployed);
  assert.deepEqual([after.fargate.digest, after.fargate.failure], [digest, null]);
  assert.equal(after.fargate.tasksDesired, 2, "scaling's count is left alone");
  await redeployed.apply({ type: "provision", digest, tasks: 5 });
  assert.equal(updatesOf(stage), 1);
  const group = [...(stage.world.stacks[0]?.resources.values() ?? [])].find(
    ({ type }) => type === "AWS::ElasticLoadBalancingV2::TargetGroup",
  );
  assert.equal(group?.properties.HealthCheckIntervalSeconds, 7);
});

test("settings that are refused are tried once; the tier serves on and says why", async (t) => {
  const stage = await startStage(t);
  await stage.provision(stage.makeCloud());
  await towardsFargate(stage);
  const { digest } = stage.seeded;
  const refused = { resource: "TargetGroup", operation: "update", reason: "is too short" } as const;
  stage.world.plannedFailures.push({ ...refused, times: 1 });
  const redeployed = redeploy(stage, "b.json", 7);
  await redeployed.apply({ type: "provision", digest, tasks: 2 });
  const { fargate } = await stage.until(redeployed, (seen) => seen.fargate.failure !== null);
  assert.deepEqual([fargate.state, fargate.digest], ["ready", digest]);
  assert.match(fargate.failure ?? "", /TargetGroup .*is too short/);
  await redeployed.apply({ type: "provision", digest, tasks: 2 });
  assert.equal(updatesOf(stage), 1);
  const mended = redeploy(stage, "c.json", 8);
  assert.equal((await stage.look(mended)).fargate.digest, "image with former settings");
  await mended.apply({ type: "provision", digest, tasks: 2 });
  stage.world.advance(10 * 60_000);
  const after = await stage.look(mended);
  assert.deepEqual([after.fargate.digest, after.fargate.failure], [digest, null]);
});

test("what CloudWatch could not read is not taken for silence", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  await stage.provision(cloud);
  for (const code of ["PartialData", "InternalError"] as const) {
    stage.world.metrics.unreadable.set("RequestCount", code);
    stage.world.advance(60_000);
    await assert.rejects(stage.look(cloud), new RegExp(`could not read fargateRequests .${code}`));
  }
  stage.world.metrics.unreadable.clear();
  assert.equal((await stage.look(cloud)).balancerLastRequestMs, null);
});

test("while the deployment is half done nothing is provisioned", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud();
  const apply = cloud.apply({ type: "provision", digest: digestOf("d"), tasks: 2 });
  await assert.rejects(apply, /a deployment is under way/);
  assert.equal(stage.world.stacks.length, 0);
});

test("without a domain no stack and no zone is asked for", async (t) => {
  const stage = await startStage(t);
  const cloud = stage.makeCloud({ LAMBDAFLEX_DOMAIN: "" });
  const { dns, fargate } = await stage.look(cloud);
  assert.deepEqual(dns, { route: lambdaOnly, inSync: true });
  assert.equal(fargate.state, "absent");
  const { digest } = stage.seeded;
  await assert.rejects(cloud.apply({ type: "provision", digest, tasks: 2 }), /without a domain/);
  const services = new Set(stage.aws.calls.map(({ service }) => service));
  for (const none of ["cloudformation", "route53", "ecs", "elasticloadbalancing"]) {
    assert.equal(services.has(none), false, none);
  }
});
