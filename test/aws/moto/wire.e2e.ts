/**
 * The calls of AwsCloud against moto, which others wrote from AWS's own models: what our loopback
 * and our clients both misunderstood would show here. It needs MOTO_SERVER, the path of
 * `moto_server`; without it the tests say so and pass.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it, type TestContext } from "node:test";
import { ECSClient, RegisterTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { SNSClient } from "@aws-sdk/client-sns";
import { SSMClient } from "@aws-sdk/client-ssm";
import {
  AwsCloud,
  appendEvents,
  openTable,
  readDeployment,
  readEvents,
  readTurn,
  releaseTurn,
  type StateTable,
  takeTurn,
} from "../../../src/aws/index.ts";
import { type ServiceClients, serviceClients } from "../../../src/aws/service-clients.ts";
import { notify } from "../../../src/controller/notify.ts";
import { openWebhook } from "../../../src/controller/webhook.ts";
import type { ControllerVariables } from "../../../src/core/deployment.ts";
import {
  ConflictError,
  type EngineEvent,
  initialStatus,
  lambdaOnly,
  type Observation,
  routeOf,
} from "../../../src/core/index.ts";
import { makeAccount, region } from "./account.ts";
import { type Moto, motoServer, startMoto } from "./server.ts";

const program = motoServer();

/** The one call of AwsCloud that moto does not know is answered before it is sent. */
function withAccountSettings(clients: ServiceClients): ServiceClients {
  clients.lambda.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== "GetAccountSettingsCommand") return next(args);
      const AccountLimit = { UnreservedConcurrentExecutions: 1000 };
      return { output: { AccountLimit, $metadata: {} }, response: {} };
    },
    { step: "initialize" },
  );
  return clients;
}

describe("the wire format against moto", () => {
  let moto: Moto | null = null;
  let variables: ControllerVariables;
  let cloud: AwsCloud;
  let table: StateTable;
  const environmentBefore = { ...process.env };

  before(async () => {
    if (program === null) return;
    moto = await startMoto(program);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: moto.endpoint,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_EC2_METADATA_DISABLED: "true",
    });
    const template = readFileSync(new URL("burst.template.json", import.meta.url));
    await fetch(`${moto.endpoint}/assets`, { method: "PUT" });
    await fetch(`${moto.endpoint}/assets/burst.json`, { method: "PUT", body: template });
    await new ECSClient({ region }).send(
      new RegisterTaskDefinitionCommand({
        family: "shop-app",
        containerDefinitions: [{ name: "app", image: "app", memory: 512 }],
      }),
    );
    variables = await makeAccount(`https://assets.s3.amazonaws.com/burst.json`);
    table = openTable(variables.LAMBDAFLEX_TABLE, { region });
    cloud = new AwsCloud({
      deployment: readDeployment({ ...variables }),
      clients: withAccountSettings(serviceClients({ region })),
      table,
      nowMs: () => Date.now(),
      settings: { readinessPath: "/", drainQuietMs: 600_000, stirs: null },
      probe: async () => true,
    });
  });

  after(async () => {
    process.env = environmentBefore;
    // First of all: a moto that is left running would keep the tests from ending.
    await moto?.stop();
  });

  /** A case that says why it was not run when there is no moto. */
  const check = (name: string, run: () => Promise<void>): void => {
    it(name, async (t: TestContext) => {
      if (program === null) return t.diagnostic("MOTO_SERVER names no program: nothing checked");
      await run();
    });
  };
  const look = async (): Promise<Observation> => (await cloud.observe()).world;

  check("observes a deployment at rest", async () => {
    const { status, world } = await cloud.observe();
    assert.deepEqual(status, initialStatus());
    assert.deepEqual(world.dns, { route: lambdaOnly, inSync: true });
    assert.equal(world.lambda.state, "ready");
    assert.equal(world.lambda.digest, variables.LAMBDAFLEX_DIGEST);
    assert.equal(world.fargate.state, "absent");
    assert.deepEqual(world.fargate.orphans, []);
    assert.equal(world.alarms["busy-requests"], "OK");
    assert.equal(world.alarms.quiet, "INSUFFICIENT_DATA");
    assert.ok(world.samples.length > 5);
    assert.ok(world.lambda.concurrencyFree > 0);
  });

  check("commits by compare-and-swap", async () => {
    const at = (revision: number): Promise<void> =>
      cloud.commit({ ...initialStatus(), revision, tasks: revision });
    await assert.rejects(at(2), ConflictError);
    await at(1);
    await assert.rejects(at(1), ConflictError);
    await at(2);
    assert.equal((await cloud.observe()).status.tasks, 2);
  });

  check("gives the lease to one, until it ends or is returned", async () => {
    const take = (owner: string, nowMs: number): Promise<boolean> =>
      takeTurn(table, "lease", { owner, untilMs: nowMs + 100 }, nowMs);
    assert.equal(await take("a", 1000), true);
    assert.equal(await take("b", 1050), false);
    assert.equal(await take("a", 1050), true, "renewed");
    assert.equal(await take("b", 1150), true, "taken over");
    await releaseTurn(table, "lease", "a");
    assert.deepEqual(await readTurn(table, "lease", 1160), { owner: "b", untilMs: 1250 });
    await releaseTurn(table, "lease", "b");
    assert.equal(await readTurn(table, "lease", 1160), null);
  });

  check("keeps a history that is read in pages, newest first", async () => {
    const event = (atMs: number): EngineEvent => {
      return { atMs, type: "notice", message: `at ${atMs}`, phase: "steady", data: { atMs } };
    };
    const times = [1, 20, 300, 4000, 50_000].map((seconds) => Date.now() + seconds);
    for (const [revision, atMs] of times.entries()) {
      await appendEvents(table, revision, [event(atMs)]);
      await appendEvents(table, revision, [event(atMs)]);
    }
    const read: number[] = [];
    let from: string | null = null;
    do {
      const page = await readEvents(table, { limit: 2, from });
      read.push(...page.events.map(({ atMs }) => atMs));
      from = page.next;
    } while (from !== null);
    assert.deepEqual(read, times.toReversed());
  });

  check("brings a burst stack up, moves both weights in one batch, and removes it", async () => {
    const { digest } = (await look()).lambda;
    await cloud.apply({ type: "provision", digest, tasks: 2 });
    await cloud.apply({ type: "provision", digest, tasks: 2 });
    const up = await look();
    assert.ok(["starting", "ready"].includes(up.fargate.state), up.fargate.state);
    assert.equal(up.fargate.tasksDesired, 2);
    for (const percent of [10, 50, 100, 0]) {
      await cloud.apply({ type: "route", route: routeOf(percent) });
      const { dns } = await look();
      assert.deepEqual(dns, { route: routeOf(percent), inSync: true });
    }
    await cloud.apply({ type: "route", route: lambdaOnly });
    assert.deepEqual((await look()).dns.route, lambdaOnly);
    await cloud.apply({ type: "deprovision" });
    await cloud.apply({ type: "deprovision" });
    const down = await look();
    assert.equal(down.fargate.state, "absent");
    assert.deepEqual(down.fargate.orphans, []);
  });

  check("publishes to the topic, and reads the webhook's address decrypted", async () => {
    const posted: string[] = [];
    const webhook = openWebhook({
      reference: variables.LAMBDAFLEX_WEBHOOK,
      client: new SSMClient({ region }),
      nowMs: () => 0,
      send: async (address) => {
        posted.push(address);
        return { status: 200 };
      },
    });
    const topic = { arn: variables.LAMBDAFLEX_TOPIC, client: new SNSClient({ region }) };
    const event: EngineEvent = {
      atMs: 0,
      type: "failure",
      message: "a → b\nc",
      phase: "steady",
      data: {},
    };
    assert.deepEqual(await notify({ app: "shop", topic, webhook }, [event]), []);
    assert.deepEqual(posted, ["https://hooks.example.com/secret"]);
  });
});
