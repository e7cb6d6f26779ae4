/** A clock that stands still until a test lets time pass. */
import type { Clock } from "../src/local/clock.ts";

/** Virtual time in the hands of a test. */
export interface ManualClock extends Clock {
  /** Lets time pass: what falls due runs in order, each with the promises that it settles. */
  pass(virtualMs: number): Promise<void>;
  /** Timers that have not rung yet. */
  readonly waiting: number;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that shows `startMs`. */
export function manualClock(startMs = 0, speed = 1): ManualClock {
  let nowMs = startMs;
  const timers: Timer[] = [];
  const after = (virtualMs: number, run: () => void): (() => void) => {
    const timer = { dueMs: nowMs + Math.max(0, virtualMs), run };
    const at = timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
    timers.splice(at < 0 ? timers.length : at, 0, timer);
    return () => {
      if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
    };
  };
  return {
    speed,
    nowMs: () => nowMs,
    realMs: (virtualMs) => Math.max(0, virtualMs) / speed,
    after,
    every(virtualMs, run) {
      let cancel = (): void => undefined;
      const next = (): void => {
        cancel = after(virtualMs, () => {
          next();
          run();
        });
      };
      next();
      return () => cancel();
    },
    sleep: (virtualMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const cancel = after(virtualMs, resolve);
        signal?.addEventListener("abort", () => {
          cancel();
          reject(signal.reason);
        });
      }),
    async pass(virtualMs) {
      const untilMs = nowMs + virtualMs;
      await settled();
      for (let next = timers[0]; next && next.dueMs <= untilMs; next = timers[0]) {
        timers.shift();
        nowMs = Math.max(nowMs, next.dueMs);
        next.run();
        await settled();
      }
      nowMs = untilMs;
    },
    get waiting() {
      return timers.length;
    },
  };
}

/** All promises that need nothing from outside have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Looks again and again, in real time, until `done`; fails after `boundMs`. */
export async function eventually(
  done: () => boolean | Promise<boolean>,
  what: string,
  boundMs = 10_000,
): Promise<void> {
  const untilMs = performance.now() + boundMs;
  while (!(await done())) {
    if (performance.now() > untilMs) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
