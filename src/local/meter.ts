/** Counts what a tier answers, in closed windows, as CloudWatch would. */
import { createHistogram } from "node:perf_hooks";
import type { RecentTraffic, Sample, Tier } from "../core/types.ts";
import type { Clock } from "./clock.ts";

/** One answered request, as the front door or the balancer saw it. */
export interface RequestRecord {
  readonly status: number;
  /** Real milliseconds. */
  readonly latencyMs: number;
  /** Refused for lack of concurrency. */
  readonly throttled?: boolean;
}

/** Both tiers report to a meter of their own. */
export interface Meter {
  /** A request has arrived. */
  started(): void;
  /** It has been answered, or its client has gone. */
  finished(record: RequestRecord): void;
  /** An invocation of the function has ended; real milliseconds, as they are billed. */
  billed(durationMs: number): void;
  /** Closes all windows that ended by now and returns the newest ones, oldest first. */
  samples(): readonly Sample[];
  /** Traffic of the windows that began within `windowMs`, the open one included. */
  recent(windowMs: number): RecentTraffic;
  readonly inFlight: number;
  /** Real requests and 5xx answers since the meter was made. */
  readonly totals: { readonly requests: number; readonly errors: number };
  /** Latency of the open window, or of the last one while that has hardly any requests. */
  readonly latency: LatencyReading | null;
  /** When a request was last there: now while one is, `null` before the first. */
  readonly lastRequestMs: number | null;
}

/** Two percentiles of real milliseconds. */
export interface LatencyReading {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface OpenWindow {
  startMs: number;
  requests: number;
  errors: number;
  throttles: number;
  concurrencyMax: number;
  invocations: number;
  billedMs: number;
}

/** Closed windows that are kept: as many as the longest alarm and the guards look back. */
const windowsKept = 180;
/** Percentiles of fewer requests say more about chance than about the tier. */
const requestsForLatency = 20;

/**
 * A meter with windows of `periodMs`. Counts are scaled to the virtual length of a window, so that
 * 400 requests/s remain 24,000 requests a minute at any speed.
 */
export function createMeter(tier: Tier, clock: Clock, periodMs: number): Meter {
  const latencyUs = createHistogram();
  const closed: Sample[] = [];
  let inFlight = 0;
  let lastRequestMs: number | null = null;
  let lastLatency: LatencyReading | null = null;
  const totals = { requests: 0, errors: 0 };
  const latencyNow = (): LatencyReading | null =>
    latencyUs.count === 0
      ? null
      : { p50Ms: latencyUs.percentile(50) / 1000, p99Ms: latencyUs.percentile(99) / 1000 };
  const startOf = (ms: number): number => Math.floor(ms / periodMs) * periodMs;
  const open = (startMs: number): OpenWindow => ({
    startMs,
    requests: 0,
    errors: 0,
    throttles: 0,
    concurrencyMax: inFlight,
    invocations: 0,
    billedMs: 0,
  });
  let window = open(startOf(clock.nowMs()));

  const close = (): void => {
    const startMs = startOf(clock.nowMs());
    while (window.startMs < startMs) {
      lastLatency = latencyNow();
      closed.push({
        tier,
        startMs: window.startMs,
        periodMs,
        requests: Math.round(window.requests * clock.speed),
        errors: Math.round(window.errors * clock.speed),
        throttles: Math.round(window.throttles * clock.speed),
        concurrencyMax: window.concurrencyMax,
        latencyMsP99: lastLatency?.p99Ms ?? null,
        ...(window.invocations > 0 && { durationMsMean: window.billedMs / window.invocations }),
      });
      latencyUs.reset();
      const next = Math.max(window.startMs + periodMs, startMs - windowsKept * periodMs);
      window = open(next);
    }
    if (closed.length > windowsKept) closed.splice(0, closed.length - windowsKept);
  };

  return {
    started() {
      close();
      inFlight += 1;
      lastRequestMs = clock.nowMs();
      window.concurrencyMax = Math.max(window.concurrencyMax, inFlight);
    },
    finished({ status, latencyMs, throttled }) {
      close();
      inFlight -= 1;
      lastRequestMs = clock.nowMs();
      window.requests += 1;
      totals.requests += 1;
      if (status >= 500) {
        window.errors += 1;
        totals.errors += 1;
      }
      if (throttled) window.throttles += 1;
      latencyUs.record(Math.max(1, Math.round(latencyMs * 1000)));
    },
    billed(durationMs) {
      close();
      window.invocations += 1;
      window.billedMs += durationMs;
    },
    samples() {
      close();
      return closed;
    },
    recent(windowMs) {
      close();
      const nowMs = clock.nowMs();
      const since = nowMs - windowMs;
      let startMs = window.startMs;
      let requests = Math.round(window.requests * clock.speed);
      let errors = Math.round(window.errors * clock.speed);
      for (const sample of closed) {
        if (sample.startMs < since) continue;
        requests += sample.requests;
        errors += sample.errors;
        startMs = Math.min(startMs, sample.startMs);
      }
      // Rates are made of this: the first moments of a first window would make absurd ones.
      return { windowMs: Math.max(periodMs, nowMs - startMs), requests, errors };
    },
    get inFlight() {
      return inFlight;
    },
    totals,
    get latency() {
      close();
      return latencyUs.count < requestsForLatency ? (lastLatency ?? latencyNow()) : latencyNow();
    },
    get lastRequestMs() {
      return inFlight > 0 ? clock.nowMs() : lastRequestMs;
    },
  };
}
