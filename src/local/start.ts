/** Puts the local cloud together: DNS, both tiers, control plane, alarms and the controller. */
import { alarmDefinitions } from "../core/alarms.ts";
import {
  type AlarmName,
  type AlarmState,
  type Cloud,
  type Override,
  type Status,
  seededRandom,
  type TickResult,
  type Tier,
} from "../core/index.ts";
import { commitOverride } from "../core/override.ts";
import { type AlarmWatch, startAlarmWatch } from "./alarm-watch.ts";
import { type Clock, scaledClock } from "./clock.ts";
import { LocalCloud, mergeSamples } from "./cloud.ts";
import { type BurstTier, type ControlPlane, createControlPlane } from "./control-plane.ts";
import { type Controller, noController, startController } from "./controller.ts";
import { awsDelays, type Delays } from "./delays.ts";
import { startDnsServer } from "./dns/server.ts";
import type { DnsRecord } from "./dns/zone.ts";
import { type FargateStats, type FargateTier, startFargateTier } from "./fargate/tier.ts";
import "./footprint.ts";
import { createFaultLog, type FaultLog } from "./fault.ts";
import { createJournal, type Journal } from "./journal.ts";
import { type LambdaStats, type LambdaTier, startLambdaTier } from "./lambda/tier.ts";
import { type Memory, openMemory } from "./memory.ts";
import { createMeter, type Meter } from "./meter.ts";
import type { LocalOptions, TierSizes } from "./options.ts";
import type { Endpoint, ServiceSpec } from "./service.ts";
import { type StatusServer, startStatusServer, statusDocument } from "./status-server.ts";

export type { LocalOptions, TierSizes };

/** A running local cloud. */
export interface Local {
  readonly clock: Clock;
  readonly host: string;
  readonly dns: Endpoint;
  /** Where this machine may ask for `/snapshot`, and wake the controller with a POST of `/wake`. */
  readonly statusUrl: string;
  readonly journal: Journal;
  readonly meters: Readonly<Record<Tier, Meter>>;
  readonly alarms: Readonly<Record<AlarmName, AlarmState>>;
  readonly plane: ControlPlane;
  /** The port that the controller drives it through. */
  readonly cloud: Cloud;
  /** What the service itself did wrong. */
  readonly faults: FaultLog;
  /** Whether an earlier run left a transition unfinished. */
  readonly resumed: boolean;
  lambdaStats(): LambdaStats;
  fargateStats(): FargateStats | null;
  /** Asks the Lambda tier for one answer; `false` if it is not a good one, or comes too late. */
  probe(): Promise<boolean>;
  status(): Promise<Status>;
  /** Outranks the policy, or lets it decide again with `null`. */
  override(word: Override | null): Promise<void>;
  /** New code: Lambda takes it at once, the engine brings Fargate to it. */
  deploy(service: ServiceSpec): void;
  /** Rejects when the engine crashes. */
  readonly crashed: Promise<never>;
  /** Stops everything; nothing is left running. The state stays. */
  stop(): Promise<void>;
}

/** Starts the local cloud on loopback. Rejects when something can not listen or be written. */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const stops: (() => Promise<void> | void)[] = [];
  try {
    return await assemble(options, stops);
  } catch (error) {
    for (const stop of stops.reverse()) await stop();
    throw error;
  }
}

/** What every part of the local cloud shares. */
interface Ground {
  readonly options: LocalOptions;
  readonly clock: Clock;
  readonly delays: Delays;
  readonly meters: Readonly<Record<Tier, Meter>>;
  readonly memory: Memory;
  readonly host: string;
  readonly faults: FaultLog;
  /** The service as it runs now; `current` is replaced by a deploy. */
  readonly service: { current: ServiceSpec };
  readonly statusUrl: string;
  readonly urlForService: string;
  /** What stops everything that was started, in the order of starting. */
  readonly stops: (() => Promise<void> | void)[];
}

type Stops = Ground["stops"];

async function assemble(options: LocalOptions, stops: Stops): Promise<Local> {
  let latest: TickResult | null = null;
  let plane: ControlPlane | null = null;
  let wake = (): void => undefined;
  const statusServer = await startStatusServer(
    () => statusDocument(latest, plane),
    { snapshot: options.snapshot ?? (() => null), wake: () => wake() },
    options.service.sandboxes?.here,
  );
  stops.push(statusServer.stop);
  const ground = await prepareGround(options, statusServer, stops);
  const { clock, meters, memory } = ground;
  const lambda = await startLambda(ground);
  const burst = burstOf(ground);
  plane = createControlPlane({
    clock,
    delays: ground.delays,
    store: memory.plane,
    tasksMin: options.settings.tasksMin,
    before: memory.before,
    startBurst: burst.start,
    onLog: options.onLog,
  });
  stops.push(plane.stop);
  const facts = plane;
  const dns = await startDnsServer({
    host: ground.host,
    ttlSeconds: options.settings.ttlMs / 1000,
    random: seededRandom(options.seed + 1),
    records: () => records(facts, lambda.endpoint, burst.current()),
  });
  stops.push(dns.stop);
  await plane.resume();
  const engine = startEngine(ground, plane, lambda, burst, (result) => {
    latest = result;
  });
  wake = engine.controller.wake;
  return {
    clock,
    host: ground.host,
    dns: dns.endpoint,
    statusUrl: statusServer.url,
    meters,
    plane,
    cloud: engine.cloud,
    faults: ground.faults,
    resumed: memory.resumed,
    journal: engine.journal,
    get alarms() {
      return engine.alarms.states;
    },
    lambdaStats: lambda.stats,
    fargateStats: () => burst.current()?.stats() ?? null,
    probe: () => firstProbe(lambda, ground),
    status: async () => (await engine.cloud.observe()).status,
    async override(word) {
      await commitOverride(engine.cloud, word);
      engine.controller.wake();
    },
    deploy(next) {
      ground.service.current = withStatus(next, ground.urlForService);
      lambda.deploy(ground.service.current);
      engine.controller.wake();
    },
    crashed: engine.controller.crashed,
    async stop() {
      for (const stop of stops.splice(0).reverse()) await stop();
    },
  };
}

/** Opens the state and sets the clock: time goes on where an earlier run left it. */
async function prepareGround(
  options: LocalOptions,
  { url: statusUrl, urlForService }: StatusServer,
  stops: Stops,
): Promise<Ground> {
  const memory = await openMemory(options.stateFolder);
  const clock = scaledClock(options.speed, Math.max(options.startMs, memory.knownMs));
  return {
    options,
    clock,
    delays: awsDelays(seededRandom(options.seed), options.standby),
    meters: {
      lambda: createMeter("lambda", clock, 60_000),
      fargate: createMeter("fargate", clock, 60_000),
    },
    memory,
    host: `${options.service.name}.lambdaflex.test`,
    faults: createFaultLog(),
    service: { current: withStatus(options.service, urlForService) },
    statusUrl,
    urlForService,
    stops,
  };
}

/** The service learns where to listen and where it can ask for the state of its stack. */
function withStatus(service: ServiceSpec, statusUrl: string): ServiceSpec {
  return {
    ...service,
    env: { ...service.env, LAMBDAFLEX_STATUS_URL: statusUrl },
  };
}

async function startLambda(ground: Ground): Promise<LambdaTier> {
  const { clock, meters, service, stops, faults } = ground;
  const { sizes, startsMax, onLog } = ground.options;
  const lambda = await startLambdaTier({
    service: service.current,
    ...sizes.lambda,
    startsMax,
    clock,
    meter: meters.lambda,
    clientKeepAliveMs: sizes.fargate.clientKeepAliveMs,
    onFailed: (request, result) => faults.noteInvocation(request, result, clock.nowMs()),
    ...(onLog && { onLog }),
  });
  stops.push(lambda.stop);
  return lambda;
}

/** One request; the first environment may take as long to start as the service is allowed to. */
function firstProbe(lambda: LambdaTier, { service, options }: Ground): Promise<boolean> {
  const { path, timeoutMs } = service.current.readiness;
  return lambda.probe(path, timeoutMs + options.sizes.lambda.timeoutMs);
}

/** The burst tier that a stack creates, and the one that exists now. */
interface Burst {
  start(digest: string, tasks: number, resumed: boolean): Promise<BurstTier>;
  current(): FargateTier | null;
}

function burstOf(ground: Ground): Burst {
  const { options, clock, meters, service, delays, host } = ground;
  let current: FargateTier | null = null;
  const { sizes, startsMax, onLog } = options;
  return {
    current: () => current,
    async start(digest, tasks, resumed) {
      let instant = resumed ? tasks : 0;
      const tier = await startFargateTier({
        service: { ...service.current, digest },
        ...sizes.fargate,
        tasks,
        requestTimeoutMs: sizes.lambda.timeoutMs,
        startDelayMs: () => (instant-- > 0 ? 0 : delays.taskStartMs()),
        startsMax,
        clock,
        meter: meters.fargate,
        hosts: [host],
        ...ground.faults.ofFargate(clock.nowMs, sizes.lambda.timeoutMs),
        ...(onLog && { onLog }),
      });
      current = tier;
      return {
        stats: tier.stats,
        deploy: () => tier.deploy(service.current),
        async stop() {
          await tier.stop();
          if (current === tier) current = null;
        },
      };
    },
  };
}

/** Longest wait for the answer to a probe, real: a tick must not hang on a busy tier. */
const probeRealMs = 5_000;

/** The part that decides: alarms, the port's adapter, and the controller. */
interface Engine {
  readonly alarms: AlarmWatch;
  readonly cloud: LocalCloud;
  readonly controller: Controller;
  readonly journal: Journal;
}

function startEngine(
  ground: Ground,
  plane: ControlPlane,
  lambda: LambdaTier,
  burst: Burst,
  keep: (result: TickResult) => void,
): Engine {
  const { options, clock, meters, memory, delays, service, stops } = ground;
  const { sizes, settings, policy } = options;
  let controller: Controller | null = null;
  const alarms = startAlarmWatch({
    clock,
    delays,
    definitions: alarmDefinitions(options.thresholds, sizes.lambda.concurrencyMax),
    samples: () => mergeSamples(meters.lambda.samples(), meters.fargate.samples()),
    burstExists: () => plane.facts.stack === "complete",
    onChange: (name, state) => {
      options.onAlarm?.(name, state, clock.nowMs());
      controller?.wake();
    },
  });
  stops.push(alarms.stop);
  const path = (): string => service.current.readiness.path;
  const cloud = new LocalCloud({
    clock,
    plane,
    store: memory.status,
    lambdaMeter: meters.lambda,
    fargateMeter: meters.fargate,
    alarms: () => alarms.states,
    digest: () => service.current.digest,
    lambdaStats: lambda.stats,
    concurrencyMax: sizes.lambda.concurrencyMax,
    fargateStats: () => burst.current()?.stats() ?? null,
    probeLambda: () => lambda.probe(path(), probeRealMs),
    probeFargate: async () => (await burst.current()?.probe(path())) ?? false,
  });
  const journal = createJournal(() => alarms.breachSinceMs);
  const start = options.controlled === false ? noController : startController;
  controller = start({
    cloud,
    policy,
    settings,
    clock,
    onTick: (result, atMs) => {
      if (result.ok) keep(result);
      journal.onTick(result, atMs, plane.milestones);
      options.onTick?.(result, atMs);
    },
  });
  stops.push(controller.stop);
  return { alarms, cloud, controller, journal };
}

/** What DNS answers with: the weights in effect, and whether Fargate could answer at all. */
function records(
  plane: ControlPlane,
  lambda: Endpoint,
  fargate: FargateTier | null,
): readonly DnsRecord[] {
  const { route } = plane.facts;
  const healthy = (fargate?.stats().healthy ?? 0) > 0;
  return [
    { tier: "lambda", weight: route.lambda, healthy: true, exists: true, endpoint: lambda },
    {
      tier: "fargate",
      weight: route.fargate,
      healthy,
      exists: route.fargateRecord,
      endpoint: fargate?.endpoint ?? null,
    },
  ];
}
