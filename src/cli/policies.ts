/** The policies by name, for the configuration and for the simulator. */
import type { Thresholds } from "../core/alarms.ts";
import type { Policy } from "../core/types.ts";
import { alwaysPolicy } from "../policies/always.ts";
import { autoPolicy } from "../policies/auto.ts";
import { breakEvenPolicy } from "../policies/break-even.ts";
import { withCapacity } from "../policies/capacity.ts";
import type { Economics } from "../policies/economics.ts";
import { thresholdPolicy } from "../policies/threshold.ts";
import { workFunctionPolicy } from "../policies/work-function.ts";

/** What any of them is made from. */
export interface PolicyInput {
  readonly economics: Economics;
  readonly thresholds: Thresholds;
  readonly tasksMin: number;
  readonly tasksMax: number;
  readonly requestsPerTaskPerMinute: number;
}

const makers: Readonly<Record<string, (input: PolicyInput) => Policy>> = {
  auto: (input) => withCapacity(autoPolicy(input), input),
  "work-function": (input) => withCapacity(workFunctionPolicy(input), input),
  "break-even": (input) => withCapacity(breakEvenPolicy(input), input),
  threshold: ({ thresholds, tasksMin, tasksMax, requestsPerTaskPerMinute }) =>
    thresholdPolicy({ tasksMin, tasksMax, requestsPerTaskPerMinute, thresholds }),
  "always-lambda": ({ economics }) => alwaysPolicy("lambda", economics),
  "always-fargate": ({ economics }) => alwaysPolicy("fargate", economics),
};

/** Every policy by name. */
export const policyNames: readonly string[] = Object.keys(makers);

/** Makes the policy `name`, which must be one of `policyNames`. */
export function policyNamed(name: string, input: PolicyInput): Policy {
  const make = makers[name];
  if (make === undefined) throw new Error(`there is no policy ${name}`);
  return make(input);
}
