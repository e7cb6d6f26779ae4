import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { economicsOf, switchTimesDefault } from "../economics.ts";
import { hourMinutes, plansFargate } from "./rhythm.ts";

/** What the rest of the hour costs at least, relative to Lambda: all ways tried, none shortened. */
function leastUsd(
  profile: readonly number[],
  from: number,
  economics: ReturnType<typeof economicsOf>,
): { readonly onLambda: (ahead: number) => number; readonly onFargate: (ahead: number) => number } {
  const { upMinutes, downMinutes, baseUsdPerMinute, removalUsd } = economics;
  const known = new Map<string, number>();
  const least = (ahead: number, fargate: boolean): number => {
    if (ahead >= hourMinutes) return 0;
    const key = `${ahead} ${fargate}`;
    const found = known.get(key) ?? Math.min(stay(ahead, fargate), change(ahead, fargate));
    known.set(key, found);
    return found;
  };
  const stay = (ahead: number, fargate: boolean): number =>
    least(ahead + 1, fargate) - (fargate ? (profile[(from + ahead) % hourMinutes] ?? 0) : 0);
  const change = (ahead: number, fargate: boolean): number =>
    fargate
      ? downMinutes * baseUsdPerMinute + removalUsd + least(ahead + downMinutes, false)
      : upMinutes * baseUsdPerMinute + least(ahead + upMinutes, true);
  return {
    onLambda: (ahead) => change(ahead, false) - stay(ahead, false),
    onFargate: (ahead) => change(ahead, true) - stay(ahead, true),
  };
}

describe("the hour's plan", () => {
  it("is the cheapest one", () => {
    const economics = economicsOf(undefined, { ...switchTimesDefault, downMinutes: 8 });
    const { baseUsdPerMinute } = economics;
    const minute = fc.double({ min: -3, max: 3, noNaN: true });
    const profiles = fc.array(minute, { minLength: hourMinutes, maxLength: hourMinutes });
    // Few minutes that count: the plan is close, or a change cannot pay at all.
    const sparse = fc
      .tuple(profiles, fc.integer({ min: 1, max: 30 }))
      .map(([all, every]) => all.map((saved, at) => (at % every === 0 ? saved : saved / 100)));
    const law = fc.property(
      fc.oneof(profiles, sparse),
      fc.nat(hourMinutes - 1),
      fc.boolean(),
      (shape, from, isOnFargate) => {
        const profile = shape.map((saved) => saved * baseUsdPerMinute);
        const { onLambda, onFargate } = leastUsd(profile, from, economics);
        const gain = isOnFargate ? onFargate(0) : onLambda(0);
        if (Math.abs(gain) < 1e-12) return;
        assert.equal(plansFargate(profile, from, isOnFargate, economics) !== isOnFargate, gain < 0);
      },
    );
    fc.assert(law, { seed: 11, numRuns: 400 });
  });
});
