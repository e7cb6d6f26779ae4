/**
 * `npm run fuzz -- --inputs N --seed S --target NAME`: N inputs for each parser, fewer where each
 * one takes a socket. Prints progress; a counterexample ends it with code 1.
 */
import { parseArgs } from "node:util";
import { awsTarget } from "./aws.ts";
import { parserTargets } from "./parsers.ts";
import { startSocketTargets } from "./sockets.ts";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    target: { type: "string" },
  },
});
const inputs = Number(values.inputs);
const seed = Number(values.seed);
/** Inputs between two lines of progress. */
const batch = 20_000;

const sockets = await startSocketTargets();
const targets = [...parserTargets, await awsTarget(), ...sockets.targets].filter(
  ({ name }) => values.target === undefined || name === values.target,
);
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
