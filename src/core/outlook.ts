/**
 * What would make a policy leave its tier: asked of the policy itself, with imagined traffic. It is
 * a pure function of closed windows, so nobody else has to know how it reckons.
 */
import type { Observation, Policy, PolicyState, Sample, Status, Tier } from "./types.ts";

/** What steady traffic of both tiers together would make a policy leave. */
export interface Outlook {
  /** From this rate on, or to Lambda up to this rate, it leaves; `null` = at any rate … */
  readonly requestsPerSecond: number | null;
  /** … once that has gone on for so long. */
  readonly withinMs: number;
  /** The rate of the newest closed window. */
  readonly nowRequestsPerSecond: number;
  /** When it leaves if the traffic stays as it is; `null` = not within a day. */
  readonly asNowMs: number | null;
}

const minuteMs = 60_000;
const dayMinutes = 1440;
/** Minutes within which it is to leave: the first that suffice at the most extreme rate. */
const horizons = [60, 360, dayMinutes] as const;
/** Requests/s that no service sees. */
const rateMax = 2 ** 24;

/** Asks a policy what it waits for; `null` if no steady traffic makes it leave within a day. */
export function outlookOf(
  policy: Policy,
  status: Status,
  world: Pick<Observation, "alarms" | "samples">,
  nowMs: number,
): Outlook | null {
  const leaves = imagined(policy, status, world, nowMs);
  const up = status.target === "lambda";
  const minutes = horizons.find((most) => leaves(up ? rateMax : 0, most) !== null);
  if (minutes === undefined) return null;
  const nowRequestsPerSecond = newestRate(world.samples);
  const asNow = leaves(nowRequestsPerSecond, dayMinutes);
  const atAny = leaves(up ? 0 : rateMax, minutes) !== null;
  return {
    requestsPerSecond: atAny ? null : edgeOf((rate) => (leaves(rate, minutes) !== null) === up, up),
    withinMs: minutes * minuteMs,
    nowRequestsPerSecond,
    asNowMs: asNow === null ? null : asNow * minuteMs,
  };
}

/** Minutes until the policy decides for the other tier at a steady rate; `null` = not in time. */
function imagined(
  policy: Policy,
  { target, targetSinceMs, policyState }: Status,
  { alarms }: Pick<Observation, "alarms">,
  nowMs: number,
): (rate: number, minutesMax: number) => number | null {
  const beginMs = Math.floor(nowMs / minuteMs) * minuteMs;
  return (rate, minutesMax) => {
    let state: PolicyState = policyState;
    for (let minute = 0; minute < minutesMax; minute += 1) {
      const startMs = beginMs + minute * minuteMs;
      const decided = policy.decide(
        {
          nowMs: startMs + minuteMs,
          target,
          targetSinceMs,
          phase: "steady",
          alarms,
          samples: [windowAt(target, startMs, rate)],
        },
        state,
      );
      const { decision } = decided;
      if (decision.type === "target" && decision.tier !== target) return minute + 1;
      state = decided.policyState;
    }
    return null;
  };
}

function windowAt(tier: Tier, startMs: number, rate: number): Sample {
  const quiet = { errors: 0, throttles: 0, concurrencyMax: 0, latencyMsP99: null };
  return { tier, startMs, periodMs: minuteMs, requests: (rate * minuteMs) / 1000, ...quiet };
}

/** Where a condition that grows with the rate begins to hold, to two per cent. */
function edgeOf(holds: (rate: number) => boolean, from: boolean): number {
  let high = 1;
  while (high < rateMax && !holds(high)) high *= 2;
  let low = 0;
  while (high - low > Math.max(0.1, 0.02 * high)) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return from ? high : low;
}

/** Of both tiers together; 0 before the first window. */
function newestRate(samples: readonly Sample[]): number {
  const startMs = samples.at(-1)?.startMs;
  let rate = 0;
  for (const sample of samples) {
    if (sample.startMs === startMs) rate += (sample.requests * 1000) / sample.periodMs;
  }
  return rate;
}
