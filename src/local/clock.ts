/**
 * The one scaled clock: `--speed 60` lets a virtual minute pass in a real second.
 *
 * Waits are compressed, requests are not: whoever waits asks this clock, whoever measures a request
 * uses real time.
 */
import { setTimeout as sleepReal } from "node:timers/promises";

/** Virtual time. All `Ms` values it takes and gives are virtual milliseconds. */
export interface Clock {
  readonly speed: number;
  nowMs(): number;
  /** Real milliseconds that `virtualMs` take. */
  realMs(virtualMs: number): number;
  /** Resolves after `virtualMs`, never before; rejects with AbortError when the signal fires. */
  sleep(virtualMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `virtualMs`, never before; the returned function cancels it. */
  after(virtualMs: number, run: () => void): () => void;
  /** Calls `run` every `virtualMs` until the returned function is called. */
  every(virtualMs: number, run: () => void): () => void;
}

/** Node turns longer timers into 1 ms ones, so a long wait is cut to this and started anew. */
const timerMaxMs = 2 ** 31 - 1;

/** A clock that starts at `startMs` and runs `speed` times as fast as real time. */
export function scaledClock(speed: number, startMs: number): Clock {
  const begun = performance.now();
  const nowMs = (): number => startMs + (performance.now() - begun) * speed;
  const realMs = (virtualMs: number): number => Math.max(0, virtualMs) / speed;
  const timerMs = (dueMs: number): number => Math.min(realMs(dueMs - nowMs()), timerMaxMs);

  const after = (virtualMs: number, run: () => void): (() => void) => {
    const dueMs = nowMs() + virtualMs;
    let timer: NodeJS.Timeout;
    // A timer may ring up to 1 ms early, which is most of a virtual second at speed 600.
    const ring = (): void => (nowMs() < dueMs ? arm() : run());
    const arm = (): void => {
      timer = setTimeout(ring, timerMs(dueMs));
    };
    arm();
    return () => clearTimeout(timer);
  };

  const every = (virtualMs: number, run: () => void): (() => void) => {
    let due = nowMs() + virtualMs;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = after(due - nowMs(), () => {
        due = Math.max(due + virtualMs, nowMs());
        next();
        run();
      });
    };
    next();
    return () => cancel();
  };

  const sleep = async (virtualMs: number, signal?: AbortSignal): Promise<void> => {
    const dueMs = nowMs() + virtualMs;
    do await sleepReal(timerMs(dueMs), undefined, { signal });
    while (nowMs() < dueMs);
  };
  return { speed, nowMs, realMs, sleep, after, every };
}
