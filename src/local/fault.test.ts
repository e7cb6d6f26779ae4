/** Who is to blame: the service, or what surrounds it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { causeOf, createFaultLog, createJudge, startFaultKind } from "./fault.ts";

const none = { lambda: 0, fargate: 0 };
const speed = 60;

const late =
  "the service was not ready within 3 s; " +
  "last output: lambdaflex: the service is not ready after 2007 ms";

describe("a start that failed", () => {
  const cases: readonly [reason: string, kind: string][] = [
    ["the service was not ready within 30 s; last output: it exited?", "not-ready"],
    ["the process exited with code 4 before it was ready; last output: no database", "crashed"],
    ["the runtime could not initialise: the service ended: exit status 1", "crashed"],
    ["the runtime could not initialise: the service ended: exit status 127", "command-not-found"],
    ['the service ended: cannot start "x": no such program', "command-not-found"],
    ["the process exited with code 1; last output: module not found, code 127", "crashed"],
    [`${late}: 127.0.0.1:80: unknown status line`, "answer-invalid"],
    [`${late}: 127.0.0.1:80: connect ECONNREFUSED 127.0.0.1:80`, "not-ready"],
    [`${late}: GET / answers 503`, "not-ready"],
    ["3 tasks in a row never became healthy; the last one did not listen within 9 ms", "not-ready"],
    ["3 tasks in a row never became healthy; the last one exited with code 1", "crashed"],
  ];
  for (const [reason, kind] of cases) {
    test(`${kind}: ${reason}`, () => assert.equal(startFaultKind(reason), kind));
  }
});

describe("an invocation that failed", () => {
  const kindOf = (errorType: string, message = "why"): string | undefined => {
    const log = createFaultLog();
    log.noteInvocation("GET /", { type: "error", errorType, message }, 0);
    return log.faults[0]?.kind;
  };

  test("is the service's fault when it ended, or answered badly", () => {
    assert.equal(kindOf("Runtime.ExitError"), "crashed");
    assert.equal(kindOf("Service.MalformedAnswer"), "answer-invalid");
    assert.equal(kindOf("Function.ResponseSizeTooLarge"), "answer-too-large");
    assert.equal(kindOf("Sandbox.Timedout"), "timed-out");
    assert.equal(kindOf("Runtime.InitError", "the service was not ready within 1 s"), "not-ready");
  });

  test("is not, when we stopped it, or when nobody knows", () => {
    assert.equal(kindOf("Sandbox.Stopped"), undefined);
    assert.equal(kindOf("Runtime.Unknown"), undefined);
  });

  test("is the service's fault when the bootstrap had to answer 504 for it", () => {
    const log = createFaultLog();
    const give = (text: string): void => {
      const body = Buffer.from(JSON.stringify({ statusCode: 504, body: text }));
      log.noteInvocation("GET /", { type: "response", body, streaming: false }, 0);
    };
    give("its own 504");
    assert.equal(log.faults.length, 0);
    give('{"message":"Gateway Timeout"}');
    assert.equal(log.faults[0]?.kind, "timed-out");
  });

  test("is the service's fault when what it gave is no HTTP answer", () => {
    const log = createFaultLog();
    const good = Buffer.from('{"statusCode":200}');
    log.noteInvocation("GET /", { type: "response", body: good, streaming: false }, 0);
    assert.equal(log.faults.length, 0);
    const bad = Buffer.from('{"statusCode":99}');
    log.noteInvocation("GET /", { type: "response", body: bad, streaming: false }, 0);
    assert.equal(log.faults[0]?.kind, "answer-invalid");
  });
});

describe("the judge", () => {
  test("blames nobody for a rehearsal without faults, whatever failed", () => {
    const judge = createJudge(createFaultLog(), speed);
    assert.equal(judge(0, none), null);
    assert.equal(judge(1000, { lambda: 5, fargate: 5 }), null);
  });

  test("blames the service for an answer that it failed to give", () => {
    const log = createFaultLog();
    const judge = createJudge(log, speed);
    log.ofFargate(() => 500, 29_000).onMalformed?.("GET /", "bad status line");
    assert.match(judge(1000, none)?.reason ?? "", /on Fargate: GET \/: bad status line/);
  });

  test("blames the service for an answer that takes longer than it may, not for less", () => {
    const log = createFaultLog();
    const judge = createJudge(log, speed);
    const { onUnanswered } = log.ofFargate(() => 500, 29_000);
    onUnanswered?.("GET /", 28_000);
    assert.equal(judge(1000, { lambda: 0, fargate: 1 }), null, "the client was impatient");
    onUnanswered?.("GET /", 30_000);
    assert.match(judge(2000, none)?.reason ?? "", /on Fargate: GET \/: no answer in 30.0 s/);
  });

  test("forgives a crash that cost no request", () => {
    const log = createFaultLog();
    const judge = createJudge(log, speed);
    log.ofFargate(() => 500, 29_000).onCrash?.("task-1 exited with code 3");
    assert.equal(judge(1000, none), null);
    assert.equal(judge(2000, { lambda: 3, fargate: 0 }), null, "another tier's failures");
  });

  test("blames a crash for requests that fail about then, and not for later ones", () => {
    const crashAtMs = 20_000;
    const blamedFor = (failedAtMs: number): boolean => {
      const log = createFaultLog();
      const judge = createJudge(log, speed);
      const crash = (): void => log.ofFargate(() => crashAtMs, 29_000).onCrash?.("task-1 exited");
      if (failedAtMs > crashAtMs) crash();
      const first = judge(failedAtMs, { lambda: 0, fargate: 1 });
      if (failedAtMs < crashAtMs) crash();
      return first !== null || judge(failedAtMs + 1, { lambda: 0, fargate: 1 }) !== null;
    };
    assert.ok(blamedFor(crashAtMs - 1000), "the news of the end may come after its consequence");
    assert.ok(blamedFor(crashAtMs + 1000));
    assert.ok(!blamedFor(crashAtMs + 30_000 * speed));
  });

  test("keeps a bounded number of faults", () => {
    const log = createFaultLog();
    for (let at = 0; at < 1000; at += 1) log.ofFargate(() => at, 29_000).onCrash?.(`crash ${at}`);
    assert.ok(log.faults.length <= 50);
    assert.match(log.faults.at(-1)?.reason ?? "", /crash 999/);
  });
});

test("a way that did not arrive is blamed on the newest that the service did meanwhile", () => {
  const log = createFaultLog();
  for (const atMs of [100, 200, 300]) log.ofFargate(() => atMs, 29_000).onCrash?.(`at ${atMs}`);
  type Span = readonly [startMs: number, endMs: number];
  const causeIn = (...spans: readonly Span[]): string | undefined => {
    const ways = spans.map(([startMs, endMs]) => ({ startMs, endMs }));
    return causeOf(log, ways)?.reason;
  };
  assert.equal(causeIn([150, 250]), "on Fargate: at 200");
  assert.equal(causeIn([50, 250], [290, 400]), "on Fargate: at 300");
  assert.equal(causeIn([210, 290], [301, 400]), undefined, "between them all was well");
  assert.equal(causeIn(), undefined, "nothing was begun");
});
