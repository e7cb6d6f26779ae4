/** `lambdaflex dev`: both tiers on this machine for your own requests, restarted on each change. */
import { readdirSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { profileOf } from "../config/policy.ts";
import type { TickResult } from "../core/index.ts";
import { createResolver, openResolverPool } from "../local/dns/resolver.ts";
import { type Edge, startEdge } from "../local/edge.ts";
import { firstAnswer } from "../local/first-answer.ts";
import { openRunFiles } from "../local/run-files.ts";
import { createLocalStream } from "../local/run-stream.ts";
import { type Local, startLocal } from "../local/start.ts";
import { isWrittenAt, type Written } from "../local/written.ts";
import { numberOption } from "./arguments.ts";
import { eventLine } from "./event-line.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { asUserError } from "./local-errors.ts";
import { lockState, type Prepared, prepare, stateFolder } from "./prepare.ts";
import { restartLoopHint } from "./restart-loop.ts";
import { type RuntimeChoice, runtimeArgs, runtimeChoice } from "./runtime.ts";
import { paint } from "./screen.ts";
import { openWeb, type WebWishes, webArgs, webWishes } from "./web.ts";
import { webAddressArgs } from "./web-address.ts";

const args = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here",
  },
  port: {
    type: "string",
    default: "4400",
    valueHint: "N",
    description: "Where you reach the service, on localhost",
  },
  speed: {
    type: "string",
    default: "1",
    valueHint: "N",
    description: "Virtual seconds per real second; more makes transitions quicker",
  },
  seed: { type: "string", default: "1", valueHint: "N", description: "Seed of the delays" },
  ...runtimeArgs,
  ...webArgs,
  ...webAddressArgs,
} as const;

interface Options {
  readonly config: string | undefined;
  readonly port: number;
  readonly speed: number;
  readonly seed: number;
  readonly runtime: RuntimeChoice;
  readonly web: WebWishes;
}

const command: CommandDef = defineCommand({
  meta: { name: "dev", description: "Both tiers on this machine for your own requests" },
  args,
  run: ({ args: given, rawArgs }) =>
    dev({
      config: given.config,
      port: numberOption("port", given.port, 0, 65_535, "whole number"),
      speed: numberOption("speed", given.speed, 1, 600),
      seed: numberOption("seed", given.seed, 0, 2 ** 31, "whole number"),
      runtime: runtimeChoice(given),
      web: webWishes(given, rawArgs),
    }),
}) as CommandDef;

export default command;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function dev(options: Options): Promise<number> {
  const interrupt = interruptSignal();
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const { record, report } = options.web;
    const written = [1, 2, ...[record, report].filter((path) => path !== undefined)];
    const { signal } = interrupt;
    const prepared = await prepare(options.config, say, signal, options.runtime, null, written);
    stops.push(prepared.close);
    const { loaded } = prepared;
    const state = await lockState(loaded.folder, "dev");
    stops.push(state.release);
    let local: Local | null = null;
    const edge = await startEdgeFirst(options.port, () => local);
    stops.push(edge.stop);
    const { speed, seed } = options;
    const run = { ...prepared.local, speed, seed, startMs: Date.now() };
    const profile = profileOf(loaded.config);
    const stream = createLocalStream({ command: "dev", local: run, profile });
    const files = await openRunFiles(state.path, stream);
    stops.push(files.close);
    const port = options.port === 0 ? 0 : edge.endpoint.port + 1;
    const web = await openWeb(stream, { ...options.web, port, say });
    stops.push(web.stop, () => stream.end(true, "The run was stopped."));
    const tell = tellEvents();
    local = await startLocal({
      ...run,
      stateFolder: state.path,
      snapshot: files.report,
      onTick: (result, atMs) => {
        tell(result);
        stream.onTick(result, atMs);
      },
      onAlarm: (name, alarm, atMs) => {
        if (alarm !== "INSUFFICIENT_DATA") say(`alarm ${name}: ${alarm}`);
        stream.onAlarm(name, alarm, atMs);
      },
      onLog: (line) => {
        say(paint("dim", line));
        files.log(line, local?.clock.nowMs() ?? run.startMs);
      },
    });
    stops.push(local.stop, stream.stop);
    stream.attach(local);
    await files.announce(local.statusUrl, local.clock.nowMs());
    const url = `http://localhost:${edge.endpoint.port}`;
    await firstAnswer(local, interrupt.signal);
    interrupt.signal.throwIfAborted();
    process.stdout.write(`${loaded.config.name} answers at ${url}\n`);
    if (web.url !== null) say(`the page: ${web.url}`);
    stops.push(watchService(prepared, local, written));
    await Promise.race([interrupted(interrupt.signal), local.crashed]);
  } catch (error) {
    if (!interrupt.signal.aborted) throw asUserError(error);
  } finally {
    for (const stop of stops.reverse()) await stop();
    interrupt.dispose();
  }
  say("interrupted; everything is stopped, the next start resumes");
  return interruptedCode;
}

/** The address comes first: when the port is taken, nothing else has been started yet. */
async function startEdgeFirst(port: number, local: () => Local | null): Promise<Edge> {
  let lookUp: (() => Promise<{ host: string; port: number }>) | null = null;
  const resolve = async (): Promise<{ host: string; port: number }> => {
    const running = local();
    if (running === null) throw new Error("not started yet");
    if (lookUp === null) {
      const pool = openResolverPool(running.dns);
      const resolver = createResolver({ server: running.dns, clock: running.clock, pool });
      lookUp = async () => (await resolver.resolve(running.host)).endpoint;
    }
    return lookUp();
  };
  try {
    return await startEdge({ port, resolve });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") {
      const message = `port ${port} is reserved for the owner of this machine`;
      throw new UserError("OPTION_INVALID", message, "Choose one from 1024 on with --port.");
    }
    if (code !== "EADDRINUSE") throw error;
    const hint = `Stop the program that listens there, or choose another with --port ${port + 1}.`;
    throw new UserError("PORT_IN_USE", `port ${port} is in use`, hint);
  }
}

function tellEvents(): (result: TickResult) => void {
  let phase = "";
  return (result) => {
    if (!result.ok) {
      if (result.during !== "conflict") say(`${result.during}: ${result.error.message}`);
      return;
    }
    for (const event of result.step.events) say(eventLine(event));
    if (result.step.phase !== phase && phase !== "") say(paint("cyan", result.step.phase));
    phase = result.step.phase;
  };
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Editors write a file in several steps: changes within this time are one. Real milliseconds. */
const settleMs = 150;
/** What is written all the time must not keep a change waiting for longer. Real milliseconds. */
const settleMsMax = 1_000;

/** Deploys the service anew when the content of its files is no longer that of `running`. */
function watchService(
  { loaded, service: running, renewed }: Prepared,
  local: Local,
  written: readonly Written[],
): () => void {
  let { digest } = running;
  let timer: NodeJS.Timeout | undefined;
  let firstMs: number | null = null;
  let looking = Promise.resolve();
  const changed = new Set<string>();
  const loopHint = restartLoopHint(() => performance.now());
  const redeploy = async (): Promise<void> => {
    const names = [...changed];
    changed.clear();
    const service = await renewed();
    if (service.digest === digest) return;
    digest = service.digest;
    say(`changed: the service restarts as ${service.digest.slice(0, 19)}`);
    local.deploy(service);
    const hint = loopHint(names);
    if (hint !== null) say(hint);
  };
  /** One look after the other, or an older one could have the last word. */
  const look = (): void => {
    looking = looking.then(redeploy).catch((error: Error) => {
      say(`cannot read the service's files: ${error.message}`);
    });
  };
  const { paths } = loaded.config.watch;
  const ignore = [...loaded.config.watch.ignore, stateFolder];
  const onChange = (target: string, name: string | null): void => {
    if (name?.split(/[\\/]/).some((part) => ignore.includes(part))) return;
    if (isWrittenAt(join(target, name ?? ""), written)) return;
    if (name !== null && changed.size < 100) changed.add(name);
    firstMs ??= performance.now();
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        firstMs = null;
        look();
      },
      Math.min(settleMs, Math.max(0, firstMs + settleMsMax - performance.now())),
    );
  };
  const watchers = paths.flatMap((path) =>
    watchedFolders(join(loaded.folder, path), ignore).map(({ target, recursive }) => {
      const watcher = watch(target, { recursive }, (_event, name) => onChange(target, name));
      watcher.on("error", (error) => say(`cannot watch ${target}: ${error.message}`));
      return watcher;
    }),
  );
  // What has changed before anybody watched.
  look();
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

interface Watched {
  readonly target: string;
  readonly recursive: boolean;
}

/** A path, and below it the folders that count: a recursive watch would walk node_modules too. */
function watchedFolders(path: string, ignore: readonly string[]): readonly Watched[] {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) {
    say(`watch.paths: ${path} does not exist, its changes will not be seen`);
    return [];
  }
  const entries = info.isDirectory() ? readdirSync(path, { withFileTypes: true }) : [];
  const folders = entries.filter((entry) => entry.isDirectory() && !ignore.includes(entry.name));
  const below = folders.map(({ name }) => ({ target: join(path, name), recursive: true }));
  return [{ target: path, recursive: false }, ...below];
}
