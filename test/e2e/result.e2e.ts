/** What a rehearsal hands back: standard output is the result, and nothing else. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Files, makeFolder, nothingLeft, run } from "./rig.ts";
import { goodServer, quickArgs, quickConfig, quickTrace, server } from "./services.ts";

const good: Files = {
  "server.cjs": goodServer,
  "lambdaflex.json": quickConfig,
  "trace.csv": quickTrace,
};

/** Names and types of all that is in a value; of a list, of its first element. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shapeOf(part)]));
}

const tier = { requests: "number", failed: "number", p50Ms: "number", p99Ms: "number" };
const shape = {
  requests: "number",
  failed: "number",
  byTier: { lambda: tier, fargate: tier },
  transitions: [
    {
      direction: "string",
      ms: "number",
      phases: [{ phase: "string", ms: "number" }],
      waits: [{ kind: "string", ms: "number" }],
      reason: "string",
      enginePercent: "number",
    },
  ],
  coldStarts: "number",
  cost: {
    actual: "number",
    alwaysLambda: "number",
    alwaysFargate: "number",
    assumptions: ["string"],
  },
  leftRunning: "number",
};

describe("a rehearsal", { concurrency: 2 }, () => {
  test("prints one JSON object with --json and exits with 0", async () => {
    const folder = makeFolder(good);
    const { code, stdout, stderr } = await run(folder, [...quickArgs, "--json"]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim().split("\n").length, 1);
    const result = JSON.parse(stdout);
    assert.partialDeepStrictEqual(shapeOf(result), shape);
    const { requests, failed, byTier, transitions, leftRunning } = result;
    assert.equal(failed, 0);
    assert.equal(leftRunning, 0);
    assert.equal(requests, byTier.lambda.requests + byTier.fargate.requests);
    assert.ok(byTier.lambda.requests > 0 && byTier.fargate.requests > 0);
    assert.deepEqual(
      transitions.map((one: { direction: string }) => one.direction),
      ["up", "down"],
    );
    assert.match(stderr, /provisioning.+draining.+deprovisioning/s);
    const left = readdirSync(join(folder, ".lambdaflex", "rehearse"));
    const state = left.filter((name) => /^(status|cloud|live)\b/.test(name));
    assert.deepEqual(state, [], "a good end leaves no state, only its history");
    await nothingLeft(folder, 1000);
  });

  test("prints a summary without --json", async () => {
    const folder = makeFolder(good);
    const { code, stdout, stderr } = await run(folder, quickArgs);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /cycle is complete: Lambda → Fargate → Lambda, no request lost/);
    assert.match(stdout, /Cost of this cycle: [\d.]+ USD/);
    assert.match(stdout, /Nothing is left running\./);
    assert.ok(!stdout.includes("\u001b"), "no colours where there is no terminal");
    await nothingLeft(folder, 1000);
  });

  test("exits with 1 when the service answers with errors of its own", async () => {
    const failing = server('response.writeHead(count === 10 ? 500 : 200).end("sorry");');
    const folder = makeFolder({ ...good, "server.cjs": failing });
    const { code, stdout, stderr } = await run(folder, [...quickArgs, "--json"]);
    assert.equal(code, 1, stderr);
    const { failed, failures } = JSON.parse(stdout);
    assert.ok(failed > 0);
    assert.partialDeepStrictEqual(failures, [{ method: "GET", path: "/", status: 500 }]);
    await nothingLeft(folder, 1000);
  });

  test("exits with 1, and soon, when the load never asks for Fargate", async () => {
    const thresholds = { ...(quickConfig.thresholds as object), up: { requestsPerMinute: 1e6 } };
    const folder = makeFolder({ ...good, "lambdaflex.json": { ...quickConfig, thresholds } });
    const { code, stdout, stderr } = await run(folder, [...quickArgs, "--json"]);
    assert.equal(code, 1, stderr);
    const { complete, failed, transitions, virtualMs } = JSON.parse(stdout);
    assert.deepEqual(
      { complete, failed, transitions },
      { complete: false, failed: 0, transitions: [] },
    );
    assert.ok(virtualMs < 90 * 60_000, `it waits ${virtualMs} virtual ms for nothing`);
  });

  test("takes its seed seriously: the same arrivals and delays", async () => {
    const seeded = [...quickArgs, "--json", "--seed", "5"];
    const runs = [makeFolder(good), makeFolder(good)].map((folder) => run(folder, seeded));
    const [one, two] = (await Promise.all(runs)).map(({ stdout }) => JSON.parse(stdout).requests);
    // The ebb lasts until the cycle is complete, so the totals may differ by its few requests.
    assert.ok(Math.abs(one - two) <= 20, `${one} and ${two} requests`);
  });
});
