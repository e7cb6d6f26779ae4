import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  absent,
  nowMs,
  statusWith,
  type WorldChanges,
  worldWith,
} from "../../test/engine-facts.ts";
import { stageSettings as settings } from "../../test/stage-cloud.ts";
import { assertInvariants, InvariantError } from "./invariants.ts";
import { lambdaOnly, routeOf } from "./status.ts";
import type { Action, Route, Status, Step } from "./types.ts";

/** A step out of `before`, as an engine without any judgement could take it. */
interface Taken {
  readonly before?: Partial<Status>;
  readonly after?: Partial<Status>;
  readonly world?: WorldChanges;
  readonly actions?: readonly Action[];
}

function take({ before = {}, after = {}, world = {}, actions = [] }: Taken): void {
  const status = statusWith(before);
  const step: Step = {
    phase: "steady",
    status: { ...status, revision: status.revision + 1, ...after },
    actions,
    events: [],
    wait: null,
    requeueAfterMs: 1,
  };
  assertInvariants(status, step, worldWith(world), settings, nowMs);
}

function accepts(taken: Taken): void {
  assert.doesNotThrow(() => take(taken));
}

function refuses(taken: Taken, message: string): void {
  assert.throws(
    () => take(taken),
    (error: unknown) => {
      assert.ok(error instanceof InvariantError);
      assert.equal(error.name, "InvariantError");
      assert.equal(error.message, `invariant ${message}`);
      return true;
    },
  );
}

const route = (to: Route): readonly Action[] => [{ type: "route", route: to }];
const removal: readonly Action[] = [{ type: "deprovision" }];
const provision: readonly Action[] = [{ type: "provision", digest: "sha256:one", tasks: 2 }];
const onFargate = { target: "fargate", route: routeOf(100) } as const;

test("steps that do nothing may do so without a commit", () => {
  accepts({ after: { revision: 7 } });
});

test("whatever acts is committed first", () => {
  accepts({ actions: provision });
  refuses(
    { actions: provision, after: { revision: 7 } },
    "5: an action without a commit before it",
  );
  // A change of the target alone acts on nothing.
  accepts({ after: { target: "fargate", revision: 7 }, before: { override: fargateByHand } });
});

const fargateByHand = { tier: "fargate", untilMs: null } as const;

test("several violations are told at once", () => {
  refuses(
    { actions: removal, after: { revision: 7 }, world: { dns: { inSync: false } } },
    "3: removal before DNS forgot Fargate; 5: an action without a commit before it",
  );
});

describe("weights", () => {
  const weights = (lambda: number, fargate: number, fargateRecord = true): Taken => ({
    before: { route: routeOf(50) },
    world: { dns: { route: routeOf(50) } },
    actions: route({ lambda, fargate, fargateRecord }),
  });
  test("sum to 100, are whole and not negative", () => {
    accepts(weights(50, 50));
    accepts(weights(51, 49));
    accepts(weights(100, 0));
    accepts(weights(0, 100));
    refuses(weights(51, 50), "2: weights 51/50 do not sum to 100");
    refuses(weights(50.5, 49.5), "2: weights 50.5/49.5 do not sum to 100");
    refuses(weights(100.5, -0.5), "2: weights 100.5/-0.5 do not sum to 100");
    refuses(weights(101, -1), "2: weights 101/-1 do not sum to 100");
    refuses(weights(-1, 101), "2: weights -1/101 do not sum to 100");
    refuses(weights(50, 49), "2: weights 50/49 do not sum to 100");
    refuses(weights(50, 50.5), "2: weights 50/50.5 do not sum to 100");
    refuses(weights(50.5, 50), "2: weights 50.5/50 do not sum to 100");
  });
  test("need a record", () => {
    const bare = { before: { route: lambdaOnly } };
    refuses({ ...weights(99, 1, false), ...bare }, "2: a weight without a record");
    refuses({ ...weights(50, 50, false), ...bare }, "2: a weight without a record");
  });
});

describe("weight for Fargate", () => {
  const raise = (world: WorldChanges, before: Partial<Status> = {}): Taken => ({
    before: { target: "fargate", ...before },
    world,
    actions: route(routeOf(10)),
  });
  test("needs a tier that is ready", () => {
    accepts(raise({}));
    for (const state of ["starting", "stopping", "failed", "absent"] as const) {
      refuses(raise({ fargate: { state } }), `1: weight for Fargate while it is ${state}`);
    }
  });
  test("may be commanded again where it is", () => {
    accepts(raise({ fargate: { state: "starting" }, dns: { route: routeOf(10) } }));
  });
  test("needs the image that Lambda runs", () => {
    const other = { fargate: { digest: "sha256:two" } };
    const message = "9: weight moves while the tiers run different images";
    refuses(raise(other), message);
    refuses(raise({ ...other, dns: { route: routeOf(1) } }), message);
    refuses(raise(other, { route: routeOf(9) }), message);
    // What was commanded before and did not arrive would be given to the former image.
    refuses(raise(other, { route: routeOf(10) }), message);
    accepts(raise({ ...other, dns: { route: routeOf(10) } }));
  });
});

describe("weight for Lambda", () => {
  const down = (world: WorldChanges, after: Partial<Status> = {}): Taken => ({
    before: { route: routeOf(100) },
    after,
    world: { dns: { route: routeOf(100) }, lambda: { state: "failed" }, ...world },
    actions: route(routeOf(50)),
  });
  test("needs a Lambda that answers, as long as Fargate does", () => {
    accepts(down({ lambda: { state: "ready" } }));
    refuses(down({}), "1: weight for Lambda while it is failed");
    accepts(down({ fargate: { state: "starting" } }));
  });
  test("needs no proof while it retreats", () => {
    accepts(down({}, { failures: 1, holdUntilMs: nowMs + 1 }));
    refuses(
      down({}, { failures: 1, holdUntilMs: nowMs }),
      "1: weight for Lambda while it is failed",
    );
  });
  test("may be given back as it was commanded", () => {
    accepts({ ...down({}), before: { route: routeOf(50) } });
    accepts({ ...down({ dns: { route: routeOf(50) } }) });
    refuses(
      { ...down({}), before: { route: routeOf(51) } },
      "1: weight for Lambda while it is failed",
    );
  });
});

describe("the burst tier is removed", () => {
  const remove = (after: Partial<Status> = {}, dns: WorldChanges["dns"] = {}): Taken => ({
    after: { syncedAtMs: nowMs - settings.ttlMs, ...after },
    world: { dns },
    actions: removal,
  });
  test("only when Lambda is the target and DNS knows nothing else", () => {
    accepts(remove());
    const removed = (target: "fargate"): Taken => remove({ target, override: fargateByHand });
    refuses(removed("fargate"), "3: removal while Fargate is the target");
    const early = "3: removal before DNS forgot Fargate";
    refuses(remove({}, { inSync: false }), early);
    refuses(remove({}, { route: routeOf(0) }), early);
  });
  test("only when the last answers have expired", () => {
    const early = "10: removal before the last answers expired";
    refuses(remove({ syncedAtMs: null }), early);
    refuses(remove({ syncedAtMs: nowMs - settings.ttlMs + 1 }), early);
  });
  test("at once where answers expire at once, but not before they are in sync", () => {
    const none = { ...settings, ttlMs: 0 };
    const status = statusWith();
    const step = (syncedAtMs: number | null): Step => ({
      phase: "steady",
      status: { ...status, revision: 8, syncedAtMs },
      actions: removal,
      events: [],
      wait: null,
      requeueAfterMs: 1,
    });
    assertInvariants(status, step(nowMs), worldWith(), none, nowMs);
    assert.throws(() => assertInvariants(status, step(null), worldWith(), none, nowMs));
  });
});

describe("the record goes", () => {
  const { ttlMs, drainQuietMs, drainMaxMs } = settings;
  const goes = (synced: number | null, lastMs: number | null, world: WorldChanges = {}): Taken => ({
    before: { route: routeOf(0), syncedAtMs: synced === null ? null : nowMs - synced },
    world: {
      dns: { route: routeOf(0), inSync: synced !== null },
      balancerLastRequestMs: lastMs === null ? null : nowMs - lastMs,
      ...world,
    },
    actions: route(lambdaOnly),
  });
  test("when the balancer has been silent, or never saw a request", () => {
    accepts(goes(2 * ttlMs, null));
    accepts(goes(2 * ttlMs, drainQuietMs));
    refuses(goes(2 * ttlMs, drainQuietMs - 1), "3: record removed while clients still come");
  });
  test("at the stated maximum, whoever still comes", () => {
    accepts(goes(drainMaxMs, 0));
    refuses(goes(drainMaxMs - 1, 1), "3: record removed while clients still come");
  });
  test("not before late resolvers have followed", () => {
    refuses(goes(2 * ttlMs - 1, null), "10: record removed before 2 × TTL");
    refuses(goes(null, null), "3: record removed before the weights were in sync");
  });
  test("not while it has weight", () => {
    const weighted = goes(2 * ttlMs, null, { dns: { route: routeOf(1) } });
    const before = { ...weighted.before, route: routeOf(1) };
    refuses({ ...weighted, before }, "3: record removed while it has weight");
  });
  test("whenever the tier is lost", () => {
    for (const state of ["failed", "absent", "stopping"] as const) {
      accepts(goes(null, 0, { fargate: { state }, dns: { route: routeOf(0), inSync: false } }));
    }
    const starting = goes(2 * ttlMs, 0, { fargate: { state: "starting" } });
    const message = "3: record removed while clients still come";
    refuses({ ...starting, world: { ...starting.world, balancerLastRequestMs: nowMs } }, message);
  });
  test("whenever it is not there, or was not commanded", () => {
    accepts(goes(null, 0, { dns: { route: lambdaOnly } }));
    const early = goes(null, 0, { dns: { route: routeOf(0), inSync: false } });
    accepts({ ...early, before: { ...early.before, route: lambdaOnly } });
  });
});

describe("opposite transitions", () => {
  const { dwellFargateMs, dwellLambdaMs } = settings;
  const stay = (sinceMs: number): Partial<Status> => ({ targetSinceMs: nowMs - sinceMs });
  const up = { target: "fargate" } as const;
  const down = { target: "lambda" } as const;
  const message = "8: opposite transition before the dwell";
  test("are as far apart as the dwell", () => {
    accepts({ before: stay(dwellLambdaMs), after: up });
    refuses({ before: stay(dwellLambdaMs - 1), after: up }, message);
    accepts({ before: { ...onFargate, ...stay(dwellFargateMs) }, after: down });
    refuses({ before: { ...onFargate, ...stay(dwellFargateMs - 1) }, after: down }, message);
  });
  test("but not those by hand", () => {
    accepts({ before: { ...stay(0), override: fargateByHand }, after: { ...up, override: null } });
    accepts({ before: stay(0), after: { ...up, override: fargateByHand } });
  });
  test("nor those after a failure", () => {
    const failed = { failures: 1, holdUntilMs: nowMs + 1 };
    accepts({ before: { ...onFargate, ...stay(0) }, after: { ...down, ...failed } });
  });
  test("nor turning back to a tier that still serves", () => {
    const drains = { ...stay(0), route: routeOf(0) };
    accepts({ before: drains, after: up });
    refuses({ before: drains, after: up, world: { fargate: { ...absent } } }, message);
    refuses({ before: { ...onFargate, ...stay(0) }, after: down }, message);
  });
});
