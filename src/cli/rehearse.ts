/** `lambdaflex rehearse`: one whole cycle under real traffic, judged at the end. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommandDef, defineCommand } from "citty";
import { type Config, configFiles, loadMix, UserError } from "../config/index.ts";
import { profileOf } from "../config/policy.ts";
import { parseTrace, TraceError, type TraceShape } from "../local/load/shape.ts";
import { forget } from "../local/memory.ts";
import { RehearsalAborted, type RehearsalResult, runRehearsal } from "../local/rehearsal.ts";
import { openRunFiles } from "../local/run-files.ts";
import { createLocalStream } from "../local/run-stream.ts";
import type { Local } from "../local/start.ts";
import { choiceOption, numberOption } from "./arguments.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { asUserError } from "./local-errors.ts";
import { lockState, type Prepared, prepare } from "./prepare.ts";
import { rehearsalSummary } from "./rehearsal-summary.ts";
import { rehearsalView } from "./rehearsal-view.ts";
import { type RuntimeChoice, runtimeArgs, runtimeChoice } from "./runtime.ts";
import { count, openScreen, type Screen } from "./screen.ts";
import { openWeb, type WebWishes, webArgs, webWishes } from "./web.ts";
import { webAddressArgs } from "./web-address.ts";

/** The whole trace passes in this virtual time; the ebb and the way down follow. */
const replayMs = 45 * 60_000;
/** A cycle that is not complete by then never will be. */
const deadlineMs = 4 * 60 * 60_000;

/** A rehearsal shows the ways; when they pay is what `simulate` tells. */
const policies = ["threshold", "auto", "break-even", "work-function"] as const;

const args = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here, else the shipped pet store",
  },
  trace: {
    type: "string",
    valueHint: "FILE",
    description: "CSV timestamp_seconds,requests; default a match day of the 1998 World Cup",
  },
  peak: {
    type: "string",
    default: "400",
    valueHint: "N",
    description: "Requests/s at the trace's highest point",
  },
  speed: {
    type: "string",
    default: "60",
    valueHint: "N",
    description: "Virtual seconds per real second",
  },
  seed: {
    type: "string",
    default: "1",
    valueHint: "N",
    description: "Seed of arrivals and delays",
  },
  policy: {
    type: "string",
    default: "threshold",
    valueHint: "NAME",
    description: "What decides; the other policies weigh costs, which takes minutes longer",
  },
  json: { type: "boolean", description: "Print the result as one JSON object" },
  ...runtimeArgs,
  ...webArgs,
  ...webAddressArgs,
} as const;

interface Options {
  readonly config: string | undefined;
  readonly trace: string | undefined;
  readonly peak: number;
  readonly speed: number;
  readonly seed: number;
  readonly policy: Config["policy"];
  readonly json: boolean;
  readonly runtime: RuntimeChoice;
  readonly web: WebWishes;
}

const command: CommandDef = defineCommand({
  meta: { name: "rehearse", description: "One whole cycle under real traffic on this machine" },
  args,
  run: ({ args: given, rawArgs }) =>
    rehearse({
      config: given.config,
      trace: given.trace,
      peak: numberOption("peak", given.peak, 1, 20_000),
      speed: numberOption("speed", given.speed, 1, 600),
      seed: numberOption("seed", given.seed, 0, 2 ** 31, "whole number"),
      policy: choiceOption("policy", given.policy, policies) ?? "threshold",
      json: given.json === true,
      runtime: runtimeChoice(given),
      web: webWishes(given, rawArgs),
    }),
}) as CommandDef;

export default command;

async function rehearse(options: Options): Promise<number> {
  const screen = openScreen(process.stderr, () => performance.now());
  const interrupt = interruptSignal();
  try {
    const shape = await readTrace(options.trace);
    const config = options.config ?? defaultConfig();
    const { runtime, policy } = options;
    const prepared = await prepare(config, screen.say, interrupt.signal, runtime, policy);
    const result = await run(options, prepared, shape, screen, interrupt.signal).finally(
      prepared.close,
    );
    const text = options.json ? `${JSON.stringify(result)}\n` : rehearsalSummary(result);
    process.stdout.write(text);
    return result.ok ? 0 : 1;
  } catch (error) {
    screen.close();
    if (!interrupt.signal.aborted) throw asUserError(error);
    screen.say("interrupted; everything is stopped, the next start resumes");
    return interruptedCode;
  } finally {
    interrupt.dispose();
  }
}

async function run(
  options: Options,
  prepared: Prepared,
  shape: TraceShape,
  screen: Screen,
  signal: AbortSignal,
): Promise<RehearsalResult> {
  const { loaded, local } = prepared;
  const { config, folder } = loaded;
  const state = await lockState(folder, "rehearse");
  const view = rehearsalView(screen);
  const { peak, speed, seed } = options;
  screen.say(
    `rehearsing ${config.name}: peak ${peak} requests/s, ${speed} × as fast, seed ${seed}, ` +
      `policy ${config.policy}`,
  );
  const profile = profileOf(config);
  const cloud = { ...local, speed, seed, startMs: Date.now() };
  const { requests } = config.load;
  const stream = createLocalStream({ command: "rehearse", local: cloud, profile, requests });
  const files = await openRunFiles(state.path, stream);
  const web = await openWeb(stream, { ...options.web, say: screen.say });
  if (web.url !== null) screen.say(`the page: ${web.url}`);
  let running: Local | null = null;
  try {
    const result = await runRehearsal({
      local: {
        ...cloud,
        stateFolder: state.path,
        snapshot: files.report,
        onTick: (outcome, atMs) => {
          view.onTick(outcome, atMs);
          stream.onTick(outcome, atMs);
        },
        onAlarm: (name, alarm, atMs) => {
          view.onAlarm(name, alarm, atMs);
          stream.onAlarm(name, alarm, atMs);
        },
        onLog: (line) => files.log(line, running?.clock.nowMs() ?? cloud.startMs),
      },
      shape,
      peakPerSecond: peak,
      mix: loadMix(config).map(({ body, ...rest }) => (body === null ? rest : { ...rest, body })),
      profile,
      replayMs,
      deadlineMs,
      onProgress: (progress) => {
        if (running === null && progress.local !== null) {
          running = progress.local;
          stream.attach(running);
          // Nobody can ask before, and a run that nobody can ask is a run all the same.
          files.announce(running.statusUrl, running.clock.nowMs()).catch(() => undefined);
        }
        view.onProgress(progress);
      },
      onLoad: stream.attachLoad,
      signal,
    });
    stream.end(result.ok, endingOf(result));
    screen.close();
    if (result.complete) await forget(state.path);
    return result;
  } catch (error) {
    stream.end(false, signal.aborted ? "interrupted" : (error as Error).message);
    if (signal.aborted && !(error instanceof RehearsalAborted)) throw new RehearsalAborted("");
    throw error;
  } finally {
    stream.stop();
    await web.stop();
    await files.close();
    await state.release();
  }
}

/** What the page says at the end. */
function endingOf({ complete, requests, failed, cost }: RehearsalResult): string {
  const cycle = complete ? "The cycle is complete" : "The cycle is not complete";
  const paid = `${cost.actual.toFixed(4)} USD`;
  return `${cycle}: ${count(requests)} requests, ${count(failed)} failed, ${paid}.`;
}

/** The configuration of this folder, or the example that comes with lambdaflex. */
function defaultConfig(): string {
  if (configFiles.some((name) => existsSync(join(process.cwd(), name)))) return process.cwd();
  return fileURLToPath(new URL("../../examples/pet-store-node", import.meta.url));
}

const shippedTrace = new URL("../local/load/worldcup98-match-day.csv", import.meta.url);

async function readTrace(path: string | undefined): Promise<TraceShape> {
  const file = path ?? fileURLToPath(shippedTrace);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    const hint = "Give a CSV file with the columns timestamp_seconds,requests.";
    throw new UserError("TRACE_NOT_FOUND", `cannot read ${file}: ${error.code}`, hint);
  });
  try {
    return parseTrace(text, file);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    throw new UserError(error.code, error.message, error.hint);
  }
}
