/** The simulator: the same engine in virtual time, its cost model and the offline optimum. */
export { SimCloud, type SimCloudOptions } from "./cloud.ts";
export { economicsOfScenario, minuteCosts, type Scenario, scenarioDefault } from "./model.ts";
export { type OptimumOptions, optimumUsd } from "./optimum.ts";
export {
  type RealisticOptions,
  type RealisticResult,
  type RealisticTransition,
  runRealistic,
} from "./realistic.ts";
export { RealisticCloud, type RealisticMinute } from "./realistic-cloud.ts";
export {
  idealisedScenario,
  type RealisticScenario,
  realisticDefault,
} from "./realistic-scenario.ts";
export { type ReplayOptions, type ReplayResult, replay } from "./replay.ts";
export { type RunOptions, type RunResult, runEngine } from "./run.ts";
export { parseTraceCsv, type Trace, TraceFormatError } from "./traces.ts";
