/** A slice of `npm run chaos`, and the rules of its account. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Death, explain, type Failure, isWitness } from "../proof/chaos/account.ts";
import { playScenario } from "../proof/chaos/play.ts";
import { scenarios } from "../proof/chaos/scenarios.ts";
import { groupIn } from "../proof/chaos/victims.ts";

const failure: Failure = {
  id: "a-1",
  method: "POST",
  path: "/wait/5?t=x1",
  tier: "fargate",
  status: 502,
  error: "unexpected status",
  sentMs: 900,
  endedMs: 1010,
};
const death: Death = {
  atMs: 1000,
  goneMs: 1004,
  victim: "task",
  pid: 7,
  pids: [6, 7],
};
const line = "502 POST /wait/5?t=x1: target-1: closed, ECONNRESET";

describe("a failed request is explained", () => {
  test("by the process that held it when it was killed", () => {
    const visits = [{ pid: 7, answered: false }];
    assert.match(explain(failure, visits, [death], []) ?? "", /in flight in task 7/);
  });

  test("by the process that it was handed to, if lambdaflex tells so", () => {
    assert.match(explain(failure, [], [death], [line]) ?? "", /unread by, task 7/);
    const dying = { ...failure, sentMs: 1003 };
    assert.match(explain(dying, [], [death], [line]) ?? "", /unread by, task 7/);
    assert.equal(explain(failure, [], [death], []), null);
    assert.equal(explain({ ...failure, tier: "lambda" }, [], [death], [line]), null);
  });

  test("not by a process that had answered it, never had it, or died at another time", () => {
    const answered = [{ pid: 7, answered: true }];
    const elsewhere = [{ pid: 8, answered: false }];
    const held = [{ pid: 7, answered: false }];
    assert.equal(explain(failure, answered, [death], [line]), null);
    assert.equal(explain(failure, elsewhere, [death], [line]), null);
    assert.equal(explain({ ...failure, sentMs: 1005 }, held, [death], [line]), null);
    assert.equal(explain({ ...failure, sentMs: 1005 }, [], [death], [line]), null);
    assert.equal(explain({ ...failure, endedMs: 990 }, held, [death], []), null);
  });

  test("not by an environment that never took requests", () => {
    assert.equal(isWitness(line), true);
    assert.equal(isWitness("crashed on Lambda: GET /: the process exited with code 137"), true);
    const early = "crashed on Lambda: GET /: the process exited with code 137 before it was ready";
    assert.equal(isWitness(early), false);
    assert.equal(isWitness("503 GET /: no target"), false);
  });
});

test("a process is gone when its last thread is, whatever its name", () => {
  const stat = (state: string, threads: number): string =>
    `123 (a (node) b) ${state} 1 77 77 0 -1 4228100 0 0 0 0 0 0 0 0 20 0 ${threads} 0 9 0 0`;
  assert.equal(groupIn(stat("S", 7)), 77);
  // The first thread has ended; another one still holds the sockets.
  assert.equal(groupIn(stat("Z", 2)), 77);
  assert.equal(groupIn(stat("Z", 1)), null);
  assert.equal(groupIn(stat("X", 0)), null);
});

test("lambdaflex is killed while it provisions, and every request is accounted for", async () => {
  const scenario = scenarios.find(({ name }) => name === "kill-provisioning");
  assert.ok(scenario);
  const outcome = await playScenario(scenario, 1, () => undefined);
  assert.deepEqual(outcome.unexplained, []);
  assert.equal(outcome.error, null);
  assert.equal(outcome.ok, true);
  assert.equal(outcome.deaths, 1);
  assert.ok(outcome.requests > 100, `${outcome.requests} requests`);
});
