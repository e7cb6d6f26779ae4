/** Runs the engine's own tick over a load in the realistic model, in virtual time. */
import { tick } from "../core/tick.ts";
import type { Policy, Tier } from "../core/types.ts";
import { type BillParts, fargateOfBill, totalOfBill } from "./bill.ts";
import { RealisticCloud, type RealisticMinute } from "./realistic-cloud.ts";
import type { RealisticScenario } from "./realistic-scenario.ts";
import type { RequestTotals } from "./traffic.ts";

/** A change of the target and what became of it. */
export interface RealisticTransition {
  /** When it was decided, in the trace's time. */
  readonly atMs: number;
  readonly tier: Tier;
  readonly reason: string;
  /** When the first weight moved; `null` if it never did. */
  readonly shiftedAtMs: number | null;
  /** When all traffic had moved, or nothing was left to remove; `null` if it was cut short. */
  readonly completedAtMs: number | null;
}

/** What a run came to. */
export interface RealisticResult {
  readonly minutes: number;
  readonly ticks: number;
  readonly requests: RequestTotals;
  /** Requests that waited for an environment; they are among those answered. */
  readonly coldStarts: number;
  /** Requests that waited for a task; they are among those answered. */
  readonly queued: number;
  /** Estimates over all answered requests, at exponential service times. `null` without any. */
  readonly latencyMsP50: number | null;
  readonly latencyMsP99: number | null;
  readonly costUsd: number;
  readonly costUsdPerTier: Readonly<Record<Tier, number>>;
  readonly bill: BillParts;
  readonly transitions: readonly RealisticTransition[];
}

/** Optional parts of a run. */
export interface RealisticOptions {
  /** Start of the first minute; a whole minute. @default 0 */
  readonly startMs?: number;
  /** The tier that serves at the start; Fargate is then deployed already. @default "lambda" */
  readonly startOn?: Tier;
  /** Told each minute as it ends. */
  readonly onMinute?: (minute: RealisticMinute) => void;
  /** Told each event of the engine. */
  readonly onEvent?: (atMs: number, message: string) => void;
}

const minuteMs = 60_000;

/**
 * Lets a policy steer the engine through a load of requests per second, one entry per minute. The
 * same load, policy, scenario and seed give the same result.
 */
export async function runRealistic(
  traceMinutes: Float64Array,
  policy: Policy,
  scenario: RealisticScenario,
  seed: number,
  options: RealisticOptions = {},
): Promise<RealisticResult> {
  const cloud = new RealisticCloud(traceMinutes, scenario, seed, options);
  const endMs = cloud.nowMs + traceMinutes.length * minuteMs;
  const log = new TransitionLog();
  let ticks = 0;
  while (cloud.nowMs < endMs) {
    const { nowMs } = cloud;
    const { target } = cloud.status;
    const result = await tick(cloud, policy, scenario.engine, nowMs);
    ticks += 1;
    // Nothing fails here: what does is a bug of the engine, a policy or the simulator.
    if (!result.ok) throw result.error;
    const { step } = result;
    for (const event of step.events) options.onEvent?.(nowMs, event.message);
    if (step.status.target !== target) {
      const told = step.events.find(({ type }) => type === "decision" || type === "failure");
      log.decided(nowMs, step.status.target, told?.message ?? "");
    }
    if (step.actions.some(({ type }) => type === "route")) log.shifted(nowMs);
    if (step.phase === "steady") log.completed(nowMs);
    // The schedule wakes the controller every minute, alarms and its own waits earlier.
    const scheduledMs = (Math.floor(nowMs / minuteMs) + 1) * minuteMs;
    cloud.advanceTo(Math.min(endMs, scheduledMs, nowMs + Math.ceil(step.requeueAfterMs)));
  }
  const { bill, requests, coldStarts, queued } = cloud;
  const fargateUsd = fargateOfBill(bill);
  return {
    minutes: traceMinutes.length,
    ticks,
    requests,
    coldStarts,
    queued,
    latencyMsP50: cloud.latencyMs(0.5),
    latencyMsP99: cloud.latencyMs(0.01),
    costUsd: totalOfBill(bill),
    costUsdPerTier: { lambda: totalOfBill(bill) - fargateUsd, fargate: fargateUsd },
    bill,
    transitions: log.transitions,
  };
}

/** Follows each change of the target until the next one. */
class TransitionLog {
  readonly transitions: RealisticTransition[] = [];

  decided(atMs: number, tier: Tier, reason: string): void {
    this.transitions.push({ atMs, tier, reason, shiftedAtMs: null, completedAtMs: null });
  }

  shifted(atMs: number): void {
    const last = this.transitions.pop();
    if (last !== undefined)
      this.transitions.push({ ...last, shiftedAtMs: last.shiftedAtMs ?? atMs });
  }

  completed(atMs: number): void {
    const last = this.transitions.pop();
    if (last === undefined) return;
    this.transitions.push({ ...last, completedAtMs: last.completedAtMs ?? atMs });
  }
}
