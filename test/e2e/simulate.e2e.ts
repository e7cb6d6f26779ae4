/** `lambdaflex simulate` and `lambdaflex cost` as a user runs them. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { usEast1 } from "../../src/core/prices.ts";
import { assertMistake } from "./mistake.ts";
import { makeFolder, run } from "./rig.ts";

/** Three quiet hours, three busy ones, three quiet ones. */
const rows = Array.from({ length: 540 }, (_, minute) => {
  const rps = minute >= 180 && minute < 360 ? 200 : 1;
  return `${minute * 60},${rps * 60}`;
});
const trace = ["timestamp_seconds,requests", ...rows, ""].join("\n");

const json = async (folder: string, args: readonly string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await run(folder, [...args, "--json"]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.split("\n").length, 2, "one object on one line");
  return JSON.parse(stdout);
};

describe("simulate", () => {
  test("prints the figures of all policies as JSON", async () => {
    const folder = makeFolder({ "trace.csv": trace });
    const result = await json(folder, ["simulate", "--trace", "trace.csv"]);
    for (const key of ["optimum", "onsetBlindOptimum", "alwaysLambda", "alwaysFargate"]) {
      assert.ok((result[key] as number) > 0, key);
    }
    const policies = result.policies as Readonly<Record<string, unknown>>[];
    assert.deepEqual(
      policies.map(({ name }) => name),
      ["auto", "work-function", "break-even", "threshold"],
    );
    const keys = ["costUsd", "ratioToOptimum", "ratioToOnsetBlind", "transitions"];
    for (const policy of policies) {
      for (const key of [...keys, "fractionFargate"])
        assert.equal(typeof policy[key], "number", key);
    }
    assert.equal(result.mode, "realistic");
  });

  test("takes several policies in any notation, a scenario and the ideal model", async () => {
    const scenario = { lambdaDurationMs: 100, thresholds: { up: { periods: 1, of: 1 } } };
    const folder = makeFolder({ "trace.csv": trace, "scenario.json": scenario });
    const common = ["simulate", "--trace", "trace.csv", "--scenario", "scenario.json"];
    const names = ["--policy", "threshold", "work-function", "--policy=auto,threshold"];
    const result = await json(folder, [...common, ...names, "--mode", "ideal"]);
    const policies = result.policies as { readonly name: string; readonly costUsd: number }[];
    assert.deepEqual(
      policies.map(({ name }) => name),
      ["threshold", "work-function", "auto"],
    );
    assert.ok(policies.every(({ costUsd }) => costUsd >= (result.optimum as number)));
  });

  test("takes the prices of another region from a file", async () => {
    const folder = makeFolder({
      "trace.csv": trace,
      "scenario.json": { region: "eu-west-9" },
      "prices.json": { ...usEast1, region: "eu-west-9", httpApiUsdPerRequest: 0.001 },
    });
    const common = ["simulate", "--trace", "trace.csv", "--scenario", "scenario.json"];
    assertMistake(await run(folder, common), "REGION_UNKNOWN", /eu-west-9/);
    const result = await json(folder, [...common, "--prices", "prices.json", "--mode", "ideal"]);
    // Two million requests, a tenth of a cent each.
    assert.ok((result.alwaysLambda as number) > 2000);
  });

  test("takes the configuration that is here, and writes a report", async () => {
    const config = { command: "node x.js", lambda: { memoryMB: 2048, architecture: "x86_64" } };
    const folder = makeFolder({ "trace.csv": trace, "lambdaflex.json": config });
    const args = ["simulate", "--trace", "trace.csv", "--report", "out.html"];
    const { code, stdout, stderr } = await run(folder, args);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /2048 MB, 50 ms billed.*x86_64/);
    assert.match(stdout, /memory, tasks, architecture and thresholds: lambdaflex\.json/);
    assert.match(stderr, /report: out\.html/);
    assert.ok(readFileSync(join(folder, "out.html"), "utf8").startsWith("<!doctype html>"));
  });

  test("reads a gzipped access log and tells of broken lines", async () => {
    const line = (minute: number): string =>
      `::1 - - [01/Mar/2024:18:${String(minute).padStart(2, "0")}:00 +0100] "GET / HTTP/2" 200 5`;
    const lines = Array.from({ length: 600 }, (_, at) => line(at % 60));
    const folder = makeFolder({});
    writeFileSync(join(folder, "log.gz"), gzipSync([...lines, "oops"].join("\n")));
    const { code, stdout, stderr } = await run(folder, ["simulate", "--trace", "log.gz"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /600 requests in 1 hours from 2024-03-01 17:00 UTC/);
    assert.match(stdout, /1 of 601 lines are broken and left out, the first is line 601\n/);
    assert.match(stderr, /the first broken line, 601: "oops"/);
  });

  const mistakes: readonly (readonly [string, readonly string[], string, RegExp])[] = [
    ["no trace", [], "OPTION_INVALID", /--trace is missing/],
    ["a missing file", ["--trace", "none.csv"], "TRACE_NOT_FOUND", /none\.csv/],
    ["a broken trace", ["--trace", "gap.csv"], "TRACE_GAP", /gap\.csv:4/],
    [
      "no such policy",
      ["--trace", "trace.csv", "--policy", "auto,aut"],
      "POLICY_UNKNOWN",
      /"auto"/,
    ],
    ["no such mode", ["--trace", "trace.csv", "--mode", "real"], "OPTION_INVALID", /realistic/],
    [
      "an impossible scenario",
      ["--trace", "trace.csv", "--scenario", "bad.json"],
      "SCENARIO_VALUE_INVALID",
      /lambdaMemoryMB/,
    ],
    [
      "a report that cannot be written",
      ["--trace", "trace.csv", "--report", "no/such/out.html"],
      "REPORT_UNWRITABLE",
      /ENOENT/,
    ],
  ];
  for (const [what, args, code, words] of mistakes) {
    test(`refuses ${what}`, async () => {
      const folder = makeFolder({
        "trace.csv": trace,
        "gap.csv": "timestamp_seconds,requests\n0,1\n60,1\n240,1\n",
        "bad.json": { lambdaMemoryMB: 0 },
      });
      assertMistake(await run(folder, ["simulate", ...args]), code, words);
      assert.ok(!existsSync(join(folder, "out.html")));
    });
  }
});

describe("cost", () => {
  test("estimates a month, and says what it assumes", async () => {
    const folder = makeFolder({});
    const args = ["cost", "--rate", "100", "--memory", "512", "--duration", "50"];
    const { code, stdout, stderr } = await run(folder, [...args, "--architecture", "x86_64"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /always Lambda\s+419\.04/);
    assert.match(stdout, /us-east-1 list prices of 2026-/);
    const result = await json(folder, ["cost"]);
    assert.ok((result.breakEvenRequestsPerSecond as number) > 10);
    assert.ok((result.breakEvenTable as unknown[]).length > 100);
  });

  const mistakes: readonly (readonly [string, readonly string[], string, RegExp])[] = [
    ["an unknown region", ["--region", "mars-1"], "REGION_UNKNOWN", /Known: us-east-1/],
    ["no memory", ["--memory", "0"], "OPTION_INVALID", /128 to 10240/],
    ["rate and trace at once", ["--rate", "1", "--trace", "x"], "OPTION_INVALID", /exclude/],
    ["a price file that is not there", ["--prices", "x.json"], "PRICES_NOT_FOUND", /x\.json/],
    ["a front that is none", ["--front", "nginx"], "OPTION_INVALID", /function-url/],
    ["a size that is not sold", ["--task-memory", "512"], "FARGATE_SIZE_INVALID", /--task-memory/],
  ];
  for (const [what, args, code, words] of mistakes) {
    test(`refuses ${what}`, async () => {
      assertMistake(await run(makeFolder({}), ["cost", ...args]), code, words);
    });
  }
});
