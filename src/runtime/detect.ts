/** Where this process runs. */

/** Inside a Lambda execution environment, or in a plain container (Fargate, Docker, a laptop). */
export type Surroundings = "lambda" | "container";

/** Lambda sets AWS_LAMBDA_RUNTIME_API in every environment, and nothing else does. */
export function detectSurroundings(
  env: Readonly<Record<string, string | undefined>>,
): Surroundings {
  return env.AWS_LAMBDA_RUNTIME_API ? "lambda" : "container";
}

/** The service's own command: everything after an optional `--`. */
export function commandOf(args: readonly string[]): readonly string[] {
  return args[0] === "--" ? args.slice(1) : args;
}
