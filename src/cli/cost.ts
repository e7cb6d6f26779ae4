/** `lambdaflex cost`: what a service costs on either tier, and what each setting would change. */
import { type CommandDef, defineCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { numberOption } from "./arguments.ts";
import {
  breakEvenTable,
  fargateIdleUsd,
  idleBill,
  monthHours,
  monthOf,
  sensitivities,
  type Traffic,
} from "./cost-estimate.ts";
import { loadPrices } from "./cost-prices.ts";
import { breakEvenText, idleText, monthText, sensitivityText } from "./cost-tables.ts";
import { openScreen } from "./screen.ts";
import { sourcesOf } from "./simulate.ts";
import { serviceAssumptions, short, switchAssumptions } from "./simulate-assumptions.ts";
import {
  type Given,
  type NumberName,
  numberFields,
  type Parameters,
  type Settings,
  settingsOf,
  wordFields,
} from "./simulate-scenario.ts";
import { type LoadedTrace, loadTrace } from "./simulate-trace.ts";

const args = {
  rate: { type: "string", valueHint: "N", description: "A month at a steady rate, requests/s" },
  trace: {
    type: "string",
    valueHint: "FILE",
    description: "A month like this trace: CSV, access log or CloudWatch export",
  },
  idle: { type: "boolean", description: "Only what is paid without any request" },
  memory: { type: "string", valueHint: "MB", description: "Memory of the Lambda function" },
  duration: { type: "string", valueHint: "MS", description: "Billed duration of a request" },
  front: { type: "string", valueHint: "KIND", description: "http-api, rest-api or function-url" },
  architecture: { type: "string", valueHint: "KIND", description: "x86_64 or arm64, both tiers" },
  "min-tasks": { type: "string", valueHint: "N", description: "Fewest tasks on Fargate" },
  "task-vcpu": { type: "string", valueHint: "N", description: "Processors of a task" },
  "task-memory": { type: "string", valueHint: "MB", description: "Memory of a task" },
  "task-rate": { type: "string", valueHint: "N", description: "Requests/s that a task serves" },
  region: { type: "string", valueHint: "NAME", description: "Region of the prices" },
  prices: { type: "string", valueHint: "FILE", description: "JSON with price lists of regions" },
  scenario: { type: "string", valueHint: "FILE", description: "JSON with parameters of the model" },
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration: memory and tasks; default here",
  },
  json: { type: "boolean", description: "Print the result as one JSON object" },
} as const;

type Options = Readonly<Partial<Record<Exclude<keyof typeof args, "idle" | "json">, string>>> & {
  readonly idle: boolean;
  readonly json: boolean;
};

const command: CommandDef = defineCommand({
  meta: { name: "cost", description: "What your service costs on either tier" },
  args,
  run: ({ args: given }) =>
    cost({ ...given, idle: given.idle === true, json: given.json === true }),
}) as CommandDef;

export default command;

const numberOptions = {
  memory: "lambdaMemoryMB",
  duration: "lambdaDurationMs",
  "min-tasks": "tasksMin",
  "task-vcpu": "taskVcpu",
  "task-memory": "taskMemoryMB",
  "task-rate": "requestsPerSecondPerTask",
} as const satisfies Partial<Record<keyof Options, NumberName>>;

/** What the options say, as the last of the sources. Throws UserError OPTION_INVALID. */
function givenByOptions(options: Options): Given {
  const parameters: Record<string, unknown> = {};
  const flags: Record<string, string> = {};
  for (const [option, name] of Object.entries(numberOptions)) {
    const text = options[option as keyof typeof numberOptions];
    if (text === undefined) continue;
    const { min, max, whole } = numberFields[name];
    parameters[name] = numberOption(
      option,
      text,
      min,
      max,
      whole === true ? "whole number" : "number",
    );
    flags[name] = `--${option}`;
  }
  for (const name of ["front", "architecture"] as const) {
    const word = options[name];
    if (word === undefined) continue;
    const known: readonly string[] = wordFields[name];
    if (!known.includes(word)) {
      const message = `--${name} must be one of ${known.join(", ")}, not "${word}"`;
      throw new UserError("OPTION_INVALID", message, `For example --${name} ${known[0]}.`);
    }
    parameters[name] = word;
  }
  if (options.region !== undefined) parameters.region = options.region;
  return {
    parameters: parameters as Partial<Parameters>,
    thresholds: {},
    realism: {},
    reprice: (prices) => prices,
    placeOf: (key) => flags[key] ?? key,
  };
}

interface Estimate {
  readonly settings: Settings;
  readonly origins: readonly string[];
  readonly traffic: Traffic | null;
  readonly loaded: LoadedTrace | null;
}

async function cost(options: Options): Promise<number> {
  if (options.rate !== undefined && options.trace !== undefined) {
    const hint = "Give --rate for a steady load or --trace for a real one.";
    throw new UserError("OPTION_INVALID", "--rate and --trace exclude each other", hint);
  }
  const own = givenByOptions(options);
  const book = await loadPrices(options.prices);
  const { sources, origins } = await sourcesOf(options.config, options.scenario);
  const settings = settingsOf([...sources, own], book);
  const { traffic, loaded } = await trafficOf(options);
  const estimate = { settings, origins, traffic, loaded };
  if (options.json) process.stdout.write(jsonText(estimate));
  else process.stdout.write(options.idle ? idleOnly(settings) : text(estimate));
  return 0;
}

async function trafficOf(options: Options): Promise<Pick<Estimate, "traffic" | "loaded">> {
  if (options.rate !== undefined) {
    const requestsPerSecond = numberOption("rate", options.rate, 0, 1e9);
    return { traffic: { kind: "rate", requestsPerSecond }, loaded: null };
  }
  if (options.trace === undefined) return { traffic: null, loaded: null };
  const screen = openScreen(process.stderr, () => performance.now());
  try {
    const loaded = await loadTrace(options.trace, screen);
    const { rps, startSeconds } = loaded.trace;
    return { traffic: { kind: "trace", rps, startSeconds }, loaded };
  } finally {
    screen.close();
  }
}

function assumptionsOf({
  settings,
  origins,
  loaded,
}: Omit<Estimate, "traffic">): readonly string[] {
  const month = `a month has 30 days (${monthHours} hours)`;
  const notes = (loaded?.notes ?? []).map((note) => `trace: ${note}`);
  const first =
    origins.length === 0 ? ["parameters: the defaults, unless given as options"] : origins;
  const times = loaded === null ? [] : switchAssumptions(settings);
  return [...first, ...serviceAssumptions(settings), ...times, month, ...notes];
}

function assumed(sentences: readonly string[]): string {
  return ["Assumed:", ...sentences.map((sentence) => `- ${sentence}`), ""].join("\n");
}

function idleOnly(settings: Settings): string {
  const { scenario } = settings;
  const body = idleText(idleBill(scenario), scenario);
  return `${body}\n\n${assumed(assumptionsOf({ settings, origins: [], loaded: null }))}`;
}

function text(estimate: Estimate): string {
  const { settings, traffic, loaded } = estimate;
  const { scenario } = settings;
  const month = traffic === null ? null : monthOf(traffic, scenario);
  const blocks = [breakEvenText(scenario)];
  if (month !== null) blocks.push(monthText(trafficTitle(traffic, loaded), month));
  blocks.push(
    sensitivityText(sensitivities(scenario, traffic), {
      breakEven: settings.economics.breakEvenRps,
      month,
    }),
    idleText(idleBill(scenario), scenario),
    assumed(assumptionsOf(estimate)),
  );
  return blocks.join("\n\n");
}

function trafficTitle(traffic: Traffic | null, loaded: LoadedTrace | null): string {
  if (traffic?.kind === "rate") {
    return `A month at ${short(traffic.requestsPerSecond)} requests/s without interruption`;
  }
  const { rps = new Float64Array(), source = "" } = loaded?.trace ?? {};
  return `A month like ${source} (${short(rps.length / 1440)} days, repeated or cut)`;
}

function jsonText(estimate: Estimate): string {
  const { settings, traffic, loaded } = estimate;
  const { scenario, parameters, economics } = settings;
  const idle = idleBill(scenario);
  const breakEven = economics.breakEvenRps;
  const result = {
    unit: "USD per month of 30 days; rates in requests/s",
    breakEvenRequestsPerSecond: Number.isFinite(breakEven) ? breakEven : null,
    month: traffic === null ? null : monthOf(traffic, scenario),
    traffic:
      traffic?.kind === "rate"
        ? { requestsPerSecond: traffic.requestsPerSecond }
        : loaded && {
            source: loaded.trace.source,
            kind: loaded.kind,
            minutes: loaded.trace.rps.length,
            ...loaded.log,
          },
    idle: {
      total: idle.reduce((sum, { usd }) => sum + usd, 0),
      lines: idle,
      fargateLeftOn: fargateIdleUsd(scenario),
    },
    sensitivities: sensitivities(scenario, traffic),
    breakEvenTable: breakEvenTable(scenario),
    parameters,
    prices: scenario.prices,
    assumptions: assumptionsOf(estimate),
  };
  return `${JSON.stringify(result)}\n`;
}
