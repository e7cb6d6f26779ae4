import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { newStage, type Stage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { type EngineEvent, type Phase, type Policy, phaseOf, tick } from "./index.ts";

/** Follows the alarms without any memory. */
const alarmsOnly: Policy = {
  name: "alarms",
  decide: (view, policyState) => {
    const wanted =
      view.alarms["busy-requests"] === "ALARM"
        ? "fargate"
        : view.alarms.quiet === "ALARM"
          ? "lambda"
          : null;
    const reason = "the test wants it";
    const decision = wanted
      ? { type: "target" as const, tier: wanted as "lambda" | "fargate", tasks: 3, reason }
      : { type: "hold" as const, reason };
    return { decision, policyState };
  },
};

interface Run {
  readonly phases: Phase[];
  readonly events: EngineEvent[];
  readonly ms: number;
}

/** Ticks until `done`, obeying the requested waits; fails when `ticksMax` do not suffice. */
async function runUntil(stage: Stage, done: () => boolean, ticksMax = 2000): Promise<Run> {
  const phases: Phase[] = [];
  const events: EngineEvent[] = [];
  const begun = stage.nowMs;
  const cloud = stageCloud(stage);
  for (let count = 0; count < ticksMax; count += 1) {
    const result = await tick(cloud, alarmsOnly, stageSettings, stage.nowMs);
    let wait = stageSettings.pollMs;
    if (result.ok) {
      if (phases.at(-1) !== result.step.phase) phases.push(result.step.phase);
      events.push(...result.step.events);
      wait = result.step.requeueAfterMs;
    }
    if (done()) return { phases, events, ms: stage.nowMs - begun };
    stage.nowMs += wait;
  }
  throw new Error(`not done after ${ticksMax} ticks: ${phases.join(" → ")}`);
}

const steadyOn = (stage: Stage, tier: "lambda" | "fargate"): boolean => {
  const share = tier === "lambda" ? stage.route.lambda : stage.route.fargate;
  if (stage.status.target !== tier || share !== 100) return false;
  if (tier === "lambda") return stage.burst === "absent" && !stage.route.fargateRecord;
  return (
    stage.status.syncedAtMs !== null &&
    stage.nowMs - stage.status.syncedAtMs >= stageSettings.ttlMs + stageSettings.bakeMs
  );
};

async function onFargate(): Promise<Stage> {
  const stage = newStage();
  stage.busy = true;
  await runUntil(stage, () => steadyOn(stage, "fargate"));
  stage.busy = false;
  return stage;
}

describe("a full cycle", () => {
  it("goes up in three steps and down again, and removes everything", async () => {
    const stage = newStage();
    stage.busy = true;
    const up = await runUntil(stage, () => steadyOn(stage, "fargate"));
    assert.deepEqual(up.phases, ["provisioning", "shifting", "steady"]);
    const shares = stage.applied.flatMap((a) => (a.type === "route" ? [a.route.fargate] : []));
    assert.deepEqual(shares, [10, 50, 100]);
    stage.busy = false;
    stage.quiet = true;
    stage.applied.length = 0;
    const down = await runUntil(stage, () => steadyOn(stage, "lambda"));
    assert.deepEqual(down.phases, ["steady", "shifting", "draining", "deprovisioning", "steady"]);
    const kinds = stage.applied.map((a) => (a.type === "route" ? a.route.fargate : a.type));
    assert.deepEqual(kinds, [50, 0, 0, "deprovision"]);
  });

  it("adds less than 5 % to the critical path of the way up", async () => {
    const stage = newStage();
    stage.busy = true;
    const { ms } = await runUntil(stage, () => steadyOn(stage, "fargate"));
    const critical = stage.createMs + 30_000 + 3 * (stage.insyncMs + 60_000 + 30_000);
    assert.ok(ms <= critical * 1.05, `${ms} against ${critical}`);
  });

  it("turns the weights back at once when traffic returns while draining", async () => {
    const stage = await onFargate();
    stage.quiet = true;
    await runUntil(stage, () => stage.status.route.fargate === 0);
    stage.quiet = false;
    stage.busy = true;
    stage.applied.length = 0;
    await runUntil(stage, () => steadyOn(stage, "fargate"));
    const route = { lambda: 0, fargate: 100, fargateRecord: true };
    assert.deepEqual(stage.applied, [{ type: "route", route }]);
  });
});

describe("failures", () => {
  it("gives up a failed stack, removes it and backs off for longer each time", async () => {
    const stage = newStage();
    stage.busy = true;
    stage.failCreate = true;
    const { events } = await runUntil(
      stage,
      () => stage.applied.filter((a) => a.type === "deprovision").length === 3,
    );
    const backoffs = events.filter((e) => e.type === "failure").map((e) => e.data.backoffMs);
    assert.deepEqual(backoffs, [300_000, 600_000, 1_200_000]);
    assert.equal(stage.applied.filter((a) => a.type === "route").length, 0);
  });

  it("never moves a weight while a probe fails, and gives up at the deadline", async () => {
    const stage = newStage();
    stage.busy = true;
    stage.probeOk = false;
    const { events } = await runUntil(stage, () => stage.status.failures === 1);
    assert.match(events.map((event) => event.message).join(), /provisioning took 90\d s/);
    assert.equal(stage.route.fargate, 0);
  });

  it("sends all traffic to Lambda in one step when Fargate dies", async () => {
    const stage = await onFargate();
    stage.applied.length = 0;
    stage.burst = "failed";
    await runUntil(stage, () => stage.applied.length > 0);
    const route = { lambda: 100, fargate: 0, fargateRecord: true };
    assert.deepEqual(stage.applied[0], { type: "route", route });
    await runUntil(stage, () => steadyOn(stage, "lambda"));
  });

  it("turns back when the new tier answers with more errors than the old one", async () => {
    const stage = newStage();
    stage.busy = true;
    await runUntil(stage, () => stage.route.fargate === 10);
    stage.errorsFargate = 200;
    const { events } = await runUntil(stage, () => stage.route.fargate === 0);
    assert.match(events.map((e) => e.message).join(), /20.0 % of 1000 against 0.0 %/);
  });

  it("returns to Fargate when Lambda answers with errors on the way down", async () => {
    const stage = await onFargate();
    stage.quiet = true;
    await runUntil(stage, () => stage.route.fargate === 50);
    stage.errorsLambda = 300;
    await runUntil(stage, () => steadyOn(stage, "fargate"));
  });

  it("does not leave Fargate while Lambda is not fit for it", async () => {
    const stage = await onFargate();
    stage.quiet = true;
    stage.lambdaState = "failed";
    stage.nowMs += stageSettings.dwellFargateMs;
    await runUntil(stage, () => stage.status.target === "lambda");
    for (let round = 0; round < 50; round += 1) {
      stage.nowMs += 5000;
      await tick(stageCloud(stage), alarmsOnly, stageSettings, stage.nowMs);
    }
    assert.equal(stage.route.fargate, 100);
    stage.lambdaState = "ready";
    await runUntil(stage, () => steadyOn(stage, "lambda"));
  });

  it("repairs a record that was changed by hand", async () => {
    const stage = await onFargate();
    stage.route = { lambda: 70, fargate: 30, fargateRecord: true };
    await runUntil(stage, () => stage.route.fargate === 100);
  });

  it("brings both tiers to one image before weights move", async () => {
    const stage = newStage();
    stage.busy = true;
    await runUntil(stage, () => stage.burst === "ready");
    stage.lambdaDigest = "sha256:two";
    await runUntil(stage, () => stage.route.fargate > 0);
    assert.equal(stage.burstDigest, "sha256:two");
  });
});

describe("manual overrides", () => {
  it("pins a tier against the policy and lets go when it ends", async () => {
    const stage = newStage();
    const override = { tier: "fargate" as const, untilMs: stage.nowMs + 3_600_000 };
    stage.status = { ...stage.status, override };
    stage.quiet = true;
    await runUntil(stage, () => steadyOn(stage, "fargate"));
    await runUntil(stage, () => steadyOn(stage, "lambda"));
    assert.equal(stage.status.override, null);
  });
});

/** Things that happen to a world, one after the other. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1000, max: 900_000 }) }),
  fc.constantFrom(
    ...(["busy", "quiet", "calm", "die", "probe", "probeOk", "deploy", "hand"] as const).map(
      (kind) => ({ kind, ms: 0 }),
    ),
    ...(
      ["failObserve", "failCommit", "failApply", "lambdaDown", "lambdaUp", "failCreate"] as const
    ).map((kind) => ({ kind, ms: 0 })),
  ),
);

function happen(stage: Stage, kind: string): void {
  const does: Record<string, () => void> = {
    busy: () => Object.assign(stage, { busy: true, quiet: false }),
    quiet: () => Object.assign(stage, { busy: false, quiet: true }),
    calm: () => Object.assign(stage, { busy: false, quiet: false }),
    die: () => stage.burst === "ready" && Object.assign(stage, { burst: "failed", healthy: 0 }),
    probe: () => Object.assign(stage, { probeOk: false }),
    probeOk: () => Object.assign(stage, { probeOk: true }),
    deploy: () => Object.assign(stage, { lambdaDigest: `sha256:${stage.nowMs}` }),
    hand: () => Object.assign(stage, { route: { lambda: 100, fargate: 0, fargateRecord: false } }),
    failObserve: () => Object.assign(stage, { failNext: "observe" }),
    failCommit: () => Object.assign(stage, { failNext: "commit" }),
    failApply: () => Object.assign(stage, { failNext: "apply" }),
    lambdaDown: () => Object.assign(stage, { lambdaState: "failed" }),
    lambdaUp: () => Object.assign(stage, { lambdaState: "ready" }),
    failCreate: () => Object.assign(stage, { failCreate: !stage.failCreate }),
  };
  does[kind]?.();
}

describe("laws", () => {
  it("keeps the invariants in any story and converges once the faults stop", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (story) => {
        const stage = newStage();
        const cloud = stageCloud(stage);
        for (const { kind, ms } of story) {
          happen(stage, kind);
          const end = stage.nowMs + ms;
          do {
            const result = await tick(cloud, alarmsOnly, stageSettings, stage.nowMs);
            stage.nowMs += result.ok ? result.step.requeueAfterMs : stageSettings.pollMs;
          } while (stage.nowMs < end);
        }
        Object.assign(stage, { failNext: null, failCreate: false, probeOk: true });
        Object.assign(stage, { lambdaState: "ready", busy: false, quiet: true });
        await runUntil(stage, () => steadyOn(stage, "lambda"), 3000);
        const { status } = stage;
        assert.equal(status.target, "lambda");
      }),
      { numRuns: 300 },
    );
  });

  it("derives the same step again after a crash between commit and apply", async () => {
    const stage = newStage();
    stage.busy = true;
    await runUntil(stage, () => stage.burst === "ready" && stage.status.probesOk === 3);
    await runUntil(stage, () => {
      stage.failNext = "apply";
      return stage.status.route.fargate === 10;
    });
    assert.equal(stage.route.fargate, 0);
    stage.failNext = null;
    await tick(stageCloud(stage), alarmsOnly, stageSettings, stage.nowMs);
    assert.equal(stage.route.fargate, 10);
  });

  it("does not commit while nothing changes", async () => {
    const stage = newStage();
    await tick(stageCloud(stage), alarmsOnly, stageSettings, stage.nowMs);
    const { revision } = stage.status;
    for (let round = 0; round < 5; round += 1) {
      stage.nowMs += 60_000;
      await tick(stageCloud(stage), alarmsOnly, stageSettings, stage.nowMs);
    }
    assert.equal(stage.status.revision, revision);
  });

  it("loses against a faster controller without acting", async () => {
    const stage = newStage();
    stage.busy = true;
    const cloud = stageCloud(stage);
    const slow = { ...cloud, commit: cloud.commit };
    slow.observe = async () => {
      const seen = await cloud.observe();
      stage.status = { ...stage.status, revision: stage.status.revision + 1 };
      return seen;
    };
    const result = await tick(slow, alarmsOnly, stageSettings, stage.nowMs);
    assert.equal(result.ok === false && result.during, "conflict");
    assert.deepEqual(stage.applied, []);
  });

  it("lets a bug of a policy crash instead of retrying it for ever", async () => {
    const broken: Policy = {
      name: "broken",
      decide: () => {
        throw new TypeError("a bug");
      },
    };
    const { nowMs } = newStage();
    await assert.rejects(tick(stageCloud(newStage()), broken, stageSettings, nowMs), /a bug/);
  });

  it("completes a cycle even when clients may keep no answer at all", async () => {
    const settings = { ...stageSettings, ttlMs: 0, bakeMs: 0, drainQuietMs: 0, dwellFargateMs: 0 };
    const stage = newStage();
    stage.insyncMs = 0;
    stage.busy = true;
    for (let round = 0; round < 200; round += 1) {
      if (stage.route.fargate === 100) Object.assign(stage, { busy: false, quiet: true });
      await tick(stageCloud(stage), alarmsOnly, settings, stage.nowMs);
      stage.nowMs += 5000;
    }
    assert.ok(stage.applied.some((action) => action.type === "deprovision"));
    assert.equal(stage.burst, "absent");
  });

  it("reports the phase from facts alone", async () => {
    const stage = await onFargate();
    const { world } = await stageCloud(stage).observe();
    assert.equal(phaseOf(stage.status, world, stageSettings, stage.nowMs), "steady");
  });
});
