/**
 * Replays a policy in the ideal model without an engine: the fast path for research and reports.
 *
 * The policy sees each minute `metricLagMinutes` late, as samples of the tier that served it.
 * Deploying and draining take their minutes and are never turned back.
 */
import { alarmsAtStart } from "../core/alarms.ts";
import type { Policy, PolicyState, Sample } from "../core/types.ts";
import { coursesOf, steered } from "../policies/course.ts";
import type { AlarmBoard, AlarmStates } from "./alarms.ts";
import type { MinuteCosts } from "./model.ts";

/** What a replay came to. */
export interface ReplayResult {
  readonly costUsd: number;
  /** Changes of the target, both ways. */
  readonly transitions: number;
  readonly minutes: {
    readonly lambda: number;
    readonly deploying: number;
    readonly fargate: number;
    readonly draining: number;
  };
}

/** Optional parts of a replay. */
export interface ReplayOptions {
  /** Start of the first minute; a whole minute. */
  readonly startMs?: number;
  /** Evaluates the alarms after each minute; without it they stay as they are at the start. */
  readonly alarms?: AlarmBoard | undefined;
  /** Told each change of the target with its reason. */
  readonly onDecision?: (minute: number, reason: string) => void;
  /** Called before a minute is paid, with its course code: an adversary writes its costs here. */
  readonly beforeMinute?: (minute: number, code: number) => void;
  /** Filled with the course code of each minute when given. */
  readonly course?: Uint8Array;
}

const minuteMs = 60_000;

/** Runs a policy over a load, starting on Lambda. */
export function replay(
  costs: MinuteCosts,
  policy: Policy,
  options: ReplayOptions = {},
): ReplayResult {
  const { economics, rps, lambdaUsd, fargateUsd } = costs;
  const { metricLagMinutes: lag, baseUsdPerMinute, removalUsd } = economics;
  const courses = coursesOf(economics);
  const { onFargate } = courses;
  const startMs = options.startMs ?? 0;
  const spent = { lambda: 0, deploying: 0, fargate: 0, draining: 0 };
  let code = 0;
  let costUsd = 0;
  let transitions = 0;
  let targetSinceMs = startMs;
  let policyState: PolicyState = {};
  let alarms: AlarmStates = alarmsAtStart;
  const served = new Uint8Array(lag + 1);
  for (let minute = 0; minute < rps.length; minute += 1) {
    const seen = minute - lag;
    const target = courses.heads[code] === 1 ? "fargate" : "lambda";
    let samples: readonly Sample[] = [];
    if (seen >= 0) {
      const tier = served[seen % (lag + 1)] === 1 ? "fargate" : "lambda";
      samples = [sampleOf(tier, startMs + seen * minuteMs, (rps[seen] ?? 0) * 60)];
      if (options.alarms !== undefined) alarms = options.alarms(samples, code !== 0);
    }
    const nowMs = startMs + minute * minuteMs;
    const phase = code === 0 || code === onFargate ? "steady" : "provisioning";
    const view = { nowMs, target, targetSinceMs, phase, alarms, samples } as const;
    const decided = policy.decide(view, policyState);
    policyState = decided.policyState;
    const { decision } = decided;
    const wanted = decision.type === "target" ? decision.tier : target;
    const next = steered(code, wanted === "fargate", courses);
    if (next !== code) {
      transitions += 1;
      targetSinceMs = nowMs;
      options.onDecision?.(minute, decision.reason);
      if (next === onFargate + 1) costUsd += removalUsd;
    }
    options.beforeMinute?.(minute, next);
    const lambda = lambdaUsd[minute] ?? 0;
    const fargate = next === onFargate;
    if (fargate) costUsd += fargateUsd[minute] ?? 0;
    else costUsd += next === 0 ? lambda : lambda + baseUsdPerMinute;
    spent[nameOf(next, onFargate)] += 1;
    served[minute % (lag + 1)] = fargate ? 1 : 0;
    if (options.course !== undefined) options.course[minute] = next;
    code = courses.next[next] ?? 0;
  }
  return { costUsd, transitions, minutes: spent };
}

function nameOf(code: number, onFargate: number): keyof ReplayResult["minutes"] {
  if (code === 0) return "lambda";
  if (code === onFargate) return "fargate";
  return code < onFargate ? "deploying" : "draining";
}

/** A closed minute of one tier in the ideal model. */
export function sampleOf(tier: Sample["tier"], startMs: number, requests: number): Sample {
  return {
    tier,
    startMs,
    periodMs: minuteMs,
    requests,
    errors: 0,
    throttles: 0,
    concurrencyMax: 0,
    latencyMsP99: null,
  };
}
