/** `lambdaflex dev` as one uses it: ask, change the code, ask again, stop. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { addressesOf, portsOf, processesIn } from "./processes.ts";
import {
  eventually,
  mainFile,
  makeFolder,
  nothingLeft,
  patienceMs,
  type Run,
  start,
} from "./rig.ts";
import { quickConfig, server } from "./services.ts";

const withinMs = 5_000;
/** Takes its time, so that a change finds it at work. */
const saying = (word: string): string => server(`setTimeout(() => response.end("${word}"), 100);`);

function service(): string {
  return makeFolder({ "server.cjs": saying("one"), "lambdaflex.json": quickConfig });
}

/** Starts `lambdaflex dev` on a free port; resolves with its address once it answers. */
async function startDev(folder: string): Promise<{ dev: Run; url: string }> {
  const dev = start(folder, ["dev", "--port", "0", "--speed", "60"]);
  let url = "";
  await eventually(() => {
    url = /^quick answers at (http:\/\/localhost:\d+)\n$/.exec(dev.stdout)?.[1] ?? "";
    return url !== "" || `no address\n${dev.stdout}${dev.stderr}`;
  }, patienceMs);
  return { dev, url };
}

/** Status and text of one answer, over a connection of its own. */
async function ask(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: "close" } });
  return `${response.status} ${await response.text()}`;
}

async function answers(url: string, expected: string): Promise<void> {
  await eventually(async () => {
    const answer = await ask(url);
    return answer === expected || answer;
  }, patienceMs);
}

async function stops(folder: string, dev: Run): Promise<void> {
  const ports = portsOf(processesIn(folder).map(({ pid }) => pid));
  const begunMs = performance.now();
  dev.kill("SIGINT");
  const { code, stderr } = await dev.ended;
  assert.ok(performance.now() - begunMs < withinMs, "it ends in time");
  assert.equal(code, 130, stderr);
  assert.match(stderr, /^interrupted; everything is stopped/m);
  await nothingLeft(folder, 0, ports);
}

describe("lambdaflex dev", { concurrency: 2 }, () => {
  test("answers at its port, on loopback only, until Ctrl-C", async () => {
    const folder = service();
    const { dev, url } = await startDev(folder);
    assert.equal(await ask(url), "200 one");
    const posted = await fetch(`${url}/any?a=1`, { method: "POST", body: "text" });
    assert.equal(await posted.text(), "one");
    const pids = processesIn(folder).map(({ pid }) => pid);
    assert.deepEqual([...new Set(addressesOf(pids))], ["0100007F"]);
    await stops(folder, dev);
  });

  test("restarts the service when a file changes, and no request fails", async () => {
    const folder = service();
    const { dev, url } = await startDev(folder);
    const seen: string[] = [];
    let asking = true;
    const client = async (): Promise<void> => {
      for (; asking; await sleep(20)) {
        seen.push(await ask(url).catch((error: Error) => `${error.message}: ${error.cause}`));
      }
    };
    const clients = [client(), client()];
    const saw = (word: string): Promise<void> =>
      eventually(() => seen.includes(`200 ${word}`) || dev.stderr, patienceMs);
    try {
      await saw("one");
      for (const word of ["two", "three"]) {
        writeFileSync(join(folder, "server.cjs"), saying(word));
        await saw(word);
      }
    } finally {
      asking = false;
      await Promise.all(clients);
    }
    assert.deepEqual([...new Set(seen)], ["200 one", "200 two", "200 three"]);
    await stops(folder, dev);
  });

  test("does not take what it writes itself for a change", async () => {
    const folder = makeFolder({
      "server.cjs": saying("one"),
      // Nothing is ignored by its name.
      "lambdaflex.json": { ...quickConfig, watch: { ignore: [] } },
    });
    const shell = `exec ${process.execPath} ${mainFile} "$@" > out.log 2>&1`;
    const args = ["dev", "--port", "0", "--speed", "60", "--record", "run.ndjson"];
    const dev = start(folder, args, { command: ["sh", "-c", shell, "sh"] });
    const log = join(folder, "out.log");
    const output = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
    let url = "";
    await eventually(() => {
      url = /^quick answers at (\S+)$/m.exec(output())?.[1] ?? "";
      return url !== "" || output();
    }, patienceMs);
    await answers(url, "200 one");
    for (const word of ["two", "three"]) {
      writeFileSync(join(folder, "server.cjs"), saying(word));
      await answers(url, `200 ${word}`);
    }
    assert.ok(statSync(join(folder, "run.ndjson")).size > 1000);
    dev.kill("SIGINT");
    assert.equal((await dev.ended).code, 130);
    assert.equal(output().match(/^changed: /gm)?.length, 2, output());
    await nothingLeft(folder, 1000);
  });

  test("says which file makes it restart again and again", async () => {
    const folder = service();
    const shell = `${process.execPath} ${mainFile} dev --port 0 2>&1 | tee out.log`;
    const dev = start(folder, [], { command: ["sh", "-c", shell] });
    await eventually(
      () => /because of .*out\.log.*watch\.ignore/.test(dev.stdout) || dev.stdout,
      patienceMs,
    );
    for (const { pid, command } of processesIn(folder)) {
      if (command.includes(mainFile)) process.kill(pid, "SIGINT");
    }
    await dev.ended;
    await nothingLeft(folder, withinMs);
  });

  test("survives a change that breaks the service", async () => {
    const folder = service();
    const { dev, url } = await startDev(folder);
    writeFileSync(join(folder, "server.cjs"), 'throw new Error("half written");');
    await answers(url, '500 {"message":"Internal Server Error"}');
    assert.match(dev.stderr, /half written/);
    writeFileSync(join(folder, "server.cjs"), saying("mended"));
    await answers(url, "200 mended");
    await stops(folder, dev);
  });

  test("stops while the service is still starting", async () => {
    const folder = makeFolder({
      "server.cjs": "setTimeout(() => undefined, 60_000);",
      "lambdaflex.json": quickConfig,
    });
    const dev = start(folder, ["dev", "--port", "0"]);
    await dev.line(/starting/);
    await stops(folder, dev);
  });

  test("leaves nothing behind when it is killed, and starts again", async () => {
    const folder = service();
    const { dev, url } = await startDev(folder);
    assert.equal(await ask(url), "200 one");
    dev.kill("SIGKILL");
    await dev.ended;
    await nothingLeft(folder, withinMs, [Number(new URL(url).port)]);
    const again = await startDev(folder);
    assert.equal(await ask(again.url), "200 one");
    await stops(folder, again.dev);
  });
});
