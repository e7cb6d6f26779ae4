/** The policies: who decides on the tier. Pure functions of closed windows and alarms. */
export { type AutoOptions, autoPolicy } from "./auto.ts";
export { type BreakEvenOptions, breakEvenPolicy } from "./break-even.ts";
export { type Economics, economicsOf, type SwitchTimes, switchTimesDefault } from "./economics.ts";
export { type ThresholdPolicyOptions, thresholdPolicy } from "./threshold.ts";
export { type WorkFunctionOptions, workFunctionPolicy } from "./work-function.ts";
