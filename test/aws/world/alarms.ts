/** CloudWatch alarms, evaluated every minute over what has arrived of the metrics. */
import { type AlarmDefinition, evaluateAlarm, evaluationRange } from "../../../src/core/alarms.ts";
import type { AlarmState } from "../../../src/core/types.ts";
import { evaluateQueries, type MetricQuery } from "./metric-math.ts";
import { minuteMs } from "./metrics.ts";
import { arnOf, type World } from "./world.ts";

/** The properties of an alarm, as CloudFormation and CloudWatch name them. */
export interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription?: string;
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name?: string; readonly Value?: string }[];
  readonly Statistic?: string;
  readonly Period?: number | string;
  readonly Metrics?: readonly MetricQuery[];
  readonly EvaluationPeriods: number | string;
  readonly DatapointsToAlarm?: number | string;
  readonly Threshold: number | string;
  readonly ComparisonOperator: string;
  readonly TreatMissingData?: string;
  readonly AlarmActions?: readonly string[];
  readonly OKActions?: readonly string[];
  readonly InsufficientDataActions?: readonly string[];
}

/** An alarm with its state. */
export interface AlarmRecord {
  readonly arn: string;
  properties: AlarmProperties;
  state: AlarmState;
  reason: string;
  updatedMs: number;
}

/** Creates an alarm, or changes it; its state begins without data. */
export function putAlarm(world: World, properties: AlarmProperties): AlarmRecord {
  const existing = world.alarms.get(properties.AlarmName);
  if (existing) {
    existing.properties = properties;
    return existing;
  }
  const alarm: AlarmRecord = {
    arn: arnOf(world, "cloudwatch", `alarm:${properties.AlarmName}`),
    properties,
    state: "INSUFFICIENT_DATA",
    reason: "Unchecked: Initial alarm creation",
    updatedMs: world.nowMs,
  };
  world.alarms.set(properties.AlarmName, alarm);
  return alarm;
}

/** Evaluates all alarms once a minute from now on, each time a little late. */
export function watchAlarms(world: World): void {
  const next = (): void => {
    const toNextMinuteMs = minuteMs - (world.nowMs % minuteMs);
    world.after(toNextMinuteMs + world.delays.alarmMs(), () => {
      for (const alarm of world.alarms.values()) evaluate(world, alarm);
      next();
    });
  };
  next();
}

function evaluate(world: World, alarm: AlarmRecord): void {
  const definition = definitionOf(alarm.properties);
  const periodMs = definition.periodSeconds * 1000;
  const toMs = Math.floor(world.nowMs / periodMs) * periodMs;
  const fromMs = toMs - evaluationRange(definition) * periodMs;
  const queries = queriesOf(alarm.properties);
  const returned = queries.find(({ ReturnData }) => String(ReturnData ?? true) === "true");
  const all = evaluateQueries(world.metrics, queries, fromMs, toMs, periodMs);
  const points = all.get(returned?.Id ?? "") ?? [];
  const state = evaluateAlarm(definition, points, alarm.state);
  if (state === alarm.state) return;
  alarm.state = state;
  alarm.reason = `Threshold Crossed: ${JSON.stringify(points)}`;
  alarm.updatedMs = world.nowMs;
  world.onAlarm(alarm);
}

function queriesOf(properties: AlarmProperties): readonly MetricQuery[] {
  if (properties.Metrics) return properties.Metrics;
  const { Namespace, MetricName, Dimensions, Statistic = "Sum", Period } = properties;
  const Metric = {
    ...(Namespace !== undefined && { Namespace }),
    ...(MetricName !== undefined && { MetricName }),
    ...(Dimensions !== undefined && { Dimensions }),
  };
  return [{ Id: "m", MetricStat: { Metric, Stat: Statistic, Period: Period ?? 60 } }];
}

function definitionOf(properties: AlarmProperties): AlarmDefinition {
  const periods = Number(properties.EvaluationPeriods);
  const period =
    properties.Period ?? properties.Metrics?.find((query) => query.MetricStat)?.MetricStat?.Period;
  return {
    name: "quiet",
    stack: "base",
    sentence: "",
    metrics: { kind: "single", of: { tier: "lambda", metric: "requests" } },
    statistic: "Sum",
    periodSeconds: Number(period ?? 60),
    evaluationPeriods: periods,
    datapointsToAlarm: Number(properties.DatapointsToAlarm ?? periods),
    threshold: Number(properties.Threshold),
    comparison: properties.ComparisonOperator as AlarmDefinition["comparison"],
    treatMissingData: (properties.TreatMissingData ??
      "missing") as AlarmDefinition["treatMissingData"],
  };
}
