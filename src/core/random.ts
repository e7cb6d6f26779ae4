/** Seeded randomness: the only source of chance in the product. A seed replays exactly. */

/** A stream of numbers, uniform in [0, 1). */
export type Random = () => number;

/** The mulberry32 generator: 32 bits of state, enough for delays and weighted picks. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number drawn uniformly from [`min`, `max`]. */
export function between(random: Random, min: number, max: number): number {
  return min + (max - min) * random();
}
