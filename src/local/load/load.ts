/**
 * Open-loop load from a thread of its own: requests arrive when the trace says so, however long the
 * answers take and however busy the main thread is.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Tier } from "../../core/types.ts";
import type { Endpoint } from "../service.ts";
import type { TraceShape } from "./shape.ts";

/** One kind of request in the mix. */
export interface RequestTemplate {
  readonly method: string;
  /** Path and query. `{n}` becomes a whole number from 1 to 50, `{token}` a unique word. */
  readonly path: string;
  /** Text with the same placeholders; sent as JSON unless the headers say otherwise. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Share of this kind relative to the sum of all. */
  readonly weight: number;
  /** Statuses that the service means; any other one is a failure. */
  readonly expect: readonly number[];
  /** Whether a 2xx answer must contain the value of `{token}`. */
  readonly echo?: boolean;
}

/** What load to make. */
export interface LoadOptions {
  readonly shape: TraceShape;
  /** Real requests per second in the busiest bucket of the shape. */
  readonly peakPerSecond: number;
  readonly seed: number;
  /** The virtual clock: its speed and its time at the call of `startLoad`. */
  readonly clock: { readonly speed: number; readonly startMs: number };
  /** Virtual span over which the shape is replayed once. */
  readonly durationMs: number;
  /** Real requests per second from then on until `stop`. */
  readonly ebbPerSecond: number;
  readonly dns: Endpoint;
  readonly host: string;
  /** Simulated clients, each with a DNS cache and keep-alive connections. Default 64. */
  readonly clients?: number;
  readonly mix: readonly RequestTemplate[];
  /** Real time after which a request without an answer has failed. Default 30 s. */
  readonly timeoutMs?: number;
}

/** What one tier answered. */
export interface TierLoadStats {
  /** Requests that ended, failed ones included. */
  readonly requests: number;
  readonly failed: number;
  /** Requests that ended in the last real second. */
  readonly perSecond: number;
  /** From the intended arrival to the last byte, answered requests only; `null` without any. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Requests that failed in the same way. */
export interface LoadFailure {
  /** Virtual time of the first one. */
  readonly atMs: number;
  /** `null` when no address was found, or the client was overloaded. */
  readonly tier: Tier | null;
  readonly method: string;
  /** Path of the template. */
  readonly path: string;
  /** `null` without an answer. */
  readonly status: number | null;
  readonly error: string;
  readonly count: number;
}

/** What has happened so far. */
export interface LoadStats {
  /** Requests that ended, answered or not. */
  readonly requests: number;
  readonly failed: number;
  /** Requests that ended in the last real second. */
  readonly perSecond: number;
  /** Requests that wait for their answer. */
  readonly outstanding: number;
  /** The longest that the generator itself was behind its arrivals, real. */
  readonly lateMsMax: number;
  readonly byTier: Readonly<Record<Tier, TierLoadStats>>;
  /** The first 50 kinds of failures. */
  readonly failures: readonly LoadFailure[];
}

/** Whether the trace is being replayed or the trickle after it flows. */
export type LoadPhase = "replay" | "ebb";

/** Load that runs until it is stopped. */
export interface Load {
  /** The latest snapshot, at most 200 ms old. */
  stats(): LoadStats;
  readonly phase: LoadPhase;
  /** Multiplies all rates from now on; 1 is what the trace says. */
  readonly factor: number;
  scale(factor: number): void;
  /**
   * Stops the arrivals, waits for all answers and resolves with the totals. What is not answered
   * within `graceMs` (real; default: the request timeout) has failed. Rejects if the thread died.
   */
  stop(graceMs?: number): Promise<LoadStats>;
}

/** What the thread is started with. */
export interface LoadWorkerData extends Required<LoadOptions> {
  /** `process.hrtime` at the call of `startLoad`: the one clock that all threads share. */
  readonly calledAtNs: bigint;
}

/** What the thread reports. */
export interface LoadReport {
  readonly stats: LoadStats;
  readonly phase: LoadPhase;
}

/** What the thread is told: to stop, or how much more or less to send. */
export type LoadOrder = { readonly graceMs: number } | { readonly factor: number };

/** More would rather test this machine than the service. */
export const loadFactorMax: number = 4;
/** Less would hardly send the next request. */
export const loadFactorMin: number = 0.1;

const clientsDefault = 64;
const timeoutMsDefault = 30_000;
/** How long the thread may take beyond its grace before it is ended by force. */
const terminateMs = 2000;

/** Starts the load; resolves when the first request may arrive. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const calledAtNs = process.hrtime.bigint();
  const data: LoadWorkerData = {
    ...options,
    clients: options.clients ?? clientsDefault,
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    host: options.host.toLowerCase(),
    calledAtNs,
  };
  checkOptions(data);
  // The sources run as they are, the package runs what was built from them.
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: data });
  let latest: LoadReport = (await once(worker, "message"))[0];
  let stopping: Promise<LoadStats> | null = null;
  let factor = 1;
  worker.on("message", (report: LoadReport) => {
    latest = report;
  });
  const ended = new Promise<void>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
  // Whoever stops the load hears of it; until then it is not unhandled.
  ended.catch(() => undefined);

  const stop = async (graceMs: number): Promise<LoadStats> => {
    worker.postMessage({ graceMs } satisfies LoadOrder);
    const force = setTimeout(() => worker.terminate(), graceMs + terminateMs);
    try {
      await ended;
    } finally {
      clearTimeout(force);
    }
    return latest.stats;
  };
  return {
    stats: () => latest.stats,
    get phase() {
      return latest.phase;
    },
    get factor() {
      return factor;
    },
    scale(wanted) {
      assert.ok(wanted > 0 && wanted <= loadFactorMax);
      factor = wanted;
      worker.postMessage({ factor } satisfies LoadOrder);
    },
    stop(graceMs = data.timeoutMs) {
      stopping ??= stop(graceMs);
      return stopping;
    },
  };
}

function checkOptions({ peakPerSecond, mix, clock, ...options }: LoadWorkerData): void {
  assert.ok(peakPerSecond > 0 && options.ebbPerSecond >= 0 && options.durationMs >= 0);
  assert.ok(clock.speed > 0 && options.clients > 0 && options.timeoutMs > 0);
  assert.ok(mix.length > 0, "the mix has a request");
  for (const { method, path, headers, weight, expect } of mix) {
    assert.ok(weight > 0 && expect.length > 0, `${method} ${path}`);
    assert.match(method, /^[A-Z]+$/);
    // Anything else could smuggle a second request into the first.
    assert.match(path, /^\/[\x21-\x7e]*$/);
    for (const [name, value] of Object.entries(headers ?? {})) {
      assert.match(`${name}:${value}`, /^[\w-]+:[\x20-\x7e\t]*$/);
    }
  }
}
