/** Where every request went: in total, in the minute under way, and lately. */
import type { Observation, Sample, Tier } from "../core/types.ts";

/** All requests of a run. `arrived` is the sum of the others. */
export interface RequestTotals {
  readonly arrived: number;
  readonly lambda: number;
  readonly fargate: number;
  /** Refused by Lambda for lack of concurrency. */
  readonly throttled: number;
  /** Given up by the balancer: no task had time for them. */
  readonly timedOut: number;
  /** Sent to a burst tier that did not serve: clients with an address that is too old. */
  readonly refused: number;
  /** Still in line at the end. */
  readonly waiting: number;
}

/** One step's outcome on one tier. */
export interface TierStep {
  readonly served: number;
  readonly failed: number;
}

interface Bucket {
  requests: number;
  errors: number;
}

const bucketMs = 10_000;
const bucketCount = 18;

/** Requests and errors of the last three minutes of one tier, in slices of ten seconds. */
class RecentRequests {
  readonly #buckets: readonly Bucket[] = Array.from({ length: bucketCount }, () => ({
    requests: 0,
    errors: 0,
  }));
  #slice = 0;

  add(nowMs: number, step: TierStep): void {
    this.#turnTo(nowMs);
    const bucket = this.#buckets[this.#slice % bucketCount];
    if (bucket === undefined) return;
    bucket.requests += step.served + step.failed;
    bucket.errors += step.failed;
  }

  facts(nowMs: number): Observation["recent"][Tier] {
    this.#turnTo(nowMs);
    let requests = 0;
    let errors = 0;
    for (const bucket of this.#buckets) {
      requests += bucket.requests;
      errors += bucket.errors;
    }
    return { windowMs: bucketCount * bucketMs, requests, errors };
  }

  #turnTo(nowMs: number): void {
    const slice = Math.floor(nowMs / bucketMs);
    const stale = Math.min(bucketCount, slice - this.#slice);
    for (let back = 0; back < stale; back += 1) {
      const bucket = this.#buckets[(slice - back) % bucketCount];
      if (bucket === undefined) continue;
      bucket.requests = 0;
      bucket.errors = 0;
    }
    this.#slice = slice;
  }
}

const minuteAtStart = { served: 0, failed: 0, delayed: 0, delaySecondsMax: 0, concurrencyMax: 0 };

/** The counts of a tier. */
export class TierTraffic {
  readonly #tier: Tier;
  readonly #recent = new RecentRequests();
  #minute = { ...minuteAtStart };
  #served = 0;
  #failed = 0;

  constructor(tier: Tier) {
    this.#tier = tier;
  }

  get served(): number {
    return this.#served;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Requests that were answered or given up from `nowMs` on. */
  add(nowMs: number, step: TierStep): void {
    this.#served += step.served;
    this.#failed += step.failed;
    this.#minute.served += step.served;
    this.#minute.failed += step.failed;
    this.#recent.add(nowMs, step);
  }

  /** So many of them had to wait, for so long. */
  noteDelay(requests: number, seconds: number): void {
    if (requests === 0) return;
    this.#minute.delayed += requests;
    this.#minute.delaySecondsMax = Math.max(this.#minute.delaySecondsMax, seconds);
  }

  noteConcurrency(concurrency: number): void {
    this.#minute.concurrencyMax = Math.max(this.#minute.concurrencyMax, concurrency);
  }

  recent(nowMs: number): Observation["recent"][Tier] {
    return this.#recent.facts(nowMs);
  }

  /** The sample of the minute that has just ended; the next one begins. */
  closeMinute(startMs: number, serviceMs: number): Sample {
    const { served, failed, delayed, delaySecondsMax, concurrencyMax } = this.#minute;
    this.#minute = { ...minuteAtStart };
    const requests = served + failed;
    // An estimate: the longest delay counts when more than one in a hundred had one.
    const delayMs = delayed * 100 > requests ? delaySecondsMax * 1000 : 0;
    return {
      tier: this.#tier,
      startMs,
      periodMs: 60_000,
      requests,
      errors: failed,
      throttles: this.#tier === "lambda" ? failed : 0,
      concurrencyMax: Math.ceil(concurrencyMax),
      latencyMsP99: requests === 0 ? null : delayMs + serviceMs * Math.log(100),
    };
  }
}
