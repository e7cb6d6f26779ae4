/** How long the real cloud takes: published ranges, drawn from a seed. */
import { between, type Random } from "./random.ts";

/** The shortest and the longest of a wait, in seconds. */
export type SecondsRange = readonly [min: number, max: number];

/** What the waits are drawn from, uniformly. */
export interface DelayRanges {
  /** Creating the load balancer with its network. */
  readonly balancerSeconds: SecondsRange;
  /** From the scheduling of a task to the start of its process. */
  readonly taskStartSeconds: SecondsRange;
  /** Removing the burst stack. */
  readonly removalSeconds: SecondsRange;
  /** Until all DNS servers answer with a change. */
  readonly dnsSeconds: SecondsRange;
  /** From the end of a period until its alarm has been evaluated. */
  readonly alarmSeconds: SecondsRange;
}

/** The waits that a cloud which plays AWS imposes. Virtual milliseconds. */
export interface Delays {
  balancerMs(): number;
  taskStartMs(): number;
  removalMs(): number;
  dnsMs(): number;
  alarmMs(): number;
}

/**
 * Ranges published in logs and documentation: balancer 2m21 to 3m07 · first task 30 to 60 s ·
 * warm teardown 2 to 4 min, cold 3 to 6 min · Route 53 in sync within 60 s · metrics of a closed
 * minute reach their alarm within seconds. A cold network adds about half a minute.
 */
export function awsDelayRanges(standby: "warm" | "cold"): DelayRanges {
  const cold = standby === "cold";
  return {
    balancerSeconds: cold ? [171, 217] : [141, 187],
    taskStartSeconds: [30, 60],
    removalSeconds: cold ? [180, 360] : [120, 240],
    dnsSeconds: [10, 60],
    alarmSeconds: [5, 20],
  };
}

/** Delays drawn from ranges. */
export function drawnDelays(random: Random, ranges: DelayRanges): Delays {
  const drawMs = ([min, max]: SecondsRange): number => between(random, min, max) * 1000;
  return {
    balancerMs: () => drawMs(ranges.balancerSeconds),
    taskStartMs: () => drawMs(ranges.taskStartSeconds),
    removalMs: () => drawMs(ranges.removalSeconds),
    dnsMs: () => drawMs(ranges.dnsSeconds),
    alarmMs: () => drawMs(ranges.alarmSeconds),
  };
}
