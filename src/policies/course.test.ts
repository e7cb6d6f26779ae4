import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coursesOf, minuteKinds, minutePrices, steered } from "./course.ts";
import { economicsOf, switchTimesDefault } from "./economics.ts";

const times = { ...switchTimesDefault, upMinutes: 3, downMinutes: 4 };

/** The kinds of the minutes after a wish for Fargate, until `until` minutes have passed. */
function walk(economics: ReturnType<typeof economicsOf>, from: number, wish: boolean): string[] {
  const courses = coursesOf(economics);
  const names = Object.keys(minuteKinds);
  const seen: string[] = [];
  for (let code = steered(from, wish, courses); seen.length < 30; code = courses.next[code] ?? 0) {
    seen.push(names[courses.kind[code] ?? 0] ?? "");
    if (seen.length > 1 && (code === 0 || code === courses.onFargate)) break;
  }
  return seen;
}

describe("courses", () => {
  it("take the minutes of the model and end where a wish takes effect", () => {
    const economics = economicsOf(undefined, times);
    assert.deepEqual(walk(economics, 0, true), ["way", "way", "way", "fargate"]);
    const down = ["leaving", "way", "way", "way", "lambda"];
    assert.deepEqual(walk(economics, coursesOf(economics).onFargate, false), down);
  });

  it("count a dwell from the decision, and pay for what was deployed until it may shrink", () => {
    const dwells = { dwellFargateMinutes: 7, dwellLambdaMinutes: 6, scaleInMinutes: 2 };
    const economics = economicsOf(undefined, { ...times, ...dwells });
    const up = ["way", "way", "way", "arrived", "arrived", "fargate", "fargate", "fargate"];
    assert.deepEqual(walk(economics, 0, true), up);
    const down = ["leaving", "way", "way", "way", "lambda", "lambda", "lambda"];
    assert.deepEqual(walk(economics, coursesOf(economics).onFargate, false), down);
  });

  it("head for Fargate from the decision until the next one", () => {
    const economics = economicsOf(undefined, { ...times, dwellFargateMinutes: 7 });
    const { heads, next, onFargate } = coursesOf(economics);
    const heading: number[] = [];
    for (let code = 1; code !== onFargate; code = next[code] ?? 0) heading.push(heads[code] ?? 0);
    assert.deepEqual(heading, [1, 1, 1, 1, 1, 1, 1]);
    assert.equal(heads[onFargate], 1);
    assert.equal(heads[onFargate + 1], 0);
    assert.equal(heads[0], 0);
  });

  it("price a minute by the tasks that are there", () => {
    const economics = economicsOf();
    const [lambda, way, leaving, fargate, arrived] = minutePrices(economics, 10, 100, 500);
    assert.equal(way, lambda + economics.baseUsdPerMinute);
    assert.equal(leaving, way + economics.removalUsd);
    const task = economics.taskUsdPerMinute;
    assert.ok(Math.abs(arrived - fargate - 8 * task) < 1e-12, "10 tasks instead of 2");
  });
});
