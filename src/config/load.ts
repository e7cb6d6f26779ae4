/** Finds and reads a configuration: a folder or a file, JSON or a program. */
import assert from "node:assert/strict";
import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "./errors.ts";
import { configFiles } from "./files.ts";
import { locateJsonError } from "./json.ts";
import { parseConfig } from "./parse.ts";
import type { Config } from "./types.ts";

/** A configuration and where it was found. */
export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file. */
  readonly file: string;
  /** Absolute path of its folder, which commands and `watch.paths` are relative to. */
  readonly folder: string;
}

/** How loading may be varied. */
export interface LoadOptions {
  /** Real milliseconds that a configuration program may run. */
  readonly importMsMax?: number;
}

const bytesMax = 1024 * 1024;

/**
 * Loads the configuration of a folder or file, by default of the working directory.
 * Throws UserError: a CONFIG_ code if there is no readable configuration, else as parseConfig.
 */
export async function loadConfig(
  pathOrFolder: string | undefined,
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  const file = await findConfig(resolve(pathOrFolder ?? "."));
  const folder = dirname(file);
  const raw =
    extname(file) === ".json"
      ? parseJson(file, await readText(file))
      : await importConfig(file, options.importMsMax ?? 10_000);
  return { config: parseConfig(raw, folder, file), file, folder };
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw unreadable(path, error);
  }
}

function unreadable(path: string, reason: unknown): UserError {
  const why = reason instanceof Error ? reason.message : String(reason);
  const hint = "Check that it is a text file and that you may read it.";
  return new UserError("CONFIG_UNREADABLE", `cannot read ${path}: ${why}`, hint);
}

/** The configuration file that `path` means, which exists and is not too large. */
async function findConfig(path: string): Promise<string> {
  const found = await statOrNull(path);
  if (found === null) {
    const hint = `Give a folder or a file with --config; looked for ${path}.`;
    throw new UserError("CONFIG_NOT_FOUND", `${path} does not exist`, hint);
  }
  const file = found.isDirectory() ? await findInFolder(path) : path;
  const facts = found.isDirectory() ? await stat(file) : found;
  if (!facts.isFile()) throw unreadable(file, "it is not a file");
  if (facts.size > bytesMax) {
    const hint = "A configuration has a few kilobytes: is this the right file?";
    throw new UserError("CONFIG_TOO_LARGE", `${file} has ${facts.size} bytes`, hint);
  }
  if (![".json", ".ts", ".mts", ".js", ".mjs"].includes(extname(file))) {
    throw unreadable(file, "its name ends neither in .json nor in .ts, .mts, .js or .mjs");
  }
  return file;
}

async function findInFolder(folder: string): Promise<string> {
  const found: string[] = [];
  for (const name of configFiles) {
    if ((await statOrNull(join(folder, name))) !== null) found.push(name);
  }
  const [first, second] = found;
  if (first === undefined) {
    const looked = `Looked for ${configFiles.join(", ")}.`;
    const hint = `${looked} lambdaflex init writes one; --config names another place.`;
    throw new UserError("CONFIG_NOT_FOUND", `${folder} has no configuration`, hint);
  }
  if (second !== undefined) {
    const hint = "Keep one of them, or name the one that you mean with --config.";
    throw new UserError("CONFIG_AMBIGUOUS", `${folder} has ${found.join(" and ")}`, hint);
  }
  return join(folder, first);
}

async function readText(file: string): Promise<string> {
  try {
    // A byte order mark, which some editors write, is dropped by the decoder.
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const found = locateJsonError(text);
    assert(found, `no error found in a text that JSON.parse refuses: ${error}`);
    throw syntaxError(`${file}:${found.line}:${found.column}: ${found.message}`);
  }
}

function syntaxError(message: string): UserError {
  return new UserError(
    "CONFIG_SYNTAX",
    message,
    "The file is strict JSON: no comments, no trailing commas, double quotes. For more freedom " +
      "write lambdaflex.config.ts.",
  );
}

/** Runs a configuration program: its default export, called if it is a function. */
async function importConfig(file: string, importMsMax: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`it did not end within ${importMsMax / 1000} s`);
    timer = setTimeout(() => reject(error), importMsMax);
  });
  try {
    return await Promise.race([evaluate(file), late]);
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UserError(
      "CONFIG_IMPORT_FAILED",
      `${file}: ${why.split("\n", 3).join("\n")}`,
      "Its default export must be an object, or a function that returns one.",
    );
  } finally {
    clearTimeout(timer);
  }
}

async function evaluate(file: string): Promise<unknown> {
  // The time of the last change makes Node import a file anew that was edited meanwhile.
  const { mtimeMs } = await stat(file);
  const url = `${pathToFileURL(file).href}?changed=${mtimeMs}`;
  const { default: exported } = (await import(url)) as { default?: unknown };
  return typeof exported === "function" ? await exported() : exported;
}
