/** `lambdaflex simulate`: your own traffic, replayed through the engine in virtual time, priced. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { policyNames } from "../policies/named.ts";
import { numberOption, repeatable, valuesOf } from "./arguments.ts";
import { loadPrices } from "./cost-prices.ts";
import { checkReport } from "./report-file.ts";
import { bar, openScreen, type Screen } from "./screen.ts";
import { short } from "./simulate-assumptions.ts";
import { checkPolicies, type Mode, policyNamesDefault, simulated } from "./simulate-policies.ts";
import { type Given, givenByConfig, loadScenario, settingsOf } from "./simulate-scenario.ts";
import { assumptionsOf, simulationText, type TableInput } from "./simulate-table.ts";
import { type LoadedTrace, loadTrace } from "./simulate-trace.ts";

const args = {
  trace: {
    type: "string",
    valueHint: "FILE",
    description: "CSV timestamp_seconds,requests, access log or CloudWatch export; may be gzipped",
  },
  scenario: {
    type: "string",
    valueHint: "FILE",
    description:
      "JSON with parameters of the model; default the configuration's, else a small service",
  },
  policy: {
    type: "string",
    valueHint: "NAME…",
    description: `Which to compare: ${policyNames.join(", ")}; default all but the last two`,
    ...repeatable,
  },
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration: memory, tasks, thresholds; default here",
  },
  prices: { type: "string", valueHint: "FILE", description: "JSON with price lists of regions" },
  peak: {
    type: "string",
    valueHint: "N",
    description: "Scale the trace to this many requests/s in its busiest minute; default as it is",
  },
  mode: {
    type: "string",
    default: "realistic",
    valueHint: "MODE",
    description:
      "realistic: drawn delays, lagging clients, reactive scaling; ideal: the benchmark's",
  },
  report: {
    type: "string",
    valueHint: "FILE",
    description: "Write one self-contained HTML page with plots",
  },
  record: {
    type: "string",
    valueHint: "FILE",
    description: "Write the first policy's run as NDJSON, for lambdaflex replay",
  },
  json: { type: "boolean", description: "Print the result as one JSON object" },
} as const;

interface Options {
  readonly trace: string;
  readonly scenario: string | undefined;
  readonly policies: readonly string[];
  readonly config: string | undefined;
  readonly prices: string | undefined;
  readonly mode: Mode;
  readonly peak: number | null;
  readonly report: string | undefined;
  readonly record: string | undefined;
  readonly json: boolean;
}

const command: CommandDef = defineCommand({
  meta: { name: "simulate", description: "What a policy would have cost for your own traffic" },
  args,
  run: ({ args: given, rawArgs }) => {
    if (given.trace === undefined) {
      const hint = "For example --trace access.log.gz, or a CSV file timestamp_seconds,requests.";
      throw new UserError("OPTION_INVALID", "--trace is missing", hint);
    }
    const named = valuesOf("policy", rawArgs);
    return simulate({
      trace: given.trace,
      scenario: given.scenario,
      policies: named.length === 0 ? policyNamesDefault : named,
      config: given.config,
      prices: given.prices,
      mode: modeOf(given.mode),
      peak: given.peak === undefined ? null : numberOption("peak", given.peak, 1e-3, 1e7),
      report: given.report,
      record: given.record,
      json: given.json === true,
    });
  },
}) as CommandDef;

export default command;

function modeOf(word: string): Mode {
  if (word === "ideal" || word === "realistic") return word;
  const message = `--mode must be realistic or ideal, not "${word}"`;
  throw new UserError("OPTION_INVALID", message, "For example --mode ideal.");
}

async function simulate(options: Options): Promise<number> {
  checkPolicies(options.policies);
  const { sources, origins } = await sourcesOf(options.config, options.scenario);
  const settings = settingsOf(sources, await loadPrices(options.prices));
  // Loaded only where it is needed: nobody who wants a table should wait for plots.
  const kept = options.report !== undefined || options.record !== undefined;
  const report = kept ? await import("./simulate-report.ts") : null;
  if (options.report !== undefined) await checkReport(options.report);
  const screen = openScreen(process.stderr, () => performance.now());
  try {
    const loaded = scaledTo(await loadTrace(options.trace, screen), options.peak);
    const { rps, startSeconds } = loaded.trace;
    const simulation = await simulated({
      mode: options.mode,
      settings,
      rps,
      startSeconds,
      names: options.policies,
      keepCourses: kept,
      onProgress: progressOf(screen),
    });
    screen.picture([]);
    const input: TableInput = { loaded, settings, simulation, origins };
    if (options.report !== undefined) await report?.writeReport(options.report, input);
    if (options.record !== undefined) {
      await report?.writeRecording(options.record, input, options.policies[0] ?? "");
    }
    process.stdout.write(options.json ? jsonText(input) : simulationText(input));
    if (options.report !== undefined) screen.say(`report: ${options.report}`);
    if (options.record !== undefined) screen.say(`recording: ${options.record}`);
    const broken = loaded.log?.firstBroken ?? null;
    if (broken !== null) screen.say(`the first broken line, ${broken.line}: "${broken.text}"`);
    return 0;
  } finally {
    screen.close();
  }
}

function scaledTo(loaded: LoadedTrace, peak: number | null): LoadedTrace {
  if (peak === null) return loaded;
  const { trace } = loaded;
  const factor = peak / trace.rps.reduce((most, rate) => Math.max(most, rate), 0);
  const notes = [
    ...loaded.notes,
    `every minute multiplied by ${short(factor)}: peak ${short(peak)}`,
  ];
  return { ...loaded, trace: { ...trace, rps: trace.rps.map((rate) => rate * factor) }, notes };
}

/** Where parameters come from. A scenario stands by itself unless a configuration is named too. */
export async function sourcesOf(
  config: string | undefined,
  scenario: string | undefined,
): Promise<{ readonly sources: readonly Given[]; readonly origins: readonly string[] }> {
  const sources: Given[] = [];
  const origins: string[] = [];
  // The schema is only loaded where there is something to check.
  if (config !== undefined || (scenario === undefined && (await configHere()))) {
    const { loadConfig } = await import("../config/index.ts");
    const loaded = await loadConfig(config);
    sources.push(givenByConfig(loaded.config));
    origins.push(`memory, tasks, architecture and thresholds: ${basename(loaded.file)}`);
  }
  if (scenario !== undefined) {
    sources.push(await loadScenario(scenario));
    origins.push(`parameters: ${basename(scenario)}, the others by default`);
  }
  return { sources, origins };
}

async function configHere(): Promise<boolean> {
  const { configFiles } = await import("../config/index.ts");
  return configFiles.some((name) => existsSync(join(process.cwd(), name)));
}

function progressOf(screen: Screen): (name: string, share: number) => void {
  let drawnMs = performance.now();
  return (name, share) => {
    if (performance.now() - drawnMs < 100) return;
    drawnMs = performance.now();
    const line = `${name.padEnd(14)} ${bar(share, 24)} ${Math.round(100 * share)} %`;
    screen.picture([line]);
  };
}

function jsonText(input: TableInput): string {
  const { loaded, settings, simulation } = input;
  const { courses: _, ...figures } = simulation;
  const { trace, kind, log } = loaded;
  const facts = {
    source: trace.source,
    kind,
    startSeconds: trace.startSeconds,
    bucketSeconds: trace.bucketSeconds,
    minutes: trace.rps.length,
    ...log,
  };
  const breakEven = settings.economics.breakEvenRps;
  const result = {
    ...figures,
    unit: "USD over the whole trace",
    mode: simulation.realistic === null ? "ideal" : "realistic",
    ...(simulation.realistic === null ? {} : { seed: settings.seed }),
    breakEvenRequestsPerSecond: Number.isFinite(breakEven) ? breakEven : null,
    trace: facts,
    parameters: settings.parameters,
    prices: settings.scenario.prices,
    assumptions: assumptionsOf(input),
  };
  return `${JSON.stringify(result)}\n`;
}
