/** From an unknown value to a complete configuration, or to one error with all its problems. */
import { basename } from "node:path";
import { UserError } from "./errors.ts";
import { type Problem, problemsOf, valueText } from "./problems.ts";
import { configSchema } from "./schema.ts";
import type { Config, ConfigInput } from "./types.ts";

/** How many problems of a file are shown; the rest is counted. */
const problemsMax = 10;

/** A name that AWS accepts, made from a folder's name; `service` if nothing of it is left. */
export function nameFromFolder(folder: string): string {
  const words = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  const name = words
    .replace(/^[^a-z]+/, "")
    .replace(/^(internal-)+/, "")
    .slice(0, 15)
    .replace(/-+$/, "");
  return name === "" ? "service" : name;
}

/**
 * Checks `raw` and fills in all defaults. `folder` gives the default name, `file` is named in the
 * error. Throws UserError with the code of the one problem, or CONFIG_INVALID for several.
 */
export function parseConfig(raw: unknown, folder: string, file: string): Config {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new UserError(
      "CONFIG_NOT_AN_OBJECT",
      `${file}: expected one object with keys, found ${valueText(raw)}`,
      'The smallest configuration is {"command": "node server.js"}.',
    );
  }
  const given = { name: nameFromFolder(folder), ...raw, ...impliedPolicy(raw) };
  const result = configSchema.safeParse(given);
  if (result.success) return result.data;
  throw problemsError(file, problemsOf(raw, result.error.issues));
}

/** Whoever sets thresholds wants them to decide. */
function impliedPolicy(raw: { policy?: unknown; thresholds?: unknown }): Partial<ConfigInput> {
  const implied = raw.thresholds !== undefined && raw.policy === undefined;
  return implied ? { policy: "threshold" } : {};
}

function problemsError(file: string, problems: readonly Problem[]): UserError {
  const [first] = problems;
  if (first !== undefined && problems.length === 1) {
    return new UserError(first.code, `${file}: ${first.path}: ${first.message}`, first.hint);
  }
  const lines = problems.slice(0, problemsMax).map(({ code, path, message, hint }) => {
    return `\n- ${path}: ${message} (${code})${hint === "" ? "" : `\n  hint: ${hint}`}`;
  });
  const more = problems.length - problemsMax;
  if (more > 0) lines.push(`\n- and ${more} more`);
  return new UserError(
    "CONFIG_INVALID",
    `${file} has ${problems.length} problems:${lines.join("")}`,
    "All keys are listed in docs/configuration.md.",
  );
}
