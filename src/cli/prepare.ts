/** From a configuration to everything the local cloud needs, the one-off set-up included. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { UserError } from "../config/errors.ts";
import {
  argvOf,
  type Config,
  engineSettings,
  type LoadedConfig,
  loadConfig,
  serviceFields,
  setupDigest,
} from "../config/index.ts";
import { alarmThresholds, policyOf } from "../config/policy.ts";
import { digestOf } from "../local/digest.ts";
import { startLeashed } from "../local/leash.ts";
import type { ServiceSpec } from "../local/service.ts";
import type { LocalOptions, TierSizes } from "../local/start.ts";
import { lockFolder } from "../local/state-file.ts";
import type { Written } from "../local/written.ts";
import { openRuntime, type RuntimeChoice } from "./runtime.ts";

/** A service that is ready to be started on this machine. */
export interface Prepared {
  readonly loaded: LoadedConfig;
  readonly service: ServiceSpec;
  /** The service with its present files. */
  renewed(): Promise<ServiceSpec>;
  /** Removes what the service ran in; for when nothing of it runs any more. */
  close(): Promise<void>;
  readonly local: Omit<LocalOptions, "speed" | "seed" | "stateFolder" | "startMs">;
}

/** The folder beside the configuration in which state is kept. */
export const stateFolder = ".lambdaflex";

/**
 * Loads the configuration and runs its set-up if it is due; `policy` overrides its own. `written`
 * is what lambdaflex writes while the service runs, which is no part of it.
 */
export async function prepare(
  path: string | undefined,
  tell: (line: string) => void,
  signal: AbortSignal,
  choice: RuntimeChoice = { kind: "process" },
  policy: Config["policy"] | null = null,
  written: readonly Written[] = [],
): Promise<Prepared> {
  const loaded = withPolicy(await loadConfig(path), policy);
  // An image has its set-up inside.
  if (choice.kind === "process") await runSetup(loaded, tell, signal);
  const runtime = await openRuntime({ choice, loaded, tell, signal });
  const renewed = async (): Promise<ServiceSpec> => {
    return runtime.prepared(await serviceOf(loaded, written));
  };
  const service = await renewed().catch(async (error: unknown) => {
    await runtime.close();
    throw error;
  });
  const { config } = loaded;
  const local = {
    service,
    sizes: sizesOf(config),
    thresholds: alarmThresholds(config),
    settings: engineSettings(config),
    policy: policyOf(config),
    standby: config.standby,
    startsMax: Math.max(1, availableParallelism()),
  };
  return { loaded, service, renewed, close: runtime.close, local };
}

function withPolicy(loaded: LoadedConfig, policy: Config["policy"] | null): LoadedConfig {
  return policy === null ? loaded : { ...loaded, config: { ...loaded.config, policy } };
}

/** The service with the digest of its present files. */
async function serviceOf(
  { config, folder }: LoadedConfig,
  written: readonly Written[],
): Promise<ServiceSpec> {
  const fields = serviceFields(config, folder);
  const { paths } = config.watch;
  const ignore = [...config.watch.ignore, stateFolder];
  const extra = [fields.command, fields.env];
  return { ...fields, digest: await digestOf({ folder, paths, ignore, written, extra }) };
}

/** The environment that the user's own commands run in: ours, which they started us from. */
function ownEnvironment(): Record<string, string> {
  const pairs = Object.entries(process.env).filter((pair): pair is [string, string] => {
    return pair[1] !== undefined;
  });
  return Object.fromEntries(pairs);
}

async function runSetup(
  { config, folder }: LoadedConfig,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { setup } = config;
  if (setup === null) return;
  const digest = (await setupDigest(config, folder)) ?? "";
  const marker = join(folder, stateFolder, "setup");
  if ((await readFile(marker, "utf8").catch(() => "")) === digest) return;
  signal.throwIfAborted();
  const shown = typeof setup === "string" ? setup : setup.join(" ");
  tell(`set-up, once: ${shown}`);
  const lines: string[] = [];
  const child = startLeashed(argvOf(setup), {
    cwd: folder,
    env: ownEnvironment(),
    onLine: (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      tell(`  ${line}`);
    },
  });
  const kill = (): void => child.kill();
  signal.addEventListener("abort", kill, { once: true });
  const code = await child.exited;
  signal.removeEventListener("abort", kill);
  signal.throwIfAborted();
  if (code !== 0) {
    const said = lines.at(-1) ?? "it printed nothing";
    const hint = `Run it yourself in ${folder}: ${shown}`;
    throw new UserError("SETUP_FAILED", `the set-up ended with code ${code}: ${said}`, hint);
  }
  await mkdir(join(folder, stateFolder), { recursive: true });
  await writeFile(marker, digest);
}

function sizesOf({ lambda, fargate }: Config): TierSizes {
  const check = fargate.healthCheck;
  return {
    lambda: {
      memoryMB: lambda.memoryMB,
      timeoutMs: lambda.timeoutSeconds * 1000,
      concurrencyMax: lambda.concurrencyMax,
      idleMs: lambda.idleMinutes * 60_000,
    },
    fargate: {
      vcpu: fargate.vcpu,
      memoryMB: fargate.memoryMB,
      tasksMin: fargate.minTasks,
      tasksMax: fargate.maxTasks,
      requestsPerTaskPerMinute: fargate.requestsPerTaskPerMinute,
      deregistrationDelayMs: fargate.deregistrationDelaySeconds * 1000,
      stopTimeoutMs: fargate.stopTimeoutSeconds * 1000,
      clientKeepAliveMs: fargate.clientKeepAliveSeconds * 1000,
      healthCheck: {
        intervalMs: check.intervalSeconds * 1000,
        timeoutMs: check.timeoutSeconds * 1000,
        healthyThreshold: check.healthyThreshold,
        unhealthyThreshold: check.unhealthyThreshold,
      },
    },
  };
}

/** Locks the state folder of a command; throws UserError STATE_IN_USE if another one has it. */
export async function lockState(
  folder: string,
  command: string,
): Promise<{ readonly path: string; release(): Promise<void> }> {
  const path = join(folder, stateFolder, command);
  const lock = await lockFolder(path);
  if (typeof lock !== "number") return { path, release: lock.release };
  const message = `another lambdaflex ${command} (process ${lock}) works with ${path}`;
  throw new UserError("STATE_IN_USE", message, "Stop that one first, or use another folder.");
}
