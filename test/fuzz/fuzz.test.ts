/** A fast slice of the fuzzing, and every input that ever broke something. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { awsTarget } from "./aws.ts";
import { checkGood, documentTargets } from "./documents.ts";
import { parserTargets } from "./parsers.ts";
import { type SocketTargets, startSocketTargets } from "./sockets.ts";
import type { Target } from "./target.ts";

/** Inputs for each parser here; `npm run fuzz` takes as many as it is told. */
const inputs = 200;
const seed = 1;

/** Saved inputs, by target, with what they broke. */
type Saved = Readonly<
  Record<string, readonly { readonly broke: string; readonly input: unknown }[]>
>;

const saved = JSON.parse(readFileSync(new URL("saved.json", import.meta.url), "utf8")) as Saved;

let sockets: SocketTargets;
let aws: Target;
before(async () => {
  sockets = await startSocketTargets();
  aws = await awsTarget();
});
after(() => sockets.stop());

async function check({ name, cost, run, replay }: Target): Promise<void> {
  for (const { broke, input } of saved[name] ?? []) {
    await assert.doesNotReject(replay(input), `again: ${broke}`);
  }
  await run(Math.ceil(inputs / cost), seed);
}

for (const target of [...parserTargets, ...documentTargets]) test(target.name, () => check(target));

test("documents are good before they are damaged", checkGood);

test("answers of AWS", () => check(aws));

test("over sockets", async () => {
  for (const target of sockets.targets) await check(target);
});

test("saved inputs belong to a target", () => {
  const names = [...parserTargets, ...documentTargets, aws, ...sockets.targets].map(
    ({ name }) => name,
  );
  assert.deepEqual(
    Object.keys(saved).filter((name) => !names.includes(name)),
    [],
  );
});
