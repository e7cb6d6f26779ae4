/** The facts of a service on AWS: its own controller tells how it is deployed, the rest is read. */
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import { AwsCloud } from "../aws/cloud.ts";
import { type Deployment, readDeployment } from "../aws/deployment.ts";
import { readEvents } from "../aws/history.ts";
import { httpProbe } from "../aws/probe.ts";
import { type ServiceClients, serviceClients } from "../aws/service-clients.ts";
import { openTable, readStatus, type StateTable, writeStatus } from "../aws/table.ts";
import { type ControllerConfig, parseControllerConfig } from "../config/controller.ts";
import { UserError } from "../config/errors.ts";
import { loadConfig } from "../config/load.ts";
import { alarmThresholds, policyOf, profileOf } from "../config/policy.ts";
import { engineSettings } from "../config/settings.ts";
import { refusingBursts } from "../controller/refusal.ts";
import { alarmDefinitions } from "../core/alarms.ts";
import { deploymentNames } from "../core/deployment.ts";
import { type EngineEvent, phaseOf, planTick, type Status } from "../core/index.ts";
import { outlookOf } from "../core/outlook.ts";
import { commitOverride } from "../core/override.ts";
import { snapshotOf } from "../core/snapshot.ts";
import { asAwsMistake } from "./aws/errors.ts";
import { chosenRegion } from "./aws/session.ts";
import { isBusy, readStack } from "./aws/stacks.ts";
import type { Report, Source, SourceOptions } from "./source.ts";
import { estimatedWindows } from "./source-aws-cost.ts";
import { openAwsLogs } from "./source-aws-logs.ts";

/** A deployed service and what it is reached through. */
interface Deployed {
  readonly app: string;
  readonly region: string;
  readonly deployment: Deployment;
  readonly config: ControllerConfig;
  readonly clients: ServiceClients;
  readonly table: StateTable;
  readonly nowMs: () => number;
}

/** Opens the service that the configuration names. Rejects with UserError NOT_DEPLOYED, AWS_…. */
export async function openAwsSource(
  options: SourceOptions,
  nowMs: () => number = Date.now,
): Promise<Source> {
  const { config } = await loadConfig(options.config);
  const region = await chosenRegion(options);
  const found = await mistaken(() => findDeployed(config.name, region));
  const deployed: Deployed = { ...found, nowMs };
  return {
    report: () => mistaken(() => report(deployed)),
    history: (sinceMs, limit) => mistaken(() => history(deployed, sinceMs, limit)),
    nowMs: async () => nowMs(),
    logs: async (query) => {
      const group = deployed.deployment.names.appLogs;
      return openAwsLogs({ region, group, nowMs, ...query });
    },
    override: (word) =>
      mistaken(async () => {
        if (word?.tier === "fargate" && deployed.deployment.domain === null) throw noDomain();
        await commitOverride(keeperOf(deployed.table), word);
        await wake(deployed);
      }),
  };
}

/** What AWS refuses for the user's own reasons becomes a coded mistake. */
async function mistaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asAwsMistake(error);
  }
}

async function findDeployed(app: string, region: string): Promise<Omit<Deployed, "nowMs">> {
  const clients = serviceClients({ region });
  const { controllerFunction } = deploymentNames(app);
  const command = new GetFunctionConfigurationCommand({ FunctionName: controllerFunction });
  const { Environment: environment } = await clients.lambda.send(command).catch(async (error) => {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw await notDeployed(app, region, clients);
  });
  const variables = environment?.Variables ?? {};
  const deployment = readDeployment(variables);
  const config = parseControllerConfig(variables.LAMBDAFLEX_CONFIG ?? "");
  const table = openTable(deployment.table, { region });
  return { app, region, deployment, config, clients, table };
}

/** Why there is no controller: nobody has deployed it, or the first deployment is not done. */
async function notDeployed(
  app: string,
  region: string,
  { cloudformation }: ServiceClients,
): Promise<UserError> {
  const message = `${app} is not deployed in ${region}`;
  // Who may not look at stacks learns as much as is known without them.
  const stack = await readStack(cloudformation, deploymentNames(app).baseStack).catch(() => null);
  if (stack === null) {
    const hint = "Deploy it with lambdaflex deploy, or choose another --region or --profile.";
    return new UserError("NOT_DEPLOYED", message, hint);
  }
  const hint = isBusy(stack)
    ? "Ask again when CloudFormation is done: some minutes; lambdaflex deploy follows it."
    : "Run lambdaflex deploy: it says what failed, and goes on.";
  return new UserError("NOT_DEPLOYED", `${message} yet: ${stack.name} is ${stack.status}`, hint);
}

function noDomain(): UserError {
  const message = "without a domain no traffic can be moved to Fargate";
  return new UserError("DOMAIN_MISSING", message, "Set domain in the configuration and deploy.");
}

/** The longest past that is read for pictures and costs. */
const pastMsMax = 24 * 60 * 60_000;
const pastMsMin = 60 * 60_000;

async function report(deployed: Deployed): Promise<Report> {
  const { app, region, deployment, config, clients, table } = deployed;
  const settings = engineSettings(config);
  const since = (await readStatus(table)).targetSinceMs;
  const pastMs = Math.min(pastMsMax, Math.max(pastMsMin, deployed.nowMs() - since));
  const cloud = new AwsCloud({
    deployment,
    // The longest quiet that is asked for is how far back the metrics are read.
    settings: {
      readinessPath: config.readiness.path,
      drainQuietMs: pastMs,
      stirs: null,
    },
    clients,
    table,
    nowMs: deployed.nowMs,
    probe: httpProbe,
    readOnly: true,
  });
  const { status, world } = await cloud.observe();
  const nowMs = deployed.nowMs();
  const own = policyOf(config);
  const policy = deployment.domain === null ? refusingBursts(own).policy : own;
  const profile = profileOf(config);
  const { step, decision } = planTick(status, world, policy, settings, nowMs);
  const phase = phaseOf(status, world, settings, nowMs);
  // What the next tick will only begin is not waited for yet.
  const stays = step.status.target === status.target;
  const wait = stays ? step.wait : null;
  const snapshot = snapshotOf({
    service: app,
    policy: policy.name,
    nowMs,
    status,
    world,
    step: { phase, wait },
    decision,
    settings,
    definitions: alarmDefinitions(alarmThresholds(config), config.lambda.concurrencyMax),
    environments: null,
    switchReason: await reasonOf(table, status),
    windows: estimatedWindows(world.samples, status, profile),
    profile,
  });
  const source = { on: "aws" as const, name: app, at: region };
  const outlook = outlookOf(policy, stays ? step.status : status, world, nowMs);
  return { snapshot, windows: world.samples, speed: 1, outlook, source };
}

/** The decision that made the target is among the newest events. */
async function reasonOf(table: StateTable, { targetSinceMs }: Status): Promise<string | null> {
  const { events } = await readEvents(table, { limit: 200 });
  const told = events.find(({ atMs, type }) => {
    return atMs === targetSinceMs && (type === "decision" || type === "failure");
  });
  return told?.message ?? null;
}

async function history(
  { table }: Deployed,
  sinceMs: number | null,
  limit: number,
): Promise<Awaited<ReturnType<Source["history"]>>> {
  const found: EngineEvent[] = [];
  let from: string | null = null;
  do {
    const page = await readEvents(table, { limit: Math.min(200, limit - found.length), from });
    const wanted = page.events.filter(({ atMs }) => sinceMs === null || atMs >= sinceMs);
    found.push(...wanted);
    from = wanted.length < page.events.length ? null : page.next;
  } while (from !== null && found.length < limit);
  return found.reverse().map((event) => ({ type: "event", event }));
}

function keeperOf(table: StateTable): Parameters<typeof commitOverride>[0] {
  return {
    observe: async () => ({ status: await readStatus(table) }),
    commit: (status) => writeStatus(table, status),
  };
}

/** The word is kept already: should this call fail, the schedule sees it within a minute. */
async function wake({ clients, deployment }: Deployed): Promise<void> {
  const command = new InvokeCommand({
    FunctionName: deployment.names.controllerFunction,
    InvocationType: "Event",
  });
  await clients.lambda.send(command).catch(() => undefined);
}
