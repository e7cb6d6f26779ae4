/**
 * Prices follow what is measured: how long an invocation is billed for decides the break-even rate
 * more than anything else, and no configuration can know it.
 */
import type { Policy, PolicyState, PolicyView } from "../core/types.ts";

interface Memory {
  /** Mean billed duration, fading; 0 before any was seen. */
  readonly durationMs: number;
  readonly inner: PolicyState;
}

/** A measured window counts for so much of the new mean: about the last hour decides. */
const shareOfWindow = 1 / 60;

/** Durations within 5 % count as the same, so that a policy is not made anew each minute. */
const step = Math.log(1.05);

/** A day's rhythm passes through a few dozen steps; what is not used is made again. */
const policiesMax = 64;

/** A policy that is made for the measured duration; `unmeasured` serves until there is one. */
export function withMeasuredDuration(
  unmeasured: Policy,
  make: (lambdaDurationMs: number) => Policy,
): Policy {
  const made = new Map<number, Policy>();
  const policyAt = (durationMs: number): Policy => {
    if (durationMs <= 0) return unmeasured;
    const at = Math.round(Math.log(durationMs) / step);
    const known = made.get(at);
    if (known !== undefined) return known;
    if (made.size >= policiesMax) made.clear();
    const policy = make(Math.exp(at * step));
    made.set(at, policy);
    return policy;
  };
  return {
    name: unmeasured.name,
    decide(view, state) {
      const before = recall(state);
      const durationMs = measured(before.durationMs, view);
      const decided = policyAt(durationMs).decide(view, before.inner);
      const inner = decided.policyState;
      const same = durationMs === before.durationMs && inner === before.inner;
      return { ...decided, policyState: same ? state : { durationMs, inner } };
    },
  };
}

function measured(beforeMs: number, { samples }: PolicyView): number {
  let meanMs = beforeMs;
  for (const { tier, requests, durationMsMean } of samples) {
    if (tier !== "lambda" || durationMsMean === undefined || requests === 0) continue;
    meanMs = meanMs === 0 ? durationMsMean : meanMs + (durationMsMean - meanMs) * shareOfWindow;
  }
  return meanMs;
}

function recall(state: PolicyState): Memory {
  const { durationMs, inner } = state;
  const known = typeof durationMs === "number" && typeof inner === "object" && inner !== null;
  return known ? (state as unknown as Memory) : { durationMs: 0, inner: {} };
}
