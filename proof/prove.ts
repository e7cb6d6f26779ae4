/**
 * Explores every state that the engine and its world can reach, and follows each to its target.
 * `npm run prove`
 */
import { explore } from "../src/sim/explore/explore.ts";
import { provesLiveness } from "../src/sim/explore/liveness.ts";
import { optionsOf } from "./options.ts";

optionsOf({});

const begun = performance.now();
const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(0);
const count = (value: number): string => value.toLocaleString("en-US");

console.log("exploring every state that can be reached, breadth first");
const exploration = explore({
  onLevel: (depth, states) => {
    console.log(`  depth ${depth}: ${count(states)} states, ${seconds()} s`);
  },
});
const { states, transitions, depth, views, violation } = exploration;
console.log(`${count(states.size)} states, ${count(transitions)} transitions, depth ${depth}`);
console.log(`the engine was asked about ${count(views)} different situations`);
if (violation !== null) fail(`broken: ${violation.property}`, violation.story);
console.log(`every invariant holds in every state, ${seconds()} s`);

const { ticksMax, failure } = provesLiveness(states);
if (failure !== null) fail(`the policy ${failure.wish}: the target is not reached`, failure.story);
for (const [wish, ticks] of Object.entries(ticksMax)) {
  console.log(`the policy ${wish}: once faults stop, at rest within ${ticks} ticks`);
}
const memoryMB = process.resourceUsage().maxRSS / 1024;
console.log(`proved in ${seconds()} s with ${memoryMB.toFixed(0)} MB`);

function fail(what: string, story: readonly string[]): never {
  console.log(`\n${what}\n`);
  for (const [at, line] of story.entries()) console.log(`${String(at + 1).padStart(3)}. ${line}`);
  process.exit(1);
}
