import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { UserError } from "../config/errors.ts";
import { realisticDefault } from "../sim/realistic-scenario.ts";
import { loadPrices, priceBookDefault, pricesOf } from "./cost-prices.ts";
import { loadScenario, parametersDefault, type Settings, settingsOf } from "./simulate-scenario.ts";

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-scenario-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const written = (content: unknown): string => {
  const path = join(folder, "file.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 1));
  return path;
};

async function settings(content: unknown): Promise<Settings> {
  return settingsOf([await loadScenario(written(content))], priceBookDefault);
}

const refused = (promise: Promise<unknown>, code: string, words: RegExp): Promise<void> =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    assert.ok(error.hint.length > 10, error.hint);
    return true;
  });

describe("a scenario", () => {
  it("without keys is the benchmark's base configuration", async () => {
    const { parameters, economics, thresholds } = await settings({});
    assert.deepEqual(parameters, parametersDefault);
    assert.ok(Math.abs(economics.breakEvenRps - 16.18) < 0.01);
    assert.equal(thresholds.up.requestsPerMinute, 60 * economics.breakEvenRps);
  });

  it("sets what it names and leaves the rest", async () => {
    const { scenario, economics, thresholds, realistic, seed } = await settings({
      lambdaMemoryMB: 1024,
      front: "function-url",
      upMinutes: 9,
      prices: { publicIpv4UsdPerHour: 0 },
      thresholds: { up: { periods: 2 }, down: { minutes: 30 } },
      realistic: { seed: 7, standby: "cold", fargate: { excess: "lambda" } },
    });
    assert.equal(scenario.profile.lambdaMemoryMB, 1024);
    assert.equal(scenario.profile.lambdaDurationMs, 50);
    assert.equal(scenario.prices.publicIpv4UsdPerHour, 0);
    assert.equal(economics.upMinutes, 9);
    assert.deepEqual(
      [thresholds.up.periods, thresholds.up.of, thresholds.down.minutes],
      [2, 5, 30],
    );
    assert.deepEqual(
      [seed, realistic.fargate.excess, realistic.prices],
      [7, "lambda", scenario.prices],
    );
    assert.equal(realistic.delays.balancerSeconds[0], 171);
  });

  it("sets how the engine moves with the configuration keys, and its waits", async () => {
    const { realistic } = await settings({
      realistic: {
        transition: { dwellMinutes: 5, deadlines: { shiftingMinutes: 9 } },
        delays: { dnsSeconds: [1, 2] },
        metricLagSeconds: [60, 60],
      },
    });
    const { engine, delays } = realistic;
    assert.equal(engine.dwellFargateMs, 300_000);
    assert.deepEqual(
      [engine.deadlineMs.shifting, engine.deadlineMs.provisioning],
      [540_000, 900_000],
    );
    assert.equal(engine.bakeMs, realisticDefault.engine.bakeMs);
    assert.deepEqual(
      [delays.dnsSeconds, delays.taskStartSeconds],
      [
        [1, 2],
        [30, 60],
      ],
    );
    assert.deepEqual(realistic.metricLagSeconds, [60, 60]);
  });

  it("without keys moves as the product does, with room for more tasks", async () => {
    const { realistic } = await settings({});
    assert.deepEqual(realistic.engine, realisticDefault.engine);
  });

  const faults: readonly (readonly [string, unknown, string, RegExp])[] = [
    ["no JSON", '{\n "upMinutes": 6,\n}', "SCENARIO_SYNTAX", /file\.json:2:\d+: /],
    ["a list", [], "SCENARIO_SYNTAX", /expected one object/],
    [
      "a mistyped key",
      { region: "us-east-1", lambdaMemory: 512 },
      "SCENARIO_KEY_UNKNOWN",
      /file\.json:3: lambdaMemory: .*did you mean "lambdaMemoryMB"/,
    ],
    [
      "no memory",
      { lambdaMemoryMB: 0 },
      "SCENARIO_VALUE_INVALID",
      /:2: .*128 to 10240 \(MB\), found 0/,
    ],
    ["a word for a number", { tasksMin: "2" }, "SCENARIO_VALUE_INVALID", /whole number.*"2"/],
    ["half a task", { tasksMin: 1.5 }, "SCENARIO_VALUE_INVALID", /whole number/],
    ["no duration", { lambdaDurationMs: 0 }, "SCENARIO_VALUE_INVALID", /lambdaDurationMs/],
    ["another processor", { architecture: "mips" }, "SCENARIO_VALUE_INVALID", /x86_64, arm64/],
    [
      "a negative price",
      { prices: { lcuUsdPerHour: -1 } },
      "SCENARIO_VALUE_INVALID",
      /lcuUsdPerHour/,
    ],
    ["an unknown price", { prices: { natUsd: 1 } }, "SCENARIO_KEY_UNKNOWN", /prices\.natUsd/],
    [
      "the least above the most",
      { tasksMin: 9, tasksMax: 3 },
      "TASKS_INVALID",
      /:2: tasksMin: 9 .*3/,
    ],
    [
      "a size that is not sold",
      { taskMemoryMB: 512 },
      "FARGATE_SIZE_INVALID",
      /0.5 vCPU with 512 MB/,
    ],
    ["a region of nowhere", { region: "us-east-9" }, "REGION_UNKNOWN", /did you mean us-east-1/],
    [
      "more periods than there are",
      { thresholds: { up: { periods: 4, of: 3 } } },
      "PERIODS_INVALID",
      /file\.json:4: thresholds\.up\.periods: 4 minutes out of 3/,
    ],
    [
      "busy and quiet at once",
      { thresholds: { up: { requestsPerMinute: 10 } } },
      "THRESHOLDS_TOO_CLOSE",
      /file\.json:4: thresholds\.up\.requestsPerMinute \(10\).*busy and quiet/,
    ],
    [
      "a key whose name stands elsewhere too",
      { thresholds: { up: { requestsPerMinute: 9 }, down: { requestsPerMinute: 0 } } },
      "SCENARIO_VALUE_INVALID",
      /file\.json:7: thresholds\.down\.requestsPerMinute/,
    ],
    [
      "a mistyped key of the realistic model",
      { realistic: { lambda: { coldStartSecond: 2 } } },
      "SCENARIO_KEY_UNKNOWN",
      /did you mean "coldStartSeconds"/,
    ],
    [
      "a mistyped key of the transition",
      { realistic: { transition: { dwellMinute: 2 } } },
      "CONFIG_KEY_UNKNOWN",
      /file\.json: realistic: transition\.dwellMinute: .* did you mean "dwellMinutes"/,
    ],
    [
      "a range upside down",
      { realistic: { delays: { dnsSeconds: [60, 10] } } },
      "SCENARIO_VALUE_INVALID",
      /two numbers \(seconds\), the lower one first/,
    ],
    [
      "a share above 1",
      { realistic: { clients: { ttlExtendersShare: 2 } } },
      "SCENARIO_VALUE_INVALID",
      /0 to 1/,
    ],
  ];
  for (const [what, content, code, words] of faults) {
    it(`refuses ${what}`, () => refused(settings(content), code, words));
  }

  it("refuses a file that is not there", () =>
    refused(loadScenario(join(folder, "none.json")), "SCENARIO_NOT_FOUND", /ENOENT/));
});

describe("a price file", () => {
  const { region: _, asOf: __, ...numbers } = pricesOf(priceBookDefault, "us-east-1");

  it("adds regions, and changes single prices of the built-in one", async () => {
    const lists = [
      { region: "eu-west-1", asOf: "2026-10", ...numbers, balancerUsdPerHour: 0.0252 },
      { region: "us-east-1", asOf: "2026-11", lcuUsdPerHour: 0.009 },
    ];
    const book = await loadPrices(written(lists));
    assert.equal(pricesOf(book, "eu-west-1").balancerUsdPerHour, 0.0252);
    const home = pricesOf(book, "us-east-1");
    assert.deepEqual([home.asOf, home.lcuUsdPerHour], ["2026-11", 0.009]);
    assert.equal(home.lambdaUsdPerRequest, numbers.lambdaUsdPerRequest);
  });

  const faults: readonly (readonly [string, unknown, string, RegExp])[] = [
    ["no list", [], "PRICES_SYNTAX", /no price list/],
    ["no date", { region: "us-east-1" }, "PRICES_VALUE_INVALID", /asOf: expected a text/],
    ["half a list", { region: "eu-west-1", asOf: "x" }, "PRICES_VALUE_INVALID", /lack lambdaUsd/],
    ["a mistyped price", { lcuUsd: 1 }, "PRICES_KEY_UNKNOWN", /did you mean "lcuUsdPerHour"/],
    [
      "a price in words",
      { region: "us-east-1", asOf: "x", lcuUsdPerHour: "1" },
      "PRICES_VALUE_INVALID",
      /lcuUsdPerHour.*"1"/,
    ],
  ];
  for (const [what, content, code, words] of faults) {
    it(`refuses ${what}`, () => refused(loadPrices(written(content)), code, words));
  }

  it("is asked for regions that it knows", () => {
    assert.throws(() => pricesOf(priceBookDefault, "toString"), { code: "REGION_UNKNOWN" });
  });
});
