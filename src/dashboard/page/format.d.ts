/** A whole number with groups: 12,345. */
export function count(value: number | null): string;

/** Requests per second, without its unit. */
export function rate(value: number | null): string;

/** Milliseconds of a latency, with a unit. */
export function latency(ms: number | null): string;

/** Dollars: as many digits as say something. */
export function usd(value: number): string;

/** A power of ten of milliseconds on an axis. */
export function latencyTick(ms: number): string;

/** A rate or a count on an axis whose lines are `step` apart. */
export function numberTick(value: number, step: number): string;

/** Dollars on an axis whose lines are `step` apart. */
export function usdTick(value: number, step: number): string;

/** A span: "850 ms", "74 s", "12 min 30 s", "3 h 05 min", "2 d 4 h". */
export function span(ms: number): string;

/** A number of things: "1 task", "2 tasks". */
export function things(value: number, one: string): string;

/** How times of a run are written, in sentences and on an axis. */
export function timeWords(head: { readonly command: string; readonly atMs: number }): {
  readonly zone: string;
  readonly offsetMs: number;
  text(ms: number): string;
  tick(ms: number, spanMs: number): string;
};

/** Round times between two seconds, as many as fit into `px`; they count from `offset`. */
export function timeSplits(min: number, max: number, px: number, offset: number): number[];
