/** A slice of `npm run mutate`: every so many guards of the core, and the machine that judges. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { describe, test } from "node:test";
import { casesOf } from "../proof/mutate/cases.ts";
import { type Judged, judgeAll } from "../proof/mutate/court.ts";
import { unusedEntries } from "../proof/mutate/equivalent.ts";
import { type Mutant, mutantsOf } from "../proof/mutate/mutants.ts";

const { files, mutants, toJudge, unchanged, proofsOf } = casesOf();
/** A prime, so that no pattern of the code is always met or always missed. */
const stride = 13;
/** No proof takes nearly as long: whoever does is in an endless loop. */
const patienceMs = 5000;

async function survivorsOf(cases: readonly Mutant[], proofs = proofsOf): Promise<string[]> {
  const survivors: string[] = [];
  const onJudged = ({ mutant, killedBy }: Judged): void => {
    if (killedBy === null) survivors.push(`${mutant.file}:${mutant.line}: ${mutant.is}`);
  };
  await judgeAll(cases, proofs, 1, onJudged, patienceMs);
  return survivors;
}

describe("a slice of the mutation", () => {
  test("every guard is missed by a proof when it is weakened or gone", async () => {
    const slice = toJudge.filter((_, at) => at % stride === 0);
    assert.ok(slice.length >= 100, `${slice.length} mutants`);
    assert.deepEqual(await survivorsOf(slice), []);
  });

  test("no file of the core is left out that does anything", () => {
    const core = new URL("../src/core/", import.meta.url);
    const names = readdirSync(core).filter((name) => /(?<!\.test)\.ts$/.test(name));
    const missing = names
      .map((name) => `src/core/${name}`)
      .filter((file) => !files.includes(file))
      .filter((file) => {
        const source = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
        return mutantsOf(file, stripTypeScriptTypes(source)).length > 0;
      });
    assert.deepEqual(missing, []);
  });

  test("the list of mutants that change nothing has no line too many", () => {
    assert.ok(mutants.length > toJudge.length);
    assert.deepEqual(unusedEntries(mutants), []);
  });
});

describe("the judges", () => {
  const file = "src/core/route.ts";
  const proofs = (): readonly string[] => ["src/core/route.test.ts"];

  test("let pass what is not changed", async () => {
    const same = unchanged.filter((mutant) => mutant.file === file);
    assert.equal(same.length, 1);
    assert.equal((await survivorsOf(same, proofs)).length, 1);
  });

  test("are replaced after a mutant that ends its process", async () => {
    const [first] = unchanged.filter((mutant) => mutant.file === file);
    assert.ok(first);
    const deadly = { ...first, text: "process.exit(3);" };
    const survivors = await survivorsOf([deadly, first, deadly], proofs);
    assert.equal(survivors.length, 1);
  });

  test("change every kind of guard", () => {
    const source = "function f(a, b) { if (a < 1 && !b) throw new Error('no'); return a ? 2 : b; }";
    const changed = mutantsOf("f.ts", source).map(({ is }) => is);
    for (const piece of [
      "a <= 1",
      "a < 2",
      "||",
      "&& b",
      "if (false)",
      "if (true)",
      "return null",
    ]) {
      assert.ok(
        changed.some((is) => is.includes(piece)),
        piece,
      );
    }
    assert.ok(changed.some((is) => !is.includes("throw")));
  });
});
