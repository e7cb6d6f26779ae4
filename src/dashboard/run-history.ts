/** What is kept of a run for those who come later, and for its report. */
import type { RunStream } from "../core/record.ts";
import { createHistory, type History } from "./page/history.js";

export { type History, recordsOf } from "./page/history.js";

/** Snapshots that are kept: about as many as a screen has pixels. */
const snapshotsMax = 1200;

/** A memory that no run can fill. */
export function boundedHistory(): History {
  return createHistory(snapshotsMax);
}

/** Remembers a stream from now on. */
export function followHistory(stream: RunStream): { readonly history: History; stop(): void } {
  const history = boundedHistory();
  history.add(stream.head);
  return { history, stop: stream.subscribe((record) => history.add(record)) };
}
