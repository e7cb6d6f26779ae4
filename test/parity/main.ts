/**
 * `npm run test:parity`: all shapes, the large ones included, and counts. Fails when a shape
 * differs beyond the published table, or an entry of the table was needed by none.
 */
import { startThreeWays } from "../../src/local/three-ways.ts";
import { diffText } from "../../src/parity/compare.ts";
import { differences } from "../../src/parity/differences.ts";
import { differ } from "./differ.ts";
import { echoService } from "./service.ts";
import { allShapes } from "./shapes.ts";

const ways = await startThreeWays({
  service: echoService,
  memoryMB: 512,
  vcpu: 0.5,
  timeoutMs: 29_000,
});
const needed = new Map<string, number>(differences.map(({ id }) => [id, 0]));
const shapes = allShapes();
const begunMs = performance.now();
/** Headers that every request gets on its way. */
const added = new Set(["connection-headers", "client-headers", "lambda-context"]);
let identical = 0;
let differing = 0;
try {
  for (const shape of shapes) {
    const { explained, unexplained } = await differ(ways, shape);
    for (const id of explained) needed.set(id, (needed.get(id) ?? 0) + 1);
    if (unexplained.length > 0) {
      differing += 1;
      process.stdout.write(`${shape.name}\n`);
      for (const diff of unexplained) process.stdout.write(`  ${diffText(diff).slice(0, 400)}\n`);
    } else if (explained.every((id) => added.has(id))) identical += 1;
  }
} finally {
  await ways.stop();
}
const seconds = ((performance.now() - begunMs) / 1000).toFixed(1);
process.stdout.write(
  `${shapes.length} shapes × 2 tiers in ${seconds} s: ${identical} identical but for headers ` +
    `that the tiers add, ${shapes.length - identical - differing} different as the table says, ` +
    `${differing} otherwise\n`,
);
for (const [id, count] of needed) process.stdout.write(`  ${String(count).padStart(4)} ${id}\n`);
const unused = [...needed].filter(([, count]) => count === 0).map(([id]) => id);
if (unused.length > 0) process.stdout.write(`needed by no shape: ${unused.join(", ")}\n`);
process.exitCode = differing > 0 || unused.length > 0 ? 1 : 0;
