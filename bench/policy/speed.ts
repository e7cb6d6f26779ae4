/**
 * How many ticks a second the engine makes in the ideal model: a year of minutes on one core.
 *
 * The thread's own time counts, so that what else the machine is busy with does not.
 */
import { economicsOf } from "../../src/policies/economics.ts";
import { policyNamed } from "../../src/policies/named.ts";
import { alarmBoard } from "../../src/sim/alarms.ts";
import { minuteCosts } from "../../src/sim/model.ts";
import { runEngine } from "../../src/sim/run.ts";

/** One policy's pace. */
export interface Pace {
  readonly policy: string;
  readonly ticksPerSecond: number;
  readonly secondsPerYear: number;
}

const year = 365 * 1440;

/** Runs each policy through the same year after a short warm-up; the best of three counts. */
export async function measurePaces(): Promise<readonly Pace[]> {
  const economics = economicsOf();
  // A day's wave around the break-even rate with a little unrest: about two switches a day.
  const rps = Float64Array.from({ length: year }, (_, minute) => {
    return 20 * (1 + Math.sin(minute / 229)) + ((minute * 7919) % 13);
  });
  const costs = minuteCosts(rps, economics);
  const warmUp = minuteCosts(rps.slice(0, year / 12), economics);
  const perMinute = 60 * economics.breakEvenRps;
  const thresholds = {
    up: { requestsPerMinute: perMinute, concurrency: 1e9, periods: 5, of: 5 },
    down: { requestsPerMinute: perMinute, minutes: 120 },
  };
  const size = { tasksMin: 2, tasksMax: 1000, requestsPerTaskPerMinute: 3000 };
  const paces: Pace[] = [];
  for (const name of ["always-lambda", "work-function", "break-even", "threshold", "auto"]) {
    const options = name === "threshold" ? () => ({ alarms: alarmBoard(thresholds) }) : () => ({});
    const policy = policyNamed(name, { economics, thresholds, ...size });
    await runEngine(warmUp, policy, options());
    let seconds = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round += 1) {
      const begun = threadSeconds();
      await runEngine(costs, policy, options());
      seconds = Math.min(seconds, threadSeconds() - begun);
    }
    paces.push({ policy: name, ticksPerSecond: year / seconds, secondsPerYear: seconds });
  }
  return paces;
}

function threadSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

/** Prints a line per policy. */
export function printPaces(paces: readonly Pace[]): void {
  console.log("The engine's own tick in the ideal model, a year of minutes on one core");
  for (const { policy, ticksPerSecond, secondsPerYear } of paces) {
    const pace = `${Math.round(ticksPerSecond / 1000)} k ticks/s`;
    console.log(
      `${policy.padEnd(15)}${pace.padStart(15)}${secondsPerYear.toFixed(2).padStart(9)} s`,
    );
  }
}
