import assert from "node:assert/strict";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { scaledClock } from "../clock.ts";
import { createMeter } from "../meter.ts";
import type { ServiceSpec } from "../service.ts";
import { call, until } from "./rig.test.ts";
import { type FargateTier, type FargateTierOptions, startFargateTier } from "./tier.ts";

const program = fileURLToPath(new URL("./fixtures/service.mjs", import.meta.url));

function spec(digest: string): ServiceSpec {
  return {
    name: "shop",
    command: [process.execPath, program],
    cwd: tmpdir(),
    env: { FLAVOUR: "plain" },
    readiness: { path: "/health", timeoutMs: 5_000 },
    digest,
  };
}

async function startTier(
  t: TestContext,
  options: Partial<FargateTierOptions> = {},
): Promise<FargateTier & { port: number; lines: string[] }> {
  const clock = scaledClock(options.clock?.speed ?? 100, 0);
  const lines: string[] = [];
  const tier = await startFargateTier({
    service: spec("d1"),
    vcpu: 0.25,
    memoryMB: 512,
    tasksMin: 2,
    tasksMax: 4,
    requestsPerTaskPerMinute: 1e9,
    healthCheck: {
      intervalMs: 2_000,
      timeoutMs: 1_000,
      healthyThreshold: 2,
      unhealthyThreshold: 3,
    },
    deregistrationDelayMs: 30_000,
    clientKeepAliveMs: 5_000,
    stopTimeoutMs: 2_000,
    startDelayMs: () => 1_000,
    startsMax: 2,
    clock,
    // No window of it ever closes: target tracking has nothing to go by.
    meter: createMeter("fargate", clock, 1e12),
    launcher: [],
    onLog: (line) => lines.push(line),
    ...options,
  });
  t.after(() => tier.stop());
  return { ...tier, port: tier.endpoint.port, lines };
}

interface Load {
  stop(): Promise<void>;
  readonly answered: number;
  readonly failed: string[];
  readonly wrong: string[];
  readonly pids: Set<string>;
}

/** Clients that send one request after the other, each with a word that must come back. */
function startLoad(t: TestContext, port: number, clients: number, methods: string[]): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let running = true;
  let answered = 0;
  const failed: string[] = [];
  const wrong: string[] = [];
  const pids = new Set<string>();
  const run = async (client: number): Promise<void> => {
    for (let i = 0; running; i++) {
      const method = methods[(i + client) % methods.length] ?? "GET";
      const word = `w-${client}-${i}`;
      const body = method === "GET" ? "" : word;
      try {
        const reply = await call(port, `/${word}?wait=${i % 5}`, { method, body, agent });
        const [pid = "", path, echoed] = reply.body.split(" ");
        if (reply.status !== 200) failed.push(`${method} ${reply.status}`);
        else if (path !== `/${word}?wait=${i % 5}` || echoed !== body) wrong.push(reply.body);
        else pids.add(pid);
        answered += 1;
      } catch (error) {
        failed.push(`${method} ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  const all = Promise.all(Array.from({ length: clients }, (_, client) => run(client)));
  const stop = async (): Promise<void> => {
    running = false;
    await all;
    agent.destroy();
  };
  t.after(stop);
  return {
    stop,
    failed,
    wrong,
    pids,
    get answered() {
      return answered;
    },
  };
}

const steady = (tier: FargateTier, count: number): Promise<void> =>
  until(
    () => {
      const { healthy, tasks } = tier.stats();
      return healthy === count && tasks === count;
    },
    `${count} healthy tasks`,
    10_000,
  );

const methods = ["GET", "POST", "PUT", "POST"];

test("scaling out, in and deploying lose nothing and mix nothing up under load", async (t) => {
  const tier = await startTier(t);
  await steady(tier, 2);
  const load = startLoad(t, tier.port, 12, methods);
  tier.scaleTo(4);
  await steady(tier, 4);
  await until(() => load.pids.size === 4, "answers of all four");
  tier.scaleTo(2);
  await steady(tier, 2);
  tier.deploy(spec("d2"));
  await until(() => tier.stats().digest === "d2", "the deployment");
  await steady(tier, 2);
  await until(() => load.answered > 100 && load.pids.size >= 6, "answers of old and new tasks");
  await load.stop();
  assert.deepEqual([load.failed, load.wrong], [[], []]);
});

test("a killed task costs at most what it was doing, and nothing idempotent", async (t) => {
  const tier = await startTier(t);
  await steady(tier, 2);
  const load = startLoad(t, tier.port, 12, methods);
  await until(() => load.pids.size === 2 && load.answered > 200, "answers of both");
  const [victim = ""] = [...load.pids];
  process.kill(Number(victim), "SIGKILL");
  await until(() => load.pids.size === 3, "its replacement", 10_000);
  await load.stop();
  assert.deepEqual(load.wrong, []);
  assert.ok(
    load.failed.every((failure) => failure === "POST 502"),
    load.failed.join(),
  );
  assert.ok(load.failed.length <= 12);
});

test("follows the load with tasks, and says why in numbers", async (t) => {
  // A minute passes in 400 ms: long enough for a busy machine to have sent something in each.
  const clock = scaledClock(150, 0);
  const tier = await startTier(t, {
    clock,
    meter: createMeter("fargate", clock, 60_000),
    requestsPerTaskPerMinute: 3_000,
    scaleOutMinutes: 2,
    scaleInMinutes: 2,
    scaleInCooldownMs: 120_000,
  });
  await steady(tier, 2);
  assert.equal(tier.stats().desired, 2, "no traffic is no reason to change");
  const load = startLoad(t, tier.port, 8, ["GET"]);
  await until(() => tier.stats().desired > 2, "scale-out", 15_000);
  await load.stop();
  assert.ok(tier.lines.some((line) => /target tracking: .* target 3000: out from 2/.test(line)));
  const most = tier.stats().desired;
  for (const begun = performance.now(); tier.stats().desired === most; ) {
    assert.ok(performance.now() - begun < 20_000, "scale-in");
    await call(tier.port, "/");
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.ok(tier.lines.some((line) => /target tracking: .*: in from/.test(line)));
});

test("tasks run behind the bootstrap in a small environment of their own", async (t) => {
  const tier = await startTier(t, { launcher: undefined, tasksMin: 1, hosts: ["shop.test"] });
  await steady(tier, 1);
  assert.equal(await tier.probe("/health"), true);
  const reply = await call(tier.port, "/env", { headers: { host: "shop.test" } });
  const env = JSON.parse(reply.body);
  assert.equal(env.LAMBDAFLEX_TIER, "fargate");
  assert.equal(env.LAMBDAFLEX_VCPU, "0.25");
  assert.equal(env.LAMBDAFLEX_DIGEST, "d1");
  assert.equal(env.FLAVOUR, "plain");
  assert.equal(env.AWS_LWA_PORT, env.PORT);
  assert.equal(env.AWS_LAMBDA_RUNTIME_API, undefined);
  const known = /^(PATH|HOME|LANG|TMPDIR|FLAVOUR|HOST|PORT|PWD|SHLVL|_|OLDPWD|AWS_|LAMBDAFLEX_)/;
  assert.deepEqual(
    Object.keys(env).filter((name) => !known.test(name)),
    [],
  );
});

test("stops under load within 4 s, and then nothing listens", async (t) => {
  const tier = await startTier(t);
  await steady(tier, 2);
  const reply = call(tier.port, "/slow?wait=300");
  await until(() => tier.stats().outstanding === 1, "a request in flight");
  const begun = performance.now();
  await tier.stop();
  assert.ok(performance.now() - begun < 4_000);
  assert.equal((await reply).status, 200);
  await assert.rejects(call(tier.port, "/"), /ECONNREFUSED/);
  assert.equal(tier.stats().tasks, 0);
});
