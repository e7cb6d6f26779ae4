/**
 * Capacity before cost: a policy that only reckons in money leaves Lambda anyway when its
 * concurrency runs out, because a refused request costs more than any tier.
 */
import type { Policy, PolicyState, PolicyView, Tier } from "../core/types.ts";
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
  /** The rate at which Lambda ran short; 0 if it did not since the last return to it. */
  readonly shortRps: number;
  readonly inner: PolicyState;
}

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
      const policyState = memory === before ? state : { ...memory };
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
  const rps = demandOf(view).at(-1)?.rps ?? before.rps;
  const shortRps = shortAt(before.shortRps, rps, view.target, isShort(view));
  if (rps === before.rps && shortRps === before.shortRps && inner === before.inner) return before;
  return { rps, shortRps, inner };
}

function isShort({ alarms }: PolicyView): boolean {
  return alarms.throttled === "ALARM" || alarms["busy-concurrency"] === "ALARM";
}

function shortAt(shortRps: number, rps: number, target: Tier, short: boolean): number {
  // Without a window yet, any rate will do: 1 request/s keeps the arithmetic honest.
  if (short && target === "lambda") return Math.max(rps, 1);
  return target === "lambda" || rps < trustedShare * shortRps ? 0 : shortRps;
}

function recall(state: PolicyState): Memory {
  const { rps, shortRps, inner } = state;
  const known = typeof rps === "number" && typeof shortRps === "number" && isState(inner);
  return known ? { rps, shortRps, inner } : { rps: 0, shortRps: 0, inner: {} };
}

function isState(value: unknown): value is PolicyState {
  return typeof value === "object" && value !== null;
}
