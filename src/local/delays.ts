/** How long the real cloud takes, drawn per run from the seed. Virtual milliseconds. */
import { awsDelayRanges, type Delays, drawnDelays } from "../core/delays.ts";
import type { Random } from "../core/random.ts";

export type { Delays } from "../core/delays.ts";

/** The waits that the local cloud imposes as AWS does. */
export function awsDelays(random: Random, standby: "warm" | "cold"): Delays {
  return drawnDelays(random, awsDelayRanges(standby));
}
