import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  absent,
  nowMs,
  statusWith,
  traffic,
  type WorldChanges,
  worldWith,
} from "../../test/engine-facts.ts";
import { stageSettings as settings } from "../../test/stage-cloud.ts";
import { phaseOf } from "./phase.ts";
import { routeOf } from "./status.ts";
import { type Choice, chooseTarget, isRetreat, isReversal } from "./target.ts";
import type { Decision, Status } from "./types.ts";

const wants = (tier: "lambda" | "fargate", tasks = 3): Decision => ({
  type: "target",
  tier,
  tasks,
  reason: "busy",
});
const hold: Decision = { type: "hold", reason: "" };
const { dwellFargateMs, dwellLambdaMs, deadlineMs, backoffMs, backoffMaxMs, errorRequestsMin } =
  settings;

function choose(changes: Partial<Status>, world: WorldChanges, decision: Decision): Choice {
  const status = statusWith(changes);
  const seen = worldWith(world);
  const phase = phaseOf(status, seen, settings, nowMs);
  return chooseTarget({ status, world: seen, settings, nowMs, phase }, decision);
}

const rested = { targetSinceMs: nowMs - dwellLambdaMs } as const;
const away = { fargate: absent } as const;
const onFargate = {
  target: "fargate",
  tasks: 3,
  route: routeOf(100),
  shiftedAtMs: 5,
  syncedAtMs: nowMs - 500_000,
  healthySinceMs: 5,
  targetSinceMs: nowMs - dwellFargateMs,
} as const;
const turned = ({ status }: Choice): readonly [string, number] => [
  status.target,
  nowMs - status.targetSinceMs,
];

describe("the policy", () => {
  test("turns the target, and the event says why", () => {
    const choice = choose(rested, away, wants("fargate"));
    assert.deepEqual(turned(choice), ["fargate", 0]);
    assert.equal(choice.status.tasks, 3);
    assert.equal(choice.held, null);
    assert.deepEqual(choice.events, [
      {
        atMs: nowMs,
        type: "decision",
        phase: "steady",
        message: "target fargate: busy",
        data: { target: "fargate", tasks: 3 },
      },
    ]);
    const down = choose(onFargate, {}, wants("lambda"));
    assert.deepEqual([...turned(down), down.status.tasks], ["lambda", 0, 0]);
  });
  test("gets as many tasks as it may, in whole ones", () => {
    const tasks = (wanted: number): number =>
      choose(rested, away, wants("fargate", wanted)).status.tasks;
    assert.equal(tasks(3.1), 4);
    assert.equal(tasks(1), settings.tasksMin);
    assert.equal(tasks(99), settings.tasksMax);
  });
  test("changes nothing by holding, or by wanting what is", () => {
    for (const decision of [hold, wants("lambda")]) {
      const choice = choose(rested, away, decision);
      assert.deepEqual([choice.events, choice.held], [[], null]);
      assert.deepEqual(choice.status, statusWith(rested));
    }
  });
});

describe("a change waits", () => {
  const held = (choice: Choice): unknown => choice.held && [choice.held.leftMs, choice.events];
  test("for the dwell", () => {
    const soon = { targetSinceMs: nowMs - dwellLambdaMs + 1 };
    const choice = choose(soon, away, wants("fargate"));
    assert.deepEqual(held(choice), [1, []]);
    assert.equal(choice.held?.reason, "stays on lambda for its minimum dwell");
    assert.deepEqual(choice.status, statusWith(soon));
    const leaves = { ...onFargate, targetSinceMs: nowMs - dwellFargateMs + 1 };
    assert.deepEqual(held(choose(leaves, {}, wants("lambda"))), [1, []]);
  });
  test("for the end of the back-off, where it goes up", () => {
    const backsOff = (leftMs: number) => ({ ...rested, failures: 1, holdUntilMs: nowMs + leftMs });
    const choice = choose(backsOff(1), away, wants("fargate"));
    assert.deepEqual(held(choice), [1, []]);
    assert.equal(choice.held?.reason, "backs off after a failure");
    assert.equal(choose(backsOff(0), away, wants("fargate")).held, null);
    const down = { ...onFargate, failures: 1, holdUntilMs: nowMs + 5 };
    assert.deepEqual(turned(choose(down, {}, wants("lambda"))), ["lambda", 0]);
  });
  test("for the removal of the former burst tier", () => {
    const reason = "the former burst tier is still being removed";
    for (const fargate of [
      { state: "failed" } as const,
      { state: "stopping" } as const,
      { ...absent, orphans: ["balancer"] },
    ]) {
      const choice = choose(rested, { fargate }, wants("fargate"));
      assert.deepEqual(choice.held, { reason, leftMs: null });
      assert.deepEqual(turned(choice), ["lambda", dwellLambdaMs]);
    }
  });
  test("for the weight that a lost tier gives back", () => {
    const reason = "the burst tier lost its targets and gives its weight back first";
    const lost = { fargate: { state: "starting" } } as const;
    const weighted = { ...rested, route: routeOf(1) };
    assert.deepEqual(choose(weighted, lost, wants("fargate")).held, { reason, leftMs: null });
    assert.equal(choose({ ...rested, route: routeOf(0) }, lost, wants("fargate")).held, null);
    assert.equal(choose(weighted, {}, wants("fargate")).held, null);
  });
  test("for the errors of the burst tier that still stands", () => {
    const recent = { fargate: traffic(100, 50), lambda: traffic(100, 1) };
    const { held: why } = choose(rested, { recent }, wants("fargate"));
    const reason = "the burst tier that still stands answered with errors: 50.0 % of 100";
    assert.deepEqual(why, { reason: `${reason} against 1.0 %`, leftMs: null });
    const gone = { fargate: absent, recent };
    assert.equal(choose(rested, gone, wants("fargate")).held, null);
    const alike = { recent: { ...recent, lambda: traffic(100, 50) } };
    assert.equal(choose(rested, alike, wants("fargate")).held, null);
  });
});

describe("turning back", () => {
  const now = { targetSinceMs: nowMs, route: routeOf(0) };
  test("to a tier that still serves needs no dwell", () => {
    assert.deepEqual(turned(choose(now, {}, wants("fargate"))), ["fargate", 0]);
    assert.notEqual(choose(now, { fargate: { probeOk: false } }, wants("fargate")).held, null);
    const noRecord = { targetSinceMs: nowMs };
    assert.notEqual(choose(noRecord, {}, wants("fargate")).held, null);
    const leaves = { ...onFargate, targetSinceMs: nowMs };
    assert.notEqual(choose(leaves, {}, wants("lambda")).held, null);
  });
  test("is for Fargate only", () => {
    const at = { status: statusWith(now), world: worldWith(), settings, nowMs };
    assert.ok(isReversal(at, "fargate"));
    assert.ok(!isReversal(at, "lambda"));
  });
});

describe("the owner", () => {
  const pinned = (tier: "lambda" | "fargate") => ({ override: { tier, untilMs: null } });
  test("is obeyed at once, with the tasks that the policy would take", () => {
    const now = { ...pinned("fargate"), targetSinceMs: nowMs };
    const choice = choose(now, away, wants("fargate", 5));
    assert.deepEqual([...turned(choice), choice.status.tasks], ["fargate", 0, 5]);
    assert.match(choice.events[0]?.message ?? "", /set by hand to fargate/);
    assert.equal(choose(now, away, hold).status.tasks, settings.tasksMin);
    const down = { ...onFargate, ...pinned("lambda"), targetSinceMs: nowMs };
    assert.deepEqual(turned(choose(down, {}, hold)), ["lambda", 0]);
  });
  test("outranks the policy where nothing is to change", () => {
    const choice = choose({ ...rested, ...pinned("lambda") }, away, wants("fargate"));
    assert.deepEqual([choice.status.target, choice.events, choice.held], ["lambda", [], null]);
  });
});

describe("a failure on the way up", () => {
  const failure = (changes: Partial<Status>, world: WorldChanges): string | null => {
    const { events, status } = choose({ ...onFargate, ...changes }, world, hold);
    const [event] = events;
    assert.equal(event === undefined, status.target === "fargate");
    return event?.message.replace(/^target lambda: /, "").replace(/; no burst.*/, "") ?? null;
  };
  test("turns to Lambda and backs off", () => {
    const choice = choose(onFargate, { fargate: { state: "failed", failure: "quota" } }, hold);
    assert.deepEqual(choice.events, [
      {
        atMs: nowMs,
        type: "failure",
        phase: "steady",
        message: "target lambda: Fargate failed: quota; no burst for 300 s",
        data: { reason: "Fargate failed: quota", failures: 1, backoffMs },
      },
    ]);
    const { status } = choice;
    assert.deepEqual([...turned(choice), status.tasks], ["lambda", 0, 0]);
    assert.deepEqual([status.failures, status.holdUntilMs], [1, nowMs + backoffMs]);
  });
  test("backs off for longer each time, up to a limit", () => {
    const after = (failures: number): readonly (number | null)[] => {
      const failed = { fargate: { state: "failed" } } as const;
      const { status } = choose({ ...onFargate, failures }, failed, hold);
      return [status.failures, (status.holdUntilMs ?? 0) - nowMs];
    };
    assert.deepEqual(after(1), [2, 2 * backoffMs]);
    assert.deepEqual(after(2), [3, 4 * backoffMs]);
    assert.deepEqual(after(29), [30, backoffMaxMs]);
    assert.deepEqual(after(30), [30, backoffMaxMs]);
  });
  test("is a tier that fails, or carries weight without serving", () => {
    assert.equal(failure({}, {}), null);
    const failed = { state: "failed" } as const;
    assert.equal(failure({}, { fargate: failed }), "Fargate failed: no reason given");
    assert.equal(
      failure({ route: routeOf(0) }, { fargate: failed }),
      "Fargate failed: no reason given",
    );
    const lost = { fargate: { state: "starting" } } as const;
    assert.equal(failure({}, lost), "Fargate carries 100 % but is starting");
    assert.equal(failure({ route: routeOf(1) }, lost), "Fargate carries 1 % but is starting");
    assert.equal(failure({ route: routeOf(0), targetSinceMs: nowMs }, lost), null);
  });
  test("is a phase that takes too long", () => {
    const since = (ms: number) => ({ targetSinceMs: nowMs - ms, healthySinceMs: null });
    const creating = { fargate: { ...absent, state: "starting" } } as const;
    const going = (ms: number): string | null =>
      failure({ ...since(ms), route: routeOf(0), syncedAtMs: null }, creating);
    assert.equal(going(deadlineMs.provisioning), null);
    assert.equal(going(deadlineMs.provisioning + 1), "provisioning took 900 s, longer than 900 s");
    assert.equal(going(900_600), "provisioning took 901 s, longer than 900 s");
    assert.equal(going(9_000_000), "provisioning took 9000 s, longer than 900 s");
  });
  test("while it is created lasts since the decision, whatever happens to records", () => {
    const creating = { fargate: { ...absent, state: "starting" } } as const;
    const long = { route: routeOf(0), healthySinceMs: null, targetSinceMs: nowMs - 900_001 };
    assert.notEqual(failure({ ...long, syncedAtMs: nowMs, shiftedAtMs: nowMs }, creating), null);
  });
  test("while it shifts lasts since the last step", () => {
    const shifts = { route: routeOf(50), targetSinceMs: 0 } as const;
    const world = { dns: { route: routeOf(50) } };
    const late = nowMs - deadlineMs.shifting - 1;
    const took = "shifting took 900 s, longer than 900 s";
    const at = (shiftedAtMs: number | null, syncedAtMs: number | null): string | null =>
      failure({ ...shifts, shiftedAtMs, syncedAtMs }, world);
    assert.equal(at(late, late), took);
    assert.equal(at(late, null), took);
    assert.equal(at(late + 1, null), null);
    assert.equal(at(late, late + 1), null);
    assert.equal(
      failure({ ...shifts, shiftedAtMs: late, syncedAtMs: late, targetSinceMs: late + 1 }, world),
      null,
    );
  });
  test("is none at rest, however long that lasts", () => {
    assert.equal(failure({ targetSinceMs: 5, syncedAtMs: 5 }, {}), null);
  });
});

describe("errors", () => {
  const shifts = { ...onFargate, route: routeOf(10), syncedAtMs: nowMs } as const;
  const share = (errors: number, others = 0, requests = 1000, old = 1000): string | null => {
    const recent = { fargate: traffic(requests, errors), lambda: traffic(old, others) };
    const { events } = choose(shifts, { recent, dns: { route: routeOf(10) } }, hold);
    return events[0]?.message.replace(/.*errors: |;.*/g, "") ?? null;
  };
  test("of the new tier turn a shift back, above the margin", () => {
    assert.equal(share(50), null);
    assert.equal(share(51), "5.1 % of 1000 against 0.0 %");
    assert.equal(share(150, 100), null);
    assert.equal(share(151, 100), "15.1 % of 1000 against 10.0 %");
    assert.equal(share(100, 1, 1000, 1), null);
    assert.equal(share(51, 0, 1000, 0), "5.1 % of 1000 against 0.0 %");
    assert.equal(share(1000, 0, 1000, 0), "100.0 % of 1000 against 0.0 %");
  });
  test("need enough requests", () => {
    assert.equal(share(errorRequestsMin - 1, 0, errorRequestsMin - 1), null);
    assert.equal(share(errorRequestsMin, 0, errorRequestsMin), "100.0 % of 50 against 0.0 %");
  });
  test("at rest are the service's own", () => {
    const recent = { fargate: traffic(1000, 900), lambda: traffic(1000) };
    assert.deepEqual(choose(onFargate, { recent }, hold).events, []);
    const before = { ...shifts, route: routeOf(0), healthySinceMs: null, targetSinceMs: nowMs };
    assert.deepEqual(choose(before, { recent, fargate: { state: "starting" } }, hold).events, []);
  });
});

describe("the way down", () => {
  const down = { route: routeOf(50), tasks: 4, targetSinceMs: nowMs } as const;
  const errors = { lambda: traffic(1000, 300), fargate: traffic(1000) };
  const world = { recent: errors, dns: { route: routeOf(50) } };
  const next = (changes: Partial<Status>, other: WorldChanges = {}): readonly unknown[] => {
    const { status, events } = choose({ ...down, ...changes }, { ...world, ...other }, hold);
    return [status.target, status.tasks, events[0]?.message ?? null];
  };
  test("turns back when Lambda answers with errors", () => {
    const told = "target fargate: Lambda answers with errors: 30.0 % of 1000 against 0.0 %";
    assert.deepEqual(next({}), ["fargate", 4, told]);
  });
  test("goes on when it may not, or Fargate does not serve", () => {
    const goesOn = ["lambda", 4, null];
    assert.deepEqual(next({ failures: 1, holdUntilMs: nowMs + 1 }), goesOn);
    assert.deepEqual(next({}, { fargate: { tasksHealthy: 1 } }), goesOn);
    assert.deepEqual(next({ route: routeOf(0) }), goesOn);
    const up = { ...onFargate, route: routeOf(50), syncedAtMs: nowMs, tasks: 4 };
    assert.deepEqual(next(up), ["fargate", 4, null]);
  });
});

describe("a retreat", () => {
  const retreats = (changes: Partial<Status>): boolean =>
    isRetreat({ status: statusWith(changes), world: worldWith(), settings, nowMs });
  test("lasts as long as the back-off of a failure", () => {
    assert.ok(retreats({ failures: 1, holdUntilMs: nowMs + 1 }));
    assert.ok(!retreats({ failures: 1, holdUntilMs: nowMs }));
    assert.ok(!retreats({ failures: 0, holdUntilMs: nowMs + 1 }));
    assert.ok(!retreats({ failures: 1, holdUntilMs: null }));
  });
});

describe("a removal", () => {
  const overdueMs = nowMs - deadlineMs.deprovisioning - 1;
  const removes = { targetSinceMs: overdueMs, syncedAtMs: overdueMs, tasks: 0 };
  const stopping = { fargate: { ...absent, state: "stopping" } } as const;
  const told = (changes: Partial<Status>, world: WorldChanges = stopping): string | null =>
    choose({ ...removes, ...changes }, world, hold).events[0]?.message ?? null;
  test("that takes too long is told, and goes on", () => {
    const message = "keeps trying: removal takes 900 s already: Fargate is stopping; ";
    assert.equal(told({}), `${message}no burst for 300 s`);
    const { status } = choose(removes, stopping, hold);
    assert.deepEqual(
      [status.target, status.targetSinceMs, status.failures],
      ["lambda", overdueMs, 1],
    );
    const because = { fargate: { ...stopping.fargate, failure: "in use" } };
    assert.match(told({}, because) ?? "", /already: in use;/);
    assert.match(told({ targetSinceMs: nowMs - 901_500, syncedAtMs: 5 }) ?? "", /takes 902 s/);
  });
  test("is told once per back-off", () => {
    assert.equal(told({ holdUntilMs: nowMs + 1 }), null);
    assert.notEqual(told({ holdUntilMs: nowMs }), null);
    assert.equal(told({ syncedAtMs: overdueMs + 1 }), null);
    assert.equal(told({ targetSinceMs: overdueMs + 1 }), null);
  });
  test("is not what a drain or rest is", () => {
    assert.equal(told({}, away), null);
    assert.equal(told({ route: routeOf(0) }, { dns: { route: routeOf(0) } }), null);
  });
});
