/**
 * The soak can fail: an engine that goes by less than what was promised is caught within days.
 * What it is judged by stays what the script promises.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EngineSettings, lateCallMsMax } from "../../core/types.ts";
import { Flights } from "./flights.ts";
import { type Outcome, runScript } from "./run.ts";
import { type Script, type ScriptEvent, scriptOf } from "./script.ts";

const secondMs = 1000;
const minuteMs = 60_000;

/** An engine in a hurry, and the first and last of the seeds that must notice it. */
interface Weakness {
  readonly what: string;
  readonly seeds: readonly [first: number, last: number];
  readonly found: RegExp;
  readonly weaken: (settings: EngineSettings) => Partial<EngineSettings>;
}

const weaknesses: readonly Weakness[] = [
  {
    what: "takes the balancer for silent after half the time",
    seeds: [1, 5],
    found: /requests lost: Fargate's address, held for/,
    weaken: ({ drainQuietMs }) => ({ drainQuietMs: drainQuietMs / 2 }),
  },
  {
    what: "ends the longest drain 20 s early",
    seeds: [1, 5],
    found: /requests lost: Fargate's address, held for/,
    weaken: ({ drainMaxMs }) => ({ drainMaxMs: drainMaxMs - 20 * secondMs }),
  },
  {
    what: "knows no TTL",
    seeds: [33, 45],
    found: /requests lost: Fargate's address, held for/,
    weaken: () => ({ ttlMs: 0 }),
  },
  {
    what: "changes its mind at once",
    seeds: [1, 10],
    found: /8: turns after/,
    weaken: () => ({ dwellFargateMs: 0, dwellLambdaMs: 0 }),
  },
  {
    what: "does not mind errors",
    seeds: [8, 12],
    found: /weight for Fargate, which answers with errors/,
    weaken: () => ({ errorMargin: 1 }),
  },
];

describe("an engine that is noticed because it", () => {
  for (const { what, seeds, found, weaken } of weaknesses) {
    it(what, async () => {
      for (let [seed, last] = seeds; seed <= last; seed += 1) {
        const script = scriptOf(seed);
        const engine = { ...script.settings, ...weaken(script.settings) };
        const { violation } = await runScript(script, { engine });
        if (violation === null) continue;
        assert.match(violation, found);
        return;
      }
      assert.fail(`not by the seeds ${seeds.join(" to ")}`);
    });
  }
});

describe("requests in flight", () => {
  const flights = (): Flights => {
    const made = new Flights();
    made.start(10, 0, 1000, 29_000);
    made.start(3, 1000, 1000, 50);
    return made;
  };

  it("are answered one by one when their time is over", () => {
    const all = flights();
    assert.deepEqual([all.land(1050), all.land(29_000), all.count], [3, 0, 10]);
    assert.deepEqual([all.land(29_500), all.land(29_999), all.count], [5, 4, 1]);
    assert.deepEqual([all.land(30_000), all.cut()], [1, 0]);
  });

  it("end with what they are in", () => {
    const all = flights();
    assert.deepEqual([all.land(29_500), all.cut(), all.count], [8, 5, 0]);
  });

  it("are lost with a tier that is removed while they take longer than it goes on", async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= 12 && found.length === 0; seed += 1) {
      const script = scriptOf(seed);
      const clientsTakeMs = script.clientsTakeMs.map(() => 30 * minuteMs);
      const { violation } = await runScript({ ...script, clientsTakeMs });
      if (violation !== null) found.push(violation);
    }
    assert.match(found[0] ?? "", /requests lost: in flight in a tier that was removed/);
  });
});

describe("a removal that takes effect after its call has failed", () => {
  /** The burst tier comes and goes, and is wanted again just as its removal seems to fail. */
  const settings: EngineSettings = {
    ...scriptOf(1).settings,
    ttlMs: 10 * secondMs,
    stepPercents: [100],
    stepPercentsDown: [0],
    bakeMs: 0,
    probesMin: 1,
    drainQuietMs: minuteMs,
    drainMaxMs: 6 * minuteMs,
    dwellFargateMs: 0,
    dwellLambdaMs: 0,
    pollMs: secondMs,
  };
  const pin = (atMs: number, tier: "lambda" | "fargate"): ScriptEvent => {
    return { atMs, what: { kind: "pin", tier, forMs: null } };
  };
  const script: Script = {
    ...scriptOf(1),
    policy: "threshold",
    settings,
    clockSkewMs: [0, 0],
    clientsKeepMs: [0],
    clientsTakeMs: [50],
    endMs: 40 * minuteMs,
    events: [
      { atMs: 0, what: { kind: "traffic", requestsPerMinute: 100 } },
      pin(minuteMs, "fargate"),
      pin(15 * minuteMs, "lambda"),
    ],
  };

  async function outcomeWith(healthyMs: number): Promise<Outcome> {
    const engine = { ...settings, healthyMs };
    let removedAtMs = 0;
    const onStory = (atMs: number, line: string): void => {
      if (line.endsWith('{"type":"deprovision"}')) removedAtMs ||= atMs;
    };
    const undisturbed = await runScript(script, { engine, onStory });
    assert.equal(undisturbed.violation, null);
    assert.ok(removedAtMs > 15 * minuteMs);
    const late = { kind: "call", call: "apply", mishap: "late", forMs: lateCallMsMax } as const;
    const events = [
      ...script.events,
      { atMs: removedAtMs - 1, what: late },
      pin(removedAtMs + 1, "fargate"),
    ];
    return runScript({ ...script, events }, { engine });
  }

  it("is survived with the shortest proof of health that a configuration may ask for", async () => {
    const { violation } = await outcomeWith(lateCallMsMax);
    assert.equal(violation, null);
  });

  it("takes a tier that has just been given weight if that is shorter", async () => {
    for (const healthyMs of [0, lateCallMsMax / 2, lateCallMsMax - 2 * secondMs]) {
      const { violation } = await outcomeWith(healthyMs);
      assert.equal(violation, "the burst tier is removed while DNS answers with it");
    }
  });
});
