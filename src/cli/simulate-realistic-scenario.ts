/** The part of a scenario that only the realistic model reads. */
import { parseConfig } from "../config/parse.ts";
import { engineSettings } from "../config/settings.ts";
import type { Config } from "../config/types.ts";
import { awsDelayRanges, type DelayRanges, type SecondsRange } from "../core/delays.ts";
import {
  type BalancerRounding,
  type ClientBehaviour,
  type FargateBehaviour,
  type LambdaBehaviour,
  type RealisticScenario,
  realisticDefault,
} from "../sim/realistic-scenario.ts";
import {
  entriesOf,
  type JsonFile,
  type NumberField,
  numberOf,
  rangeOf,
  wordOf,
} from "./simulate-fields.ts";

/** What one source says about the realistic model. */
export interface GivenRealism {
  readonly seed?: number;
  readonly standby?: "warm" | "cold";
  readonly balancerRounding?: BalancerRounding;
  readonly clients?: Partial<ClientBehaviour>;
  readonly lambda?: Partial<LambdaBehaviour>;
  readonly fargate?: Partial<FargateBehaviour>;
  /** The configuration's section of the same name; what is left out stays. */
  readonly transition?: Partial<Config["transition"]>;
  readonly delays?: Partial<DelayRanges>;
  readonly metricLagSeconds?: SecondsRange;
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

const ranges: readonly (keyof DelayRanges)[] = [
  "balancerSeconds",
  "taskStartSeconds",
  "removalSeconds",
  "dnsSeconds",
  "alarmSeconds",
];

/** Keys that are read one by one. */
const single = ["seed", "standby", "balancerRounding", "transition", "delays", "metricLagSeconds"];

/** Reads the section `realistic`. Throws UserError with a SCENARIO_ code. */
export function realismOf(file: JsonFile, raw: unknown): GivenRealism {
  const known = [...single, ...Object.keys(groups)];
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
  if (given.transition !== undefined) result.transition = transitionOf(file, given.transition);
  if (given.delays !== undefined) {
    const entries = Object.entries(entriesOf(file, given.delays, ranges, "realistic.delays."));
    result.delays = Object.fromEntries(
      entries.map(([name, value]) => {
        return [name, rangeOf(file, `realistic.delays.${name}`, value, seconds)];
      }),
    );
  }
  if (given.metricLagSeconds !== undefined) {
    const lag = rangeOf(file, "realistic.metricLagSeconds", given.metricLagSeconds, seconds);
    result.metricLagSeconds = lag;
  }
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

/** Checked by the configuration's own schema, errors included; only what was given is taken. */
function transitionOf(file: JsonFile, raw: unknown): Partial<Config["transition"]> {
  const { transition } = parseConfig(onlyTransition(raw), "", `${file.path}: realistic`);
  const given = Object.keys(raw as object);
  return Object.fromEntries(Object.entries(transition).filter(([key]) => given.includes(key)));
}

/** The smallest configuration around the one section that matters here. */
function onlyTransition(transition: unknown): unknown {
  return { command: "true", transition };
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
      delays: {
        ...(standby === undefined ? realistic.delays : awsDelayRanges(standby)),
        ...source.delays,
      },
      metricLagSeconds: source.metricLagSeconds ?? realistic.metricLagSeconds,
      balancerRounding: source.balancerRounding ?? realistic.balancerRounding,
      clients: { ...realistic.clients, ...source.clients },
      lambda: { ...realistic.lambda, ...source.lambda },
      fargate: { ...realistic.fargate, ...source.fargate },
    };
  }
  const transition = Object.assign({}, ...sources.map((source) => source.transition));
  const config = parseConfig(onlyTransition(transition), "", "the transition");
  const engine = { ...engineSettings(config), tasksMin, tasksMax };
  return { realistic: { ...realistic, engine }, seed };
}
