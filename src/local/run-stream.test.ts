import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type ManualClock, manualClock } from "../../test/manual-clock.ts";
import { newStage, type Stage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { profileDefault } from "../core/cost.ts";
import { type Override, type Policy, tick } from "../core/index.ts";
import { type RecordedRequest, type RunRecord, recordLine, type Snapshot } from "../core/record.ts";
import { parseRecord } from "../core/record-lines.ts";
import type { Load } from "./load/load.ts";
import { createMeter, type Meter } from "./meter.ts";
import { createLocalStream, type LocalStream, type LocalStreamOptions } from "./run-stream.ts";
import type { Local } from "./start.ts";

const speed = 60;
const startMs = 1_000_000_000;
const policy: Policy = {
  name: "stays",
  decide: (_, policyState) => ({ decision: { type: "hold", reason: "stays" }, policyState }),
};

let clock: ManualClock;
let stage: Stage;
let stream: LocalStream;
let records: RunRecord[];
let meters: { readonly lambda: Meter; readonly fargate: Meter };
let words: (Override | null)[];
let factor: number;

beforeEach(() => {
  clock = manualClock(startMs, speed);
  stage = newStage(startMs);
  meters = {
    lambda: createMeter("lambda", clock, 60_000),
    fargate: createMeter("fargate", clock, 60_000),
  };
  records = [];
  words = [];
  factor = 1;
  const local = {
    service: { name: "shop" },
    policy,
    settings: stageSettings,
    speed,
    startMs,
    sizes: { lambda: { concurrencyMax: 100 } },
    thresholds: {
      up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
      down: { requestsPerMinute: 300, minutes: 15 },
    },
  } as unknown as LocalStreamOptions["local"];
  const sent = { method: "GET", path: "/pets/{n}", body: null };
  const requests: readonly RecordedRequest[] = [
    { ...sent, headers: { Authorization: "Bearer x", "X-Api-Key": "y", accept: "*/*" } },
    { ...sent, headers: {}, body: "z".repeat(50_000) },
  ];
  stream = createLocalStream({ command: "rehearse", local, profile: profileDefault, requests });
  stream.subscribe((record) => records.push(record));
});

/** As much of a local cloud as a stream looks at. */
const local = (): Local =>
  ({
    clock,
    meters,
    plane: { effectiveRoute: stage.route, inSync: true },
    lambdaStats: () => ({ environments: 7 }),
    fargateStats: () => null,
    override: async (word: Override | null) => void words.push(word),
  }) as unknown as Local;

const load = {
  get factor() {
    return factor;
  },
  scale(wanted: number) {
    factor = wanted;
  },
  stats: () => ({ byTier: { lambda: { failed: 3, p50Ms: 20 }, fargate: { failed: 0 } } }),
} as unknown as Load;

async function ticked(): Promise<void> {
  stage.nowMs = clock.nowMs();
  const result = await tick(stageCloud(stage), policy, stageSettings, clock.nowMs());
  stream.onTick(result, clock.nowMs());
}

const snapshots = (): Snapshot[] =>
  records.flatMap((record) => (record.type === "snapshot" ? [record.snapshot] : []));

describe("the stream of a local cloud", () => {
  it("begins with what is sent, but for what is secret or too long for a line", () => {
    const { requests } = stream.head;
    const headers = { accept: "*/*" };
    assert.deepEqual(requests, [{ method: "GET", path: "/pets/{n}", body: null, headers }]);
  });

  it("tells four times a real second what a tick saw and the meters count", async () => {
    stream.attach(local());
    await ticked();
    await clock.pass(speed * 1000);
    for (let count = 0; count < 100; count += 1) {
      meters.lambda.started();
      meters.lambda.finished({ status: count < 5 ? 500 : 200, latencyMs: 12 });
    }
    await clock.pass(speed * 1000);
    assert.equal(snapshots().length, 1 + 8);
    const last = snapshots().at(-1) ?? assert.fail("no snapshot");
    assert.deepEqual([last.service, last.policy, last.reason], ["shop", "stays", "stays"]);
    const { lambda, fargate } = last.tiers;
    assert.equal(lambda.requestsPerSecond, 100, "a real second's requests");
    assert.deepEqual([lambda.running, lambda.failed, fargate.running], [7, 5, 0]);
    assert.ok(last.cost !== null && last.cost.actualUsd >= 0);
    stream.stop();
    await clock.pass(speed * 5000);
    assert.equal(snapshots().length, 9, "nothing more after the stop");
    for (const record of records) parseRecord(recordLine(record), 2);
  });

  it("counts a wait down between two ticks", async () => {
    stream.attach(local());
    const holdUntilMs = startMs + 300_000;
    const override = { tier: "fargate", untilMs: null } as const;
    stage.status = { ...stage.status, override, holdUntilMs };
    await ticked();
    await clock.pass(2 * speed * 250);
    const left = snapshots().map(({ wait }) => [wait?.kind, wait?.leftMs]);
    assert.deepEqual(left, [
      ["hold", 300_000],
      ["hold", 285_000],
      ["hold", 270_000],
    ]);
    stream.stop();
  });

  it("tells events before the snapshot that shows what they changed", async () => {
    stream.attach(local());
    stage.status = { ...stage.status, override: { tier: "fargate", untilMs: null } };
    await ticked();
    const types = records.map(({ type }) => type);
    assert.ok(types.indexOf("event") < types.indexOf("snapshot"));
    assert.equal(snapshots()[0]?.target, "fargate");
    assert.match(snapshots()[0]?.lastSwitch?.reason ?? "", /set by hand to fargate/);
    stream.stop();
  });

  it("knows of failures that only clients saw, and of the load", async () => {
    stream.attach(local());
    await ticked();
    assert.equal(snapshots()[0]?.loadFactor, null);
    await assert.rejects(stream.control({ type: "load", factor: 2 }), /does not flow yet/);
    stream.attachLoad(load);
    assert.match(await stream.control({ type: "load", factor: 2 }), /2 × the trace/);
    await clock.pass(speed * 250);
    const last = snapshots().at(-1);
    assert.deepEqual([last?.loadFactor, last?.tiers.lambda.failed], [2, 3]);
    await stream.control({ type: "load", factor: 0 });
    assert.equal(factor, 0.1, "a rate of nothing would never bring the next request");
    stream.stop();
  });

  it("turns wishes into words for the engine", async () => {
    await assert.rejects(stream.control({ type: "auto" }), /still starting/);
    stream.attach(local());
    await stream.control({ type: "pin", tier: "lambda" });
    await stream.control({ type: "auto" });
    await stream.control({ type: "shift", tier: "fargate" });
    const untilMs = startMs + stageSettings.dwellFargateMs;
    const expected = [{ tier: "lambda", untilMs: null }, null, { tier: "fargate", untilMs }];
    assert.deepEqual(words, expected);
    stream.stop();
  });

  it("says how it ended, and forgets who has left", async () => {
    const leave = stream.subscribe(() => assert.fail("has left"));
    leave();
    stream.onAlarm("quiet", "OK", 5);
    stream.end(true, "over");
    const types = records.map(({ type }) => type);
    assert.deepEqual(types, ["alarm", "end"]);
  });
});
