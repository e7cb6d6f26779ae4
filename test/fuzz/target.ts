/** What is fuzzed: inputs of a kind, and what must hold for each of them. */
import fc from "fast-check";

/** One parser, or one thing that parses. */
export interface Target {
  readonly name: string;
  /** Runs the property `inputs` times from `seed`; throws with the smallest counterexample. */
  run(inputs: number, seed: number): Promise<void>;
  /** Runs one saved input, as `fc.stringify` wrote its JSON. */
  replay(saved: unknown): Promise<void>;
  /** Inputs that cost so much more than others that they count as this many. */
  readonly cost: number;
}

/** A check takes longer than this only when something hangs; real milliseconds. */
const hangMs = 5_000;

/** Makes a target of inputs that can be written as JSON. */
export function target<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  check: (input: T) => void | Promise<void>,
  cost = 1,
): Target {
  return {
    name,
    cost,
    async run(count, seed) {
      const property = fc.asyncProperty(inputs, (input) => bounded(() => check(input)));
      await fc.assert(property, { numRuns: count, seed, verbose: 0 });
    },
    replay: (saved) => bounded(() => check(saved as T)),
  };
}

async function bounded(begin: () => void | Promise<void>): Promise<void> {
  const begunMs = performance.now();
  const work = begin();
  const tookMs = performance.now() - begunMs;
  if (tookMs > hangMs) throw new Error(`hangs for ${Math.round(tookMs)} ms`);
  if (work === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs for ${hangMs} ms`)), hangMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Runs `work`; only errors of the given kinds may come out. */
export function onlyThrows(
  work: () => void,
  ...kinds: readonly (abstract new (
    ...a: never[]
  ) => Error)[]
): void {
  try {
    work();
  } catch (error) {
    if (!kinds.some((kind) => error instanceof kind)) throw error;
  }
}
