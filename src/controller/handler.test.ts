/** The handler in virtual time, over the wire: idle, leases, faults, kills, and who is told. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { seedDeployment } from "../../test/aws/deployment.ts";
import { type Loopback, startLoopback } from "../../test/aws/loopback/server.ts";
import { changeByHand } from "../../test/aws/world/dns.ts";
import { createWorld, type World } from "../../test/aws/world/world.ts";
import { closeTable, openTable, readEvents, readStatus, writeStatus } from "../aws/index.ts";
import { readTurn, takeTurn } from "../aws/turns.ts";
import type { Config } from "../config/index.ts";
import { type EngineEvent, lambdaOnly, type Status } from "../core/index.ts";
import { pinned } from "../core/override.ts";
import { type ControllerHandler, createHandler, type InvocationResult } from "./handler.ts";

interface Stage {
  readonly world: World;
  readonly aws: Loopback;
  readonly lines: string[];
  readonly posted: { readonly address: string; readonly text: string }[];
  readonly seeded: ReturnType<typeof seedDeployment>;
  readonly makeHandler: (variables?: Readonly<Record<string, string>>) => ControllerHandler;
  readonly handler: ControllerHandler;
  /** One invocation, and the rest of its minute. */
  readonly minute: (event?: unknown) => Promise<InvocationResult>;
  readonly minutes: (count: number) => Promise<void>;
  readonly history: () => Promise<readonly EngineEvent[]>;
  readonly status: () => Promise<Status>;
  readonly override: (status: Partial<Status>) => Promise<void>;
  /** Actions that were called since the last question. */
  readonly called: () => readonly string[];
}

const scheduled = { source: "tick" };

/** Fewer looks in the same time: the tests wait for each. */
const transition = {
  pollSeconds: 40,
  probes: 2,
  bakeSeconds: 10,
  stepPercents: [50, 100],
  stepPercentsDown: [0],
  drainQuietMinutes: 2,
};

async function startStage(
  t: TestContext,
  variables: Readonly<Record<string, string>> = {},
  policy: Config["policy"] = "threshold",
): Promise<Stage> {
  const world = createWorld({ seed: 5 });
  const seeded = seedDeployment(world, { config: { transition, policy } });
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const table = openTable(seeded.variables.LAMBDAFLEX_TABLE, { region: world.region });
  t.after(async () => {
    closeTable(table);
    process.env = before;
    await aws.stop();
  });
  const lines: string[] = [];
  const posted: { address: string; text: string }[] = [];
  const makeHandler: Stage["makeHandler"] = (more = {}) =>
    createHandler({
      environment: { ...seeded.variables, ...variables, ...more, AWS_REGION: world.region },
      nowMs: () => world.nowMs,
      sleep: async (ms) => world.advance(ms),
      write: (line) => lines.push(line),
      probe: async () => true,
      send: async (address, { body }) => {
        posted.push({ address, text: (JSON.parse(String(body)) as { text: string }).text });
        return { status: 200 };
      },
    });
  const handler = makeHandler();
  let requests = 0;
  const minute = async (event: unknown = scheduled): Promise<InvocationResult> => {
    const begunMs = world.nowMs;
    requests += 1;
    const result = await handler(event, {
      awsRequestId: `request-${requests}`,
      getRemainingTimeInMillis: () => begunMs + 55_000 - world.nowMs,
    });
    world.advance(Math.max(0, begunMs + 60_000 - world.nowMs));
    return result;
  };
  let seen = 0;
  return {
    world,
    aws,
    lines,
    posted,
    seeded,
    makeHandler,
    handler,
    minute,
    async minutes(count) {
      for (let at = 0; at < count; at += 1) await minute();
    },
    history: async () => (await readEvents(table, { limit: 200 })).events.toReversed(),
    status: () => readStatus(table),
    async override(change) {
      const status = await readStatus(table);
      await writeStatus(table, { ...status, ...change, revision: status.revision + 1 });
    },
    called() {
      const actions = aws.calls.slice(seen).map(({ action }) => action);
      seen = aws.calls.length;
      return actions;
    },
  };
}

const messages = (events: readonly EngineEvent[]): string =>
  events.map(({ type, message }) => `${type}: ${message}`).join("\n");

test("steady on Lambda a tick is two reads, and nothing is written", async (t) => {
  const stage = await startStage(t);
  stage.world.traffic.rate = () => 5;
  await stage.minute();
  stage.called();
  for (let at = 0; at < 12; at += 1) {
    assert.equal((await stage.minute()).outcome, "idle");
    const [alarmsOrRecords, state, ...more] = [...stage.called()].sort();
    assert.match(alarmsOrRecords ?? "", /^(DescribeAlarms|GetItem)$/);
    assert.match(state ?? "", /^(GetItem|ListResourceRecordSets)$/);
    assert.deepEqual(more, []);
  }
  assert.deepEqual(await stage.history(), []);
  assert.equal(stage.lines.length, 1, "an idle tick writes no log either");
});

test("a record that is changed by hand is put right within ten idle minutes", async (t) => {
  const stage = await startStage(t);
  await stage.minutes(2);
  changeByHand(stage.world, stage.seeded.zone, (records) =>
    records.map((record) => ({ ...record, Weight: 0 })),
  );
  await stage.minutes(10);
  assert.equal(stage.seeded.zone.records[0]?.Weight, 255);
  await stage.minutes(4);
  assert.equal((await stage.minute()).outcome, "idle");
});

test("a pinned tier is gone to and come back from, and everybody is told", async (t) => {
  const address = "https://hooks.example.com/secret-token";
  const stage = await startStage(t, { LAMBDAFLEX_WEBHOOK: "/shop/webhook" });
  stage.world.parameters.set("/shop/webhook", address);
  stage.world.traffic.rate = () => 20;
  await stage.minute();
  await stage.override({ override: pinned("fargate") });
  for (let at = 0; at < 20; at += 1) await stage.minute();
  const up = await stage.status();
  assert.equal(up.route.fargate, 100);
  assert.deepEqual(await readTurnOf(stage), null, "the lease is returned");
  await stage.override({ override: null, target: "lambda", targetSinceMs: stage.world.nowMs });
  stage.world.traffic.rate = () => 0;
  for (let at = 0; at < 25; at += 1) await stage.minute();
  assert.deepEqual((await stage.status()).route, lambdaOnly);
  assert.equal((await stage.minute()).outcome, "idle");
  const told = messages(await stage.history());
  for (const part of [
    /target fargate: set by hand/,
    /provision the burst tier/,
    /50 %/,
    /all traffic is on Fargate/,
    /remove the burst tier/,
    /nothing of the burst tier is left/,
  ]) {
    assert.match(told, part);
  }
  assert.ok(stage.posted.every((notice) => notice.address === address));
  assert.equal(stage.posted.length, stage.world.published.length);
  assert.match(stage.posted[0]?.text ?? "", /^shop: target fargate: set by hand/);
  assert.ok(!JSON.stringify([stage.lines, await stage.history()]).includes("secret-token"));
});

async function readTurnOf(stage: Stage): Promise<unknown> {
  const table = openTable(stage.seeded.variables.LAMBDAFLEX_TABLE, { region: "us-east-1" });
  const turn = await readTurn(table, "lease", stage.world.nowMs);
  closeTable(table);
  return turn;
}

test("a killed invocation blocks the next for no longer than it could have lived", async (t) => {
  const stage = await startStage(t);
  const table = openTable(stage.seeded.variables.LAMBDAFLEX_TABLE, { region: "us-east-1" });
  t.after(() => closeTable(table));
  const { nowMs } = stage.world;
  await takeTurn(table, "lease", { owner: "killed", untilMs: nowMs + 57_000 }, nowMs);
  stage.called();
  assert.equal((await stage.minute({ alarmArn: "any" })).outcome, "busy");
  assert.ok(!stage.called().includes("GetMetricData"));
  assert.equal((await stage.minute()).outcome, "ticked");
});

test("of invocations that come together one ticks", async (t) => {
  const stage = await startStage(t);
  const context = (awsRequestId: string): Parameters<ControllerHandler>[1] => ({
    awsRequestId,
    getRemainingTimeInMillis: () => 55_000,
  });
  const all = ["a", "b", "c", "d"].map((id) => stage.handler({}, context(id)));
  const outcomes = (await Promise.all(all)).map(({ outcome }) => outcome);
  assert.ok(outcomes.includes("ticked"), outcomes.join());
  assert.ok(outcomes.includes("busy"), outcomes.join());
});

test("an operating failure is told once and logged each time; the next tick goes on", async (t) => {
  const stage = await startStage(t);
  stage.aws.faults = ({ action }) => (action === "GetFunction" ? "denied" : null);
  for (let at = 0; at < 5; at += 1) {
    const { outcome } = await stage.minute({ alarmArn: "any" });
    assert.equal(outcome, "failed");
  }
  assert.match(messages(await stage.history()), /^failure: could not read AWS: .*$/);
  assert.equal(stage.world.published.length, 1);
  assert.ok(stage.lines.length >= 5);
  for (const line of stage.lines) assert.equal(JSON.parse(line).level, "error");
  stage.aws.faults = () => null;
  assert.equal((await stage.minute()).outcome, "ticked");
});

test("a decision is told with its reason by whoever comes after the one that died", async (t) => {
  const stage = await startStage(t);
  await stage.minute();
  await stage.override({ override: pinned("fargate") });
  // Its writes to the history are lost, as when the invocation ends right after the commit.
  stage.aws.faults = ({ action }) => (action === "PutItem" ? "denied" : null);
  await stage.minute();
  assert.deepEqual(await stage.history(), []);
  stage.aws.faults = () => null;
  await stage.minutes(2);
  const told = messages(await stage.history());
  assert.equal(told.match(/target fargate: set by hand/g)?.length, 1);
  assert.equal(told.match(/provision the burst tier/g)?.length, 1);
});

test("who dies while telling is followed by one that tells again", async (t) => {
  const stage = await startStage(t);
  await stage.minutes(3);
  await stage.override({ override: pinned("fargate") });
  const from = stage.aws.calls.length;
  await stage.minute();
  const calls = stage.aws.calls.slice(from);
  const sent = calls.findIndex(({ action }) => action === "Publish");
  const noted = calls.findIndex(({ action, input }) => {
    const names = Object.values((input.ExpressionAttributeNames ?? {}) as object);
    return action === "UpdateItem" && names.includes("told");
  });
  assert.ok(sent >= 0 && sent < noted, `sent at ${sent}, noted as told at ${noted}`);
});

test("without a domain a wish to burst is refused, told once, and nothing is made", async (t) => {
  const stage = await startStage(t, { LAMBDAFLEX_DOMAIN: "" });
  stage.world.traffic.rate = () => 200;
  for (let at = 0; at < 10; at += 1) await stage.minute();
  assert.equal(stage.world.stacks.length, 0);
  const events = await stage.history();
  assert.match(messages(events), /^notice: no burst: without a domain traffic cannot be moved/);
  assert.equal(events.length, 1);
  assert.match(messages(events), /wanted: busy-requests: .*requests\/min/);
});

test("topic and webhook that fail keep nothing from moving", async (t) => {
  const stage = await startStage(t, { LAMBDAFLEX_WEBHOOK: "/shop/webhook" });
  stage.world.parameters.set("/shop/webhook", "http://plain.example.com/secret-token");
  stage.aws.faults = ({ action }) => (action === "Publish" ? "denied" : null);
  await stage.minute();
  await stage.override({ override: pinned("fargate") });
  await stage.minutes(3);
  assert.equal(stage.world.stacks.length, 1);
  const warnings = stage.lines.filter((line) => JSON.parse(line).level === "warn").join("\n");
  assert.match(warnings, /holds no https address/);
  assert.ok(!warnings.includes("secret-token"));
  assert.equal(stage.posted.length, 0);
});

test("variables that no stack wrote are refused at the start, by name", async (t) => {
  const stage = await startStage(t);
  for (const name of ["LAMBDAFLEX_TABLE", "LAMBDAFLEX_DIGEST", "LAMBDAFLEX_HOSTED_ZONE_ID"]) {
    assert.throws(() => stage.makeHandler({ [name]: "" }), new RegExp(name));
  }
  const parameters = { LAMBDAFLEX_BURST_PARAMETERS: '{"a":1}' };
  assert.throws(() => stage.makeHandler(parameters), /LAMBDAFLEX_BURST_PARAMETERS/);
});

test("the default policy costs nothing while nothing could move it", async (t) => {
  const stage = await startStage(t, {}, "auto");
  const { world } = stage;
  const looks = (): number => stage.called().filter((action) => action === "GetMetricData").length;
  const idleCalls = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      assert.equal((await stage.minute()).outcome, "idle");
      assert.equal(stage.called().length, 2);
    }
  };
  world.traffic.rate = () => 2;
  await stage.minutes(3);
  stage.called();
  await idleCalls(15);
  world.advance(12 * 60 * 60_000);
  assert.equal((await stage.minute()).outcome, "ticked", "a window that is lost is lost for good");
  assert.ok(looks() >= 1, "in several pages");
  const { windowSeenMs } = await stage.status();
  assert.ok(world.nowMs - windowSeenMs < 10 * 60_000, "all windows are made up for");

  world.traffic.rate = () => 60;
  for (let at = 0; at < 60 && (await stage.status()).target === "lambda"; at += 1) {
    await stage.minute();
  }
  assert.equal((await stage.status()).target, "fargate");
  assert.match(messages(await stage.history()), /target fargate: .*\(break-even \d.* follows /);
});

test("after traffic that was near to moving it a policy looks for hours", async (t) => {
  const stage = await startStage(t, {}, "auto");
  const { world } = stage;
  const ticksIn = async (count: number): Promise<number> => {
    let ticks = 0;
    for (let at = 0; at < count; at += 1) {
      if ((await stage.minute()).outcome === "ticked") ticks += 1;
    }
    return ticks;
  };
  world.traffic.rate = () => 18;
  await stage.minutes(8);
  world.traffic.rate = () => 2;
  await stage.minutes(12);
  const looks = await ticksIn(60);
  assert.ok(looks >= 6 && looks <= 9, `within ten minutes, not ${looks} times an hour`);
  world.advance(6 * 60 * 60_000);
  await stage.minutes(2);
  assert.equal(await ticksIn(30), 0, "it sleeps again");
});
