import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runScript } from "./run.ts";
import { scriptOf } from "./script.ts";
import { shrink, type Trial } from "./shrink.ts";
import { addOutcome, noTotals } from "./totals.ts";

const minuteMs = 60_000;

describe("a slice of the soak", () => {
  it("loses no request and leaves nothing behind in days of faults", async () => {
    const totals = noTotals();
    for (let seed = 1; seed <= 30; seed += 1) {
      addOutcome(totals, seed, await runScript(scriptOf(seed)));
    }
    assert.deepEqual(totals.violations, []);
    assert.equal(totals.fates.lost, 0);
    assert.ok(totals.turns > 500, `${totals.turns} changes of the target`);
    for (const fate of ["lambda", "fargate", "throttled", "killed", "overstayed"] as const) {
      assert.ok(totals.fates[fate] > 0, `nobody was ${fate}`);
    }
  });

  it("replays a seed exactly", async () => {
    const tell = async (): Promise<readonly string[]> => {
      const lines: string[] = [];
      await runScript(scriptOf(5), { onStory: (atMs, line) => lines.push(`${atMs} ${line}`) });
      return lines;
    };
    const once = await tell();
    assert.ok(once.length > 50);
    assert.deepEqual(await tell(), once);
  });
});

describe("seeds that an earlier build failed", () => {
  // 661, 2882 and 3361 were judged too hard: silence was measured when the record went, not as the
  // controller had seen it when it committed to that. They were drawn with 15 s of health. In 9199
  // servers that were 40 min behind named a balancer that was made after their answer. In 10 a
  // tier that had answered with errors was given everything as soon as its back-off was over.
  // 25236 was judged too hard: the engine took up what a hand had given Lambda, and gave nothing.
  for (const [seed, healthyMs] of [
    [34, 30_000],
    [661, 15_000],
    [2882, 15_000],
    [3361, 15_000],
    [9199, 10_000],
    [10, 10_000],
    [25_236, 30_000],
  ] as const) {
    it(`${seed} passes`, async () => {
      const script = scriptOf(seed);
      const settings = { ...script.settings, healthyMs };
      // 34 was drawn before there was another one.
      const policy = seed === 34 ? "threshold" : script.policy;
      const { violation } = await runScript({ ...script, policy, settings });
      assert.equal(violation, null);
    });
  }
});

describe("a failing script", () => {
  /** Fails from the second deploy on, if the stack has failed before. */
  const trial: Trial = async ({ events }) => {
    const failure = events.find(({ what }) => what.kind === "stack fails");
    const deploys = events.filter(({ what }) => what.kind === "deploy");
    const second = deploys.filter(({ atMs }) => atMs > (failure?.atMs ?? Infinity))[1];
    return { violation: second === undefined ? null : "two deploys", atMs: second?.atMs ?? 0 };
  };

  it("is shortened to what is needed", async () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const script = scriptOf(seed);
      const shrunk = await shrink(script, trial);
      if (shrunk === null) continue;
      const kinds = shrunk.script.events.map(({ what }) => what.kind);
      assert.deepEqual(kinds, ["stack fails", "deploy", "deploy"]);
      assert.equal(shrunk.script.endMs, shrunk.script.events[2]?.atMs);
      assert.equal(shrunk.violation, "two deploys");
      return;
    }
    assert.fail("no such script");
  });

  it("is not made of one that does not fail", async () => {
    assert.equal(await shrink({ ...scriptOf(1), endMs: 60 * minuteMs }), null);
  });
});
