/** What will happen when, in virtual time. */

/** Runs something later; the result takes it back. */
export interface Agenda {
  /** When the next entry is due; Infinity if there is none. */
  readonly nextMs: number;
  /** Entries of the same time run in the order in which they were made. */
  at(dueMs: number, run: () => void): () => void;
  /** Runs everything that is due by `nowMs`, the entries made on the way included. */
  runDue(nowMs: number): void;
}

interface Entry {
  readonly dueMs: number;
  readonly run: () => void;
}

/** An empty agenda. It stays short, so that a sorted list is the fastest. */
export function createAgenda(): Agenda {
  const entries: Entry[] = [];
  return {
    get nextMs() {
      return entries[0]?.dueMs ?? Number.POSITIVE_INFINITY;
    },
    at(dueMs, run) {
      const entry: Entry = { dueMs, run };
      let index = entries.length;
      while (index > 0 && (entries[index - 1]?.dueMs ?? 0) > dueMs) index -= 1;
      entries.splice(index, 0, entry);
      return () => {
        const found = entries.indexOf(entry);
        if (found >= 0) entries.splice(found, 1);
      };
    },
    runDue(nowMs) {
      for (let first = entries[0]; first !== undefined && first.dueMs <= nowMs; ) {
        entries.shift();
        first.run();
        first = entries[0];
      }
    },
  };
}
