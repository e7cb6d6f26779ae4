/** How both tiers start a process of the service: behind the bootstrap, with little inherited. */
import { fileURLToPath } from "node:url";

const fromSources = import.meta.url.endsWith(".ts");

/** The bootstrap beside us: a source file when we run from sources, else the built one. */
export function bootstrapCommand(): readonly string[] {
  const name = fromSources ? "bootstrap.ts" : "bootstrap.js";
  return [process.execPath, fileURLToPath(new URL(`../runtime/${name}`, import.meta.url))];
}

/** A service must not depend on the shell that started us: only these variables are passed on. */
const passedOn = ["PATH", "HOME", "LANG", "TMPDIR"];

/**
 * What a process inherits from us. From sources, Node keeps what it compiled: stripping the types of
 * the bootstrap anew would add more than 100 ms to each cold start.
 */
export function inheritedEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  if (fromSources) {
    const cache = new URL("../../node_modules/.cache/lambdaflex", import.meta.url);
    kept.NODE_COMPILE_CACHE = fileURLToPath(cache);
  }
  return kept;
}
