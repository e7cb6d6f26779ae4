import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { minute, nowMs, someReport } from "../../test/report-stage.ts";
import { UserError } from "../config/errors.ts";
import { autoWish } from "./auto.ts";
import { pinWish } from "./pin.ts";
import { shiftWish } from "./shift.ts";
import { nextText, tierNamed } from "./shift-word.ts";

describe("shift", () => {
  test("stays for the minimum stay of the tier, unless told otherwise", () => {
    assert.deepEqual(shiftWish(someReport(), "fargate", null).word, {
      tier: "fargate",
      untilMs: nowMs + 50 * minute,
    });
    assert.deepEqual(shiftWish(someReport(), "fargate", 5 * minute).word, {
      tier: "fargate",
      untilMs: nowMs + 5 * minute,
    });
  });

  test("stays ten minutes where no stay is asked for, or the policy would turn it back", () => {
    const free = someReport({ dwellMs: { lambda: 0, fargate: 0 }, target: "fargate" });
    assert.equal(shiftWish(free, "lambda", null).word?.untilMs, nowMs + 10 * minute);
  });

  test("does nothing where the service is already", () => {
    const there = shiftWish(someReport(), "lambda", null);
    assert.equal(there.word, undefined);
    assert.match(there.sentence, /on Lambda already, as the policy wants it/);
    const pinned = someReport({ override: { tier: "lambda", untilMs: null } });
    assert.match(shiftWish(pinned, "lambda", null).sentence, /already, until lambdaflex auto/);
  });

  test("outranks a word for the other tier, and keeps one for longer when asked", () => {
    const held = someReport({ override: { tier: "fargate", untilMs: null } });
    assert.equal(shiftWish(held, "lambda", null).word?.tier, "lambda");
    assert.equal(shiftWish(someReport(), "lambda", 60 * minute).word?.untilMs, nowMs + 60 * minute);
  });
});

test("pin is idempotent, and turns a shift into a pin", () => {
  assert.deepEqual(pinWish(someReport(), "lambda").word, { tier: "lambda", untilMs: null });
  const shifted = someReport({ override: { tier: "lambda", untilMs: nowMs + minute } });
  assert.deepEqual(pinWish(shifted, "lambda").word, { tier: "lambda", untilMs: null });
  const pinned = someReport({ override: { tier: "lambda", untilMs: null } });
  assert.equal(pinWish(pinned, "lambda").word, undefined);
});

test("auto takes a word back, if there is one", () => {
  assert.equal(autoWish(someReport()).word, undefined);
  const pinned = someReport({ override: { tier: "lambda", untilMs: null } });
  assert.equal(autoWish(pinned).word, null);
});

test("what follows depends on what exists", () => {
  const { snapshot } = someReport();
  assert.match(nextText(snapshot, "fargate"), /the burst tier comes up/);
  assert.match(nextText(snapshot, "lambda"), /stays on Lambda/);
  const ready = { ...snapshot.tiers.fargate, state: "ready" as const };
  const up = { ...snapshot, tiers: { ...snapshot.tiers, fargate: ready } };
  assert.match(nextText(up, "fargate"), /the weights move to Fargate/);
});

test("only two tiers have a name", () => {
  assert.equal(tierNamed("fargate"), "fargate");
  assert.throws(() => tierNamed("ec2"), UserError);
});
