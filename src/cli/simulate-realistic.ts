/** One policy through the realistic model, and how well its requests were answered. */
import type { Policy } from "../core/types.ts";
import { runRealistic } from "../sim/realistic.ts";
import type { RealisticMinute } from "../sim/realistic-cloud.ts";
import type { RealisticScenario } from "../sim/realistic-scenario.ts";
import { kindCode } from "../sim/report-optimum.ts";
import type { KeptCourse } from "./simulate-policies.ts";

/** How well a service would have answered. Estimates of the realistic model, in requests. */
export interface ServiceLevel {
  /** Refused by Lambda for lack of concurrency. */
  readonly throttled: number;
  /** Given up by the balancer: no task had time for them. */
  readonly timedOut: number;
  /** Sent to a burst tier that was gone. */
  readonly refused: number;
  /** Waited for a task, and were answered. */
  readonly queued: number;
  /** Waited for a new environment, and were answered. */
  readonly coldStarts: number;
  readonly latencyMsP50: number | null;
  readonly latencyMsP99: number | null;
}

/** What a run came to. */
export interface RealisticRun {
  readonly costUsd: number;
  readonly transitions: number;
  /** Mean share of the requests that Fargate answered, minute by minute. */
  readonly fractionFargate: number;
  readonly level: ServiceLevel;
}

/** What to run. */
export interface RealisticRequest {
  readonly rps: Float64Array;
  readonly startMs: number;
  readonly policy: Policy;
  readonly scenario: RealisticScenario;
  readonly seed: number;
  readonly startOn: "lambda" | "fargate";
  readonly course: KeptCourse | null;
  readonly onMinute: (minute: number) => void;
}

const minuteMs = 60_000;

/** Runs it and fills in the course, if one is kept. */
export async function realisticRun(request: RealisticRequest): Promise<RealisticRun> {
  const { rps, startMs, policy, scenario, seed, startOn, course } = request;
  let minute = 0;
  let shares = 0;
  const result = await runRealistic(rps, policy, scenario, seed, {
    startMs,
    startOn,
    onMinute(passed) {
      const share = shareOf(passed);
      shares += share;
      if (course !== null) {
        course.paidUsd[minute] = passed.costUsd;
        course.fargateShare[minute] = share;
        course.kinds[minute] = share > 0.5 ? kindCode.fargate : kindCode.lambda;
      }
      request.onMinute(minute);
      minute += 1;
    },
  });
  const minuteOf = (atMs: number | null): number =>
    atMs === null ? rps.length : Math.floor((atMs - startMs) / minuteMs);
  for (const [at, one] of result.transitions.entries()) {
    if (course === null) break;
    course.transitions.push({ minute: minuteOf(one.atMs), tier: one.tier, reason: one.reason });
    const until = minuteOf(result.transitions[at + 1]?.atMs ?? null);
    // Up: paid without serving until the first weight moves. Down: from then on until it is gone.
    const up = one.tier === "fargate";
    const from = up ? minuteOf(one.atMs) : minuteOf(one.shiftedAtMs ?? one.atMs);
    const to = Math.min(until, minuteOf(up ? one.shiftedAtMs : one.completedAtMs));
    if (from < to) course.kinds.fill(up ? kindCode.deploying : kindCode.draining, from, to);
  }
  const { throttled, timedOut, refused } = result.requests;
  const { queued, coldStarts, latencyMsP50, latencyMsP99 } = result;
  return {
    costUsd: result.costUsd,
    transitions: result.transitions.length,
    fractionFargate: rps.length === 0 ? 0 : shares / rps.length,
    level: { throttled, timedOut, refused, queued, coldStarts, latencyMsP50, latencyMsP99 },
  };
}

/** Without requests it is where they would have gone. */
function shareOf({ lambda, fargate, fargateShare }: RealisticMinute): number {
  const answered = lambda + fargate;
  return answered > 0 ? fargate / answered : fargateShare;
}
