/** What is asked of CloudWatch about both tiers, and how. */
import type { MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { BurstOutputs } from "../core/deployment.ts";
import type { Deployment } from "./deployment.ts";

/** Everything that is read, by the id of its query. */
export type SeriesName =
  | "lambdaRequests"
  | "lambdaErrors"
  | "lambdaLatency"
  | "throttles"
  | "concurrency"
  | "duration"
  | "accountConcurrency"
  | "fargateRequests"
  | "fargateErrors"
  | "balancerErrors"
  | "fargateLatency"
  | "fargateMean";

/** API Gateway and the balancer cannot be read in shorter windows. */
export const periodMs = 60_000;

type Dimensions = readonly { readonly Name: string; readonly Value: string }[];

/** The queries: seven for Lambda, five more while there is a balancer. Each is billed. */
export function metricQueries(
  deployment: Deployment,
  burst: BurstOutputs | null,
): MetricDataQuery[] {
  const { requests, errors, latency, dimension } = deployment.apiMetrics;
  const door = (id: SeriesName, metric: string, stat: string): MetricDataQuery =>
    query(id, "AWS/ApiGateway", metric, stat, [dimension]);
  const app: Dimensions = [{ Name: "FunctionName", Value: deployment.names.appFunction }];
  const queries = [
    door("lambdaRequests", requests, "Sum"),
    door("lambdaErrors", errors, "Sum"),
    door("lambdaLatency", latency, "p99"),
    query("throttles", "AWS/Lambda", "Throttles", "Sum", app),
    query("duration", "AWS/Lambda", "Duration", "Average", app),
    query("concurrency", "AWS/Lambda", "ConcurrentExecutions", "Maximum", app),
    // Without a dimension it counts every function of the account that has none reserved.
    query("accountConcurrency", "AWS/Lambda", "UnreservedConcurrentExecutions", "Maximum", []),
  ];
  if (burst === null) return queries;
  const balancer = { Name: "LoadBalancer", Value: burst.AlbFullName };
  // Only what was forwarded counts: scanners find every balancer, and get 404 from it.
  const group = { Name: "TargetGroup", Value: targetGroupName(burst.TargetGroupArn) };
  const elb = (
    id: SeriesName,
    metric: string,
    stat: string,
    dimensions: Dimensions = [balancer, group],
  ): MetricDataQuery => query(id, "AWS/ApplicationELB", metric, stat, dimensions);
  return [
    ...queries,
    elb("fargateRequests", "RequestCount", "Sum"),
    elb("fargateErrors", "HTTPCode_Target_5XX_Count", "Sum"),
    // What the balancer answers itself, because no target did, is known by balancer alone.
    elb("balancerErrors", "HTTPCode_ELB_5XX_Count", "Sum", [balancer]),
    elb("fargateLatency", "TargetResponseTime", "p99"),
    elb("fargateMean", "TargetResponseTime", "Average"),
  ];
}

/** `targetgroup/<name>/<id>`, as CloudWatch's dimension has it. */
function targetGroupName(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}

function query(
  id: SeriesName,
  namespace: string,
  metric: string,
  stat: string,
  dimensions: Dimensions,
): MetricDataQuery {
  const Metric = { Namespace: namespace, MetricName: metric, Dimensions: [...dimensions] };
  return {
    Id: id,
    ReturnData: true,
    MetricStat: { Metric, Period: periodMs / 1000, Stat: stat },
  };
}
