/** Checks the command line strictly: an option that does not exist is a mistake, not a wish. */
import type { ArgDef, CommandDef } from "citty";
import { UserError } from "../config/errors.ts";

/** Throws UserError OPTION_INVALID for unknown options, missing values and stray words. */
export function checkArguments(command: CommandDef, argv: readonly string[]): void {
  const known = command.args as Readonly<Record<string, ArgDef>>;
  const names = Object.keys(known).map((name) => `--${name}`);
  const seen = new Set<string>();
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const [flag = "", inline] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const definition = known[flag.slice(2)];
    if (!flag.startsWith("--") || definition === undefined) {
      const hint = `The options are ${names.join(", ")}.`;
      throw new UserError("OPTION_INVALID", `"${word}" is not an option of this command`, hint);
    }
    if (seen.has(flag)) {
      throw new UserError("OPTION_INVALID", `${flag} is given twice`, "Give it once.");
    }
    seen.add(flag);
    if (definition.type === "boolean") {
      if (inline === undefined) continue;
      throw new UserError("OPTION_INVALID", `${flag} takes no value`, `Write ${flag} alone.`);
    }
    const value = inline ?? argv[at + 1];
    if (value === undefined || value === "" || (inline === undefined && /^--/.test(value))) {
      const hint = definition.description ?? "";
      throw new UserError("OPTION_INVALID", `${flag} needs a value`, hint);
    }
    if (inline === undefined) at += 1;
  }
}

/** Reads a number option. Throws UserError OPTION_INVALID outside of [`min`, `max`]. */
export function numberOption(
  name: string,
  text: string,
  min: number,
  max: number,
  kind: "number" | "whole number" = "number",
): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN;
  const whole = kind === "number" || Number.isInteger(value);
  if (value >= min && value <= max && whole) return value;
  const message = `--${name} must be a ${kind} from ${min} to ${max}, not "${text}"`;
  throw new UserError("OPTION_INVALID", message, `For example --${name} ${Math.max(1, min)}.`);
}
