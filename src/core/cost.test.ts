import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  balancerHours,
  breakEvenRequestsPerSecond,
  type CostProfile,
  type CostWindow,
  costOfWindows,
  fargateRateUsdPerHour,
  lambdaCostUsd,
  lambdaRateUsdPerHour,
  lcuRateUsdPerHour,
  profileDefault,
  tasksFor,
  taskUsdPerHour,
} from "./cost.ts";
import { usEast1 } from "./prices.ts";

/** Prices have at most seven digits: what differs after the tenth decimal is rounding. */
function near(actual: number, wanted: number): void {
  assert.ok(Math.abs(actual - wanted) < 1e-10, `${actual} is not ${wanted}`);
}

const minuteMs = 60_000;

describe("Lambda", () => {
  test("a million requests of 50 ms at 0.5 GB behind an HTTP API", () => {
    // 0.20 + 1.00 + 1e6 · 0.5 GB · 0.05 s · 1.66667e-5 = 1.20 + 0.4166675
    const usage = { requests: 1e6, durationMs: 50, memoryMB: 512 } as const;
    const x86 = { ...usage, architecture: "x86_64" } as const;
    near(lambdaCostUsd({ ...x86, front: "http-api" }), 1.6166675);
    // 0.20 + 3.50 + 0.4166675
    near(lambdaCostUsd({ ...x86, front: "rest-api" }), 4.1166675);
    near(lambdaCostUsd({ ...x86, front: "function-url" }), 0.6166675);
  });

  test("a thousand requests of 200 ms at 1 GB on arm64, without a front door", () => {
    // 1000 · (0.2e-6 + 1 GB · 0.2 s · 1.33334e-5) = 1000 · (0.2e-6 + 2.66668e-6)
    const usage = { requests: 1000, durationMs: 200, memoryMB: 1024 };
    const cost = lambdaCostUsd({ ...usage, architecture: "arm64", front: "function-url" });
    near(cost, 0.00286668);
  });
});

describe("Fargate", () => {
  test("a task of half a vCPU and 1 GB with its address", () => {
    // 0.5 · 0.04048 + 1 · 0.004445 + 0.005
    near(taskUsdPerHour(profileDefault), 0.029685);
    // 0.5 · 0.03238 + 1 · 0.00356 + 0.005
    near(taskUsdPerHour({ ...profileDefault, architecture: "arm64" }), 0.02475);
  });

  test("without any request: balancer, two addresses and two tasks", () => {
    // 0.0225 + 2 · 0.005 + 2 · 0.029685
    near(fargateRateUsdPerHour({ requestsPerSecond: 0 }, profileDefault), 0.09187);
  });

  test("at 100 requests/s traffic decides the capacity units", () => {
    // max(100 · 0.2 / 25, 100 · 3600 · 5 / 1e6) = max(0.8, 1.8); 0.008 · 1.8
    near(lcuRateUsdPerHour(100, profileDefault), 0.0144);
    near(fargateRateUsdPerHour({ requestsPerSecond: 100 }, profileDefault), 0.09187 + 0.0144);
    // Without keep-alive connections decide: max(100 / 25, 1.8)
    near(lcuRateUsdPerHour(100, { ...profileDefault, connectionsPerRequest: 1 }), 0.032);
  });

  test("tasks follow the rate, from the minimum on", () => {
    const tasks = [0, 100, 100.1, 5000].map((rate) => tasksFor(rate, profileDefault));
    assert.deepEqual(tasks, [2, 2, 3, 100]);
    const given = fargateRateUsdPerHour({ requestsPerSecond: 0, tasks: 5 }, profileDefault);
    near(given, 0.0325 + 5 * 0.029685);
  });

  test("a started balancer hour is a whole one", () => {
    const hours = [0, 1, 60 * minuteMs, 60 * minuteMs + 1].map(balancerHours);
    assert.deepEqual(hours, [0, 1, 1, 2]);
  });
});

describe("break-even", () => {
  test("the policy benchmark's defaults give its 16.2 requests/s", () => {
    // 0.09187 / (3600 · 1.6166675e-6 − 0.008 · 3600 · 5 / 1e6) = 0.09187 / 0.005676003
    assert.equal(breakEvenRequestsPerSecond().toFixed(4), "16.1857");
  });

  test("the policy benchmark's price of changing tiers, B = 0.0357 USD", () => {
    // (6 + 10) minutes at the base rate, and half a balancer hour
    const base = fargateRateUsdPerHour({ requestsPerSecond: 0 }, profileDefault) / 60;
    assert.equal((16 * base + usEast1.balancerUsdPerHour / 2).toFixed(4), "0.0357");
  });

  test("tasks that serve little push it beyond the minimum of tasks", () => {
    // 6 · 0.005676003 − 0.029685 = 0.004371018 saved a task; 0.0325 / 0.004371018 → 8 tasks
    // (0.0325 + 8 · 0.029685) / 0.005676003
    const profile = { ...profileDefault, requestsPerSecondPerTask: 6 };
    assert.equal(breakEvenRequestsPerSecond(profile).toFixed(3), "47.565");
  });

  test("a task that costs more than the Lambda requests it replaces never pays", () => {
    const profile = { ...profileDefault, requestsPerSecondPerTask: 5 };
    assert.equal(breakEvenRequestsPerSecond(profile), Number.POSITIVE_INFINITY);
  });

  test("below it Lambda is cheaper, at it both cost the same", () => {
    const profiles: fc.Arbitrary<CostProfile> = fc.record({
      architecture: fc.constantFrom("x86_64", "arm64"),
      front: fc.constantFrom("http-api", "rest-api", "function-url"),
      lambdaMemoryMB: fc.integer({ min: 128, max: 10_240 }),
      lambdaDurationMs: fc.integer({ min: 1, max: 30_000 }),
      taskVcpu: fc.constantFrom(0.25, 0.5, 1, 2, 4),
      taskMemoryMB: fc.integer({ min: 512, max: 30_720 }),
      tasksMin: fc.integer({ min: 1, max: 10 }),
      requestsPerSecondPerTask: fc.integer({ min: 1, max: 500 }),
      balancerZones: fc.integer({ min: 2, max: 3 }),
      connectionsPerRequest: fc.double({ min: 0, max: 1, noNaN: true }),
      trafficKB: fc.double({ min: 0, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(profiles, fc.double({ min: 0, max: 0.999, noNaN: true }), (profile, share) => {
        const rate = breakEvenRequestsPerSecond(profile);
        const below = share * Math.min(rate, 1e6);
        const lambda = lambdaRateUsdPerHour(below, profile);
        assert.ok(lambda < fargateRateUsdPerHour({ requestsPerSecond: below }, profile));
        if (rate === Number.POSITIVE_INFINITY) return;
        const atRate = lambdaRateUsdPerHour(rate, profile);
        // A hair less than the rate: exactly on a task's limit rounding could add a task.
        const load = { requestsPerSecond: rate * (1 - 1e-12) };
        assert.ok(Math.abs(fargateRateUsdPerHour(load, profile) / atRate - 1) < 1e-9);
      }),
    );
  });
});

describe("costOfWindows", () => {
  const onLambda: CostWindow = {
    periodMs: minuteMs,
    lambdaRequests: 600,
    fargateRequests: 0,
    tasks: 0,
    balancer: false,
  };
  const onFargate: CostWindow = {
    periodMs: minuteMs,
    lambdaRequests: 0,
    fargateRequests: 6000,
    tasks: 2,
    balancer: true,
  };
  const times = (count: number, window: CostWindow): CostWindow[] => new Array(count).fill(window);

  test("ten minutes at 10 requests/s on Lambda, then half an hour at 100 on Fargate", () => {
    const windows = [...times(10, onLambda), ...times(30, onFargate)];
    const cost = costOfWindows(windows, profileDefault);
    // Lambda 6,000 · 1.6166675e-6 = 0.009700005; balancer 1 h · 0.0225; addresses 0.5 h · 0.010;
    // capacity 0.5 h · 0.0144; tasks 0.5 h · 2 · 0.029685
    near(cost.actual.usd, 0.009700005 + 0.0225 + 0.005 + 0.0072 + 0.029685);
    // 186,000 · 1.6166675e-6
    near(cost.alwaysLambda.usd, 0.300700155);
    // 10 min · (0.09187 + 0.008 · 10 · 3600 · 5 / 1e6) + 30 min · (0.09187 + 0.0144)
    near(cost.alwaysFargate.usd, (0.09187 + 0.00144) / 6 + 0.10627 / 2);
  });

  test("each balancer's hours are rounded up by themselves", () => {
    const twice = [...times(10, onFargate), onLambda, ...times(10, onFargate)];
    const once = [...times(20, onFargate), onLambda];
    const difference =
      costOfWindows(twice, profileDefault).actual.usd -
      costOfWindows(once, profileDefault).actual.usd;
    near(difference, usEast1.balancerUsdPerHour);
  });

  test("no window costs nothing, and every amount names its assumptions", () => {
    const cost = costOfWindows([], profileDefault);
    for (const { usd, assumptions } of Object.values(cost)) {
      assert.equal(usd, 0);
      assert.ok(assumptions.length > 0);
    }
    const busy = costOfWindows(times(61, onFargate), profileDefault);
    assert.ok(busy.actual.assumptions.includes("balancer hours billed whole: 2"));
    assert.ok(busy.alwaysLambda.assumptions.some((line) => line.includes("50 ms at 512 MB")));
    assert.ok(busy.alwaysFargate.assumptions.some((line) => line.includes("ideal scaling at 50")));
  });

  test("without a burst the cycle costs what always-Lambda costs", () => {
    const cost = costOfWindows(times(60, onLambda), profileDefault);
    near(cost.actual.usd, cost.alwaysLambda.usd);
  });
});

test("the default profile is that of the policy benchmark", () => {
  assert.deepEqual(profileDefault, {
    architecture: "x86_64",
    front: "http-api",
    lambdaMemoryMB: 512,
    lambdaDurationMs: 50,
    taskVcpu: 0.5,
    taskMemoryMB: 1024,
    tasksMin: 2,
    requestsPerSecondPerTask: 50,
    balancerZones: 2,
    connectionsPerRequest: 0.2,
    trafficKB: 5,
  });
});

test("capacity units follow how much one of them carries", () => {
  const prices = { ...usEast1, lcuGBPerHour: 2 };
  // 100 requests/s of 100 KB are 36 GB an hour; 20 new connections/s are less than one unit.
  const heavy = { ...profileDefault, trafficKB: 100 };
  near(lcuRateUsdPerHour(100, heavy, prices), 0.008 * 18);
});

test("there is no break-even where a full task costs as much as it saves", () => {
  const task = taskUsdPerHour(profileDefault);
  const saved = task / profileDefault.requestsPerSecondPerTask / 3600;
  const free = {
    ...usEast1,
    lambdaUsdPerGBSecondX86: 0,
    httpApiUsdPerRequest: 0,
    lcuUsdPerHour: 0,
  };
  const prices = { ...free, lambdaUsdPerRequest: saved };
  const even = breakEvenRequestsPerSecond(profileDefault, prices);
  const more = { ...prices, lambdaUsdPerRequest: saved * 2 };
  assert.ok(Number.isFinite(breakEvenRequestsPerSecond(profileDefault, more)));
  assert.equal(even, Number.POSITIVE_INFINITY);
});

test("a balancer that is gone has been paid for", () => {
  const window = { periodMs: 60_000, lambdaRequests: 0, fargateRequests: 0, tasks: 0 };
  const windows = [true, false, false].map((balancer) => ({ ...window, balancer }));
  const { actual } = costOfWindows(windows, profileDefault);
  near(actual.usd, usEast1.balancerUsdPerHour + (2 * usEast1.publicIpv4UsdPerHour) / 60);
});
