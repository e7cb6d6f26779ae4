/**
 * Capacity before cost: a policy that only reckons in money leaves Lambda anyway when its
 * concurrency runs out, because a refused request costs more than any tier.
 *
 * It has to be short for some minutes: a burst that is over before tasks are there would only meet
 * too few of them.
 */
import type { Policy, PolicyState, PolicyView, Sample, Tier } from "../core/types.ts";
import { demandOf } from "./demand.ts";
import type { Economics } from "./economics.ts";
import { holdFor, targetFor } from "./wording.ts";

/** How large the burst may become. */
export interface CapacityOptions {
  readonly economics: Economics;
  readonly tasksMax: number;
}

interface Memory {
  readonly rps: number;
  /** Minutes in a row that Lambda has been short. */
  readonly shortMinutes: number;
  /** The rate at which Lambda ran short; 0 if it did not since the last return to it. */
  readonly shortRps: number;
  readonly inner: PolicyState;
}

/** About as long as the way to Fargate takes. */
const shortMinutesMin = 5;

/** Below this share of the rate that was too much, Lambda is trusted again. */
const trustedShare = 0.5;

/** Lets alarms of Lambda's capacity overrule a policy. The name stays the policy's. */
export function withCapacity(policy: Policy, { economics, tasksMax }: CapacityOptions): Policy {
  return {
    name: policy.name,
    decide(view, state) {
      const before = recall(state);
      const decided = policy.decide(view, before.inner);
      const memory = seen(before, view, decided.policyState);
      const policyState = memory === before ? state : (memory as unknown as PolicyState);
      const { rps, shortRps } = memory;
      const { decision } = decided;
      const wish = decision.type === "target" ? decision.tier : view.target;
      if (wish === "fargate" || shortRps === 0) return { decision, policyState };
      const numbers = (): string =>
        `Lambda ran short of concurrency at ${shortRps.toFixed(1)} requests/s; now ` +
        `${rps.toFixed(1)}, returns below ${(trustedShare * shortRps).toFixed(1)}`;
      if (view.target === "fargate") return { decision: holdFor(numbers), policyState };
      const size = { economics, tasksMax, rps };
      return { decision: targetFor("fargate", size, numbers), policyState };
    },
  };
}

function seen(before: Memory, view: PolicyView, inner: PolicyState): Memory {
  const rps = latestRps(view.samples) ?? before.rps;
  const shortMinutes = isShort(view) ? shortFor(before.shortMinutes, view) : 0;
  const shortRps = shortAt(before.shortRps, rps, view.target, shortMinutes >= shortMinutesMin);
  const same =
    rps === before.rps &&
    shortMinutes === before.shortMinutes &&
    shortRps === before.shortRps &&
    inner === before.inner;
  return same ? before : { rps, shortMinutes, shortRps, inner };
}

/** Of the newest window, both tiers together; `null` if no window is new. */
function latestRps(samples: readonly Sample[]): number | null {
  const newest = samples.at(-1);
  if (newest === undefined) return null;
  let requests = 0;
  for (let at = samples.length - 1; at >= 0; at -= 1) {
    const sample = samples[at];
    if (sample?.startMs !== newest.startMs) break;
    requests += sample.requests;
  }
  return (requests * 1000) / newest.periodMs;
}

function shortFor(beforeMinutes: number, view: PolicyView): number {
  const passed = demandOf(view).reduce((sum, { minutes }) => sum + minutes, 0);
  return Math.min(beforeMinutes + passed, shortMinutesMin);
}

function isShort({ alarms }: PolicyView): boolean {
  return alarms.throttled === "ALARM" || alarms["busy-concurrency"] === "ALARM";
}

function shortAt(shortRps: number, rps: number, target: Tier, short: boolean): number {
  if (target === "lambda") return short ? rps : 0;
  return rps < trustedShare * shortRps ? 0 : shortRps;
}

const nothing: Memory = { rps: 0, shortMinutes: 0, shortRps: 0, inner: {} };

function recall(state: PolicyState): Memory {
  const { rps, shortMinutes, shortRps, inner } = state;
  const numbers =
    typeof rps === "number" && typeof shortMinutes === "number" && typeof shortRps === "number";
  return numbers && isState(inner) ? (state as unknown as Memory) : nothing;
}

function isState(value: unknown): value is PolicyState {
  return typeof value === "object" && value !== null;
}
