import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type AlarmDefinition,
  alarmDefinitions,
  alarmsAtStart,
  datapoints,
  evaluateAlarm,
  evaluateAlarms,
  evaluationRange,
  type Thresholds,
  type TreatMissingData,
} from "./alarms.ts";
import type { AlarmName, AlarmState, Sample, Tier } from "./types.ts";

const thresholds: Thresholds = {
  up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
  down: { requestsPerMinute: 300, minutes: 15 },
};
const definitions = alarmDefinitions(thresholds);
const minuteMs = 60_000;
const states: readonly AlarmState[] = ["OK", "ALARM", "INSUFFICIENT_DATA"];
const treatments: readonly TreatMissingData[] = ["missing", "ignore", "breaching", "notBreaching"];

function named(name: AlarmName): AlarmDefinition {
  const found = definitions.find((definition) => definition.name === name);
  assert.ok(found);
  return found;
}

function sample(tier: Tier, minute: number, values: Partial<Sample>): Sample {
  return {
    tier,
    startMs: minute * minuteMs,
    periodMs: minuteMs,
    requests: 0,
    errors: 0,
    throttles: 0,
    concurrencyMax: 0,
    latencyMsP99: null,
    ...values,
  };
}

/** Reads the notation of the AWS tables: 0 = not breaching, X = breaching, - = missing. */
function points(notation: string): (number | null)[] {
  const values = new Map<string, number | null>([
    ["0", 0],
    ["X", 100],
    ["-", null],
  ]);
  return notation.split(" ").map((mark) => values.get(mark) ?? null);
}

function rule(
  datapointsToAlarm: number,
  treatMissingData: TreatMissingData,
  evaluationPeriods: number = 3,
): AlarmDefinition {
  const base = named("busy-requests");
  return { ...base, threshold: 50, evaluationPeriods, datapointsToAlarm, treatMissingData };
}

/**
 * The two tables of "How alarm state is evaluated when data is missing" in
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html; the columns
 * are M, the five datapoints, and the state under missing, ignore, breaching and notBreaching.
 */
const awsTables = [
  [3, "0 - X - X", "OK", "OK", "OK", "OK"],
  [3, "0 - - - -", "OK", "OK", "OK", "OK"],
  [3, "- - - - -", "INSUFFICIENT_DATA", "retain", "ALARM", "OK"],
  [3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
  [3, "- - X - -", "ALARM", "retain", "ALARM", "OK"],
  [2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
  [2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"],
  [2, "0 - X - -", "OK", "OK", "ALARM", "OK"],
  [2, "- - - - 0", "OK", "OK", "ALARM", "OK"],
  [2, "- - - X -", "ALARM", "retain", "ALARM", "OK"],
] as const;

describe("evaluateAlarm", () => {
  for (const [m, notation, ...expected] of awsTables) {
    test(`AWS table: ${m} of 3, ${notation}`, () => {
      assert.equal(evaluationRange(rule(m, "missing")), 5);
      for (const [column, treatment] of treatments.entries()) {
        for (const previous of states) {
          const state = evaluateAlarm(rule(m, treatment), points(notation), previous);
          const wanted = expected[column] === "retain" ? previous : expected[column];
          assert.equal(state, wanted, `${treatment} after ${previous}`);
        }
      }
    });
  }

  test("a lone young datapoint does not alarm prematurely (same page, next section)", () => {
    for (const notation of ["- - - - X", "- - - X -", "- - - X 0", "- - X - 0"]) {
      assert.equal(evaluateAlarm(rule(3, "missing"), points(notation), "OK"), "OK", notation);
      assert.equal(evaluateAlarm(rule(3, "ignore"), points(notation), "OK"), "OK", notation);
    }
  });

  test("the threshold itself breaches 'greater or equal' and not 'less than'", () => {
    const busy = named("throttled");
    assert.equal(evaluateAlarm(busy, [null, null, 1], "OK"), "ALARM");
    assert.equal(evaluateAlarm(busy, [null, null, 0], "OK"), "OK");
    const quiet = named("quiet");
    assert.equal(evaluateAlarm(quiet, new Array(17).fill(300), "OK"), "OK");
    assert.equal(evaluateAlarm(quiet, new Array(17).fill(299), "OK"), "ALARM");
  });

  const mark = fc.constantFrom(0, 100, null);
  const range = fc.array(mark, { minLength: 5, maxLength: 5 });
  const m = fc.integer({ min: 1, max: 3 });

  test("with enough real data the treatment and the previous state do not matter", () => {
    const enough = range.filter((list) => list.filter((point) => point !== null).length >= 3);
    fc.assert(
      fc.property(enough, m, (list, M) => {
        const all = treatments.flatMap((treatment) =>
          states.map((previous) => evaluateAlarm(rule(M, treatment), list, previous)),
        );
        assert.equal(new Set(all).size, 1);
      }),
    );
  });

  test("missing data treated as good or bad is the same as good or bad data in the gaps", () => {
    fc.assert(
      fc.property(range, m, (list, M) => {
        const real = list.filter((point) => point !== null).slice(-3);
        for (const [treatment, value] of [
          ["breaching", 100] as const,
          ["notBreaching", 0] as const,
        ]) {
          const filled = [...real, ...new Array<number>(3 - real.length).fill(value)];
          const breaching = filled.filter((point) => point === 100).length;
          const wanted = breaching >= M ? "ALARM" : "OK";
          assert.equal(evaluateAlarm(rule(M, treatment), list, "OK"), wanted);
        }
      }),
    );
  });

  test("whatever alarms although gaps count as good alarms under every treatment", () => {
    fc.assert(
      fc.property(range, m, (list, M) => {
        if (evaluateAlarm(rule(M, "notBreaching"), list, "OK") !== "ALARM") return;
        for (const treatment of treatments) {
          assert.equal(evaluateAlarm(rule(M, treatment), list, "OK"), "ALARM");
        }
      }),
    );
  });
});

describe("datapoints", () => {
  test("a window without requests is missing, not zero", () => {
    const samples = [sample("lambda", 0, { requests: 5 }), sample("lambda", 1, { requests: 0 })];
    assert.deepEqual(datapoints(named("busy-requests"), samples, 0, 3 * minuteMs), [5, null, null]);
    assert.deepEqual(datapoints(named("throttled"), samples, 0, 3 * minuteMs), [0, null, null]);
  });

  test("only the tier and the range that are watched count", () => {
    const samples = [
      sample("lambda", 0, { requests: 1 }),
      sample("lambda", 1, { requests: 2 }),
      sample("fargate", 1, { requests: 40 }),
      sample("lambda", 2, { requests: 4 }),
    ];
    assert.deepEqual(datapoints(named("busy-requests"), samples, minuteMs, 2 * minuteMs), [2]);
  });

  test("shorter windows are summed, or their maximum taken", () => {
    const half = { periodMs: 30_000, requests: 10, concurrencyMax: 3 };
    const samples = [
      sample("lambda", 0, half),
      sample("lambda", 0, { ...half, startMs: 30_000, concurrencyMax: 2 }),
    ];
    assert.deepEqual(datapoints(named("busy-requests"), samples, 0, minuteMs), [20]);
    assert.deepEqual(datapoints(named("busy-concurrency"), samples, 0, minuteMs), [3]);
  });

  test("a request that outlasts its window keeps the concurrency reported", () => {
    const samples = [sample("lambda", 0, { concurrencyMax: 7 })];
    assert.deepEqual(datapoints(named("busy-concurrency"), samples, 0, minuteMs), [7]);
    assert.deepEqual(datapoints(named("busy-requests"), samples, 0, minuteMs), [null]);
  });

  test("FILL fills gaps of a series, but not an empty series", () => {
    const quiet = named("quiet");
    const oneTier = [sample("lambda", 1, { requests: 9 })];
    assert.deepEqual(datapoints(quiet, oneTier, 0, 3 * minuteMs), [0, 9, 0]);
    assert.deepEqual(datapoints(quiet, [], 0, 3 * minuteMs), [null, null, null]);
    const bothTiers = [...oneTier, sample("fargate", 1, { requests: 1 })];
    assert.deepEqual(datapoints(quiet, bothTiers, 0, 3 * minuteMs), [0, 10, 0]);
  });

  test("demand is counted wherever it is answered: moving it does not make it quieter", () => {
    const split = fc.array(fc.tuple(fc.nat(5000), fc.nat(5000)), { minLength: 17, maxLength: 17 });
    fc.assert(
      fc.property(split, (minutes) => {
        const samples = minutes.flatMap(([lambda, fargate], minute) => [
          sample("lambda", minute, { requests: lambda }),
          sample("fargate", minute, { requests: fargate }),
        ]);
        const moved = minutes.map(([lambda, fargate], minute) =>
          sample("fargate", minute, { requests: lambda + fargate }),
        );
        const toMs = 17 * minuteMs;
        const quiet = named("quiet");
        const state = evaluateAlarm(quiet, datapoints(quiet, samples, 0, toMs), "OK");
        assert.equal(evaluateAlarm(quiet, datapoints(quiet, moved, 0, toMs), "OK"), state);
      }),
    );
  });
});

describe("alarmDefinitions", () => {
  test("the concurrency alarm stays below the account's quota", () => {
    const threshold = (quota?: number): number | undefined =>
      alarmDefinitions(thresholds, quota).find(({ name }) => name === "busy-concurrency")
        ?.threshold;
    assert.equal(threshold(), 50);
    assert.equal(threshold(1000), 50);
    assert.equal(threshold(10), 6);
    assert.equal(threshold(1), 1);
  });

  test("only the quiet alarm comes and goes with the burst stack", () => {
    const burst = definitions.filter(({ stack }) => stack === "burst").map(({ name }) => name);
    assert.deepEqual(burst, ["quiet"]);
  });
});

describe("evaluateAlarms", () => {
  const at = (minute: number): number => minute * minuteMs + 1;
  const lambda = (...perMinute: readonly number[]): Sample[] =>
    perMinute.map((requests, minute) => sample("lambda", minute, { requests }));

  test("two busy minutes of three raise busy-requests, and its state follows the traffic", () => {
    const samples = lambda(10, 3000, 10, 3500, 10, 10, 10);
    const trace = [2, 3, 4, 5, 6, 7].map(
      (minute) =>
        evaluateAlarms(definitions, samples, at(minute), alarmsAtStart, { burstExists: false })[
          "busy-requests"
        ],
    );
    assert.deepEqual(trace, ["OK", "OK", "ALARM", "OK", "OK", "OK"]);
  });

  test("one throttled request is enough", () => {
    const samples = [sample("lambda", 0, { requests: 500, throttles: 1 })];
    const after = evaluateAlarms(definitions, samples, at(1), alarmsAtStart, {
      burstExists: false,
    });
    assert.equal(after.throttled, "ALARM");
    assert.equal(after["busy-requests"], "OK");
  });

  test("the open window is not looked at", () => {
    const samples = [sample("lambda", 0, { requests: 500, throttles: 1 })];
    const open = evaluateAlarms(definitions, samples, minuteMs - 1, alarmsAtStart, {
      burstExists: false,
    });
    assert.equal(open.throttled, "OK");
  });

  test("the quiet alarm exists with the burst stack only", () => {
    const samples = lambda(...new Array(20).fill(10));
    const without = evaluateAlarms(definitions, samples, at(20), alarmsAtStart, {
      burstExists: false,
    });
    assert.equal(without.quiet, "INSUFFICIENT_DATA");
    const withBurst = evaluateAlarms(definitions, samples, at(20), without, { burstExists: true });
    assert.equal(withBurst.quiet, "ALARM");
    const silent = evaluateAlarms(definitions, [], at(20), without, { burstExists: true });
    assert.equal(silent.quiet, "ALARM");
  });

  test("one loud minute of fifteen keeps it from being quiet", () => {
    const samples = lambda(...new Array(19).fill(10), 300);
    const loud = evaluateAlarms(definitions, samples, at(20), alarmsAtStart, { burstExists: true });
    assert.equal(loud.quiet, "OK");
    const later = evaluateAlarms(definitions, samples, at(34), alarmsAtStart, {
      burstExists: true,
    });
    assert.equal(later.quiet, "OK");
    const gone = evaluateAlarms(definitions, samples, at(35), alarmsAtStart, { burstExists: true });
    assert.equal(gone.quiet, "ALARM");
  });
});

test("an alarm of a stack that is gone knows nothing, whatever it knew", () => {
  const before = { ...alarmsAtStart, quiet: "ALARM" } as const;
  const now = evaluateAlarms(definitions, [], 60 * minuteMs, before, { burstExists: false });
  assert.equal(now.quiet, "INSUFFICIENT_DATA");
});
