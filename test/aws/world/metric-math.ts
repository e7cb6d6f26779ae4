/** Metric queries: statistics of series, and the few expressions that are used over them. */
import { type Metrics, minuteMs, type SeriesName, statistic } from "./metrics.ts";

/** A query: one series with its statistic, or an expression over other queries. */
export interface MetricQuery {
  readonly Id: string;
  readonly Expression?: string;
  readonly Label?: string;
  readonly Period?: number | string;
  readonly ReturnData?: boolean | string;
  readonly MetricStat?: {
    readonly Metric: {
      readonly Namespace?: string;
      readonly MetricName?: string;
      readonly Dimensions?: readonly { readonly Name?: string; readonly Value?: string }[];
    };
    readonly Period?: number | string;
    readonly Stat?: string;
  };
}

/** Values by period, oldest first; `null` where nothing was reported. */
export type Series = readonly (number | null)[];

/** Thrown for an expression that CloudWatch would refuse, or that no caller of ours needs. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
}

/** Evaluates every query over the periods from `fromMs` to before `toMs`. */
export function evaluateQueries(
  metrics: Metrics,
  queries: readonly MetricQuery[],
  fromMs: number,
  toMs: number,
  periodMs: number,
): ReadonlyMap<string, Series> {
  const done = new Map<string, Series>();
  const open = [...queries];
  for (let rounds = queries.length; open.length > 0 && rounds >= 0; rounds -= 1) {
    for (const query of [...open]) {
      const series = query.MetricStat
        ? statisticSeries(metrics, query, fromMs, toMs, periodMs)
        : evaluateExpression(query.Expression ?? "", done);
      if (series === null) continue;
      done.set(query.Id, series);
      open.splice(open.indexOf(query), 1);
    }
  }
  if (open.length > 0) throw new ExpressionError(`Error in expression '${open[0]?.Id}'`);
  return done;
}

function statisticSeries(
  metrics: Metrics,
  query: MetricQuery,
  fromMs: number,
  toMs: number,
  periodMs: number,
): Series {
  const { Metric, Stat = "Sum" } = query.MetricStat ?? { Metric: {} };
  const name: SeriesName = {
    namespace: Metric.Namespace ?? "",
    metric: Metric.MetricName ?? "",
    dimensions: Object.fromEntries(
      (Metric.Dimensions ?? []).map(({ Name = "", Value = "" }) => [Name, Value]),
    ),
  };
  const values: (number | null)[] = [];
  for (let startMs = fromMs; startMs < toMs; startMs += periodMs) {
    values.push(periodValue(metrics, name, Stat, startMs, periodMs));
  }
  return values;
}

function periodValue(
  metrics: Metrics,
  name: SeriesName,
  stat: string,
  startMs: number,
  periodMs: number,
): number | null {
  const found: number[] = [];
  for (let at = startMs; at < startMs + periodMs; at += minuteMs) {
    const point = metrics.read(name, at);
    if (point) found.push(statistic(point, stat));
  }
  if (found.length === 0) return null;
  if (stat === "Minimum") return Math.min(...found);
  if (stat === "Maximum" || stat.startsWith("p")) return Math.max(...found);
  const sum = found.reduce((a, b) => a + b, 0);
  return stat === "Average" ? sum / found.length : sum;
}

/** `null` while a query that it names has not been evaluated. */
function evaluateExpression(text: string, done: ReadonlyMap<string, Series>): Series | null {
  const compact = text.replaceAll(/\s/g, "");
  const sum = /^SUM\(\[(.+)\]\)$/.exec(compact);
  if (sum?.[1] !== undefined) {
    const parts = splitArguments(sum[1]).map((part) => evaluateExpression(part, done));
    if (parts.includes(null)) return null;
    return addAll(parts as readonly Series[]);
  }
  const fill = /^FILL\((.+),(\d+(?:\.\d+)?|REPEAT)\)$/.exec(compact);
  if (fill?.[1] !== undefined) {
    const inner = evaluateExpression(fill[1], done);
    return inner && fillGaps(inner, fill[2] ?? "0");
  }
  if (/^[a-z]\w*$/.test(compact)) return done.get(compact) ?? null;
  throw new ExpressionError(`Unsupported expression: ${text}`);
}

function splitArguments(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const sign of text) {
    if (sign === "(") depth += 1;
    if (sign === ")") depth -= 1;
    if (sign === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += sign;
  }
  return [...parts, part];
}

function addAll(parts: readonly Series[]): Series {
  const length = Math.max(0, ...parts.map((part) => part.length));
  return Array.from({ length }, (_, at) => {
    const values = parts.flatMap((part) => part[at] ?? []);
    return values.length === 0 ? null : values.reduce((a, b) => a + b, 0);
  });
}

/** FILL cannot fill a series without any datapoint. */
function fillGaps(series: Series, value: string): Series {
  if (series.every((point) => point === null)) return series;
  let last: number | null = null;
  return series.map((point) => {
    if (point !== null) last = point;
    return point ?? (value === "REPEAT" ? last : Number(value));
  });
}
