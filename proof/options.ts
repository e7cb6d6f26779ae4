/** The options of the long runs: what is wrong with one is told, and nothing runs (code 2). */
import { parseArgs } from "node:util";

type Kinds = Readonly<Record<string, "text" | "flag">>;

/** What was given; a text that was not is absent, a flag that was not is `false`. */
export type Options<K extends Kinds> = {
  readonly [N in keyof K]: K[N] extends "flag" ? boolean : string | undefined;
};

/** Reads the command line of this process. */
export function optionsOf<K extends Kinds>(kinds: K): Options<K> {
  const options = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      kind === "flag" ? { type: "boolean" as const, default: false } : { type: "string" as const },
    ]),
  );
  try {
    return parseArgs({ options }).values as Options<K>;
  } catch (error) {
    return leave(error instanceof Error ? error.message : String(error));
  }
}

/** A whole number from `min` to `max`. */
export function whole(
  name: string,
  text: string | undefined,
  { otherwise, min, max }: Readonly<Record<"otherwise" | "min" | "max", number>>,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  return leave(`--${name} must be a whole number from ${min} to ${max}, not "${text}"`);
}

/** Ends the process because of what was asked. */
export function leave(message: string): never {
  console.error(message);
  process.exit(2);
}
