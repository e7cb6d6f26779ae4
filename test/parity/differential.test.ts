/** Every small shape through front door and bridge, through the balancer, and directly. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startThreeWays, type ThreeWays } from "../../src/local/three-ways.ts";
import { diffText } from "../../src/parity/compare.ts";
import { differ } from "./differ.ts";
import { echoService } from "./service.ts";
import { allShapes } from "./shapes.ts";

let ways: ThreeWays;

before(async () => {
  ways = await startThreeWays({
    service: echoService,
    memoryMB: 512,
    vcpu: 0.5,
    timeoutMs: 29_000,
  });
});

after(() => ways.stop());

test("both tiers hand on what the direct way does, but for the published table", async () => {
  const shapes = allShapes().filter(({ slow }) => !slow);
  assert.ok(shapes.length >= 300, `${shapes.length} shapes`);
  assert.equal(new Set(allShapes().map(({ name }) => name)).size, allShapes().length);
  for (const shape of shapes) {
    const { unexplained } = await differ(ways, shape);
    assert.deepEqual(unexplained.map(diffText), [], shape.name);
  }
});
