/** What goes wrong with calls: drawn from a seed, or scripted by a test. */
import { createHash } from "node:crypto";
import { seededRandom } from "../../../src/core/random.ts";
import { AwsError } from "./wire/protocol.ts";

/** The ways in which a call can fail. */
export type FaultKind =
  /** Refused: too many requests. */
  | "throttle"
  /** Fails without any effect: 500. */
  | "fails-before"
  /** Takes effect, and the answer says 500. */
  | "fails-after"
  /** The connection breaks before the request is read. */
  | "breaks-before"
  /** Takes effect, and the connection breaks before the answer. */
  | "breaks-after"
  /** Never answered. */
  | "hangs"
  /** The caller dies before its request takes effect. */
  | "dies-before"
  /** The caller dies after its request took effect. */
  | "dies-after"
  /** The credentials are no longer valid. */
  | "expired"
  /** The policy does not allow it. */
  | "denied";

/** Every kind that the caller survives, but `hangs`, which costs its patience in real time. */
export const quickFaults: readonly FaultKind[] = [
  "throttle",
  "fails-before",
  "fails-after",
  "breaks-before",
  "breaks-after",
  "expired",
  "denied",
];

/** A call that a fault may hit. */
export interface FaultTarget {
  readonly service: string;
  readonly action: string;
}

/** Decides about one call: what goes wrong with it, `null` for nothing. */
export type FaultPlan = (target: FaultTarget) => FaultKind | null;

/**
 * Faults with a probability per call. What becomes of the n-th call of an action depends on the
 * seed alone, so that the order of parallel calls does not change a run.
 */
export function drawnFaults(
  seed: number,
  probability: number,
  kinds: readonly FaultKind[] = quickFaults,
): FaultPlan {
  const counts = new Map<string, number>();
  return ({ service, action }) => {
    const name = `${service}:${action}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const random = seededRandom(hashOf(`${seed} ${name} ${count}`));
    return random() < probability ? (kinds[Math.floor(random() * kinds.length)] ?? null) : null;
  };
}

function hashOf(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32LE(0);
}

/** One fault for the next `times` calls of an action. */
export function scriptedFault(action: string, kind: FaultKind, times = 1): FaultPlan {
  let left = times;
  return (target) => {
    if (left <= 0 || target.action !== action) return null;
    left -= 1;
    return kind;
  };
}

/** The error that a fault is answered with; `null` for those that answer nothing. */
export function errorOf(kind: FaultKind, action: string): AwsError | null {
  switch (kind) {
    case "throttle":
      return new AwsError("ThrottlingException", "Rate exceeded", 400);
    case "fails-before":
    case "fails-after":
      return new AwsError("InternalFailure", "An internal error occurred", 500);
    case "expired":
      return new AwsError("ExpiredTokenException", "The security token is expired", 403);
    case "denied":
      return new AwsError("AccessDeniedException", `not authorized to perform: ${action}`, 403);
    default:
      return null;
  }
}
