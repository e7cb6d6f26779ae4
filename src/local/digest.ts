/** Stands for the image digest: files, command and environment of a service in one hash. */
import { createHash, type Hash } from "node:crypto";
import type { Stats } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { isWritten, type Written } from "./written.ts";

/** What makes a service the one that it is. */
export interface DigestInput {
  readonly folder: string;
  /** Files and folders below `folder` that belong to the service. */
  readonly paths: readonly string[];
  /** Names that are not looked at, at any depth. */
  readonly ignore: readonly string[];
  /** What lambdaflex itself writes, wherever that is. @default nothing */
  readonly written?: readonly Written[];
  /** What else makes a different service, for example command and environment. */
  readonly extra: unknown;
}

/** Beyond this many entries a folder is no source of a service: the rest is not looked at. */
const entriesMax = 5_000;
const bytesMax = 4 * 1024 * 1024;

/** A digest in the form `sha256:…` that changes whenever a file of the service does. */
export async function digestOf(input: DigestInput): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(input.extra) ?? "");
  const found: Found = { files: [], entries: 0, isOurs: isWritten(input.written ?? []) };
  for (const path of input.paths) await collect(join(input.folder, path), input.ignore, found);
  for (const file of found.files.sort()) await add(hash, file, relative(input.folder, file));
  return `sha256:${hash.digest("hex")}`;
}

interface Found {
  readonly files: string[];
  /** Folders count too: links can make an endless tree of them. */
  entries: number;
  readonly isOurs: (info: Stats) => boolean;
}

async function collect(path: string, ignore: readonly string[], found: Found): Promise<void> {
  if (found.entries >= entriesMax) return;
  found.entries += 1;
  const info = await stat(path).catch(() => null);
  if (info?.isFile() && !found.isOurs(info)) found.files.push(path);
  if (!info?.isDirectory()) return;
  for (const name of (await readdir(path).catch(() => [])).sort()) {
    if (!ignore.includes(name)) await collect(join(path, name), ignore, found);
  }
}

/** Large files are told apart by size and time: reading them at each change would be slow. */
async function add(hash: Hash, file: string, name: string): Promise<void> {
  const info = await stat(file).catch(() => null);
  if (info === null) return;
  hash.update(`\n${name}\n${info.size}\n`);
  if (info.size > bytesMax) hash.update(String(info.mtimeMs));
  else hash.update(await readFile(file).catch(() => ""));
}
