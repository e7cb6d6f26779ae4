/** The real policies with the prices and limits of a script. */
import type { Policy } from "../../core/types.ts";
import { autoPolicy } from "../../policies/auto.ts";
import { breakEvenPolicy } from "../../policies/break-even.ts";
import { economicsOf } from "../../policies/economics.ts";
import { thresholdPolicy } from "../../policies/threshold.ts";
import { workFunctionPolicy } from "../../policies/work-function.ts";
import type { Script } from "./script.ts";

const economics = economicsOf();

/** The policy that a script names. */
export function policyOf({ policy, settings, thresholds }: Script): Policy {
  const { tasksMin, tasksMax } = settings;
  const options = { economics, tasksMax };
  switch (policy) {
    case "threshold":
      return thresholdPolicy({ tasksMin, tasksMax, requestsPerTaskPerMinute: 3000, thresholds });
    case "auto":
      return autoPolicy(options);
    case "work-function":
      return workFunctionPolicy(options);
    case "break-even":
      return breakEvenPolicy(options);
  }
}
