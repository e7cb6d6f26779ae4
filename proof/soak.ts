/**
 * Runs the engine through days of drawn faults in virtual time, one seed after the other.
 * `npm run soak -- [--seed N] [--seeds K] [--days D] [--resume] [--story]`
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runScript } from "../src/sim/soak/run.ts";
import { type Script, scriptOf } from "../src/sim/soak/script.ts";
import { shrink } from "../src/sim/soak/shrink.ts";
import { addOutcome, noTotals, type Totals } from "../src/sim/soak/totals.ts";
import { optionsOf, whole } from "./options.ts";

const values = optionsOf({
  seed: "text",
  seeds: "text",
  days: "text",
  resume: "flag",
  story: "flag",
});
const first = whole("seed", values.seed, { otherwise: 1, min: 0, max: 2 ** 31 });
const seeds = whole("seeds", values.seeds, { otherwise: 1000, min: 1, max: 2 ** 31 });
const days = whole("days", values.days, { otherwise: 1, min: 1, max: 3650 });
const memory = fileURLToPath(new URL("../.lambdaflex/soak.json", import.meta.url));
const shown = join(".lambdaflex", "soak.json");
const cpuSeconds = (): number => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;
const count = (value: number): string => Math.round(value).toLocaleString("en-US");

const range = { first, days };
const totals = values.resume ? recall() : noTotals();
if (totals.seeds > 0) console.log(`resumes after ${totals.seeds} seeds`);
const doneBefore = totals.simulatedMs;
const begun = cpuSeconds();
while (totals.seeds < seeds && totals.violations.length === 0) {
  const seed = first + totals.seeds;
  const script = scriptOf(seed, days);
  const outcome = await runScript(script, values.story ? { onStory: tell } : {});
  addOutcome(totals, seed, outcome);
  if (totals.seeds % 100 === 0) {
    console.log(`  ${count(totals.seeds)} of ${count(seeds)} seeds, ${pace()}`);
    remember();
  }
  if (outcome.violation !== null) await explain(script);
}
remember();
report();
process.exitCode = totals.violations.length === 0 ? 0 : 1;

function tell(atMs: number, line: string): void {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const clock = `${two(atMs / 3_600_000)}:${two((atMs / 60_000) % 60)}:${two((atMs / 1000) % 60)}`;
  console.log(`${clock}  ${line}`);
}

function pace(): string {
  const daysRun = (totals.simulatedMs - doneBefore) / 86_400_000;
  return `${count((daysRun / (cpuSeconds() - begun)) * 60)} simulated days per minute of one core`;
}

/** A long range can be interrupted: the totals so far are kept. */
function remember(): void {
  mkdirSync(dirname(memory), { recursive: true });
  writeFileSync(memory, JSON.stringify({ ...range, totals }));
}

function recall(): Totals {
  try {
    const kept = JSON.parse(readFileSync(memory, "utf8")) as typeof range & { totals: Totals };
    if (kept.first === first && kept.days === days) return kept.totals;
    console.log(`${shown} is of another range: begins anew`);
  } catch (error) {
    if (error instanceof SyntaxError) console.log(`${shown} is damaged: begins anew`);
    else if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return noTotals();
}

async function explain(script: Script): Promise<void> {
  console.log(`\nseed ${script.seed} fails; looking for a short script`);
  const shrunk = await shrink(script);
  if (shrunk === null) throw new Error("the failure does not replay");
  console.log(`${shrunk.violation}\nafter ${shrunk.runs} runs this is left:\n`);
  console.log(JSON.stringify(shrunk.script, null, 1));
  console.log("\nand this is its story:\n");
  await runScript(shrunk.script, { onStory: tell });
}

function report(): void {
  const { fates, violations } = totals;
  console.log(`\n${count(totals.seeds)} seeds, ${count(totals.simulatedMs / 86_400_000)} days`);
  console.log(`${count(totals.ticks)} ticks, ${count(totals.turns)} changes of the target, `);
  console.log(`${count(totals.shifts)} steps of the weights; ${pace()}`);
  console.log(`${count(totals.arrived)} requests:`);
  for (const [fate, requests] of Object.entries(fates)) {
    console.log(`  ${fate.padEnd(10)} ${count(requests).padStart(15)}`);
  }
  console.log(`at rest ${count(totals.settledMsMax / 60_000)} min after the last fault at most`);
  const failed = violations.map(({ seed, what }) => `  seed ${seed}: ${what}`);
  console.log(
    `${violations.length} violations${failed.length > 0 ? `\n${failed.join("\n")}` : ""}`,
  );
}
