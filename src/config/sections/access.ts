/** What the service may do and know: permissions and secrets, the same on both tiers. */
import { z } from "zod";
import type { Config, ConfigInput } from "../types.ts";
import { type Field, problem } from "./field.ts";
import { envName } from "./service.ts";

/** Secrets may be followed by a key of their JSON, a stage and a version, as ECS writes it. */
const secret = String.raw`secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+(:[\w/+=.@-]*){0,3}`;
const parameter = String.raw`ssm:[a-z0-9-]+:\d{12}:parameter\/[\w./-]+`;

/** ARN of a secret or of a parameter. */
export const secretArn: RegExp = new RegExp(`^arn:aws[a-z-]*:(${secret}|${parameter})$`);

/** The same without a key of its JSON; the ARN of a secret ends in six characters of its own. */
const whole = String.raw`secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-\w{6}`;

/** ARN of a whole secret or of a parameter. */
export const wholeSecretArn: RegExp = new RegExp(`^arn:aws[a-z-]*:(${whole}|${parameter})$`);

/** Variables whose values are kept elsewhere. */
export const secrets: Field<Config["secrets"]> = z
  .record(
    envName,
    z
      .string()
      .regex(
        secretArn,
        "the ARN of a secret of Secrets Manager, which may end in :KEY of its JSON, or of a " +
          "parameter of Systems Manager",
      ),
  )
  .default({})
  .describe(
    "Variables whose values come from Secrets Manager or Systems Manager when the service starts.",
  )
  .meta({
    examples: [
      { DB_PASSWORD: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf:password" },
    ],
  });

/** When secrets are read for Lambda; on Fargate ECS always reads them at the start. */
export const secretsAt: Field<Config["secretsAt"]> = z
  .enum(["start", "deploy"])
  .default("start")
  .describe(
    "start lets the bootstrap read secrets on Lambda; deploy writes those of Secrets Manager " +
      "into the function's configuration, for images without the bootstrap.",
  );

const permission: z.ZodType<
  Config["permissions"][number],
  NonNullable<ConfigInput["permissions"]>[number]
> = z
  .strictObject({
    actions: z
      .array(z.string().regex(/^[a-z0-9-]+:[A-Za-z*?]+$/, "an action such as s3:GetObject"))
      .min(1)
      .max(100)
      .describe("Actions of IAM."),
    resources: z
      .array(z.string().regex(/^(\*|arn:.+)$/, 'an ARN, or "*"'))
      .min(1)
      .max(100)
      .describe("ARNs that they apply to."),
    conditions: z
      .record(z.string().min(1), z.record(z.string().min(1), z.array(z.string()).min(1)))
      .default({})
      .describe("Conditions of IAM: operator, key and value."),
  })
  .refine(
    ({ actions }) => actions.every((action) => !/^(iam|sts|organizations):/.test(action)),
    problem(
      "PERMISSION_REFUSED",
      "a service gets no permissions over identities",
      "Grant them to a role of their own, outside of the service.",
    ),
  );

/** What the service's roles may do. */
export const permissions: z.ZodDefault<
  z.ZodType<Config["permissions"], NonNullable<ConfigInput["permissions"]>>
> = z
  .array(permission)
  .max(20)
  .default([])
  .describe("What the service may do in AWS, on both tiers.");
