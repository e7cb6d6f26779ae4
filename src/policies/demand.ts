/** Total demand of both tiers, window by window: all that the cost policies look at. */
import type { PolicyView } from "../core/types.ts";

/** One closed window, both tiers together. */
export interface Demand {
  readonly startMs: number;
  readonly minutes: number;
  readonly rps: number;
}

/** The windows of a view, oldest first; the tiers' samples of one window are added up. */
export function demandOf(view: PolicyView): readonly Demand[] {
  const { samples } = view;
  const windows: Demand[] = [];
  for (let index = 0; index < samples.length; ) {
    const first = samples[index];
    if (first === undefined) break;
    const { startMs, periodMs } = first;
    let requests = 0;
    for (; index < samples.length && samples[index]?.startMs === startMs; index += 1) {
      requests += samples[index]?.requests ?? 0;
    }
    windows.push({ startMs, minutes: periodMs / 60_000, rps: (requests * 1000) / periodMs });
  }
  return windows;
}
