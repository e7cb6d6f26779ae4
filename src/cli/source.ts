/** Where the facts come from: a run on this machine, or a service that is deployed on AWS. */
import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../config/errors.ts";
import { configFiles } from "../config/files.ts";
import type { RunRecord } from "../core/record.ts";
import type { Override, Tier } from "../core/types.ts";
import type { LiveReport, LogLine } from "../local/run-files.ts";
import type { AwsOptions } from "./aws/options.ts";

/** What a look at a service brings. */
export interface Report extends LiveReport {
  readonly source: SourceName;
}

/** Which service it is, and where. */
export interface SourceName {
  readonly on: "local" | "aws";
  /** `dev` or `rehearse`; on AWS the name of the application. */
  readonly name: string;
  /** The process on this machine, or the region. */
  readonly at: string;
}

/** Which output is wanted. */
export interface LogQuery {
  /** Not older than this, on the cloud's clock; `null` for all that is kept. */
  readonly sinceMs: number | null;
  readonly tier: Tier | null;
}

/** Reads output: first what is kept, then what is added. */
export interface LogReader {
  /** The lines since the last call, in the order of time; at the first one those that are kept. */
  next(): Promise<readonly LogLine[]>;
  close(): Promise<void>;
}

/** A running or deployed service as the commands see it. */
export interface Source {
  /** @throws UserError NOTHING_RUNNING, NOT_DEPLOYED and what AWS refuses */
  report(): Promise<Report>;
  /** What is kept of the past, oldest first: the newest `limit` records since `sinceMs`. */
  history(sinceMs: number | null, limit: number): Promise<readonly RunRecord[]>;
  /** Time on the cloud's clock, which may be that of a run which has ended. */
  nowMs(): Promise<number>;
  logs(query: LogQuery): Promise<LogReader>;
  /** Sets the owner's word by compare-and-swap and wakes the controller. */
  override(word: Override | null): Promise<void>;
}

/** The options that tell which service is meant. */
export const sourceArgs = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here",
  },
  on: {
    type: "string",
    valueHint: "local|aws",
    description: "A run on this machine, or the deployed service; default local if there was one",
  },
} as const;

/** What `sourceArgs` were given. */
export interface SourceOptions extends AwsOptions {
  readonly config?: string | undefined;
  readonly on?: string | undefined;
}

/** Opens the source that the options mean. Throws UserError OPTION_INVALID. */
export async function openSource(options: SourceOptions): Promise<Source> {
  const { config, on } = options;
  const folder = folderOf(config);
  const kept = localCommands.filter((name) => existsSync(join(folder, ".lambdaflex", name)));
  // Without a configuration nobody can tell which deployed service is meant.
  const where = on ?? (kept.length > 0 || !hasConfig(folder) ? "local" : "aws");
  if (where === "local") return (await import("./source-local.ts")).openLocalSource(folder);
  if (where === "aws") {
    const source = (await import("./source-aws.ts")).openAwsSource(options);
    return on === undefined ? source.catch(noteBoth) : source;
  }
  const hint = "Write --on local or --on aws.";
  throw new UserError("OPTION_INVALID", `--on must be local or aws, not "${where}"`, hint);
}

const awsUnset: ReadonlySet<string> = new Set(["AWS_REGION_MISSING", "AWS_CREDENTIALS_MISSING"]);

/** Who has said neither may well have meant a run on this machine. */
function noteBoth(error: unknown): never {
  if (!(error instanceof UserError) || !awsUnset.has(error.code)) throw error;
  const message = `nothing has run on this machine, and ${error.message}`;
  const hint = `Start lambdaflex dev here to look at that. For the deployed service: ${error.hint}`;
  throw new UserError(error.code, message, hint);
}

/** The commands that leave a state folder behind. */
export const localCommands: readonly string[] = ["dev", "rehearse"];

/** The folder of the configuration; without one here, that of the example that is rehearsed. */
function folderOf(config: string | undefined): string {
  if (config !== undefined) {
    const path = resolve(config);
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? dirname(path) : path;
  }
  const here = process.cwd();
  if (hasConfig(here) || existsSync(join(here, ".lambdaflex"))) return here;
  const example = fileURLToPath(new URL("../../examples/pet-store-node", import.meta.url));
  return existsSync(join(example, ".lambdaflex")) ? example : here;
}

function hasConfig(folder: string): boolean {
  return configFiles.some((name) => existsSync(join(folder, name)));
}
