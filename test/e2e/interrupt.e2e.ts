/** Ctrl-C at any moment: everything stops within 5 s, and the next start takes it from there. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { moments } from "./moments.ts";
import { portsOf, processesIn } from "./processes.ts";
import { makeFolder, nothingLeft, type Run, run, start } from "./rig.ts";
import { goodServer, quickArgs, quickConfig, quickTrace, server } from "./services.ts";

const withinMs = 5_000;

function service(source = goodServer, change: Readonly<Record<string, unknown>> = {}): string {
  return makeFolder({
    "server.cjs": source,
    "lambdaflex.json": { ...quickConfig, ...change },
    "trace.csv": quickTrace,
  });
}

/** Sends `signal` and fails unless everything ends in time and in order. */
async function stops(folder: string, lambdaflex: Run, signal: NodeJS.Signals): Promise<void> {
  const ports = portsOf(processesIn(folder).map(({ pid }) => pid));
  const begunMs = performance.now();
  lambdaflex.kill(signal);
  const { code, stdout, stderr } = await lambdaflex.ended;
  assert.ok(performance.now() - begunMs < withinMs, "it ends in time");
  assert.equal(code, 130, stderr);
  assert.equal(stdout, "", "an interrupted rehearsal has no result");
  assert.match(stderr, /^interrupted; everything is stopped/m, "it ends in order, not by force");
  await nothingLeft(folder, 0, ports);
}

describe("a signal", { concurrency: 2 }, () => {
  for (const [index, [name, said]] of Object.entries(moments).entries()) {
    const signal = index % 2 === 0 ? "SIGINT" : "SIGTERM";
    test(`while ${name} (${signal})`, async () => {
      const folder = service();
      const lambdaflex = start(folder, quickArgs);
      await lambdaflex.line(said);
      await stops(folder, lambdaflex, signal);
    });
  }

  test("during the set-up", async () => {
    const folder = service(goodServer, { setup: "echo preparing; sleep 60 & sleep 60" });
    const lambdaflex = start(folder, quickArgs);
    await lambdaflex.line(/^ {2}preparing$/m);
    await stops(folder, lambdaflex, "SIGINT");
  });

  test("while the service starts", async () => {
    const slow = "setTimeout(() => undefined, 60_000);";
    const folder = service(slow);
    const lambdaflex = start(folder, quickArgs);
    await lambdaflex.line(/starting$/m);
    await stops(folder, lambdaflex, "SIGINT");
  });

  test("while it clears up after an earlier one", async () => {
    const folder = service();
    const first = start(folder, quickArgs);
    await first.line(moments["steady on Fargate"] as RegExp);
    await stops(folder, first, "SIGINT");
    const second = start(folder, quickArgs);
    await second.line(/target lambda: set by hand/);
    await stops(folder, second, "SIGINT");
    const { code, stdout, stderr } = await run(folder, quickArgs);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    await nothingLeft(folder, 1000);
  });

  test("while a service neither answers nor obeys", async () => {
    const deaf = 'process.on("SIGTERM", () => undefined);';
    const folder = service(server('if (count <= 3) response.end("fine");', deaf));
    const lambdaflex = start(folder, quickArgs);
    await lambdaflex.line(/alarm throttled: OK/);
    await sleep(1000);
    await stops(folder, lambdaflex, "SIGINT");
  });
});

describe("a signal comes", { concurrency: 2 }, () => {
  for (const afterMs of [0, 50, 100, 200, 300, 400, 600, 800]) {
    test(`${afterMs} ms after the start`, async () => {
      const folder = service();
      const lambdaflex = start(folder, quickArgs);
      await sleep(afterMs);
      const begunMs = performance.now();
      lambdaflex.kill("SIGINT");
      const { code, stdout, stderr } = await lambdaflex.ended;
      assert.ok(performance.now() - begunMs < withinMs);
      assert.equal(code, 130, stderr);
      assert.equal(stdout, "");
      await nothingLeft(folder, 0);
    });
  }

  test("twice: the second one ends it at once", async () => {
    const deaf = 'process.on("SIGTERM", () => undefined);';
    const folder = service(server('if (count <= 3) response.end("fine");', deaf));
    const lambdaflex = start(folder, quickArgs);
    await lambdaflex.line(/alarm throttled: OK/);
    await sleep(1000);
    lambdaflex.kill("SIGINT");
    await sleep(100);
    lambdaflex.kill("SIGINT");
    assert.equal((await lambdaflex.ended).code, 130);
    await nothingLeft(folder, withinMs);
  });
});
