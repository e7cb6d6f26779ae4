/** Runs policies over a load with the engine's own tick, beside the optima and the two statics. */
import { UserError } from "../config/errors.ts";
import { nearest } from "../config/nearest.ts";
import type { Policy, Tier } from "../core/types.ts";
import { alarmThresholdsOf, policyNamed, policyNames } from "../policies/named.ts";
import { alarmBoard } from "../sim/alarms.ts";
import { type MinuteCosts, minuteCosts, totalUsd } from "../sim/model.ts";
import { optimumUsd } from "../sim/optimum.ts";
import { courseUsd, kindCode, optimumCourse } from "../sim/report-optimum.ts";
import { runEngine } from "../sim/run.ts";
import { realisticRun, type ServiceLevel } from "./simulate-realistic.ts";
import { policyInputOf, type Settings } from "./simulate-scenario.ts";

/** Those that are compared when none is named: the statics have figures of their own. */
export const policyNamesDefault: readonly string[] = policyNames.filter(
  (name) => !name.startsWith("always-"),
);

/** Refuses a policy that does not exist. Throws UserError POLICY_UNKNOWN. */
export function checkPolicies(names: readonly string[]): void {
  for (const name of names) {
    if (policyNames.includes(name)) continue;
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
  /** `null` in the ideal model, where every request is answered at once. */
  readonly serviceLevel: ServiceLevel | null;
}

/** A change of the target and why. */
export interface Transition {
  readonly minute: number;
  readonly tier: Tier;
  readonly reason: string;
}

/** One way of serving the load, minute by minute, for the report. */
export interface Course {
  readonly name: string;
  /** Codes of `minuteKinds`, one per minute. */
  readonly kinds: Uint8Array;
  /** Share of each minute's requests that Fargate answered, 0 to 1. */
  readonly fargateShare: Float32Array;
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
  /** The same two in the realistic model, if it was asked for. */
  readonly realistic: { readonly alwaysLambda: number; readonly alwaysFargate: number } | null;
  readonly policies: readonly PolicyFigures[];
  /** Empty unless they were asked for. */
  readonly courses: readonly Course[];
}

/** The two models: the benchmark's, or one in which everything takes its time. */
export type Mode = "ideal" | "realistic";

/** What to run. */
export interface SimulationRequest {
  readonly mode: Mode;
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
  const { mode, settings, rps, names, keepCourses } = request;
  const costs = minuteCosts(rps, settings.economics);
  const optimum = optimumUsd(costs);
  const onsetBlindOptimum = optimumUsd(costs, { onsetBlind: true });
  const courses: Course[] = keepCourses ? [optimumOf(costs)] : [];
  const run = async (name: string, shown: string, startOn: Tier): Promise<Ran> => {
    const course = keepCourses ? emptyCourse(shown, rps.length) : null;
    const realistic = mode === "realistic";
    const ran = await (realistic ? runSlowly : runIdeally)(name, costs, request, course, startOn);
    if (course !== null) courses.push(course);
    return ran;
  };
  const statics = [
    await run("always-lambda", "always Lambda", "lambda"),
    await run("always-fargate", "always Fargate", "fargate"),
  ].map(({ costUsd }) => costUsd);
  const policies: PolicyFigures[] = [];
  for (const name of names) {
    const ran = await run(name, name, "lambda");
    policies.push({
      name,
      costUsd: ran.costUsd,
      ratioToOptimum: ratio(ran.costUsd, optimum),
      ratioToOnsetBlind: ratio(ran.costUsd, onsetBlindOptimum),
      transitions: ran.transitions,
      fractionFargate: ran.fractionFargate,
      serviceLevel: ran.level,
    });
  }
  const [alwaysLambda = 0, alwaysFargate = 0] = statics;
  return {
    optimum,
    onsetBlindOptimum,
    alwaysLambda: totalUsd(costs.lambdaUsd),
    alwaysFargate: totalUsd(costs.fargateUsd),
    realistic: mode === "realistic" ? { alwaysLambda, alwaysFargate } : null,
    policies,
    courses,
  };
}

function ratio(costUsd: number, optimum: number): number | null {
  return optimum > 0 ? costUsd / optimum : null;
}

/** A course that is being filled in. */
export interface KeptCourse extends Course {
  readonly transitions: Transition[];
}

function emptyCourse(name: string, minutes: number): KeptCourse {
  return {
    name,
    kinds: new Uint8Array(minutes),
    fargateShare: new Float32Array(minutes),
    paidUsd: new Float64Array(minutes),
    transitions: [],
  };
}

const minuteMs = 60_000;
/** Progress is told every so many minutes: a day is a fraction of a millisecond's work. */
const toldEveryMinutes = 5000;

interface Ran {
  readonly costUsd: number;
  readonly transitions: number;
  readonly fractionFargate: number;
  readonly level: ServiceLevel | null;
}

function policyOf(name: string, settings: Settings, mode: Mode): Policy {
  return policyNamed(name, policyInputOf(settings, mode));
}

async function runSlowly(
  name: string,
  costs: MinuteCosts,
  { settings, startSeconds, onProgress }: SimulationRequest,
  course: KeptCourse | null,
  startOn: Tier,
): Promise<Ran> {
  const { rps } = costs;
  return realisticRun({
    rps,
    startMs: Math.floor(startSeconds / 60) * minuteMs,
    policy: policyOf(name, settings, "realistic"),
    scenario: {
      ...settings.realistic,
      thresholds: alarmThresholdsOf(name, settings.thresholds, {
        breakEvenRps: settings.economics.breakEvenRps,
        concurrencyMax: settings.realistic.lambda.concurrencyMax,
      }),
    },
    seed: settings.seed,
    startOn,
    course,
    onMinute(minute) {
      if (minute % toldEveryMinutes === 0) onProgress(name, minute / rps.length);
    },
  });
}

async function runIdeally(
  name: string,
  costs: MinuteCosts,
  { settings, startSeconds, onProgress }: SimulationRequest,
  course: KeptCourse | null,
  startOn: Tier,
): Promise<Ran> {
  const startMs = Math.floor(startSeconds / 60) * minuteMs;
  const minutes = costs.rps.length;
  // A static choice is deployed beforehand: there is nothing for an engine to do.
  if (startOn === "fargate" || name === "always-lambda") {
    return staticRun(costs, startOn === "fargate" ? kindCode.fargate : kindCode.lambda, course);
  }
  let onFargate = 0;
  const run = await runEngine(costs, policyOf(name, settings, "ideal"), {
    startMs,
    tasksMax: settings.parameters.tasksMax,
    ...(name === "threshold" ? { alarms: alarmBoard(settings.thresholds) } : {}),
    onDecision(nowMs, reason) {
      const before = course?.transitions.at(-1)?.tier ?? "lambda";
      const tier = before === "lambda" ? "fargate" : "lambda";
      course?.transitions.push({ minute: (nowMs - startMs) / minuteMs, tier, reason });
    },
    onMinute(minute, target, burst, bill) {
      if (minute % toldEveryMinutes === 0) onProgress(name, minute / minutes);
      if (course === null) return;
      course.paidUsd[minute] = bill.costUsd;
      const serves = bill.minutesOnFargate > onFargate;
      onFargate = bill.minutesOnFargate;
      course.fargateShare[minute] = serves ? 1 : 0;
      if (serves) course.kinds[minute] = kindCode.fargate;
      else if (target === "fargate") course.kinds[minute] = kindCode.deploying;
      else course.kinds[minute] = burst === "absent" ? kindCode.lambda : kindCode.draining;
    },
  });
  const { costUsd, transitions, minutesOnFargate } = run;
  return { costUsd, transitions, fractionFargate: minutesOnFargate / minutes, level: null };
}

function staticRun(costs: MinuteCosts, kind: number, course: KeptCourse | null): Ran {
  const share = kind === kindCode.fargate ? 1 : 0;
  if (course !== null) {
    course.kinds.fill(kind);
    course.fargateShare.fill(share);
    course.paidUsd.set(courseUsd(course.kinds, costs));
  }
  const costUsd = totalUsd(share === 1 ? costs.fargateUsd : costs.lambdaUsd);
  return { costUsd, transitions: 0, fractionFargate: share, level: null };
}

/** The clairvoyant plan, which needs no engine. */
function optimumOf(costs: MinuteCosts): Course {
  const kinds = optimumCourse(costs);
  return {
    name: "optimum",
    kinds,
    fargateShare: Float32Array.from(kinds, (kind) => (kind === kindCode.fargate ? 1 : 0)),
    paidUsd: courseUsd(kinds, costs),
    transitions: planned(kinds),
  };
}

function planned(kinds: Uint8Array): readonly Transition[] {
  const begins = (minute: number, kind: number): boolean =>
    kinds[minute] === kind && kinds[minute - 1] !== kind && minute > 0;
  const transitions: Transition[] = [];
  for (let minute = 0; minute < kinds.length; minute += 1) {
    if (begins(minute, kindCode.deploying)) {
      transitions.push({ minute, tier: "fargate", reason: "knows that it pays → fargate" });
    } else if (begins(minute, kindCode.draining)) {
      transitions.push({ minute, tier: "lambda", reason: "knows that it pays no more → lambda" });
    }
  }
  return transitions;
}
