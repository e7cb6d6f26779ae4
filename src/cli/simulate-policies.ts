/** Runs policies over a load with the engine's own tick, beside the optima and the two statics. */
import { UserError } from "../config/errors.ts";
import { nearest } from "../config/nearest.ts";
import type { Policy } from "../core/types.ts";
import { alwaysPolicy } from "../policies/always.ts";
import { autoPolicy } from "../policies/auto.ts";
import { breakEvenPolicy } from "../policies/break-even.ts";
import { thresholdPolicy } from "../policies/threshold.ts";
import { workFunctionPolicy } from "../policies/work-function.ts";
import { alarmBoard } from "../sim/alarms.ts";
import { type MinuteCosts, minuteCosts, totalUsd } from "../sim/model.ts";
import { optimumUsd } from "../sim/optimum.ts";
import { courseUsd, kindCode, optimumCourse } from "../sim/report-optimum.ts";
import { runEngine } from "../sim/run.ts";
import type { Settings } from "./simulate-scenario.ts";

const makers: Readonly<Record<string, (settings: Settings) => Policy>> = {
  auto: ({ economics, parameters: { tasksMax } }) => autoPolicy({ economics, tasksMax }),
  "work-function": ({ economics, parameters: { tasksMax } }) =>
    workFunctionPolicy({ economics, tasksMax }),
  "break-even": ({ economics, parameters: { tasksMax } }) =>
    breakEvenPolicy({ economics, tasksMax }),
  threshold: ({ thresholds, parameters: { tasksMin, tasksMax, requestsPerSecondPerTask } }) =>
    thresholdPolicy({
      tasksMin,
      tasksMax,
      requestsPerTaskPerMinute: 60 * requestsPerSecondPerTask,
      thresholds,
    }),
  "always-lambda": ({ economics }) => alwaysPolicy("lambda", economics),
  "always-fargate": ({ economics }) => alwaysPolicy("fargate", economics),
};

/** Every policy by name. */
export const policyNames: readonly string[] = Object.keys(makers);

/** Those that are compared when none is named: the statics have figures of their own. */
export const policyNamesDefault: readonly string[] = policyNames.filter(
  (name) => !name.startsWith("always-"),
);

/** Refuses a policy that does not exist. Throws UserError POLICY_UNKNOWN. */
export function checkPolicies(names: readonly string[]): void {
  for (const name of names) {
    if (Object.hasOwn(makers, name)) continue;
    const near = nearest(name, policyNames);
    const meant = near === null ? "" : `, did you mean "${near}"?`;
    const hint = `The policies are ${policyNames.join(", ")}.`;
    throw new UserError("POLICY_UNKNOWN", `there is no policy "${name}"${meant}`, hint);
  }
}

/** One policy's figures. Ratios are `null` when the optimum is free. */
export interface PolicyFigures {
  readonly name: string;
  readonly costUsd: number;
  readonly ratioToOptimum: number | null;
  readonly ratioToOnsetBlind: number | null;
  /** Changes of the target, both ways. */
  readonly transitions: number;
  /** Share of the minutes that Fargate served, 0 to 1. */
  readonly fractionFargate: number;
}

/** A change of the target and why. */
export interface Transition {
  readonly minute: number;
  readonly reason: string;
}

/** One way of serving the load, minute by minute, for the report. */
export interface Course {
  readonly name: string;
  /** Codes of `minuteKinds`, one per minute. */
  readonly kinds: Uint8Array;
  /** The bill after each minute. */
  readonly paidUsd: Float64Array;
  readonly transitions: readonly Transition[];
}

/** What a simulation came to, in USD over the whole trace. */
export interface Simulation {
  readonly optimum: number;
  readonly onsetBlindOptimum: number;
  readonly alwaysLambda: number;
  readonly alwaysFargate: number;
  readonly policies: readonly PolicyFigures[];
  /** Empty unless they were asked for. */
  readonly courses: readonly Course[];
}

/** What to run. */
export interface SimulationRequest {
  readonly settings: Settings;
  /** Requests per second, one entry per minute. */
  readonly rps: Float64Array;
  readonly startSeconds: number;
  readonly names: readonly string[];
  /** Whether each course is kept. */
  readonly keepCourses: boolean;
  readonly onProgress: (name: string, share: number) => void;
}

/** Runs all of them. */
export async function simulated(request: SimulationRequest): Promise<Simulation> {
  const { settings, rps, names, keepCourses } = request;
  const costs = minuteCosts(rps, settings.economics);
  const optimum = optimumUsd(costs);
  const onsetBlindOptimum = optimumUsd(costs, { onsetBlind: true });
  const courses: Course[] = keepCourses ? staticCourses(costs) : [];
  const policies: PolicyFigures[] = [];
  for (const name of names) {
    const course = keepCourses ? emptyCourse(name, rps.length) : null;
    const run = await runPolicy(name, costs, request, course);
    if (course !== null) courses.push(course);
    policies.push({
      name,
      costUsd: run.costUsd,
      ratioToOptimum: ratio(run.costUsd, optimum),
      ratioToOnsetBlind: ratio(run.costUsd, onsetBlindOptimum),
      transitions: run.transitions,
      fractionFargate: run.minutesOnFargate / rps.length,
    });
  }
  return {
    optimum,
    onsetBlindOptimum,
    alwaysLambda: totalUsd(costs.lambdaUsd),
    alwaysFargate: totalUsd(costs.fargateUsd),
    policies,
    courses,
  };
}

function ratio(costUsd: number, optimum: number): number | null {
  return optimum > 0 ? costUsd / optimum : null;
}

interface KeptCourse extends Course {
  readonly transitions: Transition[];
}

function emptyCourse(name: string, minutes: number): KeptCourse {
  const paidUsd = new Float64Array(minutes);
  return { name, kinds: new Uint8Array(minutes), paidUsd, transitions: [] };
}

const minuteMs = 60_000;
/** Progress is told every so many minutes: a day is a fraction of a millisecond's work. */
const toldEveryMinutes = 10_000;

async function runPolicy(
  name: string,
  costs: MinuteCosts,
  { settings, startSeconds, onProgress }: SimulationRequest,
  course: KeptCourse | null,
): Promise<{ costUsd: number; transitions: number; minutesOnFargate: number }> {
  const policy = makers[name]?.(settings);
  if (policy === undefined) throw new Error(`no policy ${name}`);
  const startMs = Math.floor(startSeconds / 60) * minuteMs;
  const minutes = costs.rps.length;
  let onFargate = 0;
  return runEngine(costs, policy, {
    startMs,
    tasksMax: settings.parameters.tasksMax,
    ...(name === "threshold" ? { alarms: alarmBoard(settings.thresholds) } : {}),
    onDecision(nowMs, reason) {
      course?.transitions.push({ minute: (nowMs - startMs) / minuteMs, reason });
    },
    onMinute(minute, target, burst, bill) {
      if (minute % toldEveryMinutes === 0) onProgress(name, minute / minutes);
      if (course === null) return;
      course.paidUsd[minute] = bill.costUsd;
      const serves = bill.minutesOnFargate > onFargate;
      onFargate = bill.minutesOnFargate;
      if (serves) course.kinds[minute] = kindCode.fargate;
      else if (target === "fargate") course.kinds[minute] = kindCode.deploying;
      else course.kinds[minute] = burst === "absent" ? kindCode.lambda : kindCode.draining;
    },
  });
}

/** The choices that need no engine: both statics and the clairvoyant plan. */
function staticCourses(costs: MinuteCosts): Course[] {
  const minutes = costs.rps.length;
  const kinds = optimumCourse(costs);
  const whole = (code: number): Uint8Array => new Uint8Array(minutes).fill(code);
  const course = (name: string, codes: Uint8Array, transitions: readonly Transition[]): Course => ({
    name,
    kinds: codes,
    paidUsd: courseUsd(codes, costs),
    transitions,
  });
  return [
    course("always Lambda", whole(kindCode.lambda), []),
    course("always Fargate", whole(kindCode.fargate), []),
    course("optimum", kinds, planned(kinds)),
  ];
}

function planned(kinds: Uint8Array): readonly Transition[] {
  const begins = (minute: number, kind: number): boolean =>
    kinds[minute] === kind && kinds[minute - 1] !== kind && minute > 0;
  const transitions: Transition[] = [];
  for (let minute = 0; minute < kinds.length; minute += 1) {
    if (begins(minute, kindCode.deploying)) {
      transitions.push({ minute, reason: "knows that it pays → fargate" });
    } else if (begins(minute, kindCode.draining)) {
      transitions.push({ minute, reason: "knows that it no longer pays → lambda" });
    }
  }
  return transitions;
}
