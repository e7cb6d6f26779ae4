/** The local cloud: both tiers, DNS, alarms and the controller on one machine. */
export type { Clock } from "./clock.ts";
export type { TransitionRecord } from "./journal.ts";
export type { RequestTemplate } from "./load/load.ts";
export { parseTrace, TraceError, type TraceShape } from "./load/shape.ts";
export {
  type Progress,
  RehearsalAborted,
  type RehearsalOptions,
  type RehearsalResult,
  runRehearsal,
} from "./rehearsal.ts";
export type { Endpoint, ServiceSpec } from "./service.ts";
export { type Local, type LocalOptions, startLocal, type TierSizes } from "./start.ts";
