/** The part of a scenario that only the realistic model reads. */
import { awsDelayRanges } from "../core/delays.ts";
import type { EngineSettings } from "../core/types.ts";
import {
  type BalancerRounding,
  type ClientBehaviour,
  type FargateBehaviour,
  type LambdaBehaviour,
  type RealisticScenario,
  realisticDefault,
} from "../sim/realistic-scenario.ts";
import { entriesOf, type JsonFile, type NumberField, numberOf, wordOf } from "./simulate-fields.ts";

/** What one source says about the realistic model. */
export interface GivenRealism {
  readonly seed?: number;
  readonly standby?: "warm" | "cold";
  readonly balancerRounding?: BalancerRounding;
  readonly clients?: Partial<ClientBehaviour>;
  readonly lambda?: Partial<LambdaBehaviour>;
  readonly fargate?: Partial<FargateBehaviour>;
  readonly engine?: EngineSettings;
}

const seconds: NumberField = { min: 0, max: 86_400, unit: "seconds" };
const minutes: NumberField = { min: 1, max: 60, whole: true, unit: "minutes" };
const environments: NumberField = { min: 1, max: 1e6, whole: true, unit: "environments" };

const groups: Readonly<Record<string, Readonly<Record<string, NumberField | readonly string[]>>>> =
  {
    clients: {
      ttlExtendersShare: { min: 0, max: 1, unit: "share of the traffic" },
      ttlExtendedSeconds: seconds,
    },
    lambda: {
      concurrencyMax: environments,
      environmentsPer10Seconds: environments,
      environmentIdleSeconds: seconds,
      coldStartSeconds: seconds,
    },
    fargate: {
      rpsPerTaskMax: { min: 1e-6, max: 1e6, unit: "requests/s" },
      autoscaling: ["reactive", "ideal"],
      excess: ["queue", "lambda"],
      requestTimeoutSeconds: { ...seconds, min: 1 },
      scaleOutMinutes: minutes,
      scaleInMinutes: minutes,
      scaleOutCooldownSeconds: seconds,
      scaleInCooldownSeconds: seconds,
      healthySeconds: seconds,
      pullSeconds: seconds,
      stopSeconds: seconds,
      billedSecondsMin: seconds,
    },
  };

/** Reads the section `realistic`. Throws UserError with a SCENARIO_ code. */
export function realismOf(file: JsonFile, raw: unknown): GivenRealism {
  const known = ["seed", "standby", "balancerRounding", ...Object.keys(groups)];
  const given = entriesOf(file, raw, known, "realistic.");
  const result: Record<string, unknown> = {};
  if (given.seed !== undefined) {
    const field = { min: 0, max: 2 ** 31, whole: true, unit: "any whole number" };
    result.seed = numberOf(file, "realistic.seed", given.seed, field);
  }
  const word = (key: string, words: readonly string[]): void => {
    if (given[key] !== undefined) result[key] = wordOf(file, `realistic.${key}`, given[key], words);
  };
  word("standby", ["warm", "cold"]);
  word("balancerRounding", ["whole-hours", "mean"]);
  for (const [group, fields] of Object.entries(groups)) {
    if (given[group] === undefined) continue;
    const prefix = `realistic.${group}.`;
    const entries = Object.entries(entriesOf(file, given[group], Object.keys(fields), prefix));
    result[group] = Object.fromEntries(
      entries.map(([name, value]) => {
        const field = fields[name] ?? [];
        const checked =
          "min" in field
            ? numberOf(file, `${prefix}${name}`, value, field)
            : wordOf(file, `${prefix}${name}`, value, field);
        return [name, checked];
      }),
    );
  }
  return result;
}

/** The realistic model around a scenario of the ideal one; later sources win. */
export function realisticOf(
  base: Pick<RealisticScenario, "profile" | "times" | "prices" | "thresholds">,
  tasksMax: number,
  sources: readonly GivenRealism[],
): { readonly realistic: RealisticScenario; readonly seed: number } {
  const { tasksMin, requestsPerSecondPerTask } = base.profile;
  const { rpsPerTaskMax } = realisticDefault.fargate;
  let seed = 1;
  let realistic: RealisticScenario = {
    ...realisticDefault,
    ...base,
    // Target tracking aims at 60 % of what a task can do.
    fargate: {
      ...realisticDefault.fargate,
      rpsPerTaskMax:
        requestsPerSecondPerTask === 50 ? rpsPerTaskMax : requestsPerSecondPerTask / 0.6,
    },
  };
  for (const source of sources) {
    const { standby } = source;
    seed = source.seed ?? seed;
    realistic = {
      ...realistic,
      engine: source.engine ?? realistic.engine,
      delays: standby === undefined ? realistic.delays : awsDelayRanges(standby),
      balancerRounding: source.balancerRounding ?? realistic.balancerRounding,
      clients: { ...realistic.clients, ...source.clients },
      lambda: { ...realistic.lambda, ...source.lambda },
      fargate: { ...realistic.fargate, ...source.fargate },
    };
  }
  return { realistic: { ...realistic, engine: { ...realistic.engine, tasksMin, tasksMax } }, seed };
}
