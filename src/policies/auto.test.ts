import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Policy, PolicyState, Sample } from "../core/types.ts";
import { boundUsd, newGuard, optimumSoFarUsd } from "./auto/guard.ts";
import { recallMemory } from "./auto/memory.ts";
import { autoPolicy } from "./auto.ts";
import { economicsOf } from "./economics.ts";

const economics = economicsOf();
const policy = autoPolicy({ economics, tasksMax: 40 });

function sample(minute: number, rps: number, tier: Sample["tier"] = "lambda"): Sample {
  return {
    tier,
    startMs: minute * 60_000,
    periodMs: 60_000,
    requests: rps * 60,
    errors: 0,
    throttles: 0,
    concurrencyMax: 0,
    latencyMsP99: null,
  };
}

interface Played {
  readonly state: PolicyState;
  readonly moves: readonly { minute: number; tier: string; tasks: number; reason: string }[];
}

/** Shows rates minute by minute, each two minutes late, obeying at once. */
function play(rates: readonly number[], start: PolicyState = {}, by: Policy = policy): Played {
  let state = start;
  let target: "lambda" | "fargate" = "lambda";
  const moves: { minute: number; tier: string; tasks: number; reason: string }[] = [];
  rates.forEach((rps, minute) => {
    const view = {
      nowMs: (minute + 2) * 60_000,
      target,
      targetSinceMs: 0,
      phase: "steady",
      alarms: quietView.alarms,
      samples: [sample(minute, rps)],
    } as const;
    const { decision, policyState } = by.decide(view, state);
    state = policyState;
    if (decision.type !== "target" || decision.tier === target) return;
    target = decision.tier;
    moves.push({ minute, tier: target, tasks: decision.tasks, reason: decision.reason });
  });
  return { state, moves };
}

const days = (count: number, rate: (minute: number) => number): number[] =>
  Array.from({ length: count * 1440 }, (_, minute) => rate(minute));

/** Nothing is new. */
const quietView = {
  nowMs: 0,
  target: "lambda",
  targetSinceMs: 0,
  phase: "steady",
  alarms: { "busy-requests": "OK", "busy-concurrency": "OK", throttled: "OK", quiet: "OK" },
  samples: [],
} as const;

describe("auto", () => {
  it("follows a burst up and down and says why with numbers", () => {
    const { moves } = play(days(1, (minute) => (minute >= 300 && minute < 700 ? 400 : 0)));
    assert.deepEqual(
      moves.map(({ tier }) => tier),
      ["fargate", "lambda"],
    );
    const [up, down] = moves;
    assert.ok(up !== undefined && up.minute < 310, `up at ${up?.minute}`);
    assert.ok(down !== undefined && down.minute > 700, `down at ${down?.minute}`);
    assert.equal(up.tasks, 8);
    assert.match(
      up.reason,
      /requests\/s .*: Lambda has cost 0\.1072 USD more than Fargate would .* lately .* → fargate/,
    );
  });

  it("stays through a lull where the next onset would cost more than the lull", () => {
    const busy = (minute: number): boolean => minute >= 300 && (minute - 300) % 180 >= 120;
    const { state, moves } = play(days(4, (minute) => (busy(minute) ? 300 : 2)));
    // Without that risk it leaves a second time before it knows better.
    assert.equal(moves.length, 3);
    const { decision } = policy.decide({ ...quietView, target: "fargate" }, state);
    assert.match(decision.reason, /leaving risks 0\.\d+ USD/);
  });

  it("stops trying when bursts have misled it, and says what it owes", () => {
    // A fortnight of bursts that are over about when Fargate is there.
    let drawn = 4;
    const share = (): number => {
      drawn = (drawn * 1103515245 + 12345) % 2 ** 31;
      return 0.3 + (1.4 * drawn) / 2 ** 31;
    };
    const rates = days(14, () => 3);
    for (let at = 0; at < rates.length; ) {
      at += Math.floor(600 * share());
      const length = Math.floor(30 * share());
      rates.fill(40, at, at + length);
      at += length;
    }
    const waits: string[] = [];
    const heard: Policy = {
      name: "auto",
      decide(view, state) {
        const decided = policy.decide(view, state);
        if (recallMemory(decided.policyState)?.waits) waits.push(decided.decision.reason);
        return decided;
      },
    };
    const memory = recallMemory(play(rates, {}, heard).state);
    assert.ok(memory !== null);
    const owedUsd = memory.guard.ownUsd - memory.debt.lambdaUsd;
    // Without the debt it would be 8 cycles.
    assert.ok(owedUsd < 4 * economics.cycleUsd, `owes ${owedUsd / economics.cycleUsd} cycles`);
    assert.match(waits[0] ?? "", /owes 0\.\d+ USD to always Lambda, so waits until .* 0\.\d+/);
  });

  it("stays on Lambda below break-even", () => {
    assert.deepEqual(play(days(3, () => 12)).moves, []);
  });

  it("asks for no more tasks than allowed", () => {
    assert.equal(play(days(1, () => 9000)).moves[0]?.tasks, 40);
  });

  it("learns to deploy ahead of an hourly burst", () => {
    const { moves } = play(days(3, (minute) => (minute % 60 < 5 ? 200 : 0)));
    const last = moves.filter(({ tier }) => tier === "fargate").at(-1);
    assert.ok(last !== undefined && last.minute > 4200, "it still goes up on the third day");
    // What is decided after seeing minute m takes effect at m + 2 and is ready at m + 8.
    assert.equal((last.minute + 8) % 60, 0);
    assert.match(last.reason, /the past hours promise .* hourly rhythm/);
    // 200 requests/s were 55 minutes ago: ready for about 170, not for the silence now.
    assert.equal(last.tasks, 4);
  });

  it("is deterministic, pure and resumes from JSON", () => {
    const rates = days(2, (minute) => 60 * (1 + Math.sin(minute / 200)));
    const whole = play(rates);
    assert.equal(JSON.stringify(play(rates).state), JSON.stringify(whole.state));
    const half = play(rates.slice(0, 1440));
    const frozen = JSON.stringify(half.state);
    const rest = play(rates.slice(1440), half.state);
    assert.equal(JSON.stringify(half.state), frozen, "the old state was not touched");
    const resumed = play(rates.slice(1440), JSON.parse(frozen) as PolicyState);
    assert.deepEqual(JSON.stringify(resumed), JSON.stringify(rest));
    assert.ok(frozen.length < 8000, `${frozen.length} bytes of state`);
  });

  it("returns the same state when no window is new", () => {
    const { state } = play([1, 2, 3]);
    assert.equal(policy.decide(quietView, state).policyState, state);
  });

  it("adds both tiers up and ignores the state of another policy", () => {
    const view = { ...quietView, samples: [sample(1, 10), sample(1, 5, "fargate")] };
    const { policyState } = policy.decide(view, { windows: [] });
    assert.equal(recallMemory(policyState)?.rps, 15);
  });

  it("hands over to the counter when its own bill breaks the bound", () => {
    const { state } = play(days(1, () => 5));
    const memory = recallMemory(state);
    assert.ok(memory !== null);
    const spent = { ...memory, guard: { ...memory.guard, ownUsd: 1e6 } };
    const { state: after } = play([5], spent as unknown as PolicyState);
    const guard = recallMemory(after)?.guard ?? newGuard(economics);
    assert.equal(guard.holds, true);
    assert.equal(guard.falls, 1);
    assert.ok(guard.ownUsd > boundUsd(guard, economics));
    assert.ok(optimumSoFarUsd(guard) > 0);
  });
});
