import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newStage, type Stage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { type Policy, type TickResult, type Tier, tick } from "../core/index.ts";
import type { Milestones } from "./control-plane.ts";
import { createJournal, type Journal, type TransitionRecord } from "./journal.ts";

const policy: Policy = {
  name: "alarms",
  decide({ alarms, target }, policyState) {
    const to = (tier: Tier, reason: string): ReturnType<Policy["decide"]> => ({
      decision: { type: "target", tier, tasks: 2, reason },
      policyState,
    });
    if (target === "lambda" && alarms["busy-requests"] === "ALARM") return to("fargate", "busy");
    if (target === "fargate" && alarms.quiet === "ALARM") return to("lambda", "quiet");
    return { decision: { type: "hold", reason: "stays" }, policyState };
  },
};

/** No two delays and no poll fall together. */
const delays = { createMs: 203_300, insyncMs: 21_700, deleteMs: 123_400 };
const { ttlMs, bakeMs, healthyMs, drainQuietMs, dwellFargateMs } = stageSettings;

interface Course {
  readonly stage: Stage;
  readonly journal: Journal;
  breachSinceMs: number | null;
  /** Ticks as the controller does, until `done`. */
  until(done: () => boolean): Promise<void>;
  tickAfter(ms: number): Promise<TickResult>;
}

function course(): Course {
  const stage = Object.assign(newStage(), delays);
  const cloud = stageCloud(stage);
  const made = { stage, breachSinceMs: null as number | null };
  const journal = createJournal(() => made.breachSinceMs);
  const milestones = (): Milestones => ({
    servesAtMs: stage.burst === "ready" ? stage.burstSinceMs + stage.createMs : null,
    inSyncAtMs: stage.routedAtMs + stage.insyncMs,
    goneAtMs: stage.burst === "absent" ? stage.burstSinceMs + stage.deleteMs : null,
  });
  const tickAfter = async (ms: number): Promise<TickResult> => {
    stage.nowMs += ms;
    const result = await tick(cloud, policy, stageSettings, stage.nowMs);
    journal.onTick(result, stage.nowMs, milestones());
    return result;
  };
  return Object.assign(made, {
    journal,
    tickAfter,
    async until(done: () => boolean): Promise<void> {
      for (let round = 0; round < 5000; round += 1) {
        const result = await tickAfter(0);
        if (done()) return;
        stage.nowMs += result.ok ? result.step.requeueAfterMs : result.requeueAfterMs;
      }
      assert.fail("never came true");
    },
  });
}

async function goUp(at: Course): Promise<void> {
  Object.assign(at.stage, { busy: true, quiet: false });
  await at.until(() => at.journal.transitions.at(-1)?.direction === "up");
  at.stage.busy = false;
}

/** Whatever is recorded, its parts make up the whole. */
function assertSums(record: TransitionRecord | undefined): asserts record is TransitionRecord {
  assert.ok(record);
  const phases = record.phases.reduce((sum, { ms }) => sum + ms, 0);
  assert.equal(record.alarmMs + record.heldMs + phases, record.ms);
  for (const { phase, ms, waits } of record.phases) {
    const waited = waits.reduce((sum, wait) => sum + wait.ms, 0);
    assert.ok(waited <= ms, `${phase}: ${waited} of ${ms}`);
  }
  assert.ok(record.engineMs >= 0 && record.engineMs <= record.ms);
}

const names = ({ phases }: TransitionRecord): string[] => phases.map(({ phase }) => phase);

describe("a whole cycle", () => {
  it("is a way up and a way down, and the engine's share is what it was late", async () => {
    const at = course();
    await at.until(() => true);
    at.breachSinceMs = at.stage.nowMs - 90_000;
    await goUp(at);
    const up = at.journal.transitions[0];
    assertSums(up);
    assert.deepEqual([up.direction, up.alarmMs], ["up", 90_000]);
    assert.match(up.reason, /busy/);
    assert.deepEqual(names(up), ["provisioning", "shifting"]);
    const steps = 3 * (delays.insyncMs + ttlMs + bakeMs);
    const upIdeal = delays.createMs + healthyMs + steps;
    assert.equal(up.engineMs, up.ms - up.alarmMs - upIdeal);
    assert.ok(up.engineMs > 0 && up.engineMs < 20_000, `${up.engineMs}`);

    at.stage.nowMs += dwellFargateMs;
    at.stage.quiet = true;
    at.breachSinceMs = at.stage.nowMs - 240_000;
    await at.until(() => at.journal.transitions.length === 2);
    const down = at.journal.transitions[1];
    assertSums(down);
    assert.deepEqual([down.direction, down.alarmMs], ["down", 240_000]);
    assert.match(down.reason, /quiet/);
    assert.deepEqual(names(down), ["shifting", "draining", "deprovisioning"]);
    const shift = 2 * delays.insyncMs + ttlMs + bakeMs;
    const drain = Math.max(2 * ttlMs, drainQuietMs - delays.insyncMs);
    const downIdeal = shift + drain + delays.insyncMs + ttlMs + delays.deleteMs;
    assert.equal(down.engineMs, down.ms - down.alarmMs - downIdeal);
    assert.deepEqual(at.journal.turnedBack, []);
    assert.equal(at.journal.open, null);
  });

  it("tells the dwell apart from the alarm", async () => {
    const at = course();
    await goUp(at);
    at.stage.quiet = true;
    at.breachSinceMs = at.stage.nowMs - 240_000;
    await at.until(() => at.journal.transitions.length === 2);
    const down = at.journal.transitions[1];
    assertSums(down);
    const upMs = at.journal.transitions[0]?.ms ?? 0;
    assert.ok(down.heldMs >= dwellFargateMs - upMs && down.heldMs <= dwellFargateMs);
    assert.ok(down.alarmMs <= 240_000);
  });

  it("says what each phase waited for, in order", async () => {
    const at = course();
    await goUp(at);
    const [provisioning, shifting] = at.journal.transitions[0]?.phases ?? [];
    assert.deepEqual(
      provisioning?.waits.map(({ kind }) => kind),
      ["stack", "healthy"],
    );
    assert.deepEqual(
      shifting?.waits.map(({ kind }) => kind),
      ["in-sync", "ttl", "bake"],
    );
    assert.equal(shifting?.waits[1]?.ms, 3 * ttlMs);
    assert.equal(shifting?.waits[2]?.ms, 3 * bakeMs);
  });

  it("is told while it is under way", async () => {
    const at = course();
    await at.tickAfter(0);
    assert.equal(at.journal.open, null);
    at.stage.busy = true;
    await at.tickAfter(1000);
    assert.deepEqual(at.journal.open, { direction: "up", startMs: at.stage.nowMs });
    assert.deepEqual(at.journal.transitions, []);
  });
});

describe("a way that turns back", () => {
  it("because the stack fails is no transition at all", async () => {
    const at = course();
    Object.assign(at.stage, { busy: true, failCreate: true });
    await at.until(() => at.journal.turnedBack.length === 1);
    assert.deepEqual(at.journal.transitions, []);
    assert.equal(at.journal.open, null);
    const record = at.journal.turnedBack[0];
    assertSums(record);
    assert.equal(record.direction, "up");
    assert.match(record.reason, /busy/);
    assert.match(record.because, /quota/);
    assert.deepEqual(names(record), ["provisioning", "deprovisioning"]);
  });

  it("does not become part of the next one", async () => {
    const at = course();
    await at.until(() => true);
    at.breachSinceMs = at.stage.nowMs;
    Object.assign(at.stage, { busy: true, failCreate: true });
    await at.until(() => at.journal.turnedBack.length === 1);
    const turnedBackMs = at.stage.nowMs;
    at.stage.failCreate = false;
    await goUp(at);
    const [up, ...others] = at.journal.transitions;
    assertSums(up);
    assert.deepEqual(others, []);
    assert.ok(up.startMs >= turnedBackMs, "the breach was long before the failed attempt");
  });

  it("because of errors in the middle of the shift includes the way back", async () => {
    const at = course();
    at.stage.busy = true;
    await at.until(() => at.stage.route.fargate === 50);
    Object.assign(at.stage, { busy: false, errorsFargate: 500 });
    await at.until(() => at.journal.open === null);
    assert.deepEqual(at.journal.transitions, []);
    const record = at.journal.turnedBack[0];
    assertSums(record);
    assert.match(record.because, /errors/);
    assert.deepEqual(names(record), ["provisioning", "shifting", "draining", "deprovisioning"]);
  });

  it("because traffic returns during the drain leaves the service on Fargate", async () => {
    const at = course();
    await goUp(at);
    at.stage.nowMs += dwellFargateMs;
    at.stage.quiet = true;
    await at.until(() => at.journal.open !== null && at.stage.route.fargate === 0);
    Object.assign(at.stage, { quiet: false, busy: true });
    await at.until(() => at.journal.open === null);
    assert.equal(at.stage.route.fargate, 100);
    assert.equal(at.journal.transitions.length, 1, "it never arrived on Lambda");
    const record = at.journal.turnedBack[0];
    assertSums(record);
    assert.equal(record.direction, "down");
    assert.match(record.because, /busy/);
    Object.assign(at.stage, { quiet: true, busy: false });
    at.stage.nowMs += dwellFargateMs;
    await at.until(() => at.journal.transitions.length === 2);
    assert.equal(at.journal.transitions[1]?.direction, "down");
  });

  it("and then goes on all the same is one way", async () => {
    const at = course();
    at.stage.busy = true;
    await at.until(() => at.stage.route.fargate === 50);
    const pin = (tier: Tier): void => {
      at.stage.status = { ...at.stage.status, override: { tier, untilMs: null } };
    };
    pin("lambda");
    await at.until(() => at.stage.route.fargate === 0);
    pin("fargate");
    await at.until(() => at.journal.open === null);
    assert.deepEqual(at.journal.turnedBack, []);
    const [up] = at.journal.transitions;
    assertSums(up);
    assert.equal(up.direction, "up");
    assert.match(up.reason, /busy/);
  });

  it("at once, before there was anything to wait for, ends at once", async () => {
    const at = course();
    const pin = (tier: Tier): void => {
      at.stage.status = { ...at.stage.status, override: { tier, untilMs: null } };
    };
    await at.tickAfter(0);
    pin("fargate");
    await at.tickAfter(1000);
    assert.equal(at.journal.open?.direction, "up");
    Object.assign(at.stage, { burst: "absent", burstDigest: null });
    pin("lambda");
    await at.tickAfter(1000);
    assert.equal(at.journal.open, null);
    assert.equal(at.journal.turnedBack[0]?.ms, 1000);
  });
});

describe("the alarm's part", () => {
  it("is nothing when Fargate fails or a person decides, whatever rang before", async () => {
    const at = course();
    await at.until(() => true);
    at.breachSinceMs = at.stage.nowMs - 60_000;
    await goUp(at);
    at.stage.nowMs += 600_000;
    at.stage.burst = "failed";
    await at.until(() => at.journal.transitions.length === 2);
    const down = at.journal.transitions[1];
    assertSums(down);
    assert.equal(down.alarmMs, 0);
    assert.match(down.reason, /failed/);

    at.stage.status = { ...at.stage.status, override: { tier: "fargate", untilMs: null } };
    at.stage.nowMs += 7_200_000;
    at.breachSinceMs = at.stage.nowMs - 60_000;
    await at.until(() => at.journal.transitions.length === 3);
    assert.equal(at.journal.transitions[2]?.alarmMs, 0);
  });
});

describe("the engine's share", () => {
  const told = (kind: string | null, leftMs: number | null, phase: string): TickResult => {
    const wait = kind === null ? null : { kind, message: "", leftMs };
    const status = { target: "fargate", override: null };
    const step = { phase, wait, status, actions: [], events: [], requeueAfterMs: 1 };
    return { ok: true, step } as unknown as TickResult;
  };
  const nothing: Milestones = { servesAtMs: null, inSyncAtMs: null, goneAtMs: null };
  const share = (next: readonly [TickResult, Milestones][]): number => {
    const journal = createJournal(() => null);
    let atMs = 0;
    for (const [result, milestones] of next) {
      atMs += 5000;
      journal.onTick(result, atMs, milestones);
    }
    journal.onTick(told(null, null, "steady"), atMs, nothing);
    return journal.transitions[0]?.engineMs ?? assert.fail("no transition");
  };

  it("counts from the moment at which the wait was over", () => {
    const over = { ...nothing, inSyncAtMs: 8_000 };
    const ticks = [told("in-sync", null, "shifting"), told("ttl", 60_000, "shifting")] as const;
    assert.equal(
      share([
        [ticks[0], nothing],
        [ticks[1], over],
      ]),
      2_000,
    );
  });

  it("is not blamed for a wait that something else cut short", () => {
    const old = { ...nothing, inSyncAtMs: 1 };
    const ticks = [told("in-sync", null, "shifting"), told("stack", null, "draining")] as const;
    assert.equal(
      share([
        [ticks[0], old],
        [ticks[1], old],
      ]),
      0,
    );
  });
});

describe("odd beginnings", () => {
  it("a tick that failed is no news, and its time belongs to the wait", async () => {
    const at = course();
    at.stage.busy = true;
    await at.tickAfter(0);
    await at.tickAfter(5000);
    at.stage.failNext = "observe";
    assert.equal((await at.tickAfter(5000)).ok, false);
    await goUp(at);
    const [up] = at.journal.transitions;
    assertSums(up);
    for (const { phase, ms, waits } of up.phases) {
      const waited = waits.reduce((sum, wait) => sum + wait.ms, 0);
      assert.equal(waited, ms, phase);
    }
  });

  it("a controller that starts in the middle follows the rest of the way", async () => {
    const before = course();
    before.stage.busy = true;
    await before.until(() => before.stage.route.fargate === 10);
    const after = course();
    Object.assign(after.stage, before.stage);
    await goUp(after);
    const [up] = after.journal.transitions;
    assertSums(up);
    assert.equal(up.reason, "resumed");
    assert.deepEqual(names(up), ["shifting"]);
  });
});
