/** One page for both tiers: demand, errors, latency, capacity, and what the controller does. */
import { CfnDashboard } from "aws-cdk-lib/aws-cloudwatch";
import { Aws, Stack } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import { controllerMetrics, frontDoorMetrics } from "../core/deployment.ts";
import type { SeriesPlaces } from "./alarms.ts";
import type { Plan } from "./plan.ts";

/** A row has 24 columns. */
const width = 12;
const height = 6;

interface Graph {
  readonly title: string;
  readonly stat: string;
  readonly metrics: readonly (readonly unknown[])[];
}

/** Makes the dashboard. The balancer is another one in each burst, so it is searched for. */
export function addDashboard(scope: Construct, plan: Plan, places: SeriesPlaces): void {
  const { names } = plan;
  const widgets = graphs(plan, places).map(({ title, stat, metrics }, at) => ({
    type: "metric",
    x: (at % 2) * width,
    y: Math.floor(at / 2) * height,
    width,
    height,
    properties: { title, stat, metrics, period: 60, region: Aws.REGION, view: "timeSeries" },
  }));
  const log = {
    type: "log",
    x: 0,
    y: Math.ceil(widgets.length / 2) * height,
    width: 2 * width,
    height,
    properties: {
      title: "Decisions",
      region: Aws.REGION,
      view: "table",
      query:
        `SOURCE '${names.controllerLogs}' | fields @timestamp, phase, target, message ` +
        `| filter ${controllerMetrics.decisions} > 0 or level = "error" ` +
        "| sort @timestamp desc | limit 50",
    },
  };
  new CfnDashboard(scope, "Dashboard", {
    dashboardName: names.dashboard,
    dashboardBody: Stack.of(scope).toJsonString({
      start: "-PT3H",
      widgets: [...widgets, log],
    }),
  });
}

function graphs(plan: Plan, { api, functionName }: SeriesPlaces): readonly Graph[] {
  const { config } = plan;
  const door = (metric: string, label: string): readonly unknown[] => {
    return ["AWS/ApiGateway", metric, api.name, api.value, { label }];
  };
  const lambda = (metric: string, label: string): readonly unknown[] => {
    return ["AWS/Lambda", metric, "FunctionName", functionName, { label }];
  };
  const balancer = (metric: string, stat: string, label: string): readonly unknown[] => {
    const dimensions = metric === "HealthyHostCount" ? "LoadBalancer,TargetGroup" : "LoadBalancer";
    const search = `{AWS/ApplicationELB,${dimensions}} MetricName="${metric}" app/${config.name}`;
    return [{ expression: `SEARCH('${search}', '${stat}', 60)`, label }];
  };
  const own = (metric: string, label: string): readonly unknown[] => {
    return [
      controllerMetrics.namespace,
      metric,
      controllerMetrics.dimension,
      config.name,
      { label },
    ];
  };
  const { requests, errors, latency } = frontDoorMetrics(config.name, config.frontDoor, "");
  return [
    {
      title: "Requests a minute",
      stat: "Sum",
      metrics: [door(requests, "Lambda"), balancer("RequestCount", "Sum", "Fargate")],
    },
    {
      title: "Latency p99",
      stat: "p99",
      metrics: [door(latency, "Lambda, ms"), balancer("TargetResponseTime", "p99", "Fargate, s")],
    },
    {
      title: "Answers 5xx",
      stat: "Sum",
      metrics: [
        door(errors, "Lambda"),
        balancer("HTTPCode_Target_5XX_Count", "Sum", "Fargate"),
        lambda("Throttles", "throttled"),
      ],
    },
    {
      title: "Capacity",
      stat: "Maximum",
      metrics: [
        lambda("ConcurrentExecutions", "Lambda environments"),
        balancer("HealthyHostCount", "Minimum", "Fargate tasks"),
      ],
    },
    {
      title: "Fargate's share of DNS, per cent",
      stat: "Average",
      metrics: [own(controllerMetrics.fargateWeight, "Fargate")],
    },
    {
      title: "Decisions",
      stat: "Sum",
      metrics: [
        own(controllerMetrics.decisions, "changes of the target"),
        own(controllerMetrics.failures, "failures"),
        own(controllerMetrics.moving, "moving"),
      ],
    },
  ];
}
