/**
 * What AwsCloud must remember because AWS cannot be asked for it later: which stack is meant, who
 * asked for its removal, and which change moved the weights. A note beside the status.
 */
import type { Route } from "../core/index.ts";
import {
  type Check,
  isNumber,
  isText,
  isTrueOrFalse,
  object,
  orNull,
} from "../core/shape-check.ts";
import type { StateTable } from "./table.ts";
import { writeNotes } from "./table.ts";

/** The last change of the records. */
export interface RememberedChange {
  readonly route: Route;
  readonly atMs: number;
  /** Route 53's id; `null` if the controller died between asking and hearing it. */
  readonly id: string | null;
}

/** The burst stack that is or was meant. */
export interface RememberedStack {
  /** Its ARN; `null` if the controller died between asking and hearing it. */
  readonly id: string | null;
  readonly createdAtMs: number;
  /** When its removal was asked for, `null` before that. */
  readonly removedAtMs: number | null;
  /** Removals asked for: each that fails is followed by a stronger one. */
  readonly removals: number;
}

/** Everything that is remembered. */
export interface CloudMemory {
  readonly stack: RememberedStack | null;
  readonly change: RememberedChange | null;
}

/** Before the first burst. */
export const emptyMemory: CloudMemory = { stack: null, change: null };

const check: Check = object({
  stack: orNull(
    object({
      id: orNull(isText),
      createdAtMs: isNumber,
      removedAtMs: orNull(isNumber),
      removals: isNumber,
    }),
  ),
  change: orNull(
    object({
      route: object({ lambda: isNumber, fargate: isNumber, fargateRecord: isTrueOrFalse }),
      atMs: isNumber,
      id: orNull(isText),
    }),
  ),
});

/** Reads the note; one that cannot be read is as good as none, the world is looked at anyway. */
export function memoryOf(note: string | null): CloudMemory {
  if (note === null) return emptyMemory;
  try {
    const value: unknown = JSON.parse(note);
    return check(value) === null ? (value as CloudMemory) : emptyMemory;
  } catch {
    return emptyMemory;
  }
}

/** Stores the memory. */
export function remember(table: StateTable, memory: CloudMemory): Promise<void> {
  return writeNotes(table, { memory: JSON.stringify(memory) });
}
