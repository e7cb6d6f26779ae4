/**
 * Every parameter of the cost model, by name and with its unit: from defaults, a configuration, a
 * scenario file and options, in this order.
 */
import { UserError } from "../config/errors.ts";
import { fargateOffer, fargateOffers } from "../config/fargate-sizes.ts";
import type { Config } from "../config/types.ts";
import type { Thresholds } from "../core/alarms.ts";
import { type CostProfile, profileDefault } from "../core/cost.ts";
import type { Prices } from "../core/prices.ts";
import {
  type Economics,
  economicsOf,
  switchTimesDefault,
  switchTimesOf,
} from "../policies/economics.ts";
import type { PolicyInput } from "../policies/named.ts";
import type { Scenario } from "../sim/model.ts";
import type { RealisticScenario } from "../sim/realistic-scenario.ts";
import { type PriceBook, priceKeys, pricesOf, withPrices } from "./cost-prices.ts";
import {
  entriesOf,
  type FileCodes,
  type JsonFile,
  type NumberField,
  numberOf,
  placeOf,
  readJsonFile,
  textOf,
  wordOf,
} from "./simulate-fields.ts";
import { type GivenRealism, realismOf, realisticOf } from "./simulate-realistic-scenario.ts";

const positive = 1e-6;

/** A number of the model by name. */
export type NumberName =
  | Exclude<keyof CostProfile, "architecture" | "front">
  | "upMinutes"
  | "downMinutes"
  | "metricLagMinutes"
  | "balancerHoursLost"
  | "tasksMax";

/** The numbers of the model. The bounds are AWS's where it has some. */
export const numberFields: Readonly<Record<NumberName, NumberField>> = {
  lambdaMemoryMB: { min: 128, max: 10_240, whole: true, unit: "MB" },
  lambdaDurationMs: { min: positive, max: 900_000, unit: "ms billed per request" },
  taskVcpu: { min: 0.25, max: 16, unit: "vCPU" },
  taskMemoryMB: { min: 512, max: 122_880, whole: true, unit: "MB" },
  tasksMin: { min: 1, max: 100_000, whole: true, unit: "tasks" },
  tasksMax: { min: 1, max: 100_000, whole: true, unit: "tasks" },
  requestsPerSecondPerTask: { min: positive, max: 1e6, unit: "requests/s" },
  balancerZones: { min: 1, max: 10, whole: true, unit: "zones, one address each" },
  connectionsPerRequest: { min: 0, max: 1, unit: "new connections per request" },
  trafficKB: { min: 0, max: 1e6, unit: "KB per request, in and out" },
  upMinutes: { min: 1, max: 1440, whole: true, unit: "minutes" },
  downMinutes: { min: 1, max: 1440, whole: true, unit: "minutes" },
  metricLagMinutes: { min: 0, max: 60, whole: true, unit: "minutes" },
  balancerHoursLost: { min: 0, max: 1, unit: "hours per removal" },
};

/** The words of the model. */
export const wordFields: {
  readonly architecture: readonly CostProfile["architecture"][];
  readonly front: readonly CostProfile["front"][];
} = {
  architecture: ["x86_64", "arm64"],
  front: ["http-api", "rest-api", "function-url"],
};

/** All parameters except prices and thresholds. */
export type Parameters = Readonly<Record<NumberName, number>> &
  Pick<CostProfile, "architecture" | "front"> & { readonly region: string };

/** The base configuration of the benchmark. */
export const parametersDefault: Parameters = {
  ...profileDefault,
  ...switchTimesDefault,
  tasksMax: 1000,
  region: "us-east-1",
};

const numberNames = Object.keys(numberFields) as readonly NumberName[];

const scenarioCodes: FileCodes = {
  notFound: "SCENARIO_NOT_FOUND",
  syntax: "SCENARIO_SYNTAX",
  keyUnknown: "SCENARIO_KEY_UNKNOWN",
  valueInvalid: "SCENARIO_VALUE_INVALID",
};

/** What one source sets. */
export interface Given {
  readonly parameters: Partial<Parameters>;
  readonly thresholds: PartialThresholds;
  readonly realism: GivenRealism;
  /** Prices that differ from the region's list. */
  readonly reprice: (prices: Prices) => Prices;
  /** How a key of this source is named in an error. */
  readonly placeOf: (key: string) => string;
}

/** Thresholds of which any may be left out. */
export interface PartialThresholds {
  readonly up?: Partial<Thresholds["up"]>;
  readonly down?: Partial<Thresholds["down"]>;
}

/** Reads a scenario file. Throws UserError with a SCENARIO_ code. */
export async function loadScenario(path: string): Promise<Given> {
  const file = await readJsonFile(path, scenarioCodes);
  const known = [
    ...numberNames,
    ...Object.keys(wordFields),
    "region",
    "prices",
    "thresholds",
    "realistic",
  ];
  const given = entriesOf(file, file.raw, known);
  const parameters: Record<string, unknown> = {};
  for (const name of numberNames) {
    if (given[name] === undefined) continue;
    parameters[name] = numberOf(file, name, given[name], numberFields[name]);
  }
  for (const [name, known] of Object.entries(wordFields)) {
    if (given[name] !== undefined) parameters[name] = wordOf(file, name, given[name], known);
  }
  if (given.region !== undefined) {
    parameters.region = textOf(file, "region", given.region, parametersDefault.region);
  }
  const { thresholds = {}, prices = {}, realistic = {} } = given;
  const repriced = entriesOf(file, prices, priceKeys, "prices.");
  return {
    parameters: parameters as Partial<Parameters>,
    thresholds: thresholdsOf(file, thresholds),
    realism: realismOf(file, realistic),
    reprice: (list) => withPrices(list, file, repriced),
    placeOf: (key) => placeOf(file, key),
  };
}

const perMinute = { min: 1, max: 1e9, unit: "requests per minute" };
const minutes = { min: 1, max: 1440, whole: true, unit: "minutes" };

function thresholdsOf(file: JsonFile, raw: unknown): PartialThresholds {
  const { up, down } = entriesOf(file, raw, ["up", "down"], "thresholds.");
  const numbers = (
    side: string,
    part: unknown,
    allowed: Readonly<Record<string, NumberField>>,
  ): Record<string, number> => {
    const prefix = `thresholds.${side}.`;
    const given = Object.entries(entriesOf(file, part, Object.keys(allowed), prefix));
    return Object.fromEntries(
      given.map(([name, value]) => {
        const field = allowed[name] ?? minutes;
        return [name, numberOf(file, `${prefix}${name}`, value, field)];
      }),
    );
  };
  const concurrency = { min: 1, max: 1e9, whole: true, unit: "requests at once" };
  const ups = { requestsPerMinute: perMinute, concurrency, periods: minutes, of: minutes };
  const downs = { requestsPerMinute: perMinute, minutes };
  return {
    ...(up === undefined ? {} : { up: numbers("up", up, ups) }),
    ...(down === undefined ? {} : { down: numbers("down", down, downs) }),
  };
}

/** What a configuration says about the model. */
export function givenByConfig(config: Config): Given {
  const { lambda, fargate, thresholds, standby, transition, frontDoor } = config;
  const { concurrencyMax } = lambda;
  return {
    parameters: {
      architecture: lambda.architecture,
      front: frontDoor === "rest" ? "rest-api" : "http-api",
      lambdaMemoryMB: lambda.memoryMB,
      taskVcpu: fargate.vcpu,
      taskMemoryMB: fargate.memoryMB,
      tasksMin: fargate.minTasks,
      tasksMax: fargate.maxTasks,
      requestsPerSecondPerTask: fargate.requestsPerTaskPerMinute / 60,
    },
    thresholds,
    realism: { standby, lambda: { concurrencyMax }, transition },
    reprice: (prices) => prices,
    placeOf: (key) => `the configuration's ${key}`,
  };
}

/** Everything a simulation needs to know besides the traffic. */
export interface Settings {
  readonly parameters: Parameters;
  readonly scenario: Scenario;
  readonly economics: Economics;
  readonly thresholds: Thresholds;
  readonly realistic: RealisticScenario;
  /** Seed of what the realistic model draws. */
  readonly seed: number;
}

/** Puts the sources together; later ones win. Throws UserError. */
export function settingsOf(sources: readonly Given[], book: PriceBook): Settings {
  let parameters = parametersDefault;
  for (const source of sources) parameters = { ...parameters, ...source.parameters };
  checkTogether(parameters, (key) => {
    const source = sources.findLast((one) => Object.hasOwn(one.parameters, key));
    return source?.placeOf(key) ?? key;
  });
  let prices = pricesOf(book, parameters.region);
  for (const { reprice } of sources) prices = reprice(prices);
  const { upMinutes, downMinutes, metricLagMinutes, balancerHoursLost } = parameters;
  const switching = { upMinutes, downMinutes, metricLagMinutes, balancerHoursLost };
  const times = { ...switchTimesDefault, ...switching };
  const { tasksMax: _, region: __, ...rest } = parameters;
  const profile: CostProfile = rest;
  const economics = economicsOf(profile, times, prices);
  let thresholds = thresholdsAtBreakEven(economics);
  for (const { thresholds: given } of sources) {
    thresholds = {
      up: { ...thresholds.up, ...given.up },
      down: { ...thresholds.down, ...given.down },
    };
  }
  checkThresholds(thresholds, (key) => {
    const [, side = "", name = ""] = key.split(".");
    const source = sources.findLast(({ thresholds: given }) => {
      const part: object = given[side as keyof Thresholds] ?? {};
      return Object.hasOwn(part, name);
    });
    return source?.placeOf(key) ?? key;
  });
  const scenario = { profile, times, prices };
  const realism = sources.map((source) => source.realism);
  const { realistic, seed } = realisticOf(
    { ...scenario, thresholds },
    parameters.tasksMax,
    realism,
  );
  return { parameters, scenario, economics, thresholds, realistic, seed };
}

/** What a policy of these settings is made from: it plans with the times of its world. */
export function policyInputOf(settings: Settings, mode: "ideal" | "realistic"): PolicyInput {
  const { thresholds, parameters, scenario } = settings;
  const { engine, delays, metricLagSeconds, fargate } = settings.realistic;
  const { scaleInMinutes } = fargate;
  const economics =
    mode === "ideal"
      ? settings.economics
      : economicsOf(
          scenario.profile,
          switchTimesOf(engine, { delays, metricLagSeconds, scaleInMinutes }),
          scenario.prices,
        );
  const { tasksMin, tasksMax, requestsPerSecondPerTask } = parameters;
  const requestsPerTaskPerMinute = 60 * requestsPerSecondPerTask;
  return { economics, thresholds, tasksMin, tasksMax, requestsPerTaskPerMinute };
}

/** Five busy minutes in a row up, two quiet hours down. */
function thresholdsAtBreakEven({ breakEvenRps }: Economics): Thresholds {
  const requestsPerMinute = 60 * breakEvenRps;
  return {
    up: { requestsPerMinute, concurrency: 1e9, periods: 5, of: 5 },
    down: { requestsPerMinute, minutes: 120 },
  };
}

/** What each number allows may be impossible together. `where` names the place of a key. */
function checkTogether(parameters: Parameters, where: (key: string) => string): void {
  const { tasksMin, tasksMax, taskVcpu, taskMemoryMB } = parameters;
  if (tasksMin > tasksMax) {
    const bounds = `${tasksMin} tasks at least, ${tasksMax} at most (tasksMax)`;
    const message = `${where("tasksMin")}: ${bounds}`;
    throw new UserError("TASKS_INVALID", message, "Lower the least or raise the most.");
  }
  if (!fargateOffers({ vcpu: taskVcpu, memoryMB: taskMemoryMB })) {
    const message =
      `${where("taskMemoryMB")}: Fargate offers no task of ${taskVcpu} vCPU with ` +
      `${taskMemoryMB} MB`;
    const sizes = "Fargate has 0.25, 0.5, 1, 2, 4, 8 and 16 vCPU";
    const known = [0.25, 0.5, 1, 2, 4, 8, 16].includes(taskVcpu);
    const hint = known ? `With ${taskVcpu} vCPU choose ${fargateOffer(taskVcpu)}.` : `${sizes}.`;
    throw new UserError("FARGATE_SIZE_INVALID", message, hint);
  }
}

function checkThresholds({ up, down }: Thresholds, where: (key: string) => string): void {
  if (up.periods > up.of) {
    const numbers = `${up.periods} minutes out of ${up.of} cannot be`;
    const message = `${where("thresholds.up.periods")}: ${numbers}`;
    throw new UserError("PERIODS_INVALID", message, "Raise thresholds.up.of, for example 2 of 3.");
  }
  if (down.requestsPerMinute > up.requestsPerMinute) {
    const message =
      `${where("thresholds.up.requestsPerMinute")} (${up.requestsPerMinute}) is below ` +
      `thresholds.down.requestsPerMinute (${down.requestsPerMinute}): busy and quiet at once`;
    throw new UserError("THRESHOLDS_TOO_CLOSE", message, "Raise the one or lower the other.");
  }
}
