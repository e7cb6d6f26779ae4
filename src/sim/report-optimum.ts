/**
 * The clairvoyant plan itself, minute by minute, for showing: the same dynamic programme as
 * `optimumUsd`, with each choice kept so that the way can be walked back.
 */
import type { MinuteCosts } from "./model.ts";

/** What a minute is spent on. */
export const minuteKinds = ["lambda", "deploying", "fargate", "draining"] as const;

/** Index into `minuteKinds`. */
export const kindCode = { lambda: 0, deploying: 1, fargate: 2, draining: 3 } as const;

/** The kind of each minute in the cheapest plan; it may start on either tier. */
export function optimumCourse(costs: MinuteCosts): Uint8Array {
  const { economics, lambdaUsd, fargateUsd } = costs;
  const { upMinutes, downMinutes, removalUsd, baseUsdPerMinute } = economics;
  const minutes = lambdaUsd.length;
  // Cost of being on a tier at the start of each minute, and whether one has arrived just then.
  const onLambda = new Float64Array(minutes + 1);
  const onFargate = new Float64Array(minutes + 1);
  const arrivedLambda = new Uint8Array(minutes + 1);
  const arrivedFargate = new Uint8Array(minutes + 1);
  const paidOnTheWay = new Float64Array(minutes + 1);
  for (let minute = 0; minute <= minutes; minute += 1) {
    if (minute > 0) {
      const lambda = lambdaUsd[minute - 1] ?? 0;
      onLambda[minute] = (onLambda[minute - 1] ?? 0) + lambda;
      onFargate[minute] = (onFargate[minute - 1] ?? 0) + (fargateUsd[minute - 1] ?? 0);
      paidOnTheWay[minute] = (paidOnTheWay[minute - 1] ?? 0) + lambda + baseUsdPerMinute;
    }
    const way = (from: number): number => (paidOnTheWay[minute] ?? 0) - (paidOnTheWay[from] ?? 0);
    const left = minute - downMinutes;
    const begun = minute - upMinutes;
    const viaDown = left < 0 ? Infinity : (onFargate[left] ?? 0) + removalUsd + way(left);
    const viaUp = begun < 0 ? Infinity : (onLambda[begun] ?? 0) + way(begun);
    if (viaDown < (onLambda[minute] ?? 0)) {
      onLambda[minute] = viaDown;
      arrivedLambda[minute] = 1;
    }
    if (viaUp < (onFargate[minute] ?? 0)) {
      onFargate[minute] = viaUp;
      arrivedFargate[minute] = 1;
    }
  }
  return walkedBack({ costs, onLambda, onFargate, arrivedLambda, arrivedFargate, paidOnTheWay });
}

interface Programme {
  readonly costs: MinuteCosts;
  readonly onLambda: Float64Array;
  readonly onFargate: Float64Array;
  readonly arrivedLambda: Uint8Array;
  readonly arrivedFargate: Uint8Array;
  readonly paidOnTheWay: Float64Array;
}

function walkedBack(programme: Programme): Uint8Array {
  const { costs, arrivedLambda, arrivedFargate } = programme;
  const { upMinutes, downMinutes } = costs.economics;
  const course = new Uint8Array(costs.lambdaUsd.length);
  let { minute, tier } = cheapestEnd(programme, course);
  while (minute > 0) {
    const arrived = tier === "lambda" ? arrivedLambda[minute] : arrivedFargate[minute];
    if (arrived !== 1) {
      minute -= 1;
      course[minute] = kindCode[tier];
      continue;
    }
    const from = minute - (tier === "lambda" ? downMinutes : upMinutes);
    course.fill(tier === "lambda" ? kindCode.draining : kindCode.deploying, from, minute);
    minute = from;
    tier = tier === "lambda" ? "fargate" : "lambda";
  }
  return course;
}

/** A plan may end on a tier, or on the way to one: those last minutes are filled in. */
function cheapestEnd(
  { costs, onLambda, onFargate, paidOnTheWay }: Programme,
  course: Uint8Array,
): { minute: number; tier: "lambda" | "fargate" } {
  const { upMinutes, downMinutes, removalUsd } = costs.economics;
  const end = course.length;
  const lambdaUsd = onLambda[end] ?? 0;
  const fargateUsd = onFargate[end] ?? 0;
  let bestUsd = Math.min(lambdaUsd, fargateUsd);
  let from = end;
  let tier: "lambda" | "fargate" = lambdaUsd <= fargateUsd ? "lambda" : "fargate";
  for (
    let minute = Math.max(0, end - Math.max(upMinutes, downMinutes) + 1);
    minute < end;
    minute++
  ) {
    const way = (paidOnTheWay[end] ?? 0) - (paidOnTheWay[minute] ?? 0);
    const leaving = (onFargate[minute] ?? 0) + removalUsd + way;
    if (end - minute < downMinutes && leaving < bestUsd) {
      bestUsd = leaving;
      from = minute;
      tier = "fargate";
    }
  }
  if (from < end) course.fill(kindCode.draining, from, end);
  return { minute: from, tier };
}

/** The bill of a course after each minute. */
export function courseUsd(course: Uint8Array, costs: MinuteCosts): Float64Array {
  const { economics, lambdaUsd, fargateUsd } = costs;
  const sums = new Float64Array(course.length);
  let sum = 0;
  for (const [minute, kind] of course.entries()) {
    const lambda = lambdaUsd[minute] ?? 0;
    if (kind === kindCode.fargate) sum += fargateUsd[minute] ?? 0;
    else sum += kind === kindCode.lambda ? lambda : lambda + economics.baseUsdPerMinute;
    const leaves = kind === kindCode.draining && course[minute - 1] !== kindCode.draining;
    if (leaves) sum += economics.removalUsd;
    sums[minute] = sum;
  }
  return sums;
}
