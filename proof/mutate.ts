/**
 * Weakens or removes every guard of the core, one at a time, and shows that the proofs notice.
 * `npm run mutate -- [--only FILE] [--judges N] [--quick]`
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { parseArgs } from "node:util";
import { judgeAll } from "./mutate/court.ts";
import { isListed, unusedEntries } from "./mutate/equivalent.ts";
import { type Mutant, mutantsOf } from "./mutate/mutants.ts";
import { scope } from "./mutate/scope.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    judges: { type: "string", default: "2" },
    quick: { type: "boolean", default: false },
  },
});
const root = new URL("../", import.meta.url);
const chosen = scope
  .filter(([file]) => file.includes(values.only))
  // While tests are written: what the unit tests alone notice.
  .map(([file, all]) => [file, values.quick ? all.filter(isUnit) : all] as const);
const proofs = new Map(chosen);
const mutants = chosen.flatMap(([file]) =>
  mutantsOf(file, stripTypeScriptTypes(readFileSync(new URL(file, root), "utf8"))),
);
const toJudge = mutants.filter((mutant) => !isListed(mutant));
const listed = mutants.length - toJudge.length;
console.log(`${mutants.length} mutants of ${chosen.length} files, ${listed} listed as equivalent`);

// A proof that fails without any change would kill every mutant.
const unchanged = chosen.map(
  ([file]): Mutant => ({ file, start: 0, end: 0, text: "", line: 0, was: "", is: "" }),
);
const proofsOf = (file: string): readonly string[] => proofs.get(file) ?? [];
await judgeAll(unchanged, proofsOf, 1, ({ mutant, killedBy }) => {
  if (killedBy === null) return;
  console.error(`${mutant.file}: its proofs fail without any change: ${killedBy}`);
  process.exit(2);
});

const begun = performance.now();
const survivors: Mutant[] = [];
let judged = 0;
await judgeAll(toJudge, proofsOf, Number(values.judges), ({ mutant, killedBy }) => {
  judged += 1;
  if (killedBy === null) {
    survivors.push(mutant);
    console.log(`survives: ${mutant.file}:${mutant.line}\n  - ${mutant.was}\n  + ${mutant.is}`);
  }
  if (judged % 100 === 0) console.log(`  ${judged} of ${toJudge.length}, ${minutes()} min`);
});
const killed = toJudge.length - survivors.length;
const score = (100 * killed) / Math.max(1, toJudge.length);
console.log(
  `${killed} of ${toJudge.length} mutants killed: ${score.toFixed(1)} %, ${minutes()} min`,
);
const unused = values.only === "" ? unusedEntries(mutants) : [];
for (const entry of unused) console.log(`listed, but no such mutant: ${entry}`);
process.exitCode = survivors.length + unused.length === 0 ? 0 : 1;

function minutes(): string {
  return ((performance.now() - begun) / 60_000).toFixed(1);
}

function isUnit(proof: string): boolean {
  return proof.startsWith("src/core/");
}
