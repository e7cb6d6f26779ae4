/**
 * The one schema of `lambdaflex.json` and `lambdaflex.config.ts`.
 *
 * It is strict, so that a typing error is an error. Every key has a default and a sentence: from
 * them `tools/schema.ts` writes the types, the JSON schema for editors and the guide's table.
 */
import { z } from "zod";
import { checkRules } from "./rules.ts";
import { permissions, secrets, secretsAt } from "./sections/access.ts";
import {
  certificateArn,
  dashboard,
  frontDoor,
  hostedZoneId,
  logRetentionDays,
  network,
  notifications,
  throttle,
} from "./sections/deployment.ts";
import { whole } from "./sections/field.ts";
import { load } from "./sections/load.ts";
import { command, env, readiness, setup, watch } from "./sections/service.ts";
import { fargate, lambda } from "./sections/tiers.ts";
import { thresholds, transition } from "./sections/transition.ts";
import type { Config, ConfigInput } from "./types.ts";

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,14}$/, "1 to 15 of a-z, 0-9 and -, starting with a letter")
  .default("service")
  .describe("Prefix of everything that is created; left out, it is the folder's name.")
  .meta({ examples: ["pet-store"] });

const domain = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    "a host name in lower case such as api.example.com",
  )
  .nullable()
  .default(null)
  .describe("Host name of the service, in a zone of Route 53; null means none.")
  .meta({ examples: ["api.example.com"] });

/** Parses a configuration; on success every key has a value. */
export const configSchema: z.ZodType<Config, ConfigInput> = z
  .strictObject({
    $schema: z.string().optional().describe("Where editors find the JSON schema."),
    name,
    command,
    port: whole(1, 65_535, 8080, "Port that the service listens on in a container."),
    setup,
    env,
    secrets,
    secretsAt,
    permissions,
    readiness,
    lambda,
    fargate,
    thresholds,
    transition,
    standby: z
      .enum(["warm", "cold"])
      .default("warm")
      .describe("warm keeps the free network pieces between bursts; cold removes them as well."),
    domain,
    hostedZoneId,
    certificateArn,
    frontDoor,
    throttle,
    network,
    notifications,
    logRetentionDays,
    dashboard,
    policy: z
      .enum(["threshold", "break-even", "work-function", "auto"])
      .default("auto")
      .describe(
        "What decides on the tier: auto, work-function and break-even weigh what tiers cost, " +
          "threshold follows the alarms. Whoever sets thresholds and no policy gets threshold.",
      ),
    load,
    watch,
  })
  .superRefine(checkRules, { when: () => true })
  .describe("Configuration of a LambdaFlex service.");
