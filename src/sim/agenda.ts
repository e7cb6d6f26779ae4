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

/** An empty agenda: a sorted list, next entry last, since most entries are for soon. */
export function createAgenda(): Agenda {
  const entries: Entry[] = [];
  return {
    get nextMs() {
      return entries.at(-1)?.dueMs ?? Number.POSITIVE_INFINITY;
    },
    at(dueMs, run) {
      const entry: Entry = { dueMs, run };
      let index = entries.length;
      entries.push(entry);
      for (; index > 0; index -= 1) {
        const sooner = entries[index - 1];
        if (sooner === undefined || sooner.dueMs > dueMs) break;
        entries[index] = sooner;
      }
      entries[index] = entry;
      return () => {
        const found = entries.indexOf(entry);
        if (found >= 0) entries.splice(found, 1);
      };
    },
    runDue(nowMs) {
      for (let next = entries.at(-1); next !== undefined && next.dueMs <= nowMs; ) {
        entries.pop();
        next.run();
        next = entries.at(-1);
      }
    },
  };
}
