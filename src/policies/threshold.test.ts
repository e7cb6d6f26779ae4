import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { alarmsAtStart } from "../core/alarms.ts";
import type {
  AlarmName,
  AlarmState,
  Decision,
  PolicyState,
  PolicyView,
  Sample,
  Tier,
} from "../core/types.ts";
import { thresholdPolicy } from "./threshold.ts";

const options = {
  tasksMin: 2,
  tasksMax: 10,
  requestsPerTaskPerMinute: 3000,
  thresholds: {
    up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
    down: { requestsPerMinute: 300, minutes: 15 },
  },
};
const policy = thresholdPolicy(options);
const allOk: Record<AlarmName, AlarmState> = {
  "busy-requests": "OK",
  "busy-concurrency": "OK",
  throttled: "OK",
  quiet: "OK",
};

function sample(tier: Tier, minute: number, requests: number, more: Partial<Sample> = {}): Sample {
  return {
    tier,
    startMs: minute * 60_000,
    periodMs: 60_000,
    requests,
    errors: 0,
    throttles: 0,
    concurrencyMax: 0,
    latencyMsP99: null,
    ...more,
  };
}

function view(
  target: Tier,
  alarms: Partial<Record<AlarmName, AlarmState>>,
  samples: readonly Sample[] = [],
  phase: PolicyView["phase"] = "steady",
): PolicyView {
  const nowMs = 3_600_000;
  return { nowMs, target, targetSinceMs: 0, phase, alarms: { ...allOk, ...alarms }, samples };
}

function decide(seen: PolicyView, state: PolicyState = {}): Decision {
  // As it would be told or stored: reasons are worded only then.
  return JSON.parse(JSON.stringify(policy.decide(seen, state).decision)) as Decision;
}

describe("on Lambda", () => {
  test("a busy alarm targets as many tasks as the demand needs", () => {
    const samples = [8400, 6100, 2000].map((requests, minute) =>
      sample("lambda", minute, requests),
    );
    assert.deepEqual(decide(view("lambda", { "busy-requests": "ALARM" }, samples)), {
      type: "target",
      tier: "fargate",
      tasks: 3,
      reason: "busy-requests: 8,400 requests/min ≥ 3,000 in 2 of 3 minutes → 3 tasks",
    });
  });

  test("every busy alarm is named with its number", () => {
    const samples = [sample("lambda", 0, 900, { throttles: 12, concurrencyMax: 62 })];
    const alarms = { "busy-concurrency": "ALARM", throttled: "ALARM" } as const;
    assert.deepEqual(decide(view("lambda", alarms, samples)), {
      type: "target",
      tier: "fargate",
      tasks: 2,
      reason:
        "busy-concurrency: 62 at once in 2 of 3 minutes; " +
        "throttled: 12 requests/min refused → 2 tasks",
    });
  });

  test("the size stays within its bounds, and says so", () => {
    const decision = decide(
      view("lambda", { "busy-requests": "ALARM" }, [sample("lambda", 0, 99_000)]),
    );
    assert.ok(decision.type === "target");
    assert.equal(decision.tasks, 10);
    assert.match(decision.reason, /→ 10 tasks \(33 wanted, at most 10 allowed\)$/);
  });

  test("an alarm without any window seen is still obeyed", () => {
    assert.deepEqual(decide(view("lambda", { "busy-requests": "ALARM" })), {
      type: "target",
      tier: "fargate",
      tasks: 2,
      reason: "busy-requests: requests/min ≥ 3,000 in 2 of 3 minutes → 2 tasks",
    });
  });

  test("it holds with the distance to the threshold; the quiet alarm means nothing here", () => {
    const calm = view("lambda", { quiet: "ALARM" }, [sample("lambda", 0, 1200)]);
    assert.deepEqual(decide(calm), {
      type: "hold",
      reason: "1,200 requests/min, bursts at 3,000 in 2 of 3 minutes",
    });
    assert.match(decide(view("lambda", alarmsAtStart)).reason, /^no window seen yet, /);
  });

  test("traffic that comes back during the way down turns it around", () => {
    const samples = [sample("lambda", 0, 3000), sample("fargate", 0, 3100)];
    for (const phase of ["shifting", "draining"] as const) {
      const decision = decide(view("lambda", { "busy-requests": "ALARM" }, samples, phase));
      assert.ok(decision.type === "target" && decision.tier === "fargate");
      assert.equal(decision.tasks, 3, "both tiers' demand counts");
    }
  });
});

describe("on Fargate", () => {
  test("the quiet alarm targets Lambda with the most that was seen", () => {
    const samples = Array.from({ length: 15 }, (_, minute) =>
      sample("fargate", minute, 100 + minute),
    );
    assert.deepEqual(decide(view("fargate", { quiet: "ALARM" }, samples)), {
      type: "target",
      tier: "lambda",
      tasks: 2,
      reason: "quiet: at most 114 requests/min, below 300 in 15 of 15 minutes",
    });
  });

  test("a busy alarm outweighs the quiet one", () => {
    const decision = decide(view("fargate", { quiet: "ALARM", throttled: "ALARM" }));
    assert.deepEqual(decision, {
      type: "hold",
      reason: "no window seen yet, throttled in ALARM",
    });
  });

  test("it holds with the distance to leaving", () => {
    const loud = [sample("lambda", 0, 200), sample("fargate", 0, 4000)];
    assert.equal(
      decide(view("fargate", {}, loud)).reason,
      "4,200 requests/min, leaves below 300 for 15 of 15 minutes",
    );
    const calmer = [300, 299, 10].map((count, at) => sample("fargate", 1 + at, count));
    assert.equal(
      decide(view("fargate", {}, [...loud, ...calmer])).reason,
      "10 requests/min, leaves below 300 for 15 of 15 minutes, 2 so far",
    );
  });
});

describe("memory", () => {
  test("the demand is remembered between windows, as JSON", () => {
    const first = policy.decide(view("lambda", {}, [sample("lambda", 0, 8400)]), {});
    const stored = JSON.parse(JSON.stringify(first.policyState)) as PolicyState;
    const second = policy.decide(view("lambda", { "busy-requests": "ALARM" }), stored);
    assert.match(second.decision.reason, /8,400 requests\/min/);
    assert.equal(second.policyState, stored, "nothing new to commit");
  });

  test("it is bounded, and shorter windows are scaled to a minute", () => {
    const half = Array.from({ length: 500 }, (_, at) =>
      sample("lambda", 0, 50, { startMs: at * 30_000, periodMs: 30_000 }),
    );
    const { decision, policyState } = policy.decide(view("lambda", {}, half), {});
    assert.match(decision.reason, /^100 requests\/min/);
    assert.equal((policyState.windows as readonly unknown[]).length, 15);
  });

  test("the state of another policy is ignored", () => {
    const decision = decide(view("lambda", {}), { windows: "regret", regret: 3 });
    assert.match(decision.reason, /^no window seen yet/);
  });

  test("it makes no difference how many windows arrive at once", () => {
    const demand = fc.array(fc.nat(20_000), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(demand, fc.nat(29), (requests, cut) => {
        const samples = requests.map((count, minute) => sample("lambda", minute, count));
        const alarms = { "busy-requests": "ALARM" } as const;
        const atOnce = policy.decide(view("lambda", alarms, samples), {});
        const early = policy.decide(view("lambda", {}, samples.slice(0, cut)), {});
        const rest = samples.slice(cut);
        const late = policy.decide(view("lambda", alarms, rest), early.policyState);
        assert.deepEqual(late, atOnce);
      }),
    );
  });
});
