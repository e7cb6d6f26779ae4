/** Checks the command line strictly: an option that does not exist is a mistake, not a wish. */
import type { ArgDef, CommandDef } from "citty";
import { UserError } from "../config/errors.ts";

/** An option that may be given several times, or once with several values. */
export const repeatable = { repeatable: true } as const;

/** Refuses unknown options, missing values and words, and stray ones. Throws OPTION_INVALID. */
export function checkArguments(command: CommandDef, argv: readonly string[]): void {
  const all = Object.entries(command.args as Readonly<Record<string, ArgDef>>);
  const known = Object.fromEntries(
    all
      .filter(([, { type }]) => type !== "positional")
      .flatMap(([name, definition]) => {
        const names = isOn(definition) ? [name, `no-${name}`] : [name];
        return names.map((one) => [one, definition]);
      }),
  );
  const places = all.filter(([, { type }]) => type === "positional");
  const names = Object.keys(known).map((name) => `--${name}`);
  const seen = new Set<string>();
  let placed = 0;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const [flag = "", inline] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const name = flag.slice(2);
    // Every object has a "constructor", no command has such an option.
    const definition = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!word.startsWith("-") && word !== "" && placed < places.length) {
      placed += 1;
      continue;
    }
    if (!flag.startsWith("--") || definition === undefined) {
      const hint = `The options are ${names.join(", ")}.`;
      throw new UserError("OPTION_INVALID", `"${word}" is not an option of this command`, hint);
    }
    const many = "repeatable" in definition;
    if (seen.has(flag) && !many) {
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
    while (many && !(argv[at + 1] ?? "--").startsWith("--")) at += 1;
  }
  const [missing, definition] = places[placed] ?? [];
  if (missing === undefined || definition?.required === false) return;
  const message = `${definition?.valueHint ?? missing.toUpperCase()} is missing`;
  throw new UserError("OPTION_INVALID", message, definition?.description ?? "");
}

/** A switch that is on by itself may be turned off with `--no-…`. */
function isOn(definition: ArgDef): boolean {
  return definition.type === "boolean" && definition.default === true;
}

/** All values of a repeatable option: `--name a,b`, `--name a b` and `--name a --name b`. */
export function valuesOf(name: string, argv: readonly string[]): readonly string[] {
  const values: string[] = [];
  let ours = false;
  for (const word of argv) {
    const [flag, inline] = word.startsWith("--") ? word.split(/=(.*)/s) : [null, word];
    if (flag !== null) ours = flag === `--${name}`;
    if (ours && inline !== undefined) values.push(...inline.split(","));
  }
  const named = values.map((value) => value.trim()).filter((value) => value !== "");
  return [...new Set(named)];
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
  throw new UserError("OPTION_INVALID", message, `Leave --${name} out for its default.`);
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads a span such as 90s, 30m, 2h or 7d as milliseconds. Throws UserError OPTION_INVALID. */
export function durationOption(name: string, text: string): number {
  const [, value, unit = ""] = /^(\d+\.?\d*)([smhd])$/.exec(text.trim()) ?? [];
  const ms = Number(value) * (unitMs[unit] ?? Number.NaN);
  if (ms > 0 && ms <= 3650 * 86_400_000) return ms;
  const message = `--${name} must be a span such as 90s, 30m, 2h or 7d, not "${text}"`;
  throw new UserError("OPTION_INVALID", message, `Leave --${name} out for its default.`);
}

/** Reads an option with few values; `null` if it is not given. Throws UserError OPTION_INVALID. */
export function choiceOption<Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly Choice[],
): Choice | null {
  if (text === undefined) return null;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  const message = `--${name} must be ${choices.join(" or ")}, not "${text}"`;
  throw new UserError("OPTION_INVALID", message, `Leave --${name} out for its default.`);
}
