import type { RunHead, RunRecord, Snapshot } from "../../core/record.ts";

/** A bounded memory of a run. */
export interface History {
  readonly head: RunHead | null;
  readonly snapshots: readonly Snapshot[];
  /** Events and alarms in the order of time. */
  readonly events: readonly Extract<RunRecord, { type: "event" | "alarm" }>[];
  readonly end: Extract<RunRecord, { type: "end" }> | null;
  /** Grows whenever older snapshots were thinned out. */
  readonly revision: number;
  /** Takes up one record; a head begins anew. */
  add(record: RunRecord): void;
}

/** Keeps at most `snapshotsMax` snapshots and `eventsMax` events and alarms. */
export function createHistory(snapshotsMax: number, eventsMax?: number): History;

/** Everything that is kept, as records in the order of time. */
export function recordsOf(history: History): readonly RunRecord[];
