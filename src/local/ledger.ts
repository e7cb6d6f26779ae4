/** Keeps what was billed in each minute: the requests of both tiers, tasks and balancer. */
import type { DatedCostWindow } from "../core/snapshot.ts";
import type { Tier } from "../core/types.ts";
import type { Clock } from "./clock.ts";
import type { Meter } from "./meter.ts";

/** The account of a running local cloud. */
export interface Ledger {
  /** Takes up what the meters have closed since. */
  update(): void;
  /** Oldest first, without a gap. */
  windows(): readonly DatedCostWindow[];
  stop(): void;
}

/** What is billed. */
export interface LedgerOptions {
  readonly clock: Clock;
  readonly meters: Readonly<Record<Tier, Meter>>;
  /** Tasks that have a process; `null` while there is no balancer. */
  readonly fargateStats: () => { readonly tasks: number } | null;
}

const periodMs = 60_000;
/** A week of minutes: older ones are forgotten, so that a long run stays small. */
const windowsMax = 7 * 24 * 60;

interface Minute {
  lambda: number;
  fargate: number;
  tasks: number;
  balancer: boolean;
}

/** Opens an empty ledger and looks four times a minute at what runs. */
export function openLedger(options: LedgerOptions): Ledger {
  const { clock, meters } = options;
  const minutes = new Map<number, Minute>();
  const minuteAt = (startMs: number): Minute => {
    const known = minutes.get(startMs);
    if (known !== undefined) return known;
    const fresh = { lambda: 0, fargate: 0, tasks: 0, balancer: false };
    minutes.set(startMs, fresh);
    while (minutes.size > windowsMax) minutes.delete(minutes.keys().next().value ?? startMs);
    return fresh;
  };
  const note = (): void => {
    const minute = minuteAt(Math.floor(clock.nowMs() / periodMs) * periodMs);
    const stats = options.fargateStats();
    minute.tasks = Math.max(minute.tasks, stats?.tasks ?? 0);
    minute.balancer ||= stats !== null;
  };
  note();
  const begunMs = minutes.keys().next().value ?? 0;
  const cancel = clock.every(periodMs / 4, note);
  return {
    update() {
      note();
      for (const tier of ["lambda", "fargate"] as const) {
        for (const sample of meters[tier].samples()) {
          // Minutes that were forgotten must not come back.
          if (sample.startMs < begunMs || isForgotten(minutes, sample.startMs)) continue;
          minuteAt(sample.startMs)[tier] = sample.requests;
        }
      }
    },
    windows: () =>
      [...minutes.entries()]
        .sort(([a], [b]) => a - b)
        .map(([startMs, { lambda, fargate, tasks, balancer }]) => ({
          startMs,
          periodMs,
          lambdaRequests: lambda,
          fargateRequests: fargate,
          tasks,
          balancer,
        })),
    stop: cancel,
  };
}

/** Whether a full ledger holds only later minutes. */
function isForgotten(minutes: ReadonlyMap<number, Minute>, startMs: number): boolean {
  const oldest = minutes.keys().next().value ?? startMs;
  return minutes.size >= windowsMax && startMs < oldest;
}
