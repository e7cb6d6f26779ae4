/** The invariants in the words of a bystander, who sees commands, not reasons. */
import type { Action, Status, Tier } from "../../core/types.ts";
import type { Script } from "./script.ts";
import type { World } from "./world.ts";

/** What is wrong with a command as it takes effect. */
export function wrongWith(action: Action, world: World): string | null {
  if (action.type !== "route") return null;
  const { lambda, fargate, fargateRecord } = action.route;
  if (lambda + fargate !== 100) return `2: weights ${lambda}/${fargate}`;
  if (fargate > 0 && !fargateRecord) return "2: a weight without a record";
  const raises = fargate > world.zone.route.fargate && !world.zone.touched;
  if (raises && !world.burst.serves && world.burst.outage === null) {
    return "1: weight for a tier that does not serve";
  }
  if (raises && world.imagesDiffer) return "9: weight moves while the tiers run different images";
  return null;
}

/** What is wrong with a change of the remembered status; `null` if nothing is. */
export function wrongChange(
  before: Status,
  after: Status,
  script: Script,
  { look, nowMs: atMs }: Pick<World, "look" | "nowMs">,
): string | null {
  if (after.revision !== before.revision + 1) return "5: revisions that do not follow each other";
  // What a hand has set is taken up as it is, and giving back what a hand took is no shift.
  const held = (tier: Tier): number => Math.max(before.route[tier], look.route[tier]);
  const backsOff = after.failures > 0 && (after.holdUntilMs ?? 0) > look.atMs - skewOf(script);
  if (after.route.lambda > held("lambda") && look.lambdaUnfit && !backsOff) {
    return "1: weight for Lambda, which can take no more";
  }
  if (after.route.fargate > held("fargate") && look.fargateErrs) {
    return "weight for Fargate, which answers with errors";
  }
  if (before.target === after.target || before.override !== null || after.override !== null) {
    return null;
  }
  const retreats = after.failures > before.failures;
  const reverses = after.target === "fargate" && before.route.fargateRecord;
  if (retreats || reverses) return null;
  const { dwellFargateMs, dwellLambdaMs } = script.settings;
  const dwellMs = before.target === "fargate" ? dwellFargateMs : dwellLambdaMs;
  const stayedMs = atMs - before.targetSinceMs + skewOf(script);
  return stayedMs >= dwellMs ? null : `8: turns after ${Math.round(stayedMs / 1000)} s`;
}

/** How far two readings of the clocks may be apart. */
function skewOf({ clockSkewMs: [a, b] }: Script): number {
  return Math.abs(a) + Math.abs(b);
}
