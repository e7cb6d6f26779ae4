/**
 * What AWS answers: fields that are missing, lists that are short, words and numbers that nobody
 * knows. The adapter must say what is true, or fail with an error of its own; never invent a tier.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { AwsCloud, awsCloud, openTable, readDeployment } from "../../src/aws/index.ts";
import { serviceClients } from "../../src/aws/service-clients.ts";
import type { Observation } from "../../src/core/index.ts";
import { seedDeployment } from "../aws/deployment.ts";
import { startLoopback } from "../aws/loopback/server.ts";
import { createWorld } from "../aws/world/world.ts";
import { type Target, target } from "./target.ts";

/** What a client of the SDK does, as far as the adapter asks it. */
interface Client {
  send(command: { readonly input: unknown }): Promise<unknown>;
}

type Clients = Readonly<Record<string, Client>>;

/** Changes one value of an answer: which one, as fractions, and what it becomes. */
type Change = readonly [call: number, at: number, becomes: number];

const settings = { readinessPath: "/", drainQuietMs: 600_000, stirs: null };
const keyOf = (name: string, command: object & { readonly input: unknown }): string =>
  `${name} ${command.constructor.name} ${JSON.stringify(command.input)}`;

/** A deployment with a burst tier that serves, and all that AWS answered when it was looked at. */
async function recorded(): Promise<{
  readonly answers: ReadonlyMap<string, unknown>;
  readonly observe: (answer: (key: string) => unknown) => Promise<Observation>;
}> {
  const world = createWorld({ seed: 3 });
  const seeded = seedDeployment(world);
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const deployment = readDeployment({ ...seeded.variables });
  const probe = async (): Promise<boolean> => true;
  const { region } = world;
  const cloud = awsCloud(deployment, { region, nowMs: () => world.nowMs, settings, probe });
  await cloud.apply({ type: "provision", digest: seeded.digest, tasks: 2 });
  for (let round = 0; (await cloud.observe()).world.fargate.tasksHealthy < 2; round += 1) {
    assert.ok(round < 100, "the burst tier comes up");
    world.advance(30_000);
  }
  await cloud.apply({ type: "route", route: { lambda: 50, fargate: 50, fargateRecord: true } });
  world.advance(120_000);
  cloud.close();

  const table = openTable(deployment.table, { region });
  const real: Clients = { ...serviceClients({ region }), table: table.repeatable };
  const answers = new Map<string, unknown>();
  const nowMs = (): number => world.nowMs;
  /** A cloud, all of whose clients answer as they are told. */
  const made = (send: (name: string, command: never) => Promise<unknown>): AwsCloud => {
    const fake = (name: string): unknown => ({
      send: (command: never) => send(name, command),
      destroy: () => undefined,
    });
    const clients = Object.fromEntries(Object.keys(real).map((name) => [name, fake(name)]));
    const own = { name: table.name, repeatable: fake("table"), once: fake("table") };
    const parts = { deployment, settings, clients, table: own, nowMs, probe, readOnly: true };
    return new AwsCloud(parts as never);
  };
  await made(async (name, command) => {
    const answer = await real[name]?.send(command);
    answers.set(keyOf(name, command), answer);
    return answer;
  }).observe();
  process.env = before;
  await aws.stop();
  const observe = async (answer: (key: string) => unknown): Promise<Observation> => {
    const replayed = made(async (name, command) => answer(keyOf(name, command)));
    return (await replayed.observe()).world;
  };
  return { answers, observe };
}

/** Where values are in an answer: what holds them, and under which name. */
function placesIn(value: unknown, found: [object, string][] = []): [object, string][] {
  if (typeof value !== "object" || value === null || value instanceof Date) return found;
  for (const [key, inner] of Object.entries(value)) {
    found.push([value, key]);
    placesIn(inner, found);
  }
  return found;
}

/** A share of 0 to 1000 as an index. */
const pick = <T>(items: readonly T[], share: number): T | undefined =>
  items[Math.min(items.length - 1, Math.floor((share * items.length) / 1001))];

const tierStates = ["absent", "starting", "ready", "stopping", "failed"];
const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0;

function checkWorld({ lambda, fargate, dns, alarms, samples, recent }: Observation): void {
  assert.ok(tierStates.includes(lambda.state) && tierStates.includes(fargate.state));
  assert.match(lambda.digest, /^sha256:[0-9a-f]{64}$/);
  assert.ok(isCount(lambda.concurrencyFree), `free ${lambda.concurrencyFree}`);
  assert.ok(isCount(fargate.tasksDesired) && isCount(fargate.tasksHealthy));
  if (fargate.state === "ready") assert.ok(fargate.tasksHealthy > 0 && fargate.digest !== null);
  if (fargate.state === "absent") assert.equal(fargate.tasksHealthy, 0);
  const { route } = dns;
  assert.ok(isCount(route.lambda) && isCount(route.fargate), JSON.stringify(route));
  assert.ok([0, 100].includes(route.lambda + route.fargate), JSON.stringify(route));
  assert.ok(route.fargate === 0 || route.fargateRecord, "a weight without a record");
  for (const state of Object.values(alarms)) {
    assert.ok(["OK", "ALARM", "INSUFFICIENT_DATA"].includes(state), `alarm ${state}`);
  }
  for (const { requests, errors, throttles } of samples) {
    assert.ok(isCount(requests) && isCount(errors) && isCount(throttles));
  }
  for (const { requests, errors } of Object.values(recent)) {
    assert.ok(isCount(requests) && isCount(errors));
  }
}

/** What a value can become: the SDK sees to its type, not to its presence nor to its meaning. */
function others(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return [undefined, [], [...value, ...value]];
  if (typeof value === "string") return [undefined, "", "SOMETHING_NEW"];
  if (typeof value === "number") return [undefined, 0, value * 1e6];
  return [undefined];
}

const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)),
  { minLength: 1, maxLength: 4 },
);

/** The target, with what a deployment was answered. */
export async function awsTarget(): Promise<Target> {
  const { answers, observe } = await recorded();
  const keys = [...answers.keys()];
  return target(
    "aws-responses",
    changes,
    async (drawn) => {
      const changed = structuredClone(new Map(keys.map((key) => [key, plain(answers.get(key))])));
      for (const [call, at, value] of drawn) {
        const place = pick(placesIn(changed.get(pick(keys, call) ?? "")), at);
        if (place === undefined) continue;
        const [holder, key] = place;
        const now = (holder as Record<string, unknown>)[key];
        Object.assign(holder, { [key]: pick(others(now), value) });
      }
      const world = await observe((key) => changed.get(key) ?? {}).catch((error: Error) => {
        assert.notEqual(error.name, "AssertionError");
        return null;
      });
      if (world !== null) checkWorld(world);
    },
    5,
  );
}

/** An answer without what the SDK says about the connection. */
function plain(answer: unknown): unknown {
  const { $metadata: _, ...rest } = answer as Record<string, unknown>;
  return rest;
}
