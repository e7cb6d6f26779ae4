/** The two static policies: what a comparison begins with. */
import type { Policy, Tier } from "../core/types.ts";
import type { Economics } from "./economics.ts";
import { holdFor, targetFor } from "./wording.ts";

/** A policy that wants one tier whatever happens. */
export function alwaysPolicy(tier: Tier, economics: Economics): Policy {
  const reason = (): string => `always ${tier}`;
  return {
    name: `always-${tier}`,
    decide(view, policyState) {
      const size = { economics, tasksMax: economics.tasksMin, rps: 0 };
      const decision = view.target === tier ? holdFor(reason) : targetFor(tier, size, reason);
      return { decision, policyState };
    },
  };
}
