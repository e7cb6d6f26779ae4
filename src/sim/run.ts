/** Runs the engine's own tick over a load in the ideal model: one tick a minute, virtual time. */
import { tick } from "../core/tick.ts";
import type { Policy, Tier, TierState } from "../core/types.ts";
import { type Bill, idealSettings, SimCloud, type SimCloudOptions } from "./cloud.ts";
import type { MinuteCosts } from "./model.ts";

/** What a run came to. */
export interface RunResult {
  readonly costUsd: number;
  /** Changes of the target, both ways. */
  readonly transitions: number;
  readonly minutesOnFargate: number;
  readonly ticks: number;
}

/** Optional parts of a run. */
export interface RunOptions extends SimCloudOptions {
  readonly tasksMax?: number;
  /** Told each change of the target. */
  readonly onDecision?: (nowMs: number, message: string) => void;
  /** Told each minute that was paid: where it headed, what there was, and the bill so far. */
  readonly onMinute?: (minute: number, target: Tier, burst: TierState, bill: Bill) => void;
}

/** Lets a policy steer the engine through a load, starting on Lambda. */
export async function runEngine(
  costs: MinuteCosts,
  policy: Policy,
  options: RunOptions = {},
): Promise<RunResult> {
  const cloud = new SimCloud(costs, options);
  const settings = idealSettings(costs.economics, options.tasksMax);
  const ticks = costs.rps.length;
  let transitions = 0;
  for (let minute = 0; minute < ticks; minute += 1) {
    const { nowMs } = cloud;
    const { target } = cloud.status;
    const result = await tick(cloud, policy, settings, nowMs);
    if (!result.ok) throw result.error;
    if (result.step.status.target !== target) {
      transitions += 1;
      for (const event of result.step.events) {
        if (event.type === "decision") options.onDecision?.(nowMs, event.message);
      }
    }
    cloud.advance();
    options.onMinute?.(minute, cloud.status.target, result.world.fargate.state, cloud.bill);
  }
  const { costUsd, minutesOnFargate } = cloud.bill;
  return { costUsd, transitions, minutesOnFargate, ticks };
}
