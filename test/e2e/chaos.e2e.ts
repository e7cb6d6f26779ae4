/** A longer slice of `npm run chaos`: tasks die under load, six times. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { playScenario } from "../../proof/chaos/play.ts";
import { scenarios } from "../../proof/chaos/scenarios.ts";

test("tasks are killed, and nothing fails but what was in flight inside them", async () => {
  const scenario = scenarios.find(({ name }) => name === "kill-tasks");
  assert.ok(scenario);
  const outcome = await playScenario(scenario, 1, () => undefined);
  assert.deepEqual(outcome.unexplained, []);
  assert.equal(outcome.error, null);
  assert.equal(outcome.ok, true);
  assert.equal(outcome.deaths, 6);
});
