/** What metrics say about one tier of a soak: closed minutes, and the last few of them together. */
import type { RecentTraffic, Sample, Tier } from "../../core/types.ts";

const minuteMs = 60_000;
const recentMinutes = 3;

/** Requests of one tier, counted by the minute. */
export class Traffic {
  readonly #tier: Tier;
  #requests = 0;
  #errors = 0;
  #throttles = 0;
  #concurrency = 0;
  #closed: Sample[] = [];

  constructor(tier: Tier) {
    this.#tier = tier;
  }

  add(requests: number, errors: number, throttles: number, concurrency: number): void {
    this.#requests += requests;
    this.#errors += errors;
    this.#throttles += throttles;
    if (concurrency > this.#concurrency) this.#concurrency = concurrency;
  }

  /** Ends the minute that began at `startMs`. */
  close(startMs: number): Sample {
    const sample: Sample = {
      tier: this.#tier,
      startMs,
      periodMs: minuteMs,
      requests: this.#requests,
      errors: this.#errors,
      throttles: this.#throttles,
      concurrencyMax: this.#concurrency,
      latencyMsP99: this.#requests > 0 ? 50 : null,
    };
    this.#requests = 0;
    this.#errors = 0;
    this.#throttles = 0;
    this.#concurrency = 0;
    if (this.#closed.length >= recentMinutes) this.#closed.shift();
    this.#closed.push(sample);
    return sample;
  }

  /** The last minutes, the open one included. */
  recent(): RecentTraffic {
    let requests = this.#requests;
    let errors = this.#errors;
    for (const sample of this.#closed) {
      requests += sample.requests;
      errors += sample.errors;
    }
    return { windowMs: recentMinutes * minuteMs, requests, errors };
  }
}
