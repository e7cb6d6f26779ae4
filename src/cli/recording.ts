/** A recording that somebody names on the command line. */
import { type ErrorCode, UserError } from "../config/errors.ts";
import { RecordError } from "../core/record-lines.ts";
import { readRecording } from "../dashboard/record-file.ts";
import type { History } from "../dashboard/run-history.ts";

/** Reads it. Throws UserError with the code of what is wrong with it. */
export async function openRecording(file: string): Promise<History> {
  try {
    return await readRecording(file);
  } catch (error) {
    if (error instanceof RecordError) {
      throw new UserError(error.code satisfies ErrorCode, `${file}: ${error.message}`, error.hint);
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const hint = "Write one with lambdaflex rehearse --record FILE.";
    throw new UserError("RECORD_NOT_FOUND", `cannot read ${file}: ${code}`, hint);
  }
}
