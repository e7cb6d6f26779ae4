/**
 * The policy benchmark: every trace of a folder at six scales, every policy, both optima, and the
 * adaptive adversary. `node bench/policy.ts --traces DIR [--json]`; `--realistic` runs the policies
 * in the realistic model instead, `--speed` prints how many ticks a second the engine makes.
 */
import { parseArgs } from "node:util";
import { autoPolicy } from "../src/policies/auto.ts";
import { breakEvenPolicy } from "../src/policies/break-even.ts";
import { economicsOf } from "../src/policies/economics.ts";
import { workFunctionPolicy } from "../src/policies/work-function.ts";
import { type AdversaryResult, playAdversary } from "../src/sim/adversary.ts";
import { runInstances } from "./policy/instances.ts";
import { printRealistic, runRealisticInstances } from "./policy/realistic.ts";
import { measurePaces, printPaces } from "./policy/speed.ts";
import { summaryOf } from "./policy/summary.ts";
import { printReport } from "./policy/table.ts";

const { values } = parseArgs({
  options: {
    traces: { type: "string" },
    json: { type: "boolean", default: false },
    realistic: { type: "boolean", default: false },
    speed: { type: "boolean", default: false },
  },
});
if (values.speed) {
  const paces = await measurePaces();
  if (values.json) process.stdout.write(`${JSON.stringify(paces, null, 1)}\n`);
  else printPaces(paces);
  process.exit(0);
}
if (values.traces === undefined) {
  console.error("usage: npm run bench:policy -- --traces DIR [--realistic] [--json]");
  process.exit(2);
}
if (values.realistic) {
  const rows = await runRealisticInstances(values.traces);
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
  else printRealistic(rows);
  process.exit(0);
}

const economics = economicsOf();
const options = { economics, tasksMax: 1000 };
const policies = [breakEvenPolicy(options), workFunctionPolicy(options), autoPolicy(options)];
const begun = performance.now();
const instances = runInstances(values.traces, policies, economics);
const seconds = (performance.now() - begun) / 1000;

const fortnight = 14 * 1440;
const adversary: Record<string, unknown>[] = [];
for (const policy of policies) {
  for (const rpsMax of [50, 500, 5000]) {
    for (const strategy of ["target", "serving"] as const) {
      const played = playAdversary(policy, economics, { minutes: fortnight, rpsMax, strategy });
      adversary.push({ policy: policy.name, rpsMax, strategy, ...figures(played) });
    }
  }
}

function figures(played: AdversaryResult): Record<string, number> {
  const { rps: _, ...numbers } = played;
  return numbers;
}

const summary = { ...summaryOf(instances), adversary, seconds };
if (values.json) {
  process.stdout.write(`${JSON.stringify({ instances, summary }, null, 1)}\n`);
} else {
  printReport(instances, summary);
}
