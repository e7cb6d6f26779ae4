/** CloudWatch's time series: minutes whose datapoints come late, and sometimes in two parts. */
import type { Random } from "../../../src/core/random.ts";
import type { Agenda } from "./agenda.ts";

/** Width of a bucket; nothing finer can be read of API Gateway and the balancer. */
export const minuteMs = 60_000;

/** What a minute of a series amounts to. */
export interface Datapoint {
  sum: number;
  count: number;
  max: number;
  min: number;
}

/** Identifies a series. */
export interface SeriesName {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** All series of the account. */
export interface Metrics {
  /** Adds a value to the minute that is running now. */
  add(series: SeriesName, value: number, count?: number): void;
  /** The datapoint of a minute as far as it has arrived, `null` without one. */
  read(series: SeriesName, startMs: number): Datapoint | null;
  /** How long after its end a minute can be read. */
  lateMs: { min: number; max: number };
  /** Share of a minute that can be read from its end on, while the rest is late; 0 for none. */
  partial: number;
  /** Metrics that cannot be read now, with the status code that says so. */
  readonly unreadable: Map<string, "PartialData" | "InternalError">;
}

interface Minute {
  readonly point: Datapoint;
  readonly visibleMs: number;
}

/** Series that have seen nothing yet. */
export function createMetrics(agenda: Agenda, random: Random): Metrics {
  const all = new Map<string, Map<number, Minute>>();
  // One delay per minute and namespace: what one service reports arrives together.
  const delays = new Map<string, number>();
  const metrics: Metrics = {
    lateMs: { min: 5_000, max: 75_000 },
    partial: 0.6,
    unreadable: new Map(),
    add(series, value, count = 1) {
      const startMs = Math.floor(agenda.nowMs / minuteMs) * minuteMs;
      const minutes = all.get(keyOf(series)) ?? new Map<number, Minute>();
      all.set(keyOf(series), minutes);
      let minute = minutes.get(startMs);
      if (!minute) {
        const delayKey = `${series.namespace}|${startMs}`;
        const { min, max } = metrics.lateMs;
        const lateMs = delays.get(delayKey) ?? min + (max - min) * random() ** 3;
        delays.set(delayKey, lateMs);
        const point = { sum: 0, count: 0, max: -Infinity, min: Infinity };
        minute = { point, visibleMs: startMs + minuteMs + lateMs };
        minutes.set(startMs, minute);
      }
      const { point } = minute;
      point.sum += value;
      point.count += count;
      point.max = Math.max(point.max, value);
      point.min = Math.min(point.min, value);
    },
    read(series, startMs) {
      const minute = all.get(keyOf(series))?.get(startMs);
      if (!minute || agenda.nowMs < startMs + minuteMs) return null;
      if (minute.visibleMs <= agenda.nowMs) return minute.point;
      return metrics.partial > 0 ? partOf(minute.point, metrics.partial) : null;
    },
  };
  return metrics;
}

function partOf(point: Datapoint, share: number): Datapoint {
  return { ...point, sum: Math.floor(point.sum * share), count: Math.ceil(point.count * share) };
}

function keyOf({ namespace, metric, dimensions }: SeriesName): string {
  const sorted = Object.entries(dimensions).sort(([a], [b]) => a.localeCompare(b));
  return `${namespace}|${metric}|${sorted.map((pair) => pair.join("=")).join("|")}`;
}

/** One statistic of a datapoint. */
export function statistic(point: Datapoint, stat: string): number {
  if (stat === "Sum") return point.sum;
  if (stat === "Maximum") return point.max;
  if (stat === "Minimum") return point.min;
  if (stat === "SampleCount") return point.count;
  if (stat === "Average") return point.count > 0 ? point.sum / point.count : 0;
  // Percentiles of the model: every request of a minute takes about as long.
  if (/^p\d/.test(stat)) return point.max;
  throw new Error(`Unsupported statistic ${stat}`);
}
