/**
 * The part of the configuration that the controller needs: the stacks write it into a variable of
 * its function, the controller reads it back.
 */
import {
  type Check,
  isNumber,
  isText,
  listOf,
  object,
  oneOf,
  orNull,
} from "../core/shape-check.ts";
import type { Config } from "./types.ts";

/** What the controller knows of the configuration. */
export type ControllerConfig = Pick<
  Config,
  | "name"
  | "readiness"
  | "lambda"
  | "fargate"
  | "thresholds"
  | "transition"
  | "standby"
  | "domain"
  | "frontDoor"
  | "policy"
>;

/** The text for the variable LAMBDAFLEX_CONFIG, about 2 KB of the 4 that Lambda allows. */
export function controllerConfigText(config: Config): string {
  const { name, readiness, lambda, fargate, thresholds, transition } = config;
  const { standby, domain, frontDoor, policy } = config;
  const part: ControllerConfig = {
    ...{ name, readiness, lambda, fargate, thresholds, transition },
    ...{ standby, domain, frontDoor, policy },
  };
  return JSON.stringify(part);
}

/**
 * Reads the text back. It was checked by the schema when the stack was made, so only its shape is
 * checked again: the schema's library would double what AWS Lambda has to load.
 * @throws Error when it is not what `controllerConfigText` wrote
 */
export function parseControllerConfig(text: string): ControllerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const problem = check(value);
  if (problem !== null) throw new Error(`LAMBDAFLEX_CONFIG is not what a stack wrote: ${problem}`);
  return value as ControllerConfig;
}

const numbers = (...names: readonly string[]): Readonly<Record<string, Check>> =>
  Object.fromEntries(names.map((name) => [name, isNumber]));

const percents = listOf(isNumber, 100);

const check: Check = object({
  name: isText,
  readiness: object({ path: isText }),
  lambda: object({
    ...numbers("memoryMB", "timeoutSeconds", "concurrencyMax"),
    architecture: oneOf("arm64", "x86_64"),
  }),
  fargate: object(
    numbers("vcpu", "memoryMB", "minTasks", "maxTasks", "cpuPercent", "requestsPerTaskPerMinute"),
  ),
  thresholds: object({
    up: object(numbers("requestsPerMinute", "concurrency", "periods", "of")),
    down: object(numbers("requestsPerMinute", "minutes")),
  }),
  transition: object({
    stepPercents: percents,
    stepPercentsDown: percents,
    ...numbers("bakeSeconds", "healthySeconds", "probes", "ttlSeconds", "errorMarginPercent"),
    ...numbers("errorRequestsMin", "dwellMinutes", "cooldownMinutes", "drainQuietMinutes"),
    ...numbers("drainMinutesMax", "backoffMinutes", "backoffMinutesMax", "pollSeconds"),
    deadlines: object(numbers("provisioningMinutes", "shiftingMinutes", "deprovisioningMinutes")),
  }),
  standby: oneOf("warm", "cold"),
  domain: orNull(isText),
  frontDoor: oneOf("http", "rest"),
  policy: oneOf("threshold", "break-even", "work-function", "auto"),
});
