/** CloudWatch: alarm states, and metric data that comes late and in pages. */
import type {
  DescribeAlarmsCommandInput,
  GetMetricDataCommandInput,
  PutMetricDataCommandInput,
} from "@aws-sdk/client-cloudwatch";
import {
  ExpressionError,
  evaluateQueries,
  type MetricQuery,
  type Series,
} from "../../../world/metric-math.ts";
import { arnOf, type World } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

/** Alarms and datapoints on one page, few enough that callers have to turn pages. */
const pageSize = { alarms: 3, datapoints: 90, datapointsMax: 2_000 };

function describeAlarms(input: DescribeAlarmsCommandInput, world: World): object {
  const { AlarmNames: names, AlarmNamePrefix: prefix } = input;
  const found = [...world.alarms.values()].filter(
    ({ properties: { AlarmName: name } }) =>
      (names === undefined || names.includes(name)) &&
      (prefix === undefined || name.startsWith(prefix)),
  );
  const from = Number(input.NextToken ?? 0);
  // Only a request without names is answered in pages.
  const size = names === undefined ? Math.min(pageSize.alarms, input.MaxRecords ?? 100) : 100;
  return {
    MetricAlarms: found.slice(from, from + size).map((alarm) => ({
      AlarmName: alarm.properties.AlarmName,
      AlarmArn: alarm.arn,
      StateValue: alarm.state,
      StateReason: alarm.reason,
      StateUpdatedTimestamp: new Date(alarm.updatedMs),
      Threshold: Number(alarm.properties.Threshold),
    })),
    CompositeAlarms: [],
    ...(from + size < found.length && { NextToken: String(from + size) }),
  };
}

interface Point {
  readonly query: MetricQuery;
  readonly atMs: number | null;
  readonly value: number;
}

const msOf = (seconds: unknown): number => Number(seconds) * 1000;

function getMetricData(input: GetMetricDataCommandInput, world: World): object {
  const queries = (input.MetricDataQueries ?? []) as unknown as readonly MetricQuery[];
  const periods = queries.map((query) => Number(query.MetricStat?.Period ?? query.Period ?? 60));
  const periodMs = Math.max(60, ...periods) * 1000;
  const fromMs = Math.floor(msOf(input.StartTime) / periodMs) * periodMs;
  const toMs = msOf(input.EndTime);
  const points = pointsOf(world, queries, fromMs, toMs, periodMs, input.ScanBy);
  const from = Number(input.NextToken ?? 0);
  // AWS answers up to 100,800 at once: long answers are no reason for hundreds of pages.
  const most = points.length > 900 ? pageSize.datapointsMax : pageSize.datapoints;
  const size = Math.min(most, input.MaxDatapoints ?? most);
  const page = points.slice(from, from + size);
  const more = from + size < points.length;
  const returned = queries.filter(({ ReturnData }) => String(ReturnData ?? true) === "true");
  return {
    MetricDataResults: returned.map((query) => {
      const broken = world.metrics.unreadable.get(query.MetricStat?.Metric?.MetricName ?? "");
      const own = page.filter(
        (point) => point.query === query && point.atMs !== null && broken === undefined,
      );
      return {
        Id: query.Id,
        Label: query.Label ?? query.Id,
        Timestamps: own.map(({ atMs }) => new Date(atMs ?? 0)),
        Values: own.map(({ value }) => value),
        StatusCode: broken ?? (more ? "PartialData" : "Complete"),
      };
    }),
    Messages: [],
    ...(more && { NextToken: String(from + size) }),
  };
}

function pointsOf(
  world: World,
  queries: readonly MetricQuery[],
  fromMs: number,
  toMs: number,
  periodMs: number,
  order: string | undefined,
): readonly Point[] {
  let all: ReadonlyMap<string, Series>;
  try {
    all = evaluateQueries(world.metrics, queries, fromMs, toMs, periodMs);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new AwsError("ValidationError", error.message);
  }
  const points = queries.flatMap((query) => {
    if (String(query.ReturnData ?? true) !== "true") return [];
    return (all.get(query.Id) ?? []).flatMap((value, at) =>
      value === null ? [] : [{ query, atMs: fromMs + at * periodMs, value }],
    );
  });
  const sign = order === "TimestampAscending" ? 1 : -1;
  return points.sort((a, b) => sign * (a.atMs - b.atMs));
}

/** The service. */
export const cloudwatch: Service = {
  scope: "monitoring",
  protocol: json,
  operations: {
    DescribeAlarms: operation<DescribeAlarmsCommandInput>(describeAlarms, () =>
      access("cloudwatch:DescribeAlarms", "*"),
    ),
    GetMetricData: operation<GetMetricDataCommandInput>(getMetricData, () =>
      access("cloudwatch:GetMetricData", "*"),
    ),
    PutMetricData: operation<PutMetricDataCommandInput>(
      () => ({}),
      (input) =>
        access("cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": input.Namespace ?? "" }),
    ),
    DeleteAlarms: operation<{ AlarmNames?: readonly string[] }>(
      (input, world) => {
        for (const name of input.AlarmNames ?? []) world.alarms.delete(name);
        return {};
      },
      (input, world) =>
        (input.AlarmNames ?? []).flatMap((name) =>
          access("cloudwatch:DeleteAlarms", arnOf(world, "cloudwatch", `alarm:${name}`)),
        ),
    ),
  },
};
