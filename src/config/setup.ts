/** Tells whether the one-off `setup` command has to run again. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute, join, normalize, sep } from "node:path";
import type { Config } from "./types.ts";

/**
 * Words of the command that may name a file of the folder, such as `requirements.txt`. What lies in
 * an ignored folder, such as `.venv/bin/pip`, is made by the command itself and does not count.
 */
function words(setup: string | readonly string[], ignore: readonly string[]): readonly string[] {
  const parts = typeof setup === "string" ? setup.split(/[\s;&|<>()"'`=]+/) : setup;
  return parts.filter((word) => {
    const steps = normalize(word).split(sep);
    return word !== "" && !isAbsolute(word) && !steps.some((step) => ignore.includes(step));
  });
}

/** Files that `npm ci` and its like read without naming them. */
const manifests = [
  "package.json",
  "package-lock.json",
  "pyproject.toml",
  "uv.lock",
  "Gemfile.lock",
];

/**
 * A digest of the setup command and of every file that it names or that lists dependencies; `null`
 * without a command. Setup ran already if the digest is the one kept from its last success.
 */
export async function setupDigest(config: Config, folder: string): Promise<string | null> {
  if (config.setup === null) return null;
  const hash = createHash("sha256").update(JSON.stringify(config.setup));
  for (const name of new Set([...words(config.setup, config.watch.ignore), ...manifests])) {
    hash.update(`\0${name}\0`).update(await contentOrEmpty(join(folder, name)));
  }
  return hash.digest("hex");
}

async function contentOrEmpty(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch {
    return new Uint8Array();
  }
}
