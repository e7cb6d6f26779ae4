/**
 * Tells stories of many seeds: `npm run test:cycle -- [FIRST] [COUNT]`. A seed that fails is named,
 * and told again with `npm run test:cycle -- SEED 1`.
 */
import { bundleController } from "./bundle.ts";
import { coverageTable } from "./coverage.ts";
import { type StoryResult, tellStory } from "./story.ts";

const [first = 1, count = 20] = process.argv.slice(2).map(Number);
const bundle = await bundleController();
const results: StoryResult[] = [];

function line(result: StoryResult): string {
  const { seed, variant, calls, deaths, faults, reachedFargate, problems, incidents } = result;
  const faulty = [...faults.values()].reduce((a, b) => a + b, 0);
  const way = reachedFargate ? "up and down" : "not all the way up";
  const head = `seed ${seed} ${variant}: ${problems.length === 0 ? "ok" : "FAILED"}, ${way}, `;
  const numbers = `${calls} calls, ${faulty} faults, ${deaths} deaths`;
  const story = incidents.length === 0 ? "" : `; ${incidents.join("; ")}`;
  return [`${head}${numbers}${story}`, ...problems.map((one) => `  ${one}`)].join("\n");
}

try {
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await tellStory({ seed, bundle: bundle.file });
    process.stdout.write(`${line(result)}\n`);
    if (count === 1 && result.problems.length > 0) {
      process.stdout.write(`${result.cycle.log.join("\n")}\n`);
    }
    results.push({ ...result, cycle: { ...result.cycle, log: [] } });
  }
  process.stdout.write(`\n${coverageTable(results)}\n`);
} finally {
  bundle.remove();
}
const failed = results.filter(({ problems }) => problems.length > 0);
process.stdout.write(
  `${results.length - failed.length} of ${results.length} seeds are well` +
    `${failed.length > 0 ? `, not ${failed.map(({ seed }) => seed).join(", ")}` : ""}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
