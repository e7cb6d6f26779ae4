import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../core/index.ts";
import { awsDelays, type Delays } from "./delays.ts";

const ranges: Record<keyof Delays, Record<"warm" | "cold", readonly [number, number]>> = {
  balancerMs: { warm: [141_000, 187_000], cold: [171_000, 217_000] },
  taskStartMs: { warm: [30_000, 60_000], cold: [30_000, 60_000] },
  removalMs: { warm: [120_000, 240_000], cold: [180_000, 360_000] },
  dnsMs: { warm: [10_000, 60_000], cold: [10_000, 60_000] },
  alarmMs: { warm: [5_000, 20_000], cold: [5_000, 20_000] },
};

it("every delay lies within what AWS is known to take", () => {
  const standby = fc.constantFrom("warm" as const, "cold" as const);
  fc.assert(
    fc.property(fc.nat(), standby, (seed, kind) => {
      const delays = awsDelays(seededRandom(seed), kind);
      for (const [name, range] of Object.entries(ranges)) {
        const [min, max] = range[kind];
        const ms = delays[name as keyof Delays]();
        assert.ok(ms >= min && ms < max, `${name} ${kind}: ${ms}`);
      }
    }),
  );
});

it("delays use their whole range", () => {
  const delays = awsDelays(seededRandom(1), "warm");
  for (const [name, { warm }] of Object.entries(ranges)) {
    const drawn = Array.from({ length: 400 }, () => delays[name as keyof Delays]());
    const tenth = (warm[1] - warm[0]) / 10;
    assert.ok(Math.min(...drawn) < warm[0] + tenth && Math.max(...drawn) > warm[1] - tenth, name);
  }
});

it("a seed replays the same delays, another one does not", () => {
  const drawn = (seed: number): number[] => {
    const { balancerMs, dnsMs, alarmMs } = awsDelays(seededRandom(seed), "warm");
    return [balancerMs(), dnsMs(), alarmMs(), balancerMs()];
  };
  assert.deepEqual(drawn(7), drawn(7));
  assert.notDeepEqual(drawn(7), drawn(8));
});
