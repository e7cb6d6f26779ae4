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
import { type Plan, planActions } from "./actions.ts";
import { lambdaOnly, routeOf } from "./status.ts";
import type { EngineSettings, Route, Sample, Status } from "./types.ts";

const { ttlMs, bakeMs, healthyMs, probesMin, drainQuietMs } = settings;

function plan(
  changes: Partial<Status>,
  world: WorldChanges = {},
  other: Partial<EngineSettings> = {},
): Plan {
  const route = changes.route ?? lambdaOnly;
  const seen = worldWith({ ...world, dns: { route, ...world.dns } });
  const all = { ...settings, ...other };
  return planActions({ status: statusWith(changes), world: seen, settings: all, nowMs });
}

const proved = { healthySinceMs: nowMs - healthyMs, probesOk: probesMin };
const up = { target: "fargate", tasks: 3, ...proved } as const;
const settled = { shiftedAtMs: 5, syncedAtMs: nowMs - ttlMs - bakeMs };
const routed = ({ actions }: Plan): Route | null => {
  const [action] = actions;
  return action?.type === "route" ? action.route : null;
};
const waits = ({ wait, actions }: Plan): unknown => {
  assert.deepEqual(actions, []);
  return wait && [wait.kind, wait.leftMs];
};

describe("the burst tier is created", () => {
  const creates = (fargate: WorldChanges["fargate"]): unknown =>
    plan({ ...up, healthySinceMs: null }, { fargate }).actions;
  test("with Lambda's image, where it is not there", () => {
    assert.deepEqual(creates(absent), [{ type: "provision", digest: "sha256:one", tasks: 3 }]);
    assert.deepEqual(creates({ state: "starting" }), []);
    assert.deepEqual(creates({}), []);
  });
  test("or brought to it, where it stands with another", () => {
    const digest = "sha256:two";
    const update = [{ type: "provision", digest: "sha256:one", tasks: 3 }];
    assert.deepEqual(creates({ digest }), update);
    assert.deepEqual(creates({ digest, state: "starting" }), update);
    assert.deepEqual(creates({ digest, state: "stopping" }), []);
    assert.deepEqual(creates({ digest, state: "failed" }), []);
  });
});

describe("before the first weight", () => {
  test("it is told what the stack lacks", () => {
    const starting = { state: "starting", tasksHealthy: 1 } as const;
    const { wait } = plan({ ...up, healthySinceMs: null, probesOk: 0 }, { fargate: starting });
    const message = "the burst tier is starting, 1 of 2 healthy";
    assert.deepEqual(wait, { kind: "stack", message, leftMs: null });
  });
  test("it is told what is left of the proof", () => {
    const wait = (sinceMs: number, probesOk: number): unknown =>
      plan({ ...up, healthySinceMs: nowMs - sinceMs, probesOk }).wait;
    const message = "healthy, 2 of 3 probes answered";
    assert.deepEqual(wait(healthyMs - 1, 2), { kind: "healthy", message, leftMs: 1 });
    assert.deepEqual(wait(healthyMs, 2), { kind: "healthy", message, leftMs: null });
    assert.deepEqual(wait(healthyMs + 1, 2), { kind: "healthy", message, leftMs: null });
  });
});

describe("the way up", () => {
  test("goes step by step, each once the one before has settled", () => {
    const first = plan(up);
    assert.deepEqual(routed(first), routeOf(10));
    assert.deepEqual(first.status, {
      ...statusWith(up),
      route: routeOf(10),
      shiftedAtMs: nowMs,
      syncedAtMs: null,
    });
    const message = "DNS servers take over the weights";
    assert.deepEqual(first.wait, { kind: "in-sync", message, leftMs: null });
    assert.deepEqual(routed(plan({ ...up, ...settled, route: routeOf(10) })), routeOf(50));
    assert.deepEqual(routed(plan({ ...up, ...settled, route: routeOf(50) })), routeOf(100));
    const bakes = { ...up, ...settled, syncedAtMs: settled.syncedAtMs + 1 };
    assert.deepEqual(waits(plan({ ...bakes, route: routeOf(10) })), ["bake", 1]);
    assert.deepEqual(waits(plan({ ...bakes, route: routeOf(1) })), ["bake", 1]);
    assert.deepEqual(waits(plan({ ...bakes, route: routeOf(100) })), ["bake", 1]);
    assert.equal(waits(plan({ ...up, ...settled, route: routeOf(100) })), null);
  });
  test("ends at 100 whatever the steps are", () => {
    const other = { stepPercents: [10] };
    assert.deepEqual(
      routed(plan({ ...up, ...settled, route: routeOf(10) }, {}, other)),
      routeOf(100),
    );
  });
  test("goes at once where it had been before, and begins anew where it had not", () => {
    const unsettled = { shiftedAtMs: 5, syncedAtMs: nowMs };
    assert.deepEqual(routed(plan({ ...up, ...unsettled, route: routeOf(0) })), routeOf(100));
    assert.deepEqual(routed(plan({ ...up, ...unsettled })), routeOf(10));
    const failed = { ...unsettled, failures: 1, route: routeOf(0) };
    assert.deepEqual(routed(plan({ ...up, ...failed })), routeOf(10));
  });
});

describe("the way down", () => {
  const down = { ...settled, targetSinceMs: nowMs - 10, route: routeOf(100) };
  test("begins at once and then settles step by step", () => {
    const justUp = { ...down, shiftedAtMs: nowMs - 11, syncedAtMs: nowMs };
    assert.deepEqual(routed(plan(justUp)), routeOf(50));
    const begun = { ...justUp, shiftedAtMs: nowMs - 10 };
    assert.deepEqual(waits(plan({ ...begun, route: routeOf(50) })), ["ttl", ttlMs]);
    assert.deepEqual(routed(plan({ ...down, route: routeOf(50) })), routeOf(0));
    assert.deepEqual(routed(plan({ ...justUp, shiftedAtMs: null })), routeOf(50));
    assert.deepEqual(routed(plan({ ...down, route: routeOf(1) })), routeOf(0));
  });
  test("ends at 0 whatever the steps are", () => {
    const other = { stepPercentsDown: [50] };
    assert.deepEqual(routed(plan({ ...down, route: routeOf(50) }, {}, other)), routeOf(0));
  });
  test("is one step where Fargate is lost, or after a failure", () => {
    assert.deepEqual(routed(plan(down, { fargate: { state: "starting" } })), routeOf(0));
    const failed = { failures: 1, holdUntilMs: nowMs + 1 };
    assert.deepEqual(routed(plan({ ...down, ...failed })), routeOf(0));
  });
});

describe("Lambda is fit for the traffic", () => {
  const down = { ...settled, targetSinceMs: nowMs - 10, route: routeOf(100) };
  const sample = (latencyMsP99: number | null): Sample => ({
    tier: "fargate",
    startMs: 0,
    periodMs: 60_000,
    requests: 1,
    errors: 0,
    throttles: 0,
    concurrencyMax: 1,
    latencyMsP99,
  });
  const message = (concurrencyFree: number, latencies: readonly (number | null)[]): string => {
    const recent = { lambda: traffic(90_000), fargate: traffic(90_000) };
    const lambda = { concurrencyFree };
    const found = plan(down, { lambda, recent, samples: latencies.map(sample) });
    return found.wait?.kind === "lambda" ? found.wait.message : "fit";
  };
  test("if it answers", () => {
    const { wait, actions } = plan(down, { lambda: { state: "failed" } });
    assert.deepEqual(actions, []);
    assert.deepEqual(wait, { kind: "lambda", message: "Lambda is failed", leftMs: null });
  });
  test("if it has an environment for each request that is in flight at once", () => {
    // One request per millisecond, each for 50 ms.
    assert.equal(message(50, [50]), "fit");
    assert.equal(message(49, [50]), "Lambda has 49 environments left, demand needs 50");
    assert.equal(message(50, [50.1]), "Lambda has 50 environments left, demand needs 51");
    assert.equal(message(49, [10, 50, 20]), "Lambda has 49 environments left, demand needs 50");
    assert.equal(message(49, [50, null]), "Lambda has 49 environments left, demand needs 50");
  });
  test("if nothing is known to be in flight", () => {
    assert.equal(message(0, []), "fit");
    assert.equal(message(0, [null]), "fit");
  });
  test("counts over the longer of two windows, and over none without a division by 0", () => {
    const needs = (lambdaMs: number, fargateMs: number): string => {
      const span = (windowMs: number) => ({ windowMs, requests: 1000, errors: 0 });
      const recent = { lambda: span(lambdaMs), fargate: span(fargateMs) };
      const lambda = { concurrencyFree: 0 };
      return plan(down, { lambda, recent, samples: [sample(10)] }).wait?.message ?? "";
    };
    assert.match(needs(1000, 2000), /needs 10$/);
    assert.match(needs(2000, 1000), /needs 10$/);
    assert.match(needs(0, 0), /needs 20000$/);
  });
});

describe("the end", () => {
  const drained = { syncedAtMs: nowMs - 2 * ttlMs, shiftedAtMs: 5, route: routeOf(0) };
  test("is the record's first", () => {
    assert.deepEqual(routed(plan(drained)), lambdaOnly);
    const busy = { balancerLastRequestMs: nowMs };
    assert.deepEqual(waits(plan(drained, busy)), ["drain", drainQuietMs]);
  });
  test("is the tier's once the last answers have expired", () => {
    const gone = (changes: Partial<Status>, world: WorldChanges = {}): Plan =>
      plan({ ...proved, shiftedAtMs: 5, ...changes }, world);
    assert.deepEqual(waits(gone({ syncedAtMs: null }, { dns: { inSync: false } })), [
      "in-sync",
      null,
    ]);
    assert.deepEqual(waits(gone({ syncedAtMs: nowMs - ttlMs + 1 })), ["ttl", 1]);
    const removal = gone({ syncedAtMs: nowMs - ttlMs });
    assert.deepEqual(removal.actions, [{ type: "deprovision" }]);
    assert.deepEqual(removal.wait, {
      kind: "removal",
      message: "the burst tier is ready",
      leftMs: null,
    });
    const { healthySinceMs, probesOk } = removal.status;
    assert.deepEqual([healthySinceMs, probesOk], [null, 0], "what was proved ends here");
    const stopping = { fargate: { state: "stopping" } } as const;
    assert.deepEqual(waits(gone({ syncedAtMs: 5 }, stopping)), ["removal", null]);
  });
  test("is not the end while anything is left", () => {
    const orphans = { ...absent, orphans: ["balancer"] };
    assert.deepEqual(plan({ syncedAtMs: 5 }, { fargate: orphans }).actions, [
      { type: "deprovision" },
    ]);
    assert.equal(waits(plan({ syncedAtMs: null }, { fargate: absent })), null);
  });
});

describe("a record that is not as commanded", () => {
  test("is commanded again, whatever else is awaited", () => {
    const drifted = { fargate: absent, dns: { route: routeOf(50) } };
    assert.deepEqual(plan({}, drifted).actions, [{ type: "route", route: lambdaOnly }]);
    const creating = plan({ ...up, healthySinceMs: null }, drifted);
    assert.deepEqual(
      creating.actions.map(({ type }) => type),
      ["provision", "route"],
    );
  });
  test("is commanded once where the step changes it anyway", () => {
    const { actions } = plan(up, { dns: { route: routeOf(50) } });
    assert.deepEqual(actions, [{ type: "route", route: routeOf(10) }]);
  });
});
