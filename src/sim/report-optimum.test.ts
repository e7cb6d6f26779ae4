import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { minuteCosts } from "./model.ts";
import { optimumUsd } from "./optimum.ts";
import { courseUsd, kindCode, optimumCourse } from "./report-optimum.ts";

describe("the optimum's course", () => {
  it("costs what the optimum costs, whatever the traffic", () => {
    const span = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.constantFrom(0, 8, 20, 90, 900));
    const law = fc.property(fc.array(span, { minLength: 1, maxLength: 12 }), (spans) => {
      const rps = spans.flatMap(([minutes, rate]) => Array<number>(minutes).fill(rate));
      const costs = minuteCosts(Float64Array.from(rps));
      const paid = courseUsd(optimumCourse(costs), costs).at(-1) ?? 0;
      const best = optimumUsd(costs);
      assert.ok(Math.abs(paid - best) <= 1e-9 * best + 1e-12, `${paid} instead of ${best}`);
    });
    fc.assert(law, { seed: 3, numRuns: 300 });
  });

  it("stays within the shapes that the model has", () => {
    const hours = (count: number, rate: number): number[] => Array<number>(60 * count).fill(rate);
    const costs = minuteCosts(
      Float64Array.from([...hours(3, 0), ...hours(4, 500), ...hours(3, 0)]),
    );
    const course = [...optimumCourse(costs)];
    const count = (kind: number): number => course.filter((one) => one === kind).length;
    assert.equal(count(kindCode.deploying), costs.economics.upMinutes);
    assert.equal(count(kindCode.draining), costs.economics.downMinutes);
    assert.equal(course[180], kindCode.fargate);
    assert.equal(course.indexOf(kindCode.deploying), 180 - costs.economics.upMinutes);
  });
});
