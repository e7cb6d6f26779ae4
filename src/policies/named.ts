/** The policies by name, for the configuration, the controller and the simulator. */
import type { Thresholds } from "../core/alarms.ts";
import type { Policy } from "../core/types.ts";
import { alwaysPolicy } from "./always.ts";
import { autoPolicy } from "./auto.ts";
import { breakEvenPolicy } from "./break-even.ts";
import { withCapacity } from "./capacity.ts";
import type { Economics } from "./economics.ts";
import { withMeasuredDuration } from "./measured.ts";
import { thresholdPolicy } from "./threshold.ts";
import { workFunctionPolicy } from "./work-function.ts";

/** What any of them is made from. */
export interface PolicyInput {
  readonly economics: Economics;
  /** The economics of another mean duration. @default durations are not measured */
  readonly economicsAt?: (lambdaDurationMs: number) => Economics;
  readonly thresholds: Thresholds;
  readonly tasksMin: number;
  readonly tasksMax: number;
  readonly requestsPerTaskPerMinute: number;
}

const makers: Readonly<Record<string, (input: PolicyInput) => Policy>> = {
  auto: (input) => reckoning(autoPolicy, input),
  "work-function": (input) => reckoning(workFunctionPolicy, input),
  "break-even": (input) => reckoning(breakEvenPolicy, input),
  threshold: ({ thresholds, tasksMin, tasksMax, requestsPerTaskPerMinute }) =>
    thresholdPolicy({ tasksMin, tasksMax, requestsPerTaskPerMinute, thresholds }),
  "always-lambda": ({ economics }) => alwaysPolicy("lambda", economics),
  "always-fargate": ({ economics }) => alwaysPolicy("fargate", economics),
};

/** A policy that reckons in money, by measured durations, and yields to capacity. */
function reckoning(
  make: (options: { economics: Economics; tasksMax: number }) => Policy,
  { economics, economicsAt, tasksMax }: PolicyInput,
): Policy {
  const of = (at: Economics): Policy => make({ economics: at, tasksMax });
  const policy =
    economicsAt === undefined
      ? of(economics)
      : withMeasuredDuration(of(economics), (durationMs) => of(economicsAt(durationMs)));
  return withCapacity(policy, { economics, tasksMax });
}

/** What an alarm has to know of a service. */
export interface AlarmedService {
  /** From this rate on Fargate is cheaper; Infinity if it never is. */
  readonly breakEvenRps: number;
  /** The limit of Lambda's concurrency. */
  readonly concurrencyMax: number;
}

/**
 * What the alarms ring at for a policy. Only `threshold` follows them. For the others the one on
 * requests wakes the controller at the break-even rate, below which no reckoning comes out for
 * Fargate; the one on concurrency rings when the limit comes near, which outranks any reckoning.
 */
export function alarmThresholdsOf(
  name: string,
  thresholds: Thresholds,
  { breakEvenRps, concurrencyMax }: AlarmedService,
): Thresholds {
  if (name === "threshold") return thresholds;
  const worthPerMinute = Math.floor(60 * breakEvenRps);
  const requestsPerMinute = Math.max(1, Math.min(thresholds.up.requestsPerMinute, worthPerMinute));
  return {
    ...thresholds,
    up: { ...thresholds.up, requestsPerMinute, concurrency: concurrencyMax },
  };
}

/** Every policy by name. */
export const policyNames: readonly string[] = Object.keys(makers);

/** Makes the policy `name`, which must be one of `policyNames`. */
export function policyNamed(name: string, input: PolicyInput): Policy {
  const make = makers[name];
  if (make === undefined) throw new Error(`there is no policy ${name}`);
  return make(input);
}
