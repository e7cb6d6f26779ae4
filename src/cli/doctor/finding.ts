/** What `doctor` finds: one fact each, why it matters, and what to do about it. */
import { type ErrorCode, UserError } from "../../config/errors.ts";
import { asAwsMistake } from "../aws/errors.ts";

/** `warn`: it works, but not as well or as far as it could. */
export type Level = "ok" | "warn" | "fail";

/** One finding. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  readonly what: string;
  /** Why it matters; empty when all is well. */
  readonly why: string;
  readonly fix: string;
  readonly code: ErrorCode | null;
}

/** All is well. */
export function fine(check: string, what: string): Finding {
  return { check, level: "ok", what, why: "", fix: "", code: null };
}

/** It works, but. */
export function warning(check: string, what: string, why: string, fix: string): Finding {
  return { check, level: "warn", what, why, fix, code: null };
}

/** One check: a name, why its failure matters, and what looks. */
export interface Check {
  readonly name: string;
  /** What does not work when this fails. */
  readonly why: string;
  /** Throws UserError for a mistake, which becomes a finding. */
  readonly look: () => Promise<Finding | readonly Finding[]>;
}

/** What says nothing of the thing that was looked at. */
const unknown: ReadonlySet<ErrorCode> = new Set(["AWS_ACCESS_DENIED", "AWS_FAILED"]);

/** Runs a check. What AWS does not let us read is a warning: it may be all right. */
export async function found({ name, why, look }: Check): Promise<readonly Finding[]> {
  try {
    return [await look()].flat();
  } catch (error) {
    const mistake = asAwsMistake(error);
    if (mistake instanceof UserError) {
      const { code, message: what, hint: fix } = mistake;
      const level = unknown.has(code) ? "warn" : "fail";
      return [{ check: name, level, what, why, fix, code }];
    }
    const what = `could not be checked: ${error instanceof Error ? error.message : String(error)}`;
    return [{ check: name, level: "warn", what, why, fix: "Run doctor again.", code: null }];
  }
}
