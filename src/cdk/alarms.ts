/** CloudWatch alarms from the definitions that the local cloud and the simulator use. */
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { alarmThresholds } from "../config/policy.ts";
import { type AlarmDefinition, alarmDefinitions, type MetricRef } from "../core/alarms.ts";
import { alarmName } from "../core/deployment.ts";
import type { Plan } from "./plan.ts";

/** Where the series of both tiers are found in CloudWatch. */
export interface SeriesPlaces {
  readonly api: { readonly metric: string; readonly name: string; readonly value: string };
  readonly functionName: string;
  /** Full name of the balancer; `null` in the base stack, which outlives it. */
  readonly balancer: string | null;
}

/** Makes the alarms of one stack; they wake `target`, also when they end. */
export function addAlarms(
  scope: Construct,
  plan: Plan,
  stack: AlarmDefinition["stack"],
  places: SeriesPlaces,
  target: string,
): readonly CfnAlarm[] {
  const { lambda, name } = plan.config;
  return alarmDefinitions(alarmThresholds(plan.config), lambda.concurrencyMax)
    .filter((definition) => definition.stack === stack)
    .map((definition) => {
      return new CfnAlarm(scope, idOf(definition.name), {
        alarmName: alarmName(name, definition.name),
        alarmDescription: definition.sentence,
        comparisonOperator: definition.comparison,
        threshold: definition.threshold,
        evaluationPeriods: definition.evaluationPeriods,
        datapointsToAlarm: definition.datapointsToAlarm,
        treatMissingData: definition.treatMissingData,
        alarmActions: [target],
        okActions: [target],
        ...metricsOf(definition, places),
      });
    });
}

/** `busy-requests` → BusyRequestsAlarm. */
function idOf(name: string): string {
  const words = name.split("-").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join("")}Alarm`;
}

function metricsOf(
  { metrics, statistic, periodSeconds }: AlarmDefinition,
  places: SeriesPlaces,
): Partial<ConstructorParameters<typeof CfnAlarm>[2]> {
  if (metrics.kind === "single") {
    return { ...seriesOf(metrics.of, places), statistic, period: periodSeconds };
  }
  const parts = metrics.of.map(({ tier }) => `FILL(${tier},${metrics.fill})`);
  return {
    metrics: [
      {
        id: "demand",
        label: "both tiers",
        expression: `SUM([${parts.join(",")}])`,
        returnData: true,
      },
      ...metrics.of.map((ref) => ({
        id: ref.tier,
        returnData: false,
        metricStat: { metric: seriesOf(ref, places), stat: statistic, period: periodSeconds },
      })),
    ],
  };
}

function seriesOf(
  { tier, metric }: MetricRef,
  { api, functionName, balancer }: SeriesPlaces,
): {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: { readonly name: string; readonly value: string }[];
} {
  if (tier === "lambda" && metric === "requests") {
    const { metric: metricName, name, value } = api;
    return { namespace: "AWS/ApiGateway", metricName, dimensions: [{ name, value }] };
  }
  if (tier === "lambda") {
    const metricName = { concurrencyMax: "ConcurrentExecutions", throttles: "Throttles" }[
      metric as "concurrencyMax" | "throttles"
    ];
    const dimensions = [{ name: "FunctionName", value: functionName }];
    return { namespace: "AWS/Lambda", metricName, dimensions };
  }
  // Counts what reached a task: scanners that know no Host of ours are answered by the listener.
  const dimensions = [{ name: "LoadBalancer", value: balancer ?? "" }];
  return { namespace: "AWS/ApplicationELB", metricName: "RequestCount", dimensions };
}
