/** How long the real cloud takes, drawn per run from the seed. Virtual milliseconds. */
import { between, type Random } from "../core/random.ts";

/** The waits that the local cloud imposes as AWS does. */
export interface Delays {
  /** Creating the load balancer with its network. */
  balancerMs(): number;
  /** From the scheduling of a task to the start of its process. */
  taskStartMs(): number;
  /** Removing the burst stack. */
  removalMs(): number;
  /** Until all DNS servers answer with a change. */
  dnsMs(): number;
  /** From the end of a period until its alarm has been evaluated. */
  alarmMs(): number;
}

const second = 1000;

/**
 * Ranges published in logs and documentation: balancer 2m21 to 3m07 · first task 30 to 60 s ·
 * warm teardown 2 to 4 min, cold 3 to 6 min · Route 53 in sync within 60 s · metrics of a closed
 * minute reach their alarm within seconds. A cold network adds about half a minute.
 */
export function awsDelays(random: Random, standby: "warm" | "cold"): Delays {
  const cold = standby === "cold";
  const network = cold ? 30 * second : 0;
  const removal = cold ? ([180, 360] as const) : ([120, 240] as const);
  return {
    balancerMs: () => network + between(random, 141, 187) * second,
    taskStartMs: () => between(random, 30, 60) * second,
    removalMs: () => between(random, removal[0], removal[1]) * second,
    dnsMs: () => between(random, 10, 60) * second,
    alarmMs: () => between(random, 5, 20) * second,
  };
}
