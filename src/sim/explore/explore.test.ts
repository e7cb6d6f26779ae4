import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CodeSet } from "./code-set.ts";
import { changed, decode, encode, viewOf } from "./codec.ts";
import { explore, wayTo } from "./explore.ts";
import { provesLiveness } from "./liveness.ts";
import { type AbstractState, initialState } from "./state.ts";
import { ticksOf } from "./step.ts";
import { changesOf } from "./story.ts";
import { harmIn } from "./world.ts";

const onFargate: AbstractState = {
  ...initialState,
  target: "fargate",
  route: 3,
  shown: 3,
  stack: "ready",
  shiftedAge: 3,
  syncedAge: 3,
  healthyAge: 1,
  probes: 1,
};

describe("a slice of the exploration", () => {
  for (const [name, from] of Object.entries({ initialState, onFargate })) {
    it(`finds nothing wrong near ${name}, and every way leads to its target`, () => {
      const { states, violation } = explore({ from, statesMax: 40_000 });
      assert.deepEqual(violation, null);
      const { failure, ticksMax } = provesLiveness(states);
      assert.deepEqual(failure, null);
      assert.ok(Math.max(...Object.values(ticksMax)) <= 16, JSON.stringify(ticksMax));
    });
  }

  it("tells a broken property as the shortest story", () => {
    const from: AbstractState = { ...onFargate, stack: "absent" };
    const { violation } = explore({ from });
    assert.equal(violation?.property, "1: DNS answers with a tier that does not serve");
    assert.deepEqual(violation?.story, []);
    const held: AbstractState = { ...initialState, stack: "ready", client: 1 };
    const found = explore({ from: { ...held, pendingRemoval: true } }).violation;
    assert.match(found?.property ?? "", /^10: a client holds/);
    assert.equal(found?.story.length, 1);
    assert.match(found?.story[0] ?? "", /applies the next action: stack ready → deleting/);
  });
});

describe("states as numbers", () => {
  it("come back as they were, changed or not", () => {
    const { states } = explore({ statesMax: 5000 });
    for (let index = 0; index < states.size; index += 1) {
      const code = states.at(index);
      const state = decode(code);
      assert.equal(encode(state), code);
      const other = { ...state, client: 2, before: "sick", pendingRoute: 3 } as const;
      assert.equal(changed(code, state, other), encode(other));
      assert.equal(viewOf(encode(other)), viewOf(code));
    }
  });

  it("are found once each, with the way to them", () => {
    const set = new CodeSet();
    assert.equal(set.add(1e15, -1), 0);
    assert.equal(set.add(1e15, 7), 0);
    for (let code = 0; code < 200_000; code += 1) {
      assert.equal(set.add(code * 4097, code), code + 1);
    }
    assert.equal(set.size, 200_001);
    assert.deepEqual(wayTo(set, 2), [1e15, 0, 4097]);
    set.note(1, -1);
    assert.deepEqual(wayTo(set, 2), [0, 4097]);
  });
});

describe("the model", () => {
  it("asks the engine about everything that it looks at, and nothing else", () => {
    const seen = new Set<string>();
    for (const tick of ticksOf(onFargate)) assert.equal(tick.violation, null);
    ticksOf(onFargate, (_, asked) => {
      for (const subject of asked.keys()) seen.add(subject);
    });
    assert.deepEqual([...seen].sort(), ["errors", "lambda", "policy", "probe"]);
  });

  it("excuses what a fault takes away, and nothing else", () => {
    assert.equal(harmIn(onFargate), null);
    assert.match(harmIn({ ...onFargate, stack: "deleting" }) ?? "", /^1:/);
    assert.equal(harmIn({ ...onFargate, stack: "deleting", excused: true }), null);
  });

  it("tells changes in words", () => {
    const after = { ...onFargate, shown: 2, target: "lambda" } as const;
    assert.equal(changesOf(onFargate, after), "target fargate → lambda, shown 0/100 → 50/50");
  });
});
