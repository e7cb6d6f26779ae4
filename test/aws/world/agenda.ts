/** Virtual time: what is due runs in order when somebody lets time pass, and never else. */

/** Time that stands still until it is advanced. */
export interface Agenda {
  readonly nowMs: number;
  /** Runs `run` once, `ms` from now; returns what cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Lets time pass. What falls due meanwhile sees the time that it was due at. */
  advance(ms: number): void;
  /** Tells the time whenever it has changed; returns what ends that. */
  watch(told: (nowMs: number) => void): () => void;
}

interface Entry {
  readonly dueMs: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** An agenda that begins at `startMs`. */
export function createAgenda(startMs: number): Agenda {
  let nowMs = startMs;
  const entries: Entry[] = [];
  const watchers = new Set<(nowMs: number) => void>();
  return {
    get nowMs() {
      return nowMs;
    },
    after(ms, run) {
      const entry: Entry = { dueMs: nowMs + Math.max(0, ms), run, cancelled: false };
      const at = entries.findIndex(({ dueMs }) => dueMs > entry.dueMs);
      entries.splice(at < 0 ? entries.length : at, 0, entry);
      return () => {
        entry.cancelled = true;
      };
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (let next = entries[0]; next && next.dueMs <= untilMs; next = entries[0]) {
        entries.shift();
        if (next.cancelled) continue;
        nowMs = Math.max(nowMs, next.dueMs);
        next.run();
      }
      nowMs = Math.max(nowMs, untilMs);
      for (const told of watchers) told(nowMs);
    },
    watch(told) {
      watchers.add(told);
      return () => {
        watchers.delete(told);
      };
    },
  };
}
