/** Checks between keys. Each rule runs whenever the keys that it reads are valid themselves. */
import type { z } from "zod";
import type { ErrorCode } from "./errors.ts";
import { fargateOffer, fargateOffers } from "./fargate-sizes.ts";
import type { CheckParams } from "./sections/field.ts";
import { isReserved } from "./sections/service.ts";
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
    code: "CONFIG_VALUE_INVALID",
    reads: ["name"],
    // Balancers refuse the beginning, in the first burst; repositories of images the rest.
    holds: ({ name }) => !/^internal-|--|-$/.test(name),
    message: ({ name }) =>
      `${JSON.stringify(name)} begins with "internal-", ends with "-" or has "--" in it, which ` +
      "load balancers or repositories refuse",
    hint: () => 'Choose another name, such as "pet-store".',
  },
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

/** A certificate is made for a common name, which holds no more. */
const madeNameMax = 64;

/** A balancer compares no longer host names. */
const hostNameMax = 128;

const deploymentRules: readonly Rule[] = [
  {
    code: "CONFIG_VALUE_INVALID",
    reads: ["domain"],
    holds: ({ domain }) => (domain ?? "").length <= hostNameMax,
    message: ({ domain }) =>
      `${domain?.length} characters are more than the ${hostNameMax} that a load balancer compares`,
    hint: () => "Choose a shorter host name.",
  },
  {
    code: "CONFIG_VALUE_INVALID",
    reads: ["domain", "certificateArn"],
    holds: ({ domain, certificateArn }) => {
      const { length } = domain ?? "";
      return certificateArn !== null || length <= madeNameMax || length > hostNameMax;
    },
    message: ({ domain }) =>
      `${domain?.length} characters are more than the ${madeNameMax} of a certificate that is made`,
    hint: () =>
      "Choose a shorter host name, or set certificateArn to a certificate of yours that has it " +
      "as an alternative name.",
  },
  {
    code: "SECRET_INVALID",
    reads: ["secrets", "env"],
    holds: ({ secrets, env }) => Object.keys(secrets).every((name) => secretName(name, env)),
    message: ({ secrets, env }) =>
      `${Object.keys(secrets).find((name) => !secretName(name, env))} is set elsewhere too`,
    hint: () => "Remove it from env; variables that a tier sets itself cannot be secrets.",
  },
  {
    code: "SECRET_INVALID",
    reads: ["secretsAt", "secrets"],
    holds: ({ secretsAt, secrets }) =>
      secretsAt === "start" || !Object.values(secrets).some((one) => one.includes(":ssm:")),
    message: () => "CloudFormation writes no parameters of Systems Manager into a function",
    hint: () => "Keep the value in Secrets Manager, or use the bootstrap and secretsAt: start.",
  },
  {
    code: "DOMAIN_MISSING",
    reads: ["hostedZoneId", "domain"],
    holds: ({ hostedZoneId, domain }) => hostedZoneId === null || domain !== null,
    message: () => "there is a zone but no domain",
    hint: () => 'Set domain to the host name of the service, such as "api.example.com".',
  },
  {
    code: "DOMAIN_MISSING",
    reads: ["certificateArn", "domain"],
    holds: ({ certificateArn, domain }) => certificateArn === null || domain !== null,
    message: () => "there is a certificate but no domain",
    hint: () => 'Set domain to the host name of the service, such as "api.example.com".',
  },
  {
    code: "CONFIG_VALUE_INVALID",
    reads: ["lambda.timeoutSeconds", "frontDoor"],
    holds: ({ lambda, frontDoor }) => frontDoor !== "rest" || lambda.timeoutSeconds <= 29,
    message: ({ lambda }) => `a REST API ends answers after 29 s, not ${lambda.timeoutSeconds}`,
    hint: () => "Lower lambda.timeoutSeconds to 29.",
  },
  {
    code: "NETWORK_INVALID",
    reads: ["network"],
    holds: ({ network }) => networkComplete(network),
    message: () => "vpcId, subnetIds, balancerSubnetIds and securityGroupIds belong together",
    hint: () =>
      "Give a VPC, at least two private subnets for the service, two public ones for the " +
      "balancer, and a security group; or none of them.",
  },
  {
    code: "NETWORK_INVALID",
    reads: ["network.tasks", "network.vpcId"],
    holds: ({ network }) => network.vpcId === null || network.tasks === "private",
    message: () => "in a VPC of yours a function has no public address, so tasks must have none",
    hint: () => 'Set network.tasks to "private" and choose subnets with a way out.',
  },
  {
    code: "NETWORK_INVALID",
    reads: ["standby", "network.vpcId"],
    holds: ({ standby, network }) => network.vpcId === null || standby === "warm",
    message: () => "cold standby removes the network, which a VPC of yours must not be",
    hint: () => 'Set standby to "warm".',
  },
];

/** A secret has its name for itself. */
function secretName(name: string, env: Config["env"]): boolean {
  return !Object.hasOwn(env, name) && !isReserved(name);
}

/** A balancer needs subnets in two zones, and so does a service that outlives the loss of one. */
function networkComplete({ vpcId, ...ids }: Config["network"]): boolean {
  const { subnetIds, balancerSubnetIds, securityGroupIds } = ids;
  const none = subnetIds.length + balancerSubnetIds.length + securityGroupIds.length === 0;
  if (vpcId === null) return none;
  return subnetIds.length >= 2 && balancerSubnetIds.length >= 2 && securityGroupIds.length >= 1;
}

function related(a: string, b: string): boolean {
  return `${a}.`.startsWith(`${b}.`) || `${b}.`.startsWith(`${a}.`);
}

/** Adds an issue for each rule that is broken, also when other keys are invalid. */
export function checkRules(config: Config, context: z.core.$RefinementCtx<Config>): void {
  const invalid = context.issues
    .filter((issue) => issue.code !== "unrecognized_keys")
    .map((issue) => (issue.path ?? []).join("."));
  if (invalid.includes("")) return;
  for (const rule of [...rules, ...deploymentRules]) {
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
