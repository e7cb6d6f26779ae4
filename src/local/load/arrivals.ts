/**
 * When requests arrive and which: a Poisson process whose rate follows a trace.
 *
 * Pure and seeded. Arrival times, templates, clients and numbers depend on the seed alone, never on
 * how the service or the machine behaves.
 */
import { type Random, seededRandom } from "../../core/random.ts";
import { rateAt, type TraceShape } from "./shape.ts";

/** One request that is to be sent. */
export interface Arrival {
  /** Counts from 0. */
  readonly index: number;
  /** Real milliseconds since the start of the load. */
  readonly atMs: number;
  /** Which template it follows. */
  readonly template: number;
  /** Which simulated client sends it. */
  readonly client: number;
  /** The value of `{n}`, 1 to 50. */
  readonly n: number;
}

/** What the arrivals are drawn from. Rates are real requests per second, times are real. */
export interface ArrivalOptions {
  readonly shape: TraceShape;
  readonly peakPerSecond: number;
  /** The shape is replayed once over this span. */
  readonly replayMs: number;
  /** The rate after it, for ever; 0 ends the arrivals. */
  readonly ebbPerSecond: number;
  readonly seed: number;
  readonly clients: number;
  /** Weights of the templates. */
  readonly weights: readonly number[];
  /** Multiplies the rates; asked before each arrival. @default 1 */
  readonly factor?: () => number;
}

/** Draws one arrival after the other; `null` when there are no more. */
export function createArrivals(options: ArrivalOptions): () => Arrival | null {
  const { clients, weights, seed } = options;
  // A stream of its own for the times: how many are drawn for a request does not shift them.
  const nextTime = createTimes(options, seededRandom(seed));
  const random = seededRandom(seed ^ 0x5bd1e995);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  let index = 0;

  const pickTemplate = (): number => {
    let left = random() * weightSum;
    const found = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return found < 0 ? weights.length - 1 : found;
  };
  return () => {
    const atMs = nextTime();
    if (atMs === null) return null;
    const arrival: Arrival = {
      index,
      atMs,
      template: pickTemplate(),
      client: Math.floor(random() * clients),
      n: 1 + Math.floor(random() * 50),
    };
    index += 1;
    return arrival;
  };
}

/** Arrival times by thinning (Lewis and Shedler 1979): drawn at the peak rate, kept by the rate. */
function createTimes(options: ArrivalOptions, random: Random): () => number | null {
  const { shape, peakPerSecond, replayMs, ebbPerSecond, factor = () => 1 } = options;
  let atMs = 0;
  const gapMs = (perSecond: number): number =>
    (-Math.log(1 - random()) * 1000) / (perSecond * factor());
  return () => {
    while (atMs < replayMs) {
      atMs += gapMs(peakPerSecond);
      if (atMs >= replayMs) {
        // A Poisson process has no memory: it may start anew at the new rate.
        atMs = replayMs;
        break;
      }
      if (random() < rateAt(shape, atMs / replayMs)) return atMs;
    }
    if (ebbPerSecond <= 0) return null;
    atMs += gapMs(ebbPerSecond);
    return atMs;
  };
}
