/** Checks between keys. Each rule runs whenever the keys that it reads are valid themselves. */
import type { z } from "zod";
import type { ErrorCode } from "./errors.ts";
import { fargateOffer, fargateOffers } from "./fargate-sizes.ts";
import type { CheckParams } from "./sections/field.ts";
import type { Config } from "./types.ts";

interface Rule {
  readonly code: ErrorCode;
  /** The keys that the rule reads; the first one is reported. */
  readonly reads: readonly string[];
  readonly holds: (config: Config) => boolean;
  /** What is wrong, with the numbers. */
  readonly message: (config: Config) => string;
  readonly hint: (config: Config) => string;
}

/** Below this ratio the traffic that starts a burst is close to the traffic that ends it. */
const thresholdRatioMin = 5;

/** Route 53 states that a change is in sync within a minute. */
const inSyncSeconds = 60;

/** The shortest time in which all steps up can be made, in minutes. */
function shiftMinutes({ stepPercents, ttlSeconds, bakeSeconds }: Config["transition"]): number {
  return (stepPercents.length * (inSyncSeconds + ttlSeconds + bakeSeconds)) / 60;
}

const rules: readonly Rule[] = [
  {
    code: "THRESHOLDS_TOO_CLOSE",
    reads: ["thresholds.up.requestsPerMinute", "thresholds.down.requestsPerMinute"],
    holds: ({ thresholds: { up, down } }) =>
      up.requestsPerMinute >= thresholdRatioMin * down.requestsPerMinute,
    message: ({ thresholds: { up, down } }) =>
      `${up.requestsPerMinute} is below ${thresholdRatioMin} × ` +
      `thresholds.down.requestsPerMinute (${down.requestsPerMinute}), the tiers would flap`,
    hint: ({ thresholds: { up, down } }) =>
      `Raise thresholds.up.requestsPerMinute to ${thresholdRatioMin * down.requestsPerMinute} ` +
      `or lower thresholds.down.requestsPerMinute to ` +
      `${Math.floor(up.requestsPerMinute / thresholdRatioMin)}.`,
  },
  {
    code: "PERIODS_INVALID",
    reads: ["thresholds.up.periods", "thresholds.up.of"],
    holds: ({ thresholds: { up } }) => up.periods <= up.of,
    message: ({ thresholds: { up } }) => `${up.periods} minutes out of ${up.of} cannot be`,
    hint: () => "Set thresholds.up.of to at least thresholds.up.periods, for example 2 of 3.",
  },
  {
    code: "TASKS_INVALID",
    reads: ["fargate.minTasks", "fargate.maxTasks"],
    holds: ({ fargate }) => fargate.minTasks <= fargate.maxTasks,
    message: ({ fargate }) => `${fargate.minTasks} is above fargate.maxTasks (${fargate.maxTasks})`,
    hint: () => "Lower fargate.minTasks or raise fargate.maxTasks.",
  },
  {
    code: "FARGATE_SIZE_INVALID",
    reads: ["fargate.memoryMB", "fargate.vcpu"],
    holds: ({ fargate }) => fargateOffers(fargate),
    message: ({ fargate }) => `Fargate offers no ${fargate.memoryMB} MB with ${fargate.vcpu} vCPU`,
    hint: ({ fargate }) => `With ${fargate.vcpu} vCPU choose ${fargateOffer(fargate.vcpu)}.`,
  },
  {
    code: "HEALTH_CHECK_INVALID",
    reads: ["fargate.healthCheck.timeoutSeconds", "fargate.healthCheck.intervalSeconds"],
    holds: ({ fargate: { healthCheck } }) =>
      healthCheck.timeoutSeconds < healthCheck.intervalSeconds,
    message: ({ fargate: { healthCheck } }) =>
      `${healthCheck.timeoutSeconds} is not below fargate.healthCheck.intervalSeconds ` +
      `(${healthCheck.intervalSeconds})`,
    hint: () => "A check must end before the next one begins: lower the timeout.",
  },
  {
    code: "DRAIN_TOO_SHORT",
    reads: ["fargate.deregistrationDelaySeconds", "lambda.timeoutSeconds"],
    holds: ({ fargate, lambda }) => fargate.deregistrationDelaySeconds >= lambda.timeoutSeconds,
    message: ({ fargate, lambda }) =>
      `${fargate.deregistrationDelaySeconds} is below the longest answer, ` +
      `lambda.timeoutSeconds (${lambda.timeoutSeconds})`,
    hint: () => "Raise it, or a leaving task is cut off while it answers.",
  },
  {
    code: "DRAIN_TOO_SHORT",
    reads: ["fargate.stopTimeoutSeconds", "lambda.timeoutSeconds"],
    holds: ({ fargate, lambda }) => fargate.stopTimeoutSeconds >= lambda.timeoutSeconds,
    message: ({ fargate, lambda }) =>
      `${fargate.stopTimeoutSeconds} is below the longest answer, ` +
      `lambda.timeoutSeconds (${lambda.timeoutSeconds})`,
    hint: () => "Raise it, or a stopping task is killed while it answers.",
  },
  {
    code: "DRAIN_TOO_SHORT",
    reads: ["transition.drainMinutesMax", "transition.drainQuietMinutes"],
    holds: ({ transition }) => transition.drainQuietMinutes <= transition.drainMinutesMax,
    message: ({ transition }) =>
      `${transition.drainMinutesMax} is below transition.drainQuietMinutes ` +
      `(${transition.drainQuietMinutes})`,
    hint: () => "Raise the maximum, or the balancer is always removed before it is quiet.",
  },
  {
    code: "DEADLINE_TOO_SHORT",
    reads: [
      "transition.deadlines.shiftingMinutes",
      "transition.stepPercents",
      "transition.ttlSeconds",
      "transition.bakeSeconds",
    ],
    holds: ({ transition }) => transition.deadlines.shiftingMinutes >= shiftMinutes(transition),
    message: ({ transition }) =>
      `${transition.deadlines.shiftingMinutes} is below the ${shiftMinutes(transition)} minutes ` +
      `that ${transition.stepPercents.length} steps take`,
    hint: () => "Raise the deadline, or make fewer steps, or shorten bakeSeconds.",
  },
  {
    code: "BACKOFF_INVALID",
    reads: ["transition.backoffMinutes", "transition.backoffMinutesMax"],
    holds: ({ transition }) => transition.backoffMinutes <= transition.backoffMinutesMax,
    message: ({ transition }) =>
      `${transition.backoffMinutes} is above transition.backoffMinutesMax ` +
      `(${transition.backoffMinutesMax})`,
    hint: () => "Lower transition.backoffMinutes or raise transition.backoffMinutesMax.",
  },
];

function related(a: string, b: string): boolean {
  return `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`);
}

/** Adds an issue for each rule that is broken, also when other keys are invalid. */
export function checkRules(config: Config, context: z.core.$RefinementCtx<Config>): void {
  const invalid = context.issues
    .filter((issue) => issue.code !== "unrecognized_keys")
    .map((issue) => (issue.path ?? []).join("."));
  if (invalid.includes("")) return;
  for (const rule of rules) {
    if (rule.reads.some((key) => invalid.some((path) => related(key, path)))) continue;
    if (rule.holds(config)) continue;
    const params: CheckParams = { code: rule.code, hint: rule.hint(config) };
    context.addIssue({
      code: "custom",
      path: rule.reads[0]?.split(".") ?? [],
      message: rule.message(config),
      params: { ...params },
    });
  }
}
