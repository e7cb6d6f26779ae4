/** How both tiers start a process of the service: behind the bootstrap, with little inherited. */
import { fileURLToPath } from "node:url";

/** The bootstrap beside us: a source file when we run from sources, else the built one. */
export function bootstrapCommand(): readonly string[] {
  const fromSources = import.meta.url.endsWith(".ts");
  const name = fromSources ? "bootstrap.ts" : "bootstrap.js";
  const file = fileURLToPath(new URL(`../runtime/${name}`, import.meta.url));
  return [process.execPath, ...(fromSources ? [keepCompiled()] : []), file];
}

/**
 * Lets Node keep what it compiled: stripping the types of the bootstrap anew would add more than
 * 100 ms to each cold start. As an option it stays with the bootstrap; the service does not see it.
 */
function keepCompiled(): string {
  const cache = fileURLToPath(new URL("../../node_modules/.cache/lambdaflex", import.meta.url));
  const program =
    `import { enableCompileCache } from "node:module";` +
    `enableCompileCache(${JSON.stringify(cache)});`;
  return `--import=data:text/javascript,${encodeURIComponent(program)}`;
}

/** A service must not depend on the shell that started us: only these variables are passed on. */
const passedOn = ["PATH", "HOME", "LANG", "TMPDIR"];

/** What a process inherits from us. */
export function inheritedEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
