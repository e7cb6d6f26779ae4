/** Brings all traffic back to Lambda before anything is removed: the controller does it. */
import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { readStatus, type StateTable, writeStatus } from "../../aws/table.ts";
import type { Config } from "../../config/index.ts";
import type { DeploymentNames } from "../../core/deployment.ts";
import { commitOverride, pinned } from "../../core/override.ts";
import { isNamed } from "../aws/errors.ts";
import { type Pace, poll } from "../aws/pace.ts";
import { readStack } from "../aws/stacks.ts";
import { wakeController } from "../deploy/burst.ts";

/** What draining needs. */
export interface DrainParts {
  readonly config: Config;
  readonly names: DeploymentNames;
  readonly cloudformation: CloudFormationClient;
  readonly lambda: LambdaClient;
  readonly table: StateTable;
  readonly pace: Pace;
  readonly say: (line: string) => void;
}

/** What the controller may take besides the drain: weights, TTLs and the removal itself. */
const slackMs = 30 * 60_000;

/** How often the controller is woken while we wait. */
const wakeEveryMs = 60_000;

/**
 * Pins the service to Lambda and waits until the burst tier is gone. Resolves with false if it is
 * still there after the longest drain: then the guard of the base stack ends it.
 */
export async function drained(parts: DrainParts): Promise<boolean> {
  const { config, names, cloudformation, lambda, table, pace, say } = parts;
  if ((await readStack(cloudformation, names.burstStack)) === null) return true;
  const observe = async (): Promise<{ status: Awaited<ReturnType<typeof readStatus>> }> => ({
    status: await readStatus(table),
  });
  try {
    const commit = (status: Parameters<typeof writeStatus>[1]): Promise<void> =>
      writeStatus(table, status);
    // Only the status is asked for here: the world is the controller's to observe.
    await commitOverride(
      { observe, commit } as Parameters<typeof commitOverride>[0],
      pinned("lambda"),
    );
  } catch (error) {
    if (!isNamed(error, "ResourceNotFoundException")) throw error;
    say("the state table is gone already: the guard of the base stack clears up");
    return false;
  }
  const { drainMinutesMax } = config.transition;
  say(`pinned to Lambda: clients leave the burst tier, at most ${drainMinutesMax} min`);
  const untilMs = pace.nowMs() + drainMinutesMax * 60_000 + slackMs;
  let wokenMs = Number.NEGATIVE_INFINITY;
  let told = "";
  return poll(pace, async () => {
    const nowMs = pace.nowMs();
    if (nowMs - wokenMs >= wakeEveryMs) await wakeController(lambda, names);
    if (nowMs - wokenMs >= wakeEveryMs) wokenMs = nowMs;
    const stack = await readStack(cloudformation, names.burstStack);
    if (stack === null) return true;
    const { route } = await readStatus(table);
    const weights = `Lambda ${route.lambda} %, Fargate ${route.fargate} %`;
    const line = `  ${weights}; stack ${stack.name} is ${stack.status}`;
    if (line !== told) say(line);
    told = line;
    return nowMs > untilMs ? false : null;
  });
}
