/** Instances of the benchmark: a trace at a scale, with both optima and every policy's bill. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Policy } from "../../src/core/types.ts";
import type { Economics } from "../../src/policies/economics.ts";
import { thresholdPolicy } from "../../src/policies/threshold.ts";
import { alarmBoard } from "../../src/sim/alarms.ts";
import { minuteCosts, totalUsd } from "../../src/sim/model.ts";
import { optimumUsd } from "../../src/sim/optimum.ts";
import { replay } from "../../src/sim/replay.ts";
import { parseTraceCsv, scaledTo, scaleNames } from "../../src/sim/traces.ts";

/** One policy's result on an instance. */
export interface PolicyBill {
  readonly costUsd: number;
  readonly transitions: number;
}

/** One row of the benchmark; amounts in USD. */
export interface Instance {
  readonly trace: string;
  readonly scale: string;
  readonly opt: number;
  readonly optNa: number;
  readonly bestStatic: number;
  readonly policies: Readonly<Record<string, PolicyBill>>;
}

/** Runs all traces of a folder, in the order of their names. */
export function runInstances(
  folder: string,
  policies: readonly Policy[],
  economics: Economics,
): readonly Instance[] {
  const perMinute = 60 * economics.breakEvenRps;
  // Alarms at break-even: five busy minutes in a row up, two quiet hours down.
  const thresholds = {
    up: { requestsPerMinute: perMinute, concurrency: 1e9, periods: 5, of: 5 },
    down: { requestsPerMinute: perMinute, minutes: 120 },
  };
  const { tasksMin, rpsPerTask } = economics;
  const requestsPerTaskPerMinute = 60 * rpsPerTask;
  const alarmed = { tasksMin, tasksMax: 1000, requestsPerTaskPerMinute, thresholds };
  const threshold = thresholdPolicy(alarmed);
  const files = readdirSync(folder).filter((name) => name.endsWith(".csv"));
  if (files.length === 0) throw new Error(`no .csv trace in ${folder}`);
  return files.sort().flatMap((file) => {
    const trace = parseTraceCsv(readFileSync(join(folder, file), "utf8"), file);
    const startMs = Math.floor(trace.startSeconds / 60) * 60_000;
    return scaleNames.map((scale): Instance => {
      const costs = minuteCosts(scaledTo(trace.rps, scale, economics.breakEvenRps), economics);
      const lambda = totalUsd(costs.lambdaUsd);
      const fargate = totalUsd(costs.fargateUsd);
      const bills: Record<string, PolicyBill> = {
        "always-lambda": { costUsd: lambda, transitions: 0 },
        "always-fargate": { costUsd: fargate, transitions: 0 },
      };
      for (const policy of [threshold, ...policies]) {
        const alarms = policy === threshold ? alarmBoard(thresholds) : undefined;
        const { costUsd, transitions } = replay(costs, policy, { startMs, alarms });
        bills[policy.name] = { costUsd, transitions };
      }
      return {
        trace: file.replace(/\.csv$/, ""),
        scale,
        opt: optimumUsd(costs),
        optNa: optimumUsd(costs, { onsetBlind: true }),
        bestStatic: Math.min(lambda, fargate),
        policies: bills,
      };
    });
  });
}
