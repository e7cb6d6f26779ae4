/** The engine: pure, without any import from outside. */

export { assertInvariants, InvariantError } from "./invariants.ts";
export { phaseOf } from "./phase.ts";
export { between, type Random, seededRandom } from "./random.ts";
export { reconcile } from "./reconcile.ts";
export { initialStatus, lambdaOnly, routeOf, sameRoute } from "./status.ts";
export { planTick, type TickResult, tick } from "./tick.ts";
export * from "./types.ts";
