/** Finds out before the work whether its report can be written. */
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../config/errors.ts";

/** Throws UserError REPORT_UNWRITABLE unless a file can be written there. */
export async function checkReport(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (error) {
    throw reportUnwritable(path, (error as NodeJS.ErrnoException).code);
  }
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) throw reportUnwritable(path, "EISDIR");
}

/** The mistake of naming a place where nothing can be written. */
export function reportUnwritable(path: string, why = "no reason given"): UserError {
  const hint = "Name a file in a folder that exists and that you may write to.";
  return new UserError("REPORT_UNWRITABLE", `cannot write ${path}: ${why}`, hint);
}
