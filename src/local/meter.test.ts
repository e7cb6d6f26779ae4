import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { manualClock } from "../../test/manual-clock.ts";
import { createMeter, type Meter, type RequestRecord } from "./meter.ts";

const minute = 60_000;

function answered(meter: Meter, record: Partial<RequestRecord> = {}): void {
  meter.started();
  meter.finished({ status: 200, latencyMs: 10, ...record });
}

describe("windows", () => {
  it("begin at multiples of their length and hold what was answered in them", async () => {
    const clock = manualClock(10 * minute + 20_000);
    const meter = createMeter("lambda", clock, minute);
    for (const status of [200, 404, 500, 502]) answered(meter, { status });
    answered(meter, { status: 429, throttled: true });
    assert.deepEqual(meter.samples(), []);
    await clock.pass(40_000);
    const { latencyMsP99, ...sample } = meter.samples()[0] ?? assert.fail("no window");
    assert.deepEqual(sample, {
      tier: "lambda",
      startMs: 10 * minute,
      periodMs: minute,
      requests: 5,
      errors: 2,
      throttles: 1,
      concurrencyMax: 1,
    });
    assert.ok(latencyMsP99 !== null && Math.abs(latencyMsP99 - 10) < 0.2, `${latencyMsP99}`);
    assert.equal(meter.samples().length, 1);
  });

  it("keep the rate: 400 requests a real second are 24,000 a virtual minute", async () => {
    const clock = manualClock(0, 60);
    const meter = createMeter("lambda", clock, minute);
    for (let index = 0; index < 400; index += 1) answered(meter);
    await clock.pass(minute);
    assert.equal(meter.samples()[0]?.requests, 24_000);
  });

  it("without a request are reported too, without a latency", async () => {
    const clock = manualClock(0);
    const meter = createMeter("fargate", clock, minute);
    answered(meter, { latencyMs: 500 });
    await clock.pass(3 * minute);
    const samples = meter.samples();
    assert.deepEqual(
      samples.map(({ startMs, requests }) => [startMs, requests]),
      [
        [0, 1],
        [minute, 0],
        [2 * minute, 0],
      ],
    );
    assert.deepEqual(
      samples.map(({ latencyMsP99 }) => latencyMsP99 !== null),
      [true, false, false],
    );
  });

  it("tell the mean of what is billed, where anything is", async () => {
    const clock = manualClock(0, 60);
    const meter = createMeter("lambda", clock, minute);
    for (const ms of [10, 20, 60]) meter.billed(ms);
    answered(meter, { latencyMs: 500 });
    await clock.pass(minute);
    answered(meter);
    await clock.pass(minute);
    meter.billed(7);
    await clock.pass(minute);
    assert.deepEqual(
      meter.samples().map(({ durationMsMean }) => durationMsMean),
      [30, undefined, 7],
    );
  });

  it("count a request where it is answered, its concurrency where it is in flight", async () => {
    const clock = manualClock(0);
    const meter = createMeter("lambda", clock, minute);
    for (let index = 0; index < 3; index += 1) meter.started();
    await clock.pass(2 * minute);
    meter.finished({ status: 200, latencyMs: 120_000 });
    await clock.pass(minute);
    assert.deepEqual(
      meter.samples().map(({ requests, concurrencyMax }) => [requests, concurrencyMax]),
      [
        [0, 3],
        [0, 3],
        [1, 3],
      ],
    );
    assert.equal(meter.inFlight, 2);
  });

  it("of a long silence are bounded and end with the newest", async () => {
    const clock = manualClock(0);
    const meter = createMeter("lambda", clock, minute);
    answered(meter);
    await clock.pass(100_000_000 * minute);
    const samples = meter.samples();
    assert.ok(samples.length <= 180, `${samples.length} kept`);
    assert.equal(samples.at(-1)?.startMs, 99_999_999 * minute);
  });

  it("lose and invent nothing, whenever requests come and whoever looks", async () => {
    const moves = fc.array(
      fc.record({
        passMs: fc.integer({ min: 0, max: 100_000 }),
        what: fc.constantFrom("start", "finish", "look"),
        status: fc.constantFrom(200, 404, 500),
      }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(moves, fc.constantFrom(1, 60), async (steps, speed) => {
        const clock = manualClock(12_345, speed);
        const meter = createMeter("lambda", clock, minute);
        let inFlight = 0;
        let requests = 0;
        let errors = 0;
        for (const { passMs, what, status } of steps) {
          await clock.pass(passMs);
          if (what === "look") meter.samples();
          if (what === "start") {
            meter.started();
            inFlight += 1;
          }
          if (what !== "finish" || inFlight === 0) continue;
          meter.finished({ status, latencyMs: 1 });
          inFlight -= 1;
          requests += 1;
          if (status >= 500) errors += 1;
        }
        assert.equal(meter.inFlight, inFlight);
        await clock.pass(minute);
        const samples = meter.samples();
        const sum = (of: "requests" | "errors"): number =>
          samples.reduce((total, sample) => total + sample[of], 0);
        assert.equal(sum("requests"), requests * speed);
        assert.equal(sum("errors"), errors * speed);
        for (const [at, { startMs }] of samples.entries()) assert.equal(startMs, at * minute);
      }),
      { numRuns: 60 },
    );
  });
});

describe("recent traffic", () => {
  it("covers closed windows and the open one, and says how long that is", async () => {
    const clock = manualClock(0);
    const meter = createMeter("lambda", clock, minute);
    for (let second = 0; second < 270; second += 1) {
      answered(meter, { status: second % 2 === 0 ? 500 : 200 });
      await clock.pass(1000);
    }
    // At 4:30 the last three minutes reach back to 1:30; the window from 2:00 is the first whole.
    const recent = meter.recent(180_000);
    assert.deepEqual(recent, { windowMs: 150_000, requests: 150, errors: 75 });
  });

  it("does not make an absurd rate of the first moments", async () => {
    const clock = manualClock(5 * minute, 60);
    const meter = createMeter("lambda", clock, minute);
    await clock.pass(10);
    answered(meter);
    assert.deepEqual(meter.recent(180_000), { windowMs: minute, requests: 60, errors: 0 });
  });
});

describe("the last request", () => {
  it("is the newest arrival or answer, and now while one is in flight", async () => {
    const clock = manualClock(1000);
    const meter = createMeter("fargate", clock, minute);
    assert.equal(meter.lastRequestMs, null);
    await clock.pass(500);
    meter.started();
    assert.equal(meter.lastRequestMs, 1500);
    await clock.pass(400_000);
    assert.equal(meter.lastRequestMs, 401_500, "a slow request is still there");
    meter.finished({ status: 200, latencyMs: 400_000 });
    await clock.pass(10_000);
    assert.equal(meter.lastRequestMs, 401_500);
  });
});

describe("what the page reads", () => {
  it("counts real requests and errors since the start, at any speed", async () => {
    const clock = manualClock(0, 60);
    const meter = createMeter("lambda", clock, minute);
    for (const status of [200, 500, 503, 404]) answered(meter, { status });
    await clock.pass(3 * minute);
    answered(meter);
    assert.deepEqual(meter.totals, { requests: 5, errors: 2 });
  });

  it("tells the latency of the open window once it has enough requests", async () => {
    const clock = manualClock(0);
    const meter = createMeter("lambda", clock, minute);
    const p50 = (): number | null => meter.latency?.p50Ms ?? null;
    assert.equal(p50(), null);
    answered(meter, { latencyMs: 100 });
    assert.ok(Math.abs((p50() ?? 0) - 100) < 1, "better than nothing");
    await clock.pass(minute);
    answered(meter, { latencyMs: 5 });
    assert.ok(Math.abs((p50() ?? 0) - 100) < 1, "one request says nothing yet");
    for (let count = 0; count < 97; count += 1) answered(meter, { latencyMs: 5 });
    for (let count = 0; count < 2; count += 1) answered(meter, { latencyMs: 80 });
    const { p50Ms = 0, p99Ms = 0 } = meter.latency ?? {};
    assert.ok(Math.abs(p50Ms - 5) < 0.1 && Math.abs(p99Ms - 80) < 1, `${p50Ms} ${p99Ms}`);
    await clock.pass(2 * minute);
    assert.equal(p50(), null, "a silent minute has none");
  });
});
