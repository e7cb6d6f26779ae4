import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CodeSet } from "./code-set.ts";
import { changed, decode, encode, viewOf } from "./codec.ts";
import { explore, wayTo } from "./explore.ts";
import { provesLiveness, type Unit } from "./liveness.ts";
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

describe("liveness", () => {
  const setOf = (...states: readonly AbstractState[]): CodeSet => {
    const set = new CodeSet();
    for (const state of states) set.add(encode(state), -1);
    return set;
  };
  // Pinned to Lambda, which is then the goal whatever the policy wishes.
  const home: AbstractState = { ...initialState, override: "lambda" };
  const at = (route: number): AbstractState =>
    route === 0 ? home : { ...home, route, shown: route, stack: "ready" };
  const homeward: Unit = ({ route }) => at(Math.max(0, route - 1));

  it("counts the ticks of the farthest state", () => {
    const { ticksMax, failure } = provesLiveness(setOf(home, at(2), at(3), at(1)), homeward);
    assert.equal(failure, null);
    assert.deepEqual(ticksMax, { holds: 3, "wants Fargate": 3, "wants Lambda": 3 });
  });

  it("notices a circle, and a goal that is left", () => {
    const circling: Unit = ({ route }) => at(route === 2 ? 3 : 2);
    const { failure } = provesLiveness(setOf(at(2)), circling);
    assert.equal(failure?.wish, "holds");
    assert.deepEqual(failure?.story, [
      "tick: route 50/50 → 0/100, shown 50/50 → 0/100",
      "tick: route 0/100 → 50/50, shown 0/100 → 50/50",
    ]);
    const leaving: Unit = (state, wish) => (wish === "wants Lambda" ? at(2) : state);
    const left = provesLiveness(setOf(home), leaving).failure;
    assert.equal(left?.wish, "wants Lambda");
    assert.equal(left?.story.length, 1);
  });

  it("follows a way with the other history where, and only where, the engine asked for it", () => {
    const followed: string[] = [];
    const asking: Unit = (state, wish, series, onSeries) => {
      if (state.route === 2) onSeries();
      if (wish === "holds") followed.push(`${series} ${state.route}`);
      return homeward(state, wish, series, onSeries);
    };
    const { failure } = provesLiveness(setOf(at(1), at(3)), asking);
    assert.equal(failure, null);
    const clean = ["clean 1", "clean 0", "clean 3", "clean 2"];
    assert.deepEqual(followed, [...clean, "failed 3", "failed 2"]);
    const stuck: Unit = (state, wish, series, onSeries) => {
      if (state.route === 2) onSeries();
      return series === "failed" && state.route === 2
        ? state
        : homeward(state, wish, series, onSeries);
    };
    assert.equal(provesLiveness(setOf(at(1), at(3)), stuck).failure?.wish, "holds");
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
