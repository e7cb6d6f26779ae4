/** What the commands that work with a deployed service have in common: options, and their end. */
import { asAwsMistake } from "../aws/errors.ts";
import { awsArgs } from "../aws/options.ts";
import { interruptedCode, interruptSignal } from "../interrupt.ts";
import { openService, type ServiceAt, type ServiceOptions } from "./service.ts";

const ownArgs = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here",
  },
  json: { type: "boolean", description: "Print the result as one JSON object" },
} as const;

/** Which service, where, and how the result is printed. */
export const serviceArgs: typeof ownArgs & typeof awsArgs = { ...ownArgs, ...awsArgs };

/**
 * Does `work` and resolves with its exit code. Refusals of AWS become coded mistakes; after an
 * interruption `leaving` says what goes on by itself.
 */
export async function onService(
  given: ServiceOptions,
  leaving: string,
  work: (service: ServiceAt) => Promise<number>,
): Promise<number> {
  const interrupt = interruptSignal();
  try {
    return await work(await openService(given, interrupt.signal));
  } catch (error) {
    if (!interrupt.signal.aborted) throw asAwsMistake(error);
    process.stderr.write(`interrupted: ${leaving}\n`);
    return interruptedCode;
  } finally {
    interrupt.dispose();
  }
}

/** Prints a result as text, or as one JSON object. */
export function print<T>(result: T, json: boolean | undefined, text: (result: T) => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(result)}\n` : text(result));
}
