/**
 * Weakens or removes every guard of the core, one at a time, and shows that the proofs notice.
 * `npm run mutate -- [--only FILE] [--judges N] [--quick]`
 */
import { casesOf } from "./mutate/cases.ts";
import { judgeAll } from "./mutate/court.ts";
import { unusedEntries } from "./mutate/equivalent.ts";
import type { Mutant } from "./mutate/mutants.ts";
import { leave, optionsOf, whole } from "./options.ts";

const values = optionsOf({ only: "text", judges: "text", quick: "flag" });
const only = values.only ?? "";
const judges = whole("judges", values.judges, { otherwise: 2, min: 1, max: 64 });
const { files, mutants, toJudge, unchanged, proofsOf } = casesOf(only, values.quick);
if (files.length === 0) leave(`--only: no file in scope has "${only}" in its name`);
const listed = mutants.length - toJudge.length;
console.log(`${mutants.length} mutants of ${files.length} files, ${listed} listed as equivalent`);

await judgeAll(unchanged, proofsOf, 1, ({ mutant, killedBy }) => {
  if (killedBy === null) return;
  console.error(`${mutant.file}: its proofs fail without any change: ${killedBy}`);
  process.exit(2);
});

const begun = performance.now();
const survivors: Mutant[] = [];
let judged = 0;
await judgeAll(toJudge, proofsOf, judges, ({ mutant, killedBy }) => {
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
const unused = only === "" ? unusedEntries(mutants) : [];
for (const entry of unused) console.log(`listed, but no such mutant: ${entry}`);
process.exitCode = survivors.length + unused.length === 0 ? 0 : 1;

function minutes(): string {
  return ((performance.now() - begun) / 60_000).toFixed(1);
}
