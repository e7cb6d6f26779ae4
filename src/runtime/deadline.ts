/**
 * The end of an invocation's time.
 *
 * One timer stays armed from invocation to invocation, and looks when it rings whether the present
 * one has come to its end: to set and clear a timer each time costs more.
 */
import { DeadlineError } from "./failures.ts";

/** Watches one invocation after the other. */
export interface Deadline {
  /** An invocation begins that ends at `atMs`, Unix time; without limit if it is `null` or past. */
  begin(atMs: number | null): void;
  /** The invocation is over. */
  end(): void;
  /** Whether the present invocation has run out of time. */
  readonly passed: boolean;
  /** The outcome of `work`, or DeadlineError if the time is over before. */
  within<T>(work: Promise<T>): Promise<T>;
  /** Leaves no timer behind. */
  close(): void;
}

/** The longest that a timer can be set. */
const timerMsMax = 2 ** 31 - 1;

/** `onPass` is called when an invocation runs out of time; the clock shows Unix milliseconds. */
export function createDeadline(nowMs: () => number, onPass: () => void): Deadline {
  const never = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let ringsMs = never;
  let endMs = never;
  let passed = false;
  let refuse: ((error: DeadlineError) => void) | null = null;

  const arm = (leftMs: number): void => {
    clearTimeout(timer);
    ringsMs = endMs;
    timer = setTimeout(ring, Math.min(leftMs, timerMsMax));
  };
  const ring = (): void => {
    ringsMs = never;
    if (endMs === never) return;
    const leftMs = endMs - nowMs();
    if (leftMs > 0) {
      arm(leftMs);
      return;
    }
    passed = true;
    refuse?.(new DeadlineError());
    onPass();
  };

  return {
    begin(atMs) {
      passed = false;
      const leftMs = atMs === null ? 0 : atMs - nowMs();
      endMs = atMs !== null && leftMs > 0 ? atMs : never;
      if (endMs < ringsMs) arm(leftMs);
    },
    end() {
      endMs = never;
    },
    get passed() {
      return passed;
    },
    within<T>(work: Promise<T>): Promise<T> {
      const refused = new Promise<never>((_, reject) => {
        refuse = reject;
      });
      return Promise.race([work, refused]).finally(() => {
        refuse = null;
      });
    },
    close() {
      clearTimeout(timer);
    },
  };
}
