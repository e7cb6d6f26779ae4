/**
 * `npm run fuzz -- --inputs N --seed S --target NAME`: N inputs for each parser, fewer where each
 * one takes a socket. Prints progress; a counterexample ends it with code 1.
 */
import { leave, optionsOf, whole } from "../../proof/options.ts";
import { awsTarget } from "./aws.ts";
import { documentTargets } from "./documents.ts";
import { parserTargets } from "./parsers.ts";
import { startSocketTargets } from "./sockets.ts";

const values = optionsOf({ inputs: "text", seed: "text", target: "text" });
const inputs = whole("inputs", values.inputs, { otherwise: 10_000, min: 1, max: 1e9 });
const seed = whole("seed", values.seed, { otherwise: 1, min: 0, max: 2 ** 31 });
/** Inputs between two lines of progress. */
const batch = 20_000;

const sockets = await startSocketTargets();
const all = [...parserTargets, ...documentTargets, await awsTarget(), ...sockets.targets];
const targets = all.filter(({ name }) => values.target === undefined || name === values.target);
if (targets.length === 0) {
  leave(
    `--target: there is no "${values.target}"; there are ${all.map(({ name }) => name).join(", ")}`,
  );
}
let failed = 0;
let total = 0;
const begunMs = performance.now();
for (const { name, cost, run } of targets) {
  const wanted = Math.ceil(inputs / cost);
  const startMs = performance.now();
  let done = 0;
  try {
    // A batch has a seed of its own, so that it can be run again alone.
    while (done < wanted) {
      const count = Math.min(batch, wanted - done);
      await run(count, seed + done);
      done += count;
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      process.stdout.write(`${name.padEnd(22)} ${done} of ${wanted} inputs in ${seconds} s\n`);
    }
  } catch (error) {
    failed += 1;
    const { message, cause } = error as Error;
    const from = seed + done;
    process.stdout.write(`${name}: seed ${from}: ${message}\n${String(cause)}\n`);
  }
  total += done;
}
await sockets.stop();
const seconds = ((performance.now() - begunMs) / 1000).toFixed(0);
process.stdout.write(
  `${total} inputs for ${targets.length} targets in ${seconds} s, ` +
    `${failed} with a counterexample\n`,
);
process.exit(failed > 0 ? 1 : 0);
