/** What goes on for hours outlives an answer of AWS that did not come. */
import { UserError } from "../config/errors.ts";

/** Failures that may be gone at the next look; all others end the command. */
const passing: ReadonlySet<string> = new Set(["AWS_UNREACHABLE", "AWS_FAILED"]);

/** Looks once; `null` and a line for whoever watches if that may succeed the next time. */
export async function lookOrSay<T>(
  look: () => Promise<T>,
  say: (line: string) => void,
): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof UserError) || !passing.has(error.code)) throw error;
    say(`${error.message}; looking again`);
    return null;
  }
}
