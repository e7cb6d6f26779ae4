import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { seedDeployment } from "../../test/aws/deployment.ts";
import { startLoopback } from "../../test/aws/loopback/server.ts";
import { createStack } from "../../test/aws/world/stacks/lifecycle.ts";
import { parseTemplate } from "../../test/aws/world/template.ts";
import { arnOf, createWorld, type World } from "../../test/aws/world/world.ts";
import { closeTable, openTable, writeNotes } from "../aws/table.ts";
import { createHandler } from "../controller/handler.ts";
import { deploymentNames } from "../core/deployment.ts";
import { pinned, shifted } from "../core/override.ts";
import type { Source } from "./source.ts";
import { openAwsSource } from "./source-aws.ts";
import { whyLines } from "./why-text.ts";

const names = deploymentNames("shop");
const minute = 60_000;

interface Stage {
  readonly world: World;
  readonly open: () => Promise<Source>;
  /** Lets the controller work for so many minutes, woken by its schedule. */
  readonly work: (minutes: number) => Promise<void>;
  readonly woken: () => number;
}

/** A deployed service, its controller, and a folder with its configuration. */
async function startStage(t: TestContext, domain = "shop.example.com"): Promise<Stage> {
  const world = createWorld({ seed: 5 });
  const { variables } = seedDeployment(world);
  const environment = { ...variables, LAMBDAFLEX_DOMAIN: domain };
  const version = { imageUri: "", properties: {} };
  world.functions.set(names.controllerFunction, {
    name: names.controllerFunction,
    arn: arnOf(world, "lambda", `function:${names.controllerFunction}`),
    versions: new Map([["$LATEST", version]]),
    aliases: new Map(),
    environment,
    reserved: null,
  });
  let woken = 0;
  world.onInvoke = () => {
    woken += 1;
  };
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-source-"));
  writeFileSync(join(folder, "lambdaflex.json"), '{ "name": "shop", "command": "node x.js" }');
  t.after(async () => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
    await aws.stop();
  });
  const handler = createHandler({
    environment: { ...environment, AWS_REGION: world.region },
    nowMs: () => world.nowMs,
    sleep: async (ms) => world.advance(ms),
    write: () => undefined,
    probe: async () => true,
  });
  return {
    world,
    woken: () => woken,
    open: () => openAwsSource({ config: folder }, () => world.nowMs),
    async work(minutes) {
      for (let done = 0; done < minutes; done += 1) {
        const context = { awsRequestId: String(done), getRemainingTimeInMillis: () => 55_000 };
        await handler({ source: "tick" }, context);
        world.advance(minute - (world.nowMs % minute));
      }
    },
  };
}

test("a service at rest on AWS tells what it does and how near the alarms are", async (t) => {
  const { world, open, work } = await startStage(t);
  world.traffic.rate = () => 10;
  world.advance(70 * minute);
  await work(2);
  const report = await (await open()).report();
  const { snapshot, source, windows } = report;
  assert.deepEqual(source, { on: "aws", name: "shop", at: world.region });
  assert.deepEqual(
    [snapshot.phase, snapshot.target, snapshot.route.lambda],
    ["steady", "lambda", 100],
  );
  const busy = snapshot.alarms.find(({ name }) => name === "busy-requests");
  assert.equal(busy?.threshold, 915, "60 × the break-even rate wakes the default policy");
  // What CloudWatch has not reported yet is no minute without requests.
  assert.equal(Math.round(busy?.value ?? 0), 600);
  assert.equal(snapshot.tiers.lambda.state, "ready");
  const rate = snapshot.tiers.lambda.requestsPerSecond ?? 0;
  assert.ok(rate > 8 && rate < 12, `${rate} requests/s`);
  assert.ok(windows.length >= 58, "an hour of minutes for the picture");
  const why = whyLines(report).join("\n");
  assert.match(why, /on Lambda from the beginning/);
  assert.match(why, /to Fargate at ≥ [\d.]+ requests\/s for 1 h 00 m/, "of the default policy");
  assert.match(why, /at (9|10|11)\.\d requests\/s as now, which is [1-9]\d % of the rate/);
});

test("a word is kept, the controller woken, and its way told with what it came to", async (t) => {
  const { world, open, work, woken } = await startStage(t);
  world.traffic.rate = () => 30;
  world.advance(10 * minute);
  const source = await open();
  await source.override(shifted("fargate", world.nowMs, 120 * minute));
  assert.equal(woken(), 1);
  await work(25);
  const { snapshot } = await source.report();
  assert.deepEqual(
    [snapshot.target, snapshot.route.fargate, snapshot.phase],
    ["fargate", 100, "steady"],
  );
  assert.equal(snapshot.override?.tier, "fargate");
  assert.match(snapshot.lastSwitch?.reason ?? "", /set by hand to fargate/);
  assert.ok((snapshot.lastSwitch?.actualUsd ?? 0) > 0, "the bill since the switch is estimated");
  const told = await source.history(null, 100);
  const messages = told.flatMap((record) => (record.type === "event" ? [record.event] : []));
  const times = messages.map(({ atMs }) => atMs);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
    "newest last",
  );
  assert.match(messages[0]?.message ?? "", /target fargate: set by hand/);
  assert.deepEqual(await source.history(null, 1), told.slice(-1));
  assert.deepEqual(await source.history(world.nowMs + 1, 100), []);
  await source.override(null);
  assert.equal((await source.report()).snapshot.override, null);
});

test("looking on changes nothing that the controller remembers", async (t) => {
  const { world, open } = await startStage(t);
  const source = await open();
  await source.override(pinned("lambda"));
  // A stack that is gone meanwhile: whoever acts would forget it now.
  const table = openTable(names.table, { region: world.region });
  const stack = { id: null, createdAtMs: 1, removedAtMs: 2, removals: 1 };
  await writeNotes(table, { memory: JSON.stringify({ stack, change: null }) });
  closeTable(table);
  const items = (): string => JSON.stringify([...(world.tables.get(names.table)?.items ?? [])]);
  const before = items();
  await source.report();
  assert.equal(items(), before);
});

test("both tiers' lines come in the order of time, and each of them once", async (t) => {
  const { world, open } = await startStage(t);
  const source = await open();
  const early = await source.logs({ sinceMs: null, tier: null });
  assert.deepEqual(await early.next(), [], "a group that does not exist yet has said nothing");
  await early.close();
  const lambda = "2026/01/05/shop-app[1]0123456789abcdef0123456789abcdef";
  const fargate = "fargate/app/fedcba9876543210";
  const group = Array.from({ length: 120 }, (_, at) => ({
    atMs: world.nowMs - 120_000 + at * 1000,
    stream: at % 2 === 0 ? lambda : fargate,
    message: `line ${at}\n`,
  }));
  world.logGroups.set(names.appLogs, group);
  const reader = await source.logs({ sinceMs: null, tier: null });
  const lines = await reader.next();
  assert.deepEqual(
    lines.map(({ line }) => line),
    group.map((_, at) => `line ${at}`),
  );
  assert.deepEqual(
    lines.slice(0, 2).map(({ tier, from }) => [tier, from]),
    [
      ["lambda", "lambda-01234567"],
      ["fargate", "task-fedcba98"],
    ],
  );
  world.advance(5000);
  group.push({ atMs: world.nowMs - 20_000, stream: fargate, message: "late" });
  assert.deepEqual(
    (await reader.next()).map(({ line }) => line),
    ["late"],
  );
  assert.deepEqual(await reader.next(), [], "it does not ask again at once");
  await reader.close();
  const only = await source.logs({ sinceMs: world.nowMs - 20_000, tier: "lambda" });
  const few = await only.next();
  assert.ok(few.length > 0 && few.every(({ tier }) => tier === "lambda"));
  await only.close();
});

test("what can not be has a code", async (t) => {
  const { open } = await startStage(t, "");
  const source = await open();
  await assert.rejects(source.override(pinned("fargate")), { code: "DOMAIN_MISSING" });
  await source.override(pinned("lambda"));
  assert.equal((await source.report()).snapshot.override?.tier, "lambda");
});

test("without a controller it is told whether CloudFormation is still at work", async (t) => {
  const { world, open } = await startStage(t);
  world.functions.delete(names.controllerFunction);
  const message = `shop is not deployed in ${world.region}`;
  await assert.rejects(open(), { code: "NOT_DEPLOYED", message });
  const templateBody = `{ "Resources": { "Repository": { "Type": "AWS::ECR::Repository" } } }`;
  const template = parseTemplate(templateBody);
  const given = { parameters: {}, tags: {}, roleArn: "", token: "", capabilities: [] };
  const request = { templateBody, template, ...given, onFailure: "ROLLBACK" } as const;
  const stack = createStack(world, names.baseStack, request);
  const making = { message: `${message} yet: shop-base is CREATE_IN_PROGRESS`, hint: /Ask again/ };
  await assert.rejects(open(), { code: "NOT_DEPLOYED", ...making });
  stack.status = "ROLLBACK_COMPLETE";
  const failed = { message: `${message} yet: shop-base is ROLLBACK_COMPLETE`, hint: /deploy: it/ };
  await assert.rejects(open(), { code: "NOT_DEPLOYED", ...failed });
});
