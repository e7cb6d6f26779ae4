/** The invariants in the words of a bystander, who sees commands, not reasons. */
import type { Action, Status } from "../../core/types.ts";
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
  atMs: number,
): string | null {
  if (after.revision !== before.revision + 1) return "5: revisions that do not follow each other";
  if (before.target === after.target || before.override !== null || after.override !== null) {
    return null;
  }
  const retreats = after.failures > before.failures;
  const reverses = after.target === "fargate" && before.route.fargateRecord;
  if (retreats || reverses) return null;
  const { dwellFargateMs, dwellLambdaMs } = script.settings;
  const dwellMs = before.target === "fargate" ? dwellFargateMs : dwellLambdaMs;
  const [a, b] = script.clockSkewMs;
  const stayedMs = atMs - before.targetSinceMs + Math.abs(a) + Math.abs(b);
  return stayedMs >= dwellMs ? null : `8: turns after ${Math.round(stayedMs / 1000)} s`;
}
