/** Removing asks first: a person types the name, a program says --yes. */
import { createInterface } from "node:readline/promises";
import { UserError } from "../../config/errors.ts";

/** Throws UserError CONFIRMATION_MISSING unless somebody has agreed. */
export async function requireAgreement(
  app: string,
  where: string,
  yes: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (yes) return;
  const hint = `Add --yes if ${app} and all that belongs to it shall be removed from ${where}.`;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new UserError("CONFIRMATION_MISSING", "nobody is there to be asked", hint);
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const question = `This removes ${app} from ${where}. Type its name to agree: `;
    const answer = await lines.question(question, { signal });
    if (answer.trim() === app) return;
    throw new UserError("CONFIRMATION_MISSING", `"${answer.trim()}" is not ${app}`, hint);
  } finally {
    lines.close();
  }
}
