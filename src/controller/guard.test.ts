/** The guard against a world that does what it likes, and the protocol of CloudFormation. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { answer, type CustomResourceEvent } from "./custom-resource.ts";
import { clearUp, type GuardProgress, type GuardWorld, updateProblem } from "./guard.ts";

const minuteMs = 60_000;

/** A burst stack and its records, with the time that passes. */
interface Stage extends GuardWorld {
  nowMs: number;
  stack: string | null;
  fargateRecord: boolean;
  lambdaRecord: boolean;
  readonly log: string[];
}

interface StageOptions {
  readonly stack?: string | null;
  readonly fargateRecord?: boolean;
  /** Minutes that a deletion takes, and how often it fails first. */
  readonly deleteMinutes?: number;
  readonly deleteFailures?: number;
  /** A controller that was still running puts things back once, so long after the start. */
  readonly resurrectedMs?: number;
}

function stageOf(options: StageOptions): Stage {
  let failures = options.deleteFailures ?? 0;
  let deletedMs = Number.POSITIVE_INFINITY;
  let resurrected = options.resurrectedMs === undefined;
  const stage: Stage = {
    nowMs: 0,
    stack: options.stack === undefined ? "CREATE_COMPLETE" : options.stack,
    fargateRecord: options.fargateRecord ?? true,
    lambdaRecord: true,
    log: [],
    async see() {
      if (!resurrected && stage.nowMs >= (options.resurrectedMs ?? 0)) {
        resurrected = true;
        stage.stack = "CREATE_IN_PROGRESS";
        stage.fargateRecord = true;
      }
      if (stage.stack === "UPDATE_IN_PROGRESS" && stage.nowMs > 5 * minuteMs) {
        stage.stack = "UPDATE_COMPLETE";
      }
      if (stage.nowMs >= deletedMs) {
        deletedMs = Number.POSITIVE_INFINITY;
        failures -= 1;
        stage.stack = failures >= 0 ? "DELETE_FAILED" : null;
      }
      return { onLambda: !stage.fargateRecord, stackStatus: stage.stack };
    },
    async returnToLambda() {
      stage.log.push("route");
      stage.fargateRecord = false;
    },
    async deleteStack() {
      stage.log.push("delete");
      assert.ok(!stage.fargateRecord, "the stack goes only when DNS no longer names it");
      assert.notEqual(stage.stack, "UPDATE_IN_PROGRESS", "CloudFormation would refuse");
      stage.stack = "DELETE_IN_PROGRESS";
      deletedMs = stage.nowMs + (options.deleteMinutes ?? 3) * minuteMs;
    },
    async deleteFailure() {
      return "Alb (AWS::…): in use";
    },
    async removeRecords() {
      assert.equal(stage.stack, null, "the records go last");
      stage.log.push("records");
      stage.lambdaRecord = false;
    },
  };
  return stage;
}

/** Runs of 14 minutes, each continuing the one before. */
async function clear(stage: Stage): Promise<number> {
  let progress: GuardProgress = { sinceMs: stage.nowMs, onLambdaMs: null, failures: 0 };
  for (let run = 1; run <= 10; run += 1) {
    const outcome = await clearUp({
      world: stage,
      progress,
      untilMs: stage.nowMs + 14 * minuteMs,
      nowMs: () => stage.nowMs,
      sleep: async (ms) => {
        stage.nowMs += ms;
      },
    });
    if (outcome.done) return run;
    // What is handed on is JSON.
    progress = JSON.parse(JSON.stringify(outcome.progress)) as GuardProgress;
  }
  return assert.fail("never done");
}

describe("clearing up", () => {
  test("returns traffic, waits for clients, deletes the stack, removes the records", async () => {
    const stage = stageOf({});
    assert.equal(await clear(stage), 1);
    assert.deepEqual(stage.log, ["route", "delete", "records"]);
    assert.ok(stage.nowMs >= 4 * minuteMs && stage.nowMs < 6 * minuteMs, `${stage.nowMs} ms`);
  });

  test("takes a minute where nothing is left, for a controller that may still run", async () => {
    const stage = stageOf({ stack: null, fargateRecord: false });
    await clear(stage);
    assert.deepEqual(stage.log, ["records"]);
    assert.equal(stage.nowMs, minuteMs);
  });

  test("goes on in another run when Lambda's time is over", async () => {
    assert.equal(await clear(stageOf({ deleteMinutes: 30 })), 3);
  });

  test("says why, after three attempts or an hour", async () => {
    await assert.rejects(clear(stageOf({ deleteFailures: 9 })), /Alb \(AWS::…\): in use/);
    await assert.rejects(clear(stageOf({ deleteMinutes: 100 })), /after 55 minutes/);
    await clear(stageOf({ deleteFailures: 3 }));
  });

  test("leaves nothing behind, whatever it finds", async () => {
    const anything = fc.record({
      stack: fc.constantFrom(null, "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE"),
      fargateRecord: fc.boolean(),
      deleteMinutes: fc.integer({ min: 0, max: 12 }),
      deleteFailures: fc.integer({ min: 0, max: 3 }),
      resurrectedMs: fc.integer({ min: 0, max: 55_000 }),
    });
    await fc.assert(
      fc.asyncProperty(anything, async (options) => {
        const stage = stageOf(options);
        await clear(stage);
        assert.deepEqual(
          [stage.stack, stage.fargateRecord, stage.lambdaRecord],
          [null, false, false],
        );
      }),
    );
  });
});

const properties = {
  BurstStack: "shop-burst",
  BurstRoleArn: "arn:aws:iam::111122223333:role/burst",
  Domain: "api.example.com",
  HostedZoneId: "Z1",
  ApiTarget: "d-1.execute-api.eu-west-1.amazonaws.com",
  ApiTargetZone: "Z2",
};
const event: CustomResourceEvent = {
  RequestType: "Update",
  ResponseURL: "https://example.com/answer?signature=x",
  StackId: "stack",
  RequestId: "request",
  LogicalResourceId: "Guard",
  ResourceProperties: properties,
};

const never = async (): Promise<void> => assert.fail("there was no need to wait");

describe("the custom resource", () => {
  test("answers with the same id always, and with a reason that fits", async () => {
    const sent: Record<string, unknown>[] = [];
    const send = async (url: string, init: { readonly body: Uint8Array }) => {
      assert.equal(url, event.ResponseURL);
      sent.push(JSON.parse(new TextDecoder().decode(init.body)));
      return { status: 200 };
    };
    const again = { ...event, PhysicalResourceId: "guard-of-shop-burst" };
    await answer(event, null, send, never);
    await answer(again, "x".repeat(5000), send, never);
    assert.equal(sent[0]?.PhysicalResourceId, "guard-of-shop-burst");
    assert.equal(sent[1]?.PhysicalResourceId, "guard-of-shop-burst");
    assert.deepEqual([sent[0]?.Status, sent[1]?.Status], ["SUCCESS", "FAILED"]);
    assert.equal(String(sent[1]?.Reason).length, 1000);
  });

  test("sends its answer again while it is not taken, for a while", async () => {
    const outcomes = [500, null, 200] as const;
    let sent = 0;
    let waitedMs = 0;
    const sleep = async (ms: number) => {
      waitedMs += ms;
    };
    const flaky = async () => {
      const status = outcomes[sent];
      sent += 1;
      if (!status) throw new Error("connection reset");
      return { status };
    };
    await answer(event, null, flaky, sleep);
    assert.deepEqual([sent, waitedMs], [3, 3_000]);
    const refuse = async () => ({ status: 403 });
    await assert.rejects(answer(event, null, refuse, sleep), /said 403/);
    assert.equal(waitedMs, 3_000 + 15_000);
  });

  test("refuses a change of the domain, whose old records nobody would remove", () => {
    const from = (Domain: string) => updateProblem({ ...event, OldResourceProperties: { Domain } });
    assert.match(from("old.example.com") ?? "", /cannot change from old.example.com/);
    assert.equal(from("api.example.com"), null);
    assert.equal(from(""), null, "a domain may be added");
    assert.equal(updateProblem({ ...event, RequestType: "Create" }), null);
  });
});
