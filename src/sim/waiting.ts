/** Queueing formulas and the delays that requests meet, on top of their own service time. */

/**
 * Erlang B: the share of arrivals that find all of `servers` busy when nobody waits, at an offered
 * load in Erlangs (arrival rate × service time).
 */
export function erlangB(servers: number, load: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n += 1) blocked = (load * blocked) / (n + load * blocked);
  return blocked;
}

/** Erlang C: the share of arrivals that must wait when everybody does; 1 from full load on. */
export function erlangC(servers: number, load: number): number {
  if (load >= servers) return 1;
  const blocked = erlangB(servers, load);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

/** Delays up to 1 ms count as none; 40 bins per decade are 6 % each, up to 1,000 s. */
const shortestSeconds = 0.001;
const binsPerDecade = 40;
const bins = 6 * binsPerDecade + 1;

/** Quantiles that stand for an exponential wait, each for its share. */
const parts: readonly (readonly [share: number, waits: number])[] = [
  [0.5, 0.29],
  [0.3, 1.05],
  [0.15, 2.1],
  [0.04, 3.6],
  [0.01, 5.6],
];

/** How many requests waited for how long. Service times are taken to be exponential. */
export class DelayTally {
  readonly #requests: Float64Array = new Float64Array(bins);

  /** So many requests waited for about so long. */
  add(requests: number, seconds: number): void {
    const at = Math.ceil(Math.log10(Math.max(seconds, shortestSeconds) / shortestSeconds) * 40);
    const bin = Math.min(bins - 1, at);
    this.#requests[bin] = (this.#requests[bin] ?? 0) + requests;
  }

  /** So many requests waited exponentially, on average for so long. */
  addExponential(requests: number, meanSeconds: number): void {
    for (const [share, waits] of parts) this.add(requests * share, waits * meanSeconds);
  }

  /** The latency that a share of all requests exceeded, in milliseconds; `null` without any. */
  latencyMs(exceeding: number, serviceMs: number): number | null {
    let total = 0;
    for (const requests of this.#requests) total += requests;
    if (total === 0) return null;
    let low = 0;
    let high = 1e7;
    for (let round = 0; round < 60; round += 1) {
      const middle = (low + high) / 2;
      if (this.#exceeding(middle, serviceMs) > exceeding * total) low = middle;
      else high = middle;
    }
    return high;
  }

  #exceeding(latencyMs: number, serviceMs: number): number {
    let sum = 0;
    for (let bin = 0; bin < bins; bin += 1) {
      const requests = this.#requests[bin] ?? 0;
      if (requests === 0) continue;
      const delayMs = bin === 0 ? 0 : 1000 * shortestSeconds * 10 ** (bin / binsPerDecade);
      const leftMs = latencyMs - delayMs;
      sum += leftMs <= 0 ? requests : requests * Math.exp(-leftMs / Math.max(serviceMs, 1e-9));
    }
    return sum;
  }
}
