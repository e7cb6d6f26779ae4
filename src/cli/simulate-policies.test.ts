import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { recordLine } from "../core/record.ts";
import { parseRecord } from "../core/record-lines.ts";
import { reportPage } from "../dashboard/document.ts";
import { priceBookDefault } from "./cost-prices.ts";
import { checkPolicies, type Mode, type Simulation, simulated } from "./simulate-policies.ts";
import { reportOf, writeRecording } from "./simulate-report.ts";
import { settingsOf } from "./simulate-scenario.ts";
import { simulationText, type TableInput } from "./simulate-table.ts";

const settings = settingsOf([], priceBookDefault);
const hours = (count: number, rps: number): number[] => Array<number>(60 * count).fill(rps);
const rps = Float64Array.from([...hours(3, 1), ...hours(5, 300), ...hours(6, 1)]);
const startSeconds = Date.UTC(2024, 2, 1) / 1000;

const run = (mode: Mode, names: readonly string[]): Promise<Simulation> =>
  simulated({ mode, settings, rps, startSeconds, names, keepCourses: true, onProgress() {} });

const inputOf = (simulation: Simulation): TableInput => ({
  loaded: {
    trace: { source: "../secret/<b>day.csv", startSeconds, bucketSeconds: 60, rps },
    kind: "CSV",
    notes: ["a note </script>"],
    log: null,
  },
  settings,
  simulation,
  origins: [],
});

const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) <= 1e-9 * b, `${a} ${b}`);

describe("a simulation", () => {
  it("has the model's own figures, whatever the mode", async () => {
    // Lambda: 60·300·(1.2e-6 + 0.025·1.66667e-5) a minute at 300 rps = 0.0291000, 300 minutes;
    // and 540 minutes at 1 rps = 0.0000970: 8.7300 + 0.0524 = 8.7824.
    // Fargate: (0.0325 + n · 0.029685 + 0.008 · rps · 0.018) / 60 a minute; at 300 rps n = 6:
    // 0.25381/60 · 300 = 1.26905; at 1 rps n = 2, 0.000144: 0.092014/60 · 540 = 0.82813.
    for (const mode of ["ideal", "realistic"] as const) {
      const { alwaysLambda, alwaysFargate, optimum, onsetBlindOptimum } = await run(mode, []);
      assert.ok(Math.abs(alwaysLambda / 8.7824 - 1) < 1e-3, String(alwaysLambda));
      assert.ok(Math.abs(alwaysFargate / 2.09718 - 1) < 1e-3, String(alwaysFargate));
      assert.ok(optimum <= onsetBlindOptimum && onsetBlindOptimum < alwaysFargate);
    }
  });

  it("lets the engine run each policy and keeps its course", async () => {
    const { policies, optimum, onsetBlindOptimum, courses } = await run("ideal", ["work-function"]);
    const [figures] = policies;
    assert.ok(figures);
    close(figures.ratioToOptimum ?? 0, figures.costUsd / optimum);
    close(figures.ratioToOnsetBlind ?? 0, figures.costUsd / onsetBlindOptimum);
    assert.equal(figures.transitions, 2);
    assert.equal(figures.serviceLevel, null);
    assert.ok(figures.fractionFargate > 0.3 && figures.fractionFargate < 0.5);
    const names = courses.map(({ name }) => name);
    assert.deepEqual(names, ["optimum", "always Lambda", "always Fargate", "work-function"]);
    const [best, , , course] = courses;
    close(best?.paidUsd.at(-1) ?? 0, optimum);
    close(course?.paidUsd.at(-1) ?? 0, figures.costUsd);
    const kinds = [0, 1, 2, 3].map((kind) => course?.kinds.filter((one) => one === kind).length);
    assert.deepEqual(kinds.slice(1), [6, figures.fractionFargate * rps.length, 10]);
    assert.deepEqual(
      course?.transitions.map(({ tier }) => tier),
      ["fargate", "lambda"],
    );
  });

  it("tells in the realistic model how well requests were answered", async () => {
    const { policies, realistic, courses } = await run("realistic", ["work-function"]);
    const [figures] = policies;
    assert.ok(figures?.serviceLevel);
    assert.ok(figures.serviceLevel.coldStarts > 0);
    assert.ok((figures.serviceLevel.latencyMsP99 ?? 0) > (figures.serviceLevel.latencyMsP50 ?? 0));
    assert.ok((figures.ratioToOptimum ?? 0) > 1);
    assert.ok((realistic?.alwaysLambda ?? 0) > 8);
    close(courses.at(-1)?.paidUsd.at(-1) ?? 0, figures.costUsd);
    const again = await run("realistic", ["work-function"]);
    assert.deepEqual(again.policies, policies, "the same seed draws the same");
  });

  it("knows its policies", () => {
    assert.throws(() => checkPolicies(["auto", "treshold"]), {
      code: "POLICY_UNKNOWN",
      message: /did you mean "threshold"/,
    });
    assert.throws(() => checkPolicies(["constructor"]), { code: "POLICY_UNKNOWN" });
  });

  it("never prints a number without what it assumes", async () => {
    const text = simulationText(inputOf(await run("realistic", ["threshold"])));
    for (const words of ["2026-09", "50 ms billed", "break-even", "seed 1", "a note", "p99"]) {
      assert.ok(text.includes(words), words);
    }
  });
});

describe("a report", () => {
  it("is one page that loads nothing and cannot be broken out of", async () => {
    const report = reportOf(inputOf(await run("ideal", ["work-function"])));
    const { html, policy } = reportPage("<b>day</b> </script>", report);
    assert.doesNotMatch(html, /<(script|link|img|iframe)[^>]+(src|href)=(?!"data:)/);
    assert.doesNotMatch(html, /@import|url\((?!data:)/);
    assert.doesNotMatch(html, /<b>day|a note <\/script>/);
    assert.equal(html.match(/<script/g)?.length, html.match(/<\/script>/g)?.length);
    assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
  });

  it("names the trace without the folders of this machine", async () => {
    const report = reportOf(inputOf(await run("ideal", ["work-function"])));
    assert.match(JSON.stringify(report), /"service":"<b>day.csv"/);
    assert.doesNotMatch(JSON.stringify(report), /secret/);
  });

  it("draws at most some thousand points whose sums are the trace's", async () => {
    const long = new Float64Array(20_000).fill(2);
    const base = inputOf(await run("ideal", []));
    const courses = base.simulation.courses.map((course) => ({
      ...course,
      kinds: new Uint8Array(long.length),
      fargateShare: new Float32Array(long.length).fill(0.25),
      paidUsd: long.map((_, minute) => minute),
    }));
    const { trace } = base.loaded;
    const loaded = { ...base.loaded, trace: { ...trace, rps: long } };
    const report = reportOf({ ...base, loaded, simulation: { ...base.simulation, courses } });
    assert.ok("choices" in report);
    assert.match(report.assumptions[0] ?? "", /the mean of 17 minutes/);
    const [choice] = report.choices;
    const snapshots = (choice?.records ?? []).flatMap((record) =>
      record.type === "snapshot" ? [record.snapshot] : [],
    );
    assert.ok(snapshots.length <= 1200 && snapshots.length > 1000);
    const { lambda, fargate } = snapshots[5]?.tiers ?? assert.fail("no sixth point");
    assert.deepEqual([lambda.requestsPerSecond, fargate.requestsPerSecond], [1.5, 0.5]);
    assert.deepEqual([lambda.weight, fargate.weight], [75, 25]);
    assert.equal(snapshots.at(-1)?.cost?.actualUsd, 19_999);
    assert.equal(choice?.usd, 19_999);
  });

  it("is made of records that a reader accepts, ways and reasons included", async () => {
    const report = reportOf(inputOf(await run("ideal", ["work-function"])));
    assert.ok("choices" in report);
    const records = report.choices.at(-1)?.records ?? [];
    records.forEach((record, at) => {
      parseRecord(recordLine(record), at + 1);
    });
    const phases = records.flatMap((one) => (one.type === "snapshot" ? one.snapshot.phase : []));
    const turns = phases.filter((phase, at) => phase !== phases[at - 1]);
    assert.deepEqual(turns, ["steady", "provisioning", "steady", "draining", "steady"]);
    const reasons = records.flatMap((one) => (one.type === "event" ? one.event.message : []));
    assert.equal(reasons.length, 2);
    assert.match(reasons[0] ?? "", /fargate/);
  });

  it("can be recorded, in order of time, and read as a run", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lambdaflex-simulate-"));
    try {
      const input = inputOf(await run("ideal", ["work-function"]));
      const file = join(folder, "run.ndjson");
      await writeRecording(file, input, "work-function");
      const records = readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line, at) => parseRecord(line, at + 1));
      assert.equal(records[0]?.type, "run");
      assert.equal(records.at(-1)?.type, "end");
      const times = records.flatMap((one) => (one.type === "snapshot" ? one.snapshot.atMs : []));
      assert.deepEqual(times, times.toSorted());
      const first = records.findIndex(({ type }) => type === "event");
      assert.ok(first > 1 && first < records.length - 2, "it is told where it happened");
      const nowhere = join(folder, "none", "run.ndjson");
      const refused = writeRecording(nowhere, input, "work-function");
      await assert.rejects(refused, /cannot write .*: ENOENT/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
