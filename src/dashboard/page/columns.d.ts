import type { Phase, Tier } from "../../core/types.ts";
import type { History } from "./history.js";

/** Columns that follow a history: only what is new is read. */
export function createColumns(history: History): {
  readonly columns: Readonly<Record<string, (number | null)[]>>;
  update(): void;
};

/** The spans of the phases, each with the reason that began it. */
export function phaseSpans(history: History): readonly {
  readonly phase: Phase;
  readonly target: Tier;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string;
}[];

/** Index of the last snapshot that is not after `ms`, 0 if all are. */
export function indexAt(snapshots: readonly { readonly atMs: number }[], ms: number): number;

/** Rows `from` to `to`, thinned to what so many buckets can show; time comes first. */
export function drawable(
  columns: Readonly<Record<string, readonly (number | null)[]>> & {
    readonly time: readonly number[];
  },
  names: readonly string[],
  from: number,
  to: number,
  buckets: number,
): (number | null)[][];
