/** A name is only moved to an API that answers for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { deployBase, domain } from "../../../test/aws/base-stack.ts";
import { type Loopback, startLoopback } from "../../../test/aws/loopback/server.ts";
import { changeByHand } from "../../../test/aws/world/dns.ts";
import { createWorld } from "../../../test/aws/world/world.ts";
import { openTable } from "../../aws/table.ts";
import { parseConfig } from "../../config/parse.ts";
import { deploymentNames } from "../../core/deployment.ts";
import { readFormer } from "./former.ts";
import { takeOver } from "./takeover.ts";

test("an API that never answers leaves the name where it leads", async () => {
  const world = createWorld({ seed: 3 });
  const { zone } = deployBase(world);
  const aws: Loopback = await startLoopback(world);
  Object.assign(process.env, aws.environment);
  const Name = `${domain}.`;
  const old = { Name, Type: "A", TTL: 60, ResourceRecords: [{ Value: "192.0.2.7" }] };
  changeByHand(world, zone, () => [old]);
  const names = deploymentNames("shop");
  const { region, account } = world;
  const session = { region, account, partition: "aws", arn: "arn:aws:iam::1:user/ann" };
  const table = openTable(names.table, session);
  const asked: number[] = [];
  const taken = await takeOver({
    loaded: { config: parseConfig({ name: "shop", command: "x", domain }, "shop", "t") } as never,
    names,
    session,
    table,
    lambda: new LambdaClient({ region }),
    pace: {
      pollMs: 30_000,
      signal: new AbortController().signal,
      nowMs: () => world.nowMs,
      pause: async (ms) => world.advance(ms),
    },
    say: () => undefined,
    probe: async () => {
      asked.push(world.nowMs);
      return false;
    },
  });
  assert.ok(taken?.ok === false);
  assert.match(taken.reason, /does not answer for shop\.example\.com with 2xx within 5 minutes/);
  assert.equal(asked.length, 11);
  assert.deepEqual(zone.records, [old]);
  assert.equal(await readFormer(table), null);
  await aws.stop();
});
