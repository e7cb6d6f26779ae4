/**
 * The same policies in the realistic model: steps, bake times, dwell and drain, reactive scaling,
 * drawn delays. The first two weeks of each trace.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { economicsOf, switchTimesOf } from "../../src/policies/economics.ts";
import { alarmThresholdsOf, policyNamed } from "../../src/policies/named.ts";
import { runRealistic } from "../../src/sim/realistic.ts";
import { realisticDefault } from "../../src/sim/realistic-scenario.ts";
import { parseTraceCsv, scaledTo, scaleNames } from "../../src/sim/traces.ts";

/** One instance in the realistic model. */
export interface RealisticRow {
  readonly trace: string;
  readonly scale: string;
  /** USD per policy; the two statics are among them. */
  readonly costUsd: Readonly<Record<string, number>>;
}

const minutesMax = 14 * 1440;
const names = ["always-lambda", "always-fargate", "threshold", "break-even", "work-function"];

/** Runs all traces of a folder at all scales. */
export async function runRealisticInstances(folder: string): Promise<readonly RealisticRow[]> {
  const { delays, metricLagSeconds, engine, fargate } = realisticDefault;
  const { scaleInMinutes } = fargate;
  const times = switchTimesOf(engine, { delays, metricLagSeconds, scaleInMinutes });
  const economics = economicsOf(undefined, times);
  const perMinute = 60 * economics.breakEvenRps;
  const { concurrencyMax } = realisticDefault.lambda;
  const thresholds = {
    up: { requestsPerMinute: perMinute, concurrency: concurrencyMax, periods: 5, of: 5 },
    down: { requestsPerMinute: perMinute, minutes: 120 },
  };
  const service = { breakEvenRps: economics.breakEvenRps, concurrencyMax };
  const { tasksMin, rpsPerTask } = economics;
  const size = { tasksMin, tasksMax: 1000, requestsPerTaskPerMinute: 60 * rpsPerTask };
  const rows: RealisticRow[] = [];
  const files = readdirSync(folder).filter((name) => name.endsWith(".csv"));
  for (const file of files.sort()) {
    const trace = parseTraceCsv(readFileSync(join(folder, file), "utf8"), file);
    for (const scale of scaleNames) {
      const rps = scaledTo(trace.rps, scale, economics.breakEvenRps).slice(0, minutesMax);
      const costUsd: Record<string, number> = {};
      for (const name of [...names, "auto"]) {
        const policy = policyNamed(name, { economics, thresholds, ...size });
        const startOn = name === "always-fargate" ? "fargate" : "lambda";
        const alarmed = alarmThresholdsOf(name, thresholds, service);
        const scenario = { ...realisticDefault, thresholds: alarmed };
        const run = await runRealistic(rps, policy, scenario, 1, { startOn });
        costUsd[name] = run.costUsd;
      }
      rows.push({ trace: file.replace(/\.csv$/, ""), scale, costUsd });
    }
  }
  return rows;
}

/** Prints a row per instance, and each policy's mean and worst ratio to the better static. */
export function printRealistic(rows: readonly RealisticRow[]): void {
  const columns = Object.keys(rows[0]?.costUsd ?? {});
  const head = columns.map((name) => name.padStart(15)).join("");
  console.log(`The realistic model, USD in two weeks\n${"".padEnd(38)}${head}`);
  for (const { trace, scale, costUsd } of rows) {
    const cells = columns.map((name) => (costUsd[name] ?? 0).toFixed(2).padStart(15));
    console.log(`${trace.padEnd(27)}${scale.padEnd(11)}${cells.join("")}`);
  }
  const ratios = (name: string): number[] =>
    rows.map(({ costUsd }) => {
      const best = Math.min(costUsd["always-lambda"] ?? 0, costUsd["always-fargate"] ?? 0);
      return (costUsd[name] ?? 0) / best;
    });
  const cells = columns.map((name) => {
    const all = ratios(name);
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    return `${mean.toFixed(3)} (${Math.max(...all).toFixed(2)})`.padStart(15);
  });
  console.log(`${"to the better static, mean (worst)".padEnd(38)}${cells.join("")}`);
}
