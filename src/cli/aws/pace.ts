/** How a command waits for AWS: by polling, and only until it is interrupted. */

/** Real time, or a test's. */
export interface Pace {
  readonly pollMs: number;
  readonly signal: AbortSignal;
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it fires. */
  pause(ms: number): Promise<void>;
}

/** Polls every two seconds, as the CDK does: CloudFormation throttles those who ask more often. */
const pollMs = 2_000;

/** Real time. */
export function realPace(signal: AbortSignal): Pace {
  return {
    pollMs,
    signal,
    nowMs: () => Date.now(),
    pause: (ms) =>
      new Promise((resolve, reject) => {
        const aborted = (): void => {
          clearTimeout(timer);
          reject(signal.reason);
        };
        if (signal.aborted) return aborted();
        const timer = setTimeout(() => {
          signal.removeEventListener("abort", aborted);
          resolve();
        }, ms);
        signal.addEventListener("abort", aborted, { once: true });
      }),
  };
}

/** Asks until there is an answer; `null` means not yet. Rejects when it is interrupted. */
export async function poll<T>(pace: Pace, ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    pace.signal.throwIfAborted();
    const answer = await ask();
    if (answer !== null) return answer;
    await pace.pause(pace.pollMs);
  }
}
