/** Without a domain there is no record whose weights could move, so there is no burst either. */
import type { Policy } from "../core/index.ts";

/** The policy's wish that was refused, as a notice; `null` if it had none. */
export interface Refusals {
  readonly policy: Policy;
  /** Takes the refusal of the last decision out. */
  take(): string | null;
}

const why = "no burst: without a domain traffic cannot be moved";

/** Lets a policy decide as before, but turns every wish for Fargate into a hold. */
export function refusingBursts(policy: Policy): Refusals {
  let refused: string | null = null;
  return {
    policy: {
      name: policy.name,
      decide(view, state) {
        const decided = policy.decide(view, state);
        const { decision } = decided;
        if (decision.type === "hold" || decision.tier === "lambda") return decided;
        const reason = `${why} (set "domain"); wanted: ${decision.reason}`;
        refused = reason;
        return { ...decided, decision: { type: "hold", reason } };
      },
    },
    take() {
      const last = refused;
      refused = null;
      return last;
    },
  };
}

/** A policy whose wishes are all granted. */
export function grantingBursts(policy: Policy): Refusals {
  return { policy, take: () => null };
}
