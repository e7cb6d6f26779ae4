/**
 * What the stacks, the controller and the command line agree on: names, variables and table keys.
 * The stacks are made from it and the controller reads it back, so neither can spell it otherwise.
 */
import type { AlarmName } from "./types.ts";

/** Longest application name; a balancer's name has 32 characters and needs a unique suffix. */
export const appNameLengthMax = 15;

/** Every name that is derived from the application's. */
export interface DeploymentNames {
  readonly baseStack: string;
  readonly burstStack: string;
  /** Name of the front door; a REST API's metrics are found by it. */
  readonly api: string;
  readonly appFunction: string;
  /** The alias that serves; it always points to a published version. */
  readonly alias: string;
  readonly controllerFunction: string;
  /** Runs when the base stack is removed, and when the controller fails. */
  readonly guardFunction: string;
  readonly cluster: string;
  readonly table: string;
  readonly appLogs: string;
  readonly controllerLogs: string;
  readonly repository: string;
  readonly dashboard: string;
  readonly schedule: string;
}

/** The names of an application's parts. */
export function deploymentNames(app: string): DeploymentNames {
  return {
    baseStack: `${app}-base`,
    burstStack: `${app}-burst`,
    api: `${app}-api`,
    appFunction: `${app}-app`,
    alias: "live",
    controllerFunction: `${app}-controller`,
    guardFunction: `${app}-guard`,
    cluster: app,
    table: `${app}-state`,
    appLogs: `/lambdaflex/${app}/app`,
    controllerLogs: `/lambdaflex/${app}/controller`,
    repository: `lambdaflex/${app}`,
    dashboard: app,
    schedule: `${app}-tick`,
  };
}

/** An alarm's name in CloudWatch. */
export function alarmName(app: string, alarm: AlarmName | "controller-errors"): string {
  return `${app}-${alarm}`;
}

/** Tag on everything that belongs to an application, and what the sweep looks for. */
export const appTag = "lambdaflex:app";

/** Tag whose value tells which of the two stacks a resource belongs to. */
export const stackTag = "lambdaflex:stack";

/** What the front door is: an HTTP API, or a REST API that keeps encoded paths. */
export type FrontDoor = "http" | "rest";

/** What the front door's metrics are called. All are in the namespace AWS/ApiGateway. */
export interface FrontDoorMetrics {
  readonly requests: string;
  readonly errors: string;
  readonly latency: string;
  readonly dimension: { readonly Name: string; readonly Value: string };
}

/** HTTP APIs count by their id, REST APIs by their name, and they spell errors differently. */
export function frontDoorMetrics(app: string, door: FrontDoor, apiId: string): FrontDoorMetrics {
  const base = { requests: "Count", latency: "Latency" };
  if (door === "http") {
    return { ...base, errors: "5xx", dimension: { Name: "ApiId", Value: apiId } };
  }
  const dimension = { Name: "ApiName", Value: deploymentNames(app).api };
  return { ...base, errors: "5XXError", dimension };
}

/** `SetIdentifier` of the weighted record of each tier. */
export const recordIdentifiers = { lambda: "lambda", fargate: "fargate" } as const;

/**
 * What the controller is told, as environment variables of its function. Together they must fit
 * the 4 KB that Lambda allows.
 */
export interface ControllerVariables {
  readonly LAMBDAFLEX_APP: string;
  /** The part of the configuration that the engine needs, as JSON. */
  readonly LAMBDAFLEX_CONFIG: string;
  readonly LAMBDAFLEX_TABLE: string;
  readonly LAMBDAFLEX_FRONT_DOOR: FrontDoor;
  readonly LAMBDAFLEX_API_ID: string;
  /** Host name that both records carry; empty without a domain. */
  readonly LAMBDAFLEX_DOMAIN: string;
  readonly LAMBDAFLEX_HOSTED_ZONE_ID: string;
  /** Regional domain name of the API and its zone: the Lambda record's alias target. */
  readonly LAMBDAFLEX_API_TARGET: string;
  readonly LAMBDAFLEX_API_TARGET_ZONE: string;
  /** Base URL of the API for the probe of Lambda: the domain's own, or the execute-api one. */
  readonly LAMBDAFLEX_API_URL: string;
  readonly LAMBDAFLEX_BURST_TEMPLATE_URL: string;
  readonly LAMBDAFLEX_BURST_ROLE_ARN: string;
  /** Parameters of the burst stack that do not change between bursts, as a JSON object. */
  readonly LAMBDAFLEX_BURST_PARAMETERS: string;
  readonly LAMBDAFLEX_TASK_DEFINITION: string;
  /** Digest that `LAMBDAFLEX_TASK_DEFINITION` runs. */
  readonly LAMBDAFLEX_DIGEST: string;
  readonly LAMBDAFLEX_TOPIC: string;
  /**
   * Where the address of a webhook is kept: name or ARN of a parameter, or ARN of a secret; empty
   * for none. The address itself is a secret and never a variable.
   */
  readonly LAMBDAFLEX_WEBHOOK: string;
}

/** Parameters of the burst stack that the controller fills in itself. */
export interface BurstParameters {
  readonly TaskDefinitionArn: string;
  /** Tells two templates with their inputs apart: what the stack was made or last updated from. */
  readonly Blueprint: string;
  /** `update` leaves the task count alone: scaling may have changed it. */
  readonly Operation: "create" | "update";
  readonly InitialTasks: string;
}

/** Outputs of the burst stack that the controller reads. */
export interface BurstOutputs {
  readonly AlbDnsName: string;
  readonly AlbZoneId: string;
  readonly AlbFullName: string;
  readonly AlbArn: string;
  readonly TargetGroupArn: string;
  readonly ServiceName: string;
}

/** Outputs of the base stack that the command line reads. */
export interface BaseOutputs {
  readonly Url: string;
  readonly ApiId: string;
  readonly TableName: string;
  readonly ControllerName: string;
  readonly ClusterName: string;
  readonly ImageUri: string;
}

/** Metrics that the controller writes into its log while it is awake, by application. */
export const controllerMetrics = {
  namespace: "LambdaFlex",
  /** Its value is the application's name. */
  dimension: "App",
  /** Fargate's share of the answers of DNS, per cent. */
  fargateWeight: "FargateWeight",
  healthyTasks: "HealthyTasks",
  /** 1 while the system moves from one tier to the other. */
  moving: "Moving",
  /** Changes of the target. */
  decisions: "Decisions",
  /** Ticks that failed, and phases that did. */
  failures: "Failures",
} as const;

/**
 * Keys of the state table. `status` holds `revision` (number) and `status` (JSON text), changed
 * only by compare-and-swap on the revision, and the controller's notes; `lease` an owner and the
 * end of its turn; `event` what happened, by time, until `ttl` (seconds since 1970); `deploy` the
 * lock of a deployment; `deployment` which image was deployed, by time; `former` where the domain
 * led before it was taken over.
 */
export const tableKeys = {
  partition: "pk",
  sort: "sk",
  ttl: "ttl",
  status: { pk: "status", sk: "status" },
  lease: { pk: "lease", sk: "lease" },
  deploy: { pk: "deploy", sk: "deploy" },
  former: { pk: "former", sk: "former" },
  event: "event",
  deployment: "deployment",
} as const;
