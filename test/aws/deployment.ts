/** A deployed application as its base stack leaves it, put into a world directly. */
import { readFileSync } from "node:fs";
import { controllerConfigText } from "../../src/config/controller.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { alarmThresholds } from "../../src/config/policy.ts";
import { alarmDefinitions } from "../../src/core/alarms.ts";
import {
  alarmName,
  appTag,
  type ControllerVariables,
  deploymentNames,
  recordIdentifiers,
} from "../../src/core/deployment.ts";
import { putAlarm } from "./world/alarms.ts";
import { addZone, changeZone, type HostedZone } from "./world/dns.ts";
import { startTraffic } from "./world/traffic.ts";
import { arnOf, type World } from "./world/world.ts";

/** How the application is deployed. */
export interface DeploymentOptions {
  /** Keys of the configuration besides name, command and domain. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The burst template's text; a skeleton of it by default. */
  readonly burstTemplate?: string;
}

/** What a test needs to know of the deployment. */
export interface SeededDeployment {
  readonly app: string;
  readonly domain: string;
  readonly zone: HostedZone;
  readonly digest: string;
  readonly taskDefinition: string;
  readonly variables: ControllerVariables;
}

const app = "shop";
const domain = "shop.example.com";
const bucket = "assets";
const templateKey = "burst.template.json";

/** A digest of 64 digits out of one. */
export const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** Puts an application into the world, at rest on Lambda, and lets its clients call. */
export function seedDeployment(world: World, options: DeploymentOptions = {}): SeededDeployment {
  const names = deploymentNames(app);
  const digest = digestOf("a");
  const registry = `${world.account}.dkr.ecr.${world.region}.amazonaws.com`;
  const imageUri = `${registry}/${names.repository}@${digest}`;
  const zone = addZone(world, "example.com");
  const apiTarget = `d-abc.execute-api.${world.region}.amazonaws.com`;
  const apiTargetZone = "Z1UJRXOUMOOFQ8";
  world.tables.set(names.table, { name: names.table, keys: ["pk", "sk"], items: new Map() });
  addFunction(world, names.appFunction, names.alias, imageUri);
  world.clusters.add(names.cluster);
  const taskDefinition = arnOf(world, "ecs", `task-definition/${names.appFunction}:1`);
  addTaskDefinition(world, taskDefinition, imageUri);
  const body = options.burstTemplate ?? readFileSync(templateFile, "utf8");
  world.buckets.set(bucket, new Map([[templateKey, Buffer.from(body)]]));
  const config = parseConfig(
    { name: app, command: "node server.js", domain, ...options.config },
    app,
    "test",
  );
  addAlarms(world, alarmThresholds(config), names.appFunction);
  const record = {
    Name: `${domain}.`,
    Type: "A",
    SetIdentifier: recordIdentifiers.lambda,
    Weight: 255,
    AliasTarget: {
      HostedZoneId: apiTargetZone,
      DNSName: `${apiTarget}.`,
      EvaluateTargetHealth: true,
    },
  };
  changeZone(world, zone, [record]);
  world.advance(120_000);
  startTraffic(world, {
    domain,
    zoneId: zone.id,
    apiId,
    apiDimension: "ApiId",
    functionName: names.appFunction,
  });
  const controller = arnOf(world, "lambda", `function:${names.controllerFunction}`);
  const variables: ControllerVariables = {
    LAMBDAFLEX_APP: app,
    LAMBDAFLEX_CONFIG: controllerConfigText(config),
    LAMBDAFLEX_TABLE: names.table,
    LAMBDAFLEX_FRONT_DOOR: "http",
    LAMBDAFLEX_API_ID: apiId,
    LAMBDAFLEX_DOMAIN: domain,
    LAMBDAFLEX_HOSTED_ZONE_ID: zone.id,
    LAMBDAFLEX_API_TARGET: apiTarget,
    LAMBDAFLEX_API_TARGET_ZONE: apiTargetZone,
    LAMBDAFLEX_API_URL: `https://${domain}`,
    LAMBDAFLEX_BURST_TEMPLATE_URL: `https://${bucket}.s3.amazonaws.com/${templateKey}`,
    LAMBDAFLEX_BURST_ROLE_ARN: arnOf(world, "iam", "role/shop-burst"),
    LAMBDAFLEX_BURST_PARAMETERS: JSON.stringify(burstParameters(controller)),
    LAMBDAFLEX_TASK_DEFINITION: taskDefinition,
    LAMBDAFLEX_DIGEST: digest,
    LAMBDAFLEX_TOPIC: arnOf(world, "sns", "shop-events"),
    LAMBDAFLEX_WEBHOOK: "",
  };
  return { app, domain, zone, digest, taskDefinition, variables };
}

const apiId = "api1234567";
const templateFile = new URL("burst.template.json", import.meta.url);

const burstParameters = (controllerArn: string): Readonly<Record<string, string>> => ({
  AppName: app,
  VpcId: "vpc-1",
  PublicSubnetIds: "subnet-1,subnet-2",
  AlbSecurityGroupId: "sg-1",
  TaskSecurityGroupId: "sg-2",
  ClusterName: app,
  CertificateArn: "arn:aws:acm:us-east-1:123456789012:certificate/one",
  ApiDimensionValue: apiId,
  ControllerFunctionArn: controllerArn,
});

function addFunction(world: World, name: string, alias: string, imageUri: string): void {
  const version = { imageUri, properties: {} };
  world.functions.set(name, {
    name,
    arn: arnOf(world, "lambda", `function:${name}`),
    versions: new Map([
      ["$LATEST", version],
      ["1", version],
    ]),
    aliases: new Map([[alias, "1"]]),
    environment: {},
    reserved: null,
  });
}

function addTaskDefinition(world: World, arn: string, image: string): void {
  const family = `${app}-app`;
  const containers = [{ name: "app", image }];
  world.taskDefinitions.set(arn, { arn, family, revision: 1, containers, cpu: 512 });
}

/** The permanent alarms, from the same definitions as the templates. */
function addAlarms(
  world: World,
  thresholds: Parameters<typeof alarmDefinitions>[0],
  functionName: string,
): void {
  for (const definition of alarmDefinitions(thresholds)) {
    if (definition.stack !== "base" || definition.metrics.kind !== "single") continue;
    const { metric } = definition.metrics.of;
    const requests = metric === "requests";
    putAlarm(world, {
      AlarmName: alarmName(app, definition.name),
      Namespace: requests ? "AWS/ApiGateway" : "AWS/Lambda",
      MetricName: requests
        ? "Count"
        : metric === "throttles"
          ? "Throttles"
          : "ConcurrentExecutions",
      Dimensions: [
        requests ? { Name: "ApiId", Value: apiId } : { Name: "FunctionName", Value: functionName },
      ],
      Statistic: definition.statistic,
      Period: definition.periodSeconds,
      EvaluationPeriods: definition.evaluationPeriods,
      DatapointsToAlarm: definition.datapointsToAlarm,
      Threshold: definition.threshold,
      ComparisonOperator: definition.comparison,
      TreatMissingData: definition.treatMissingData,
      AlarmActions: ["controller"],
      OKActions: ["controller"],
    });
  }
}

/** A new image everywhere but in the burst stack, as after a deployment of the base stack. */
export function deployImage(world: World, seeded: SeededDeployment, digest: string): string {
  const names = deploymentNames(seeded.app);
  const found = world.functions.get(names.appFunction);
  if (!found) throw new Error("no function");
  const imageUri = (found.versions.get("1")?.imageUri ?? "").replace(seeded.digest, digest);
  const version = String(found.versions.size);
  found.versions.set(version, { imageUri, properties: {} });
  found.aliases.set(names.alias, version);
  const arn = arnOf(world, "ecs", `task-definition/${names.appFunction}:${version}`);
  addTaskDefinition(world, arn, imageUri);
  return arn;
}

/** The tag by which the sweep finds what belongs to the application. */
export const ownTags: Readonly<Record<string, string>> = { [appTag]: app };
