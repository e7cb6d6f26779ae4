/** `status`, `why`, `history`, `logs`, `shift`, `pin` and `auto` of a run on this machine. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertMistake } from "./mistake.ts";
import {
  type Ended,
  eventually,
  makeFolder,
  nothingLeft,
  patienceMs,
  type Run,
  run,
  start,
} from "./rig.ts";
import { quickConfig, server } from "./services.ts";

const talkative = server("console.log(request.url); response.end(process.env.LAMBDAFLEX_TIER);");

/** Starts `lambdaflex dev` on a free port; resolves with its address once it answers. */
async function startDev(folder: string, speed: number): Promise<{ dev: Run; url: string }> {
  const dev = start(folder, ["dev", "--port", "0", "--speed", String(speed)]);
  let url = "";
  await eventually(() => {
    url = /(http:\/\/localhost:\d+)\n/.exec(dev.stdout)?.[1] ?? "";
    return url !== "" || `no address\n${dev.stdout}${dev.stderr}`;
  }, patienceMs);
  return { dev, url };
}

function good({ code, stdout, stderr }: Ended): string {
  assert.equal(code, 0, stderr);
  return stdout;
}

describe("a run on this machine", () => {
  const folder = makeFolder({ "server.cjs": talkative, "lambdaflex.json": quickConfig });
  const ask = (...args: readonly string[]): Promise<Ended> => run(folder, args);
  let dev: Run;
  let url: string;
  before(async () => {
    ({ dev, url } = await startDev(folder, 120));
    await (await fetch(`${url}/first`, { headers: { connection: "close" } })).text();
  });
  after(async () => {
    dev.kill("SIGINT");
    await dev.ended;
    await nothingLeft(folder, 5000);
  });

  test("tells its status in words, and as one JSON object", async () => {
    const text = good(await ask("status"));
    assert.match(text, /^quick · dev on this machine, process \d+, 120 × as fast\n/);
    assert.match(text, /weights +Lambda 100 %/);
    const { snapshot, source } = JSON.parse(good(await ask("status", "--json")));
    assert.deepEqual([snapshot.service, snapshot.phase, source.name], ["quick", "steady", "dev"]);
    assert.equal(snapshot.alarms.length, 4);
  });

  test("keeps being watched, a line at a time where there is no terminal", async () => {
    const watch = start(folder, ["status", "--watch"]);
    await eventually(() => /steady: weights 100\/0/.test(watch.stdout) || watch.stderr, patienceMs);
    watch.kill("SIGINT");
    assert.equal((await watch.ended).code, 130);
  });

  test("serves its page", async () => {
    const web = start(folder, ["status", "--web"]);
    await eventually(() => /^quick: http:/.test(web.stdout) || web.stderr, patienceMs);
    const page = await fetch(/http:\S+/.exec(web.stdout)?.[0] ?? "");
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<!doctype html>/i);
    web.kill("SIGINT");
    assert.equal((await web.ended).code, 130);
  });

  test("explains itself in five lines", async () => {
    const lines = good(await ask("why"))
      .trimEnd()
      .split("\n");
    assert.equal(lines.length, 5);
    assert.match(lines[0] ?? "", /on Lambda from the beginning/);
    const { tier, distances } = JSON.parse(good(await ask("why", "--json")));
    assert.deepEqual([tier, distances.length], ["lambda", 3]);
  });

  test("goes where it is told and stays there, says so, and comes back", async () => {
    const there = await ask("shift", "fargate", "--wait", "--for", "2h");
    assert.match(good(there), /shifts to Fargate and stays for 2 h 0?0 m/);
    assert.match(there.stderr, /arrived on Fargate/);
    const { snapshot } = JSON.parse(good(await ask("status", "--json")));
    assert.deepEqual([snapshot.route.fargate, snapshot.override.tier], [100, "fargate"]);
    assert.match(good(await ask("shift", "fargate")), /on Fargate already/);
    assert.match(good(await ask("why")), /not before the shift by hand ends in/);
    assert.match(good(await ask("pin", "lambda", "--wait")), /pinned to Lambda/);
    assert.match(good(await ask("pin", "lambda")), /pinned to Lambda already/);
    assert.match(good(await ask("auto")), /the policy decides again/);
    assert.match(good(await ask("auto")), /the policy decides already/);
  });

  test("remembers each decision with its numbers, the newest last", async () => {
    const lines = good(await ask("history", "--json"))
      .trimEnd()
      .split("\n");
    const events = lines.map((line) => JSON.parse(line)).flatMap(({ event }) => event ?? []);
    const decisions = events.filter(({ type }: { type: string }) => type === "decision");
    const words = decisions.map(({ message }: { message: string }) => message);
    assert.deepEqual(words, [
      "target fargate: set by hand to fargate",
      "target lambda: set by hand to lambda",
    ]);
    assert.match(good(await ask("history", "--limit", "1")), /^.+\n$/);
    assert.match(good(await ask("history")), /weights Lambda 50 % \/ Fargate 50 % \(was 0 %\)/);
  });

  test("gives the service's own words, with tier, time and place", async () => {
    const text = good(await ask("logs", "--tier", "lambda"));
    assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}lambda-\d+ +\/first$/m);
    assert.doesNotMatch(text, /task-/);
    const follow = start(folder, ["logs", "--follow", "--limit", "1", "--json"]);
    await eventually(() => follow.stdout !== "" || follow.stderr, patienceMs);
    await (await fetch(`${url}/followed`, { headers: { connection: "close" } })).text();
    await eventually(() => /"line":"\/followed"/.test(follow.stdout) || follow.stdout, patienceMs);
    follow.kill("SIGINT");
    assert.equal((await follow.ended).code, 130);
  });

  test("refuses what makes no sense", async () => {
    assertMistake(await ask("shift", "ec2"), "OPTION_INVALID", /"ec2" is no tier/);
    assertMistake(await ask("shift"), "OPTION_INVALID", /missing/);
    assertMistake(await ask("pin", "lambda", "--for", "1h"), "OPTION_INVALID", /--for/);
    assertMistake(await ask("history", "--since", "yesterday"), "OPTION_INVALID", /30m/);
    assertMistake(await ask("status", "--on", "mars"), "OPTION_INVALID", /local or aws/);
  });
});

describe("nothing that has run, and nobody who has chosen a region", () => {
  test("is told of both ways on", async () => {
    const folder = makeFolder({ "server.cjs": talkative, "lambdaflex.json": quickConfig });
    const nowhere = { AWS_REGION: "", AWS_DEFAULT_REGION: "", AWS_CONFIG_FILE: "/nonexistent" };
    for (const command of ["status", "why", "history", "logs"]) {
      const ended = await run(folder, [command], { env: nowhere });
      assertMistake(ended, "AWS_REGION_MISSING", /nothing has run .*lambdaflex dev.*--region/s);
    }
    const named = await run(folder, ["status", "--on", "aws"], { env: nowhere });
    assertMistake(named, "AWS_REGION_MISSING", /^error AWS_REGION_MISSING: no AWS region/);
  });
});

describe("a run that has ended", () => {
  test("can not be asked, but its past can be read", async () => {
    const folder = makeFolder({ "server.cjs": talkative, "lambdaflex.json": quickConfig });
    assertMistake(await run(folder, ["status", "--on", "local"]), "NOTHING_RUNNING", /has run/);
    const { dev, url } = await startDev(folder, 60);
    await (await fetch(url, { headers: { connection: "close" } })).text();
    dev.kill("SIGKILL");
    await dev.ended;
    await nothingLeft(folder, 5000);
    for (const command of [["status"], ["why"], ["pin", "fargate"]]) {
      assertMistake(await run(folder, command), "NOTHING_RUNNING", /does not run any more/);
    }
    assert.match(good(await run(folder, ["history"])), /dev of quick begins/);
    assert.match(good(await run(folder, ["logs"])), /lambda-1/);
  });
});
