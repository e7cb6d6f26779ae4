/** Mutants that change nothing that anybody could notice, each with the reason. */
import { readFileSync } from "node:fs";
import type { Mutant } from "./mutants.ts";

/** One line of the list. */
export interface Equivalent {
  readonly file: string;
  readonly was: string;
  /** The changed lines that the reason covers. */
  readonly is: readonly string[];
  readonly reason: string;
}

const list = JSON.parse(
  readFileSync(new URL("./equivalent.json", import.meta.url), "utf8"),
) as readonly Equivalent[];

/** Whether a mutant is on the list. */
export function isListed({ file, was, is }: Mutant): boolean {
  return list.some((entry) => entry.file === file && entry.was === was && entry.is.includes(is));
}

/** Lines of the list that no mutant is left for: the code has changed since. */
export function unusedEntries(mutants: readonly Mutant[]): readonly string[] {
  const known = new Set(mutants.map(({ file, was, is }) => `${file}: ${was} → ${is}`));
  return list
    .flatMap(({ file, was, is }) => is.map((changed) => `${file}: ${was} → ${changed}`))
    .filter((entry) => !known.has(entry));
}
