/** A service that fails by itself: the rehearsal says so, and does not blame the platform. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertMistake } from "./mistake.ts";
import { processesIn, variableOf } from "./processes.ts";
import { type Files, makeFolder, nothingLeft, run, start } from "./rig.ts";
import { goodServer, quickArgs, quickConfig, quickTrace, server } from "./services.ts";

/** Requests that a process answers well before it turns bad. */
const goodAnswers = 25;

function service(source: string, change: Readonly<Record<string, unknown>> = {}): Files {
  return {
    "server.cjs": source,
    "lambdaflex.json": { ...quickConfig, ...change },
    "trace.csv": quickTrace,
  };
}

async function fails(files: Files, code: string, words: RegExp): Promise<void> {
  const folder = makeFolder(files);
  assertMistake(await run(folder, [...quickArgs, "--json"]), code, words);
  await nothingLeft(folder, 1000);
}

const impatient = { readiness: { timeoutSeconds: 1 } };
const large = 'response.end("x".repeat(7_000_000));';

describe("a service that from the start", () => {
  test("does not exist, as a program", () =>
    fails(
      service("", { command: ["no-such-program"] }),
      "SERVICE_COMMAND_NOT_FOUND",
      /no-such-program/,
    ));

  test("does not exist, as a line for the shell", () =>
    fails(
      service("", { command: "no-such-program --fast" }),
      "SERVICE_COMMAND_NOT_FOUND",
      /no-such-program/,
    ));

  test("crashes", () =>
    fails(service('throw new Error("no database");'), "SERVICE_CRASHED", /Error: no database/));

  test("ends without a word", () => fails(service(""), "SERVICE_CRASHED", /exit status 0/));

  test("never listens", () =>
    fails(
      service("setInterval(() => undefined, 1000);", impatient),
      "SERVICE_NOT_READY",
      /not ready within 1 s/,
    ));

  test("never answers well", () =>
    fails(
      service(server("response.writeHead(503).end();"), { readiness: { timeoutSeconds: 3 } }),
      "SERVICE_NOT_READY",
      /not ready within 3 s.*503/,
    ));

  test("answers with something else than HTTP", () =>
    fails(
      service(
        `require("node:net").createServer((socket) => socket.end("220 mail.test ESMTP\\r\\n"))
           .listen(Number(process.env.PORT), "127.0.0.1");`,
        { readiness: { timeoutSeconds: 3 } },
      ),
      "SERVICE_ANSWER_INVALID",
      /not ready within 3 s/,
    ));

  test("answers with more than Lambda carries", () =>
    fails(service(server(large)), "SERVICE_ANSWER_TOO_LARGE", /on Lambda: GET \/: .*bytes/));
});

/** Turns bad on one tier after some good answers. */
function turning(tier: string, bad: string, change: Readonly<Record<string, unknown>> = {}): Files {
  return service(
    server(`
  const agent = String(request.headers["user-agent"]);
  const turned = process.env.LAMBDAFLEX_TIER === "${tier}" && count > ${goodAnswers};
  if (!turned) response.end("fine");
  else { ${bad} }`),
    change,
  );
}

/** Hangs shorter than a client waits, where only the limit of the service can tell. */
const shortLimit = { lambda: { timeoutSeconds: 2 } };
const crash = 'console.error("disk full"); process.exit(3);';
const garbage = 'request.socket.end("what?\\r\\n\\r\\n");';

describe("a service that under load", () => {
  test("crashes on Lambda", () =>
    fails(turning("lambda", crash), "SERVICE_CRASHED", /on Lambda: GET \/: .*status 3.*disk full/));

  test("answers garbage on Lambda", () =>
    fails(turning("lambda", garbage), "SERVICE_ANSWER_INVALID", /on Lambda: GET \/: /));

  test("hangs up on Lambda", () =>
    fails(turning("lambda", "request.socket.destroy();"), "SERVICE_ANSWER_INVALID", /on Lambda/));

  test("answers too much on Lambda", () =>
    fails(turning("lambda", large), "SERVICE_ANSWER_TOO_LARGE", /on Lambda: GET \/: .*bytes/));

  test("crashes on Fargate", () =>
    // A health check that meets the crash first would spare the clients.
    fails(
      turning("fargate", `if (/HealthChecker/.test(agent)) response.end("fine"); else {${crash}}`),
      "SERVICE_CRASHED",
      /on Fargate: task-\d+ .*code 3; last output: disk full/,
    ));

  test("crashes on Fargate whenever its health is checked, so that no client meets it", () => {
    const { deadlines } = quickConfig.transition as { deadlines: object };
    const soon = { ...deadlines, provisioningMinutes: 30 };
    const transition = { ...(quickConfig.transition as object), deadlines: soon };
    const check = `if (/HealthChecker/.test(agent) && count > 6) {${crash}} response.end("fine");`;
    const source = server(`
  const agent = process.env.LAMBDAFLEX_TIER === "fargate" && request.headers["user-agent"];
  ${check}`);
    const words = /on Fargate: task-\d+ .*code 3; last output: disk full/;
    return fails(service(source, { transition }), "SERVICE_CRASHED", words);
  });

  test("hangs on Lambda", () =>
    fails(
      turning("lambda", "", shortLimit),
      "SERVICE_TIMED_OUT",
      /on Lambda: GET \/: the service did not answer in time/,
    ));

  test("hangs on Fargate", () =>
    fails(
      turning("fargate", 'if (/HealthChecker/.test(agent)) response.end("fine");', shortLimit),
      "SERVICE_TIMED_OUT",
      /on Fargate: GET \/: no answer in/,
    ));

  test("answers garbage on Fargate", () =>
    fails(turning("fargate", garbage), "SERVICE_ANSWER_INVALID", /on Fargate: GET \/: /));

  test("never starts on Fargate", () => {
    const check = 'if (process.env.LAMBDAFLEX_TIER === "fargate") throw new Error("no disk");';
    const words = /on Fargate: 3 tasks in a row .*Error: no disk/;
    return fails(service(server("response.end();", check)), "SERVICE_CRASHED", words);
  });
});

describe("a crash that no client notices", () => {
  test("is healed, and the rehearsal goes on", async () => {
    const fargate = { ...(quickConfig.fargate as object), minTasks: 2 };
    const folder = makeFolder(service(goodServer, { fargate }));
    const lambdaflex = start(folder, [...quickArgs, "--json"]);
    await lambdaflex.line(/weights Lambda 0 % \/ Fargate 100 %.* steady\n/s);
    const [victim] = processesIn(folder).filter(({ pid, command }) => {
      return (
        command.trim() === "node server.cjs" && variableOf(pid, "LAMBDAFLEX_TIER") === "fargate"
      );
    });
    assert.ok(victim, "a task runs the service");
    process.kill(victim.pid, "SIGKILL");
    const { code, stdout, stderr } = await lambdaflex.ended;
    assert.equal(code, 0, stderr);
    const { failed, transitions } = JSON.parse(stdout);
    assert.equal(failed, 0);
    assert.equal(transitions.length, 2);
    await nothingLeft(folder, 1000);
  });
});
