/**
 * The part of the configuration that the controller needs: the stacks write it into a variable of
 * its function, the controller reads it back through the one schema.
 */
import { parseConfig } from "./parse.ts";
import type { Config } from "./types.ts";

const keys = [
  "name",
  "readiness",
  "lambda",
  "fargate",
  "thresholds",
  "transition",
  "standby",
  "domain",
  "frontDoor",
  "policy",
] as const satisfies readonly (keyof Config)[];

/** What the controller knows of the configuration. */
export type ControllerConfig = Pick<Config, (typeof keys)[number]>;

/** The text for the variable LAMBDAFLEX_CONFIG, about 2 KB of the 4 that Lambda allows. */
export function controllerConfigText(config: Config): string {
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, config[key]])));
}

/** Reads the text back. Throws UserError when it is not what `controllerConfigText` wrote. */
export function parseControllerConfig(text: string): ControllerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  // How the service is started is of no interest here, but no configuration is without it.
  const whole = typeof value === "object" && value !== null ? { command: ":", ...value } : value;
  return parseConfig(whole, "service", "LAMBDAFLEX_CONFIG");
}
