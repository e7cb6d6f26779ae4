/** An AWS account in virtual time: what exists in it, and what happens in it by itself. */
import { awsDelayRanges, type Delays, drawnDelays } from "../../../src/core/delays.ts";
import { type Random, seededRandom } from "../../../src/core/random.ts";
import { type Agenda, createAgenda } from "./agenda.ts";
import { type AlarmRecord, watchAlarms } from "./alarms.ts";
import type { HostedZone } from "./dns.ts";
import type { Service, TaskDefinition } from "./ecs.ts";
import type { Balancer, Listener, TargetGroup } from "./elb.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { Repository } from "./repositories.ts";
import type { StackRecord } from "./stacks/stack.ts";
import { createTraffic, type Traffic } from "./traffic.ts";

/** A DynamoDB item as it goes over the wire. */
export type Item = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A DynamoDB table: its items by the text of their key. */
export interface Table {
  readonly name: string;
  readonly keys: readonly string[];
  readonly items: Map<string, Item>;
}

/** A Lambda function with its versions and aliases. */
export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  /** By version, `$LATEST` among them. */
  readonly versions: Map<string, FunctionVersion>;
  /** Version by alias. */
  readonly aliases: Map<string, string>;
  environment: Readonly<Record<string, string>>;
  reserved: number | null;
}

/** What a version of a function runs. */
export interface FunctionVersion {
  /** Empty for a function that is no image. */
  readonly imageUri: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Anything with tags that the sweep can find. */
export interface Tagged {
  readonly type: string;
  tags: Readonly<Record<string, string>>;
}

/** A resource whose next operations fail. */
export interface PlannedFailure {
  /** Logical id or type of the resource. */
  readonly resource: string;
  readonly operation: "create" | "update" | "delete";
  readonly reason: string;
  /** How often it fails yet. */
  times: number;
}

/** What the application itself does. */
export interface Application {
  /** Whether tasks of this image become healthy. */
  taskHealthy: (imageUri: string) => boolean;
  /** Whether a probe of this tier is answered with 2xx. */
  probeOk: { lambda: boolean; fargate: boolean };
  /** Share of requests that a tier answers with 5xx. */
  errorShare: { lambda: number; fargate: number };
  /** Mean time of an answer. */
  latencyMs: number;
}

/** One message published to a topic. */
export interface Published {
  readonly atMs: number;
  readonly topic: string;
  readonly subject: string;
  readonly message: string;
}

/** Something that the account may have, by its identifier. */
export interface Certificate {
  readonly arn: string;
  readonly domain: string;
  readonly status: string;
}

/** The account. */
export interface World extends Agenda {
  readonly account: string;
  readonly region: string;
  readonly random: Random;
  readonly delays: Delays;
  readonly stacks: StackRecord[];
  readonly balancers: Map<string, Balancer>;
  readonly targetGroups: Map<string, TargetGroup>;
  readonly listeners: Map<string, Listener>;
  readonly clusters: Set<string>;
  readonly services: Map<string, Service>;
  readonly taskDefinitions: Map<string, TaskDefinition>;
  readonly functions: Map<string, LambdaFunction>;
  readonly tables: Map<string, Table>;
  readonly zones: Map<string, HostedZone>;
  readonly alarms: Map<string, AlarmRecord>;
  readonly buckets: Map<string, Map<string, Buffer>>;
  readonly repositories: Map<string, Repository>;
  readonly logGroups: Map<string, LogEvent[]>;
  readonly parameters: Map<string, string>;
  readonly secrets: Map<string, string>;
  readonly certificates: Certificate[];
  readonly roles: Map<string, Role>;
  /** Requests to CloudFormation that were accepted, by their tokens. */
  readonly requestTokens: Map<string, { readonly request: string; readonly answer: object }>;
  readonly schedules: Map<string, { state: string }>;
  readonly published: Published[];
  readonly tagged: Map<string, Tagged>;
  readonly metrics: Metrics;
  readonly traffic: Traffic;
  readonly application: Application;
  readonly plannedFailures: PlannedFailure[];
  /** Where the account is reached, once a server stands for it. */
  endpoint: string;
  /** Account limit of concurrent Lambda executions. */
  concurrencyQuota: number;
  /** Fargate vCPUs that the account may run. */
  vcpuQuota: number;
  /** How long readers do not see yet what CloudFormation has accepted. */
  stackLagMs: () => number;
  /** Called when an alarm changes to a state that has actions. */
  onAlarm: (alarm: AlarmRecord) => void;
  /** Answers a custom resource; the reason why it failed, or `null`. */
  onCustomResource: (request: CustomRequest) => string | null;
  /** Called when a function is invoked asynchronously, with its name. */
  onInvoke: (functionName: string) => void;
  /** An identifier nobody else has. */
  uniqueId(length?: number): string;
}

/** What CloudFormation asks of a custom resource. */
export interface CustomRequest {
  readonly requestType: "Create" | "Update" | "Delete";
  readonly type: string;
  readonly logicalId: string;
  readonly properties: unknown;
}

/** An IAM role with its inline policies. */
export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly trust: unknown;
  readonly policies: Map<string, unknown>;
}

/** A line in a log group. */
export interface LogEvent {
  readonly atMs: number;
  readonly stream: string;
  readonly message: string;
}

/** How to make a world. */
export interface WorldOptions {
  readonly seed?: number;
  /** Start of time; a whole minute. */
  readonly startMs?: number;
  /** Fixed delays instead of drawn ones. */
  readonly delays?: Delays;
}

/** An empty account. */
export function createWorld(options: WorldOptions = {}): World {
  const agenda = createAgenda(options.startMs ?? Date.UTC(2026, 0, 5, 9));
  const random = seededRandom(options.seed ?? 1);
  const world: World = Object.defineProperties(
    {
      ...emptyAccount(),
      account: "123456789012",
      region: "us-east-1",
      random,
      delays: options.delays ?? drawnDelays(random, awsDelayRanges("warm")),
      after: agenda.after,
      advance: agenda.advance,
      watch: agenda.watch,
      metrics: createMetrics(agenda, random),
      traffic: createTraffic(),
      uniqueId: (length = 12) => {
        let id = "";
        while (id.length < length) id += Math.floor(random() * 36).toString(36);
        return id;
      },
    } as unknown as World,
    { nowMs: { get: () => agenda.nowMs } },
  );
  watchAlarms(world);
  return world;
}

function emptyAccount(): Partial<World> {
  return {
    stacks: [],
    balancers: new Map(),
    targetGroups: new Map(),
    listeners: new Map(),
    clusters: new Set(),
    services: new Map(),
    taskDefinitions: new Map(),
    functions: new Map(),
    tables: new Map(),
    zones: new Map(),
    alarms: new Map(),
    buckets: new Map(),
    repositories: new Map(),
    logGroups: new Map(),
    parameters: new Map(),
    secrets: new Map(),
    certificates: [],
    roles: new Map(),
    requestTokens: new Map(),
    schedules: new Map(),
    published: [],
    tagged: new Map(),
    plannedFailures: [],
    endpoint: "",
    concurrencyQuota: 1000,
    vcpuQuota: 30,
    stackLagMs: () => 0,
    onAlarm: () => undefined,
    onCustomResource: () => null,
    onInvoke: () => undefined,
    application: {
      taskHealthy: () => true,
      probeOk: { lambda: true, fargate: true },
      errorShare: { lambda: 0, fargate: 0 },
      latencyMs: 50,
    },
  };
}

/** An ARN in this account. */
export function arnOf(world: World, service: string, rest: string): string {
  const isGlobal = service === "iam";
  const region = isGlobal || service === "s3" ? "" : world.region;
  return `arn:aws:${service}:${region}:${service === "s3" ? "" : world.account}:${rest}`;
}

/** Digest at the end of an image's address. */
export function digestOfImage(imageUri: string): string {
  return imageUri.slice(imageUri.indexOf("@") + 1);
}
