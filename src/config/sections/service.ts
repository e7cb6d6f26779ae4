/** How the service is started, prepared and watched. */
import { z } from "zod";
import type { Config, ConfigInput } from "../types.ts";
import { amount, type Field, problem, type Section } from "./field.ts";

/** A line for the shell, or a program with its arguments. */
export const command: z.ZodType<Config["command"], ConfigInput["command"]> = z
  .union([z.string().min(1), z.array(z.string()).min(1)])
  .describe(
    "How the service starts: a text is run by /bin/sh, a list is run as it is. It must listen on " +
      "$PORT.",
  )
  .meta({ examples: ["node server.js"] });

/** The one-off command that prepares the folder. */
export const setup: Field<Config["setup"]> = z
  .union([z.null(), z.string().min(1), z.array(z.string()).min(1)])
  .default(null)
  .describe(
    "One-off command before the first start; it runs again when it changes or a file that it " +
      "names does.",
  )
  .meta({ examples: ["npm ci --omit=dev"] });

/** AWS Lambda sets these variables and refuses others' values; the port is set by lambdaflex. */
const reserved: readonly RegExp[] = [
  /^(PORT|HOST|_HANDLER|_X_AMZN_TRACE_ID|LAMBDAFLEX_.*|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/,
  /^AWS_((DEFAULT_)?REGION|EXECUTION_ENV|SESSION_TOKEN|ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY)$/,
  /^AWS_LAMBDA_(?!EXEC_WRAPPER$)/,
];

/** Whether a tier sets the variable itself, so that nobody else may. */
export function isReserved(name: string): boolean {
  return reserved.some((pattern) => pattern.test(name));
}

/** AWS Lambda's limit for all variables together. */
const envBytesMax = 4096;

/** Name of a variable of the environment. */
export const envName: z.ZodType<string, string> = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a name of letters, digits and _ that starts with no digit");

function checkEnv(variables: Config["env"], context: z.core.$RefinementCtx): void {
  const taken = Object.keys(variables).filter(isReserved);
  for (const name of taken.slice(0, 10)) {
    const hint = "Remove it: the tier that runs the service sets it to the right value.";
    const { error, params } = problem("ENV_RESERVED", `${name} cannot be set here`, hint);
    context.addIssue({ code: "custom", path: [name], message: error, params });
  }
  // It also sees what is no text yet, for which there is another message.
  const texts = Object.entries(variables).flat();
  const bytes = Buffer.byteLength(texts.filter((text) => typeof text === "string").join(""));
  if (bytes <= envBytesMax) return;
  const message = `all variables together take ${bytes} bytes; AWS Lambda allows ${envBytesMax}`;
  const hint = "Keep large values in a file of the image or in a parameter store.";
  const { params } = problem("CONFIG_VALUE_INVALID", message, hint);
  context.addIssue({ code: "custom", message, params });
}

/** Variables of the service's environment. */
export const env: Field<Config["env"]> = z
  .record(envName, z.string())
  .superRefine(checkEnv, { when: ({ value }) => typeof value === "object" && value !== null })
  .default({})
  .describe("Environment variables of the service on both tiers, 4 KB together.")
  .meta({ examples: [{ GREETING: "hello" }] });

/** When the service may receive requests. */
export const readiness: Section<Config["readiness"], ConfigInput["readiness"]> = z
  .strictObject({
    path: z
      .string()
      .max(200)
      .regex(/^\/[^\s#]*$/, 'a path that starts with "/" and has no space or #')
      .default("/")
      .describe(
        "Path that answers 200 to 299 once the service is ready; health checks use it too.",
      ),
    timeoutSeconds: amount(
      1,
      300,
      30,
      "Longest time from the start of the service to its first good answer.",
    ),
  })
  .prefault({})
  .describe("When the service may receive requests.");

/** Which changes restart the service in `lambdaflex dev`. */
export const watch: Section<Config["watch"], ConfigInput["watch"]> = z
  .strictObject({
    paths: z
      .array(z.string().min(1))
      .min(1)
      .max(100)
      .default(["."])
      .describe("Files and folders to watch, relative to the configuration's folder."),
    ignore: z
      .array(z.string().regex(/^[^/\\]+$/, "the name of a file or folder, without / or \\"))
      .max(100)
      .default(["node_modules", ".venv", ".git", ".lambdaflex", "__pycache__", "dist"])
      .describe("Names of files and folders that are not looked at, at any depth."),
  })
  .prefault({})
  .describe("Which files belong to the service: their change restarts it in `lambdaflex dev`.");
