/**
 * The work-function counter: change tiers when staying has cost B more than the other tier would
 * have, B being the price of a full cycle.
 *
 * Ski rental both ways: it never pays more for waiting than for moving, which bounds its cost by
 * (3 − 2/ρ) times the optimum plus what the delays cost, whatever the traffic does.
 */
import type { Decision, Policy, PolicyState, Tier } from "../core/types.ts";
import { demandOf } from "./demand.ts";
import { type Economics, savedMinuteUsd } from "./economics.ts";
import { holdFor, targetFor, usd } from "./wording.ts";

/** Settings of the counter. */
export interface WorkFunctionOptions {
  readonly economics: Economics;
  readonly tasksMax: number;
  /** Regret that moves it to Fargate, in units of B. */
  readonly up?: number;
  /** Regret that moves it back, in units of B. */
  readonly down?: number;
}

interface Memory {
  readonly tier: Tier;
  /** What staying has cost more than the other tier would have, never below zero. */
  readonly regretUsd: number;
  readonly rps: number;
}

/** Makes the policy. */
export function workFunctionPolicy(options: WorkFunctionOptions): Policy {
  const { economics, tasksMax } = options;
  const upUsd = (options.up ?? 1) * economics.cycleUsd;
  const downUsd = (options.down ?? 1) * economics.cycleUsd;
  return {
    name: "work-function",
    decide(view, state) {
      const before = recall(state, view.target);
      const memory = counted(before, demandOf(view), economics);
      const { regretUsd, rps } = memory;
      const away = memory.tier === "lambda" ? "fargate" : "lambda";
      const limitUsd = memory.tier === "lambda" ? upUsd : downUsd;
      const numbers = (): string =>
        `${memory.tier} has cost ${usd(regretUsd)} more than ${away} at ${rps.toFixed(1)} ` +
        `requests/s; moves at ${usd(limitUsd)}`;
      const decision: Decision =
        regretUsd >= limitUsd
          ? targetFor(away, { economics, tasksMax, rps }, numbers)
          : holdFor(numbers);
      return { decision, policyState: memory === before ? state : { ...memory } };
    },
  };
}

function counted(
  before: Memory,
  windows: ReturnType<typeof demandOf>,
  economics: Economics,
): Memory {
  let memory = before;
  for (const { rps, minutes } of windows) {
    const saved = savedMinuteUsd(economics, rps) * minutes;
    const more = memory.tier === "lambda" ? saved : -saved;
    memory = { tier: memory.tier, regretUsd: Math.max(0, memory.regretUsd + more), rps };
  }
  return memory;
}

/** A change of target starts the count anew; a state of another policy is as good as none. */
function recall(state: PolicyState, tier: Tier): Memory {
  const { regretUsd, rps } = state;
  if (state.tier === tier && typeof regretUsd === "number" && typeof rps === "number") {
    return state as unknown as Memory;
  }
  return { tier, regretUsd: 0, rps: typeof rps === "number" ? rps : 0 };
}
