/** The mutants of all files in scope, and the proofs that must notice them. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { isListed } from "./equivalent.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { scope } from "./scope.ts";

/** What is to be judged. */
export interface Cases {
  readonly files: readonly string[];
  /** All of them, those that are listed as equivalent included. */
  readonly mutants: readonly Mutant[];
  readonly toJudge: readonly Mutant[];
  /** One for each file that changes nothing: proofs that fail on it would kill every mutant. */
  readonly unchanged: readonly Mutant[];
  /** The proofs of a file, the most likely to fail first. */
  proofsOf(file: string): readonly string[];
}

const root = new URL("../../", import.meta.url);

/** Cases of the files whose names contain `only`; with `quick` for unit tests alone. */
export function casesOf(only = "", quick = false): Cases {
  const chosen = scope.filter(([file]) => file.includes(only));
  const proofs = new Map(
    chosen.map(([file, all]) => [file, quick ? all.filter(isUnit) : all] as const),
  );
  const mutants = chosen.flatMap(([file]) =>
    mutantsOf(file, stripTypeScriptTypes(readFileSync(new URL(file, root), "utf8"))),
  );
  return {
    files: chosen.map(([file]) => file),
    mutants,
    toJudge: mutants.filter((mutant) => !isListed(mutant)),
    unchanged: chosen.map(
      ([file]): Mutant => ({ file, start: 0, end: 0, text: "", line: 0, was: "", is: "" }),
    ),
    proofsOf: (file) => proofs.get(file) ?? [],
  };
}

function isUnit(proof: string): boolean {
  return proof.startsWith("src/core/");
}
