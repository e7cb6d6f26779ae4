/** AwsCloud: the `Cloud` port over AWS itself. */
import type { BurstOutputs } from "../core/deployment.ts";
import {
  type Action,
  type Cloud,
  type EngineEvent,
  lambdaOnly,
  type Observation,
  type Route,
  type Sample,
  type Status,
  sameRoute,
} from "../core/index.ts";
import { readAlarms, someRing } from "./alarm-states.ts";
import { deprovision, type OrderParts, provision } from "./burst-orders.ts";
import { type BurstReading, readBurst } from "./burst-stack.ts";
import type { Deployment } from "./deployment.ts";
import { fargateFacts, noService, readService } from "./fargate-facts.ts";
import { awakeBecause, looksAtRecords, stirredAtOf, stirredNote } from "./idle.ts";
import { readConcurrencyLimit, readFunction } from "./lambda-facts.ts";
import { type CloudMemory, memoryOf, remember } from "./memory.ts";
import { metricQueries } from "./metric-queries.ts";
import {
  accountInUse,
  closedSamples,
  lastRequestMs,
  readFromMs,
  readSeries,
  recentTraffic,
  type Series,
} from "./metrics.ts";
import { findOrphans, removeOrphans } from "./orphans.ts";
import { type Untold, untoldOf, withUntold } from "./outbox.ts";
import type { Probe } from "./probe.ts";
import { type AliasFacts, changeRecords, isInSync, readRoute } from "./records.ts";
import { closeClients, type ServiceClients } from "./service-clients.ts";
import { closeTable, readState, type StateTable, writeNotes, writeStatus } from "./table.ts";

/** What the adapter takes from the configuration. */
export interface AwsCloudSettings {
  /** Path of the probes. */
  readonly readinessPath: string;
  /** The balancer's metrics are read at least that far back. */
  readonly drainQuietMs: number;
  /**
   * Whether a window comes near to what could move the policy; `null` if alarms alone decide.
   * After such a window the next ones are looked at without any alarm, for hours.
   */
  readonly stirs: ((window: Sample) => boolean) | null;
}

/** Everything that AwsCloud works with. */
export interface AwsCloudParts {
  readonly deployment: Deployment;
  readonly settings: AwsCloudSettings;
  readonly clients: ServiceClients;
  readonly table: StateTable;
  readonly nowMs: () => number;
  readonly probe: Probe;
  /** Only looks on: it changes nothing, and so needs no lease. @default false */
  readonly readOnly?: boolean;
}

/** A look at the few things that could end an idle time. */
export interface Glance {
  /** Why a whole tick is needed; `null` if none is. */
  readonly awake: string | null;
  readonly status: Status;
}

/** Metrics are billed per series read: while polling, they are read again after this time. */
const metricsEveryMs = 30_000;

/** The account's limit changes by a support case. */
const limitEveryMs = 10 * 60_000;

/** Route 53 says 60 seconds; a change whose id was lost counts as in sync after thrice that. */
const surelySyncedMs = 180_000;

interface SeriesRead {
  readonly series: Series;
  readonly balancer: string | null;
  readonly fromMs: number;
  readonly atMs: number;
}

/** The adapter of the one port for AWS. Only one may act at a time: take the lease first. */
export class AwsCloud implements Cloud {
  readonly #parts: AwsCloudParts;
  #read: SeriesRead | null = null;
  #untold: readonly Untold[] = [];
  #limit: { readonly value: number; readonly atMs: number } | null = null;

  constructor(parts: AwsCloudParts) {
    this.#parts = parts;
  }

  /** At most two reads: the state, and the alarms or now and then the records. */
  async glance(): Promise<Glance> {
    const { table, clients, deployment, settings } = this.#parts;
    const nowMs = this.#parts.nowMs();
    const { domain } = deployment;
    const state = readState(table);
    const records = domain !== null && looksAtRecords(nowMs);
    const stirred = records
      ? readRoute(clients.route53, domain, null).then((route) =>
          sameRoute(route, lambdaOnly) ? null : "the records were changed",
        )
      : readAlarms(clients.cloudwatch, deployment.app).then((alarms) =>
          someRing(alarms) ? "an alarm rings" : null,
        );
    const [{ status, notes }, reason] = await Promise.all([state, stirred]);
    const memory = memoryOf(notes.memory);
    const stirredAtMs = settings.stirs === null ? null : stirredAtOf(notes.stirred);
    const awake = awakeBecause(status, memory, stirredAtMs, nowMs);
    const untold = untoldOf(notes.untold).length > 0 ? "events were not told yet" : null;
    return { awake: awake ?? reason ?? untold, status };
  }

  async observe(): Promise<{ readonly status: Status; readonly world: Observation }> {
    const { table, clients, deployment } = this.#parts;
    const nowMs = this.#parts.nowMs();
    const state = await readState(table);
    const status = deployment.domain === null ? stayingOnLambda(state.status) : state.status;
    const memory = memoryOf(state.notes.memory);
    this.#untold = untoldOf(state.notes.untold);
    const [alarms, lambda, limit, reading] = await Promise.all([
      readAlarms(clients.cloudwatch, deployment.app),
      readFunction(clients.lambda, deployment.names),
      this.#concurrencyLimit(nowMs),
      this.#burst(memory, nowMs),
    ]);
    const burst = reading.stack?.outputs ?? null;
    const [service, dns, read, orphans] = await Promise.all([
      reading.kind === "standing" && burst !== null
        ? readService(clients, deployment.names.cluster, burst)
        : noService,
      this.#dns(status, memory, burst, nowMs),
      this.#series(status, burst, nowMs),
      reading.kind === "absent" ? this.#orphans() : [],
    ]);
    await this.#forget(status, memory, reading, orphans);
    const fargate = fargateFacts(reading, service, deployment, status.target);
    const probes = await this.#probe(status, fargate.state === "ready" ? burst : null);
    const { series, fromMs, atMs } = read;
    // A window that closed since the reading may have been read incompletely.
    const samples = closedSamples(series, fromMs, atMs, burst !== null);
    await this.#noteStirring(samples, stirredAtOf(state.notes.stirred));
    return {
      status,
      world: {
        lambda: {
          ...lambda,
          state: probes.lambda === false ? "failed" : lambda.state,
          concurrencyFree: Math.max(0, limit - accountInUse(series, nowMs)),
        },
        fargate: { ...fargate, probeOk: probes.fargate, orphans },
        dns,
        alarms,
        samples,
        recent: recentTraffic(series, nowMs),
        balancerLastRequestMs: lastRequestMs(series, nowMs),
      },
    };
  }

  async commit(status: Status, events: readonly EngineEvent[] = []): Promise<void> {
    const untold = withUntold(this.#untold, { revision: status.revision, events });
    const changed = untold !== this.#untold;
    await writeStatus(this.#parts.table, status, changed ? JSON.stringify(untold) : null);
    this.#untold = untold;
  }

  /** Events that were committed, by this controller or one that died, and not told yet. */
  get untold(): readonly Untold[] {
    return this.#untold;
  }

  /** Takes note that they were told; `writeNotes` does so in the table. */
  forgetUntold(): void {
    this.#untold = [];
  }

  async apply(action: Action): Promise<void> {
    const { deployment, clients, table } = this.#parts;
    const { domain } = deployment;
    if (domain === null) {
      if (action.type === "route" && sameRoute(action.route, lambdaOnly)) return;
      throw new Error(`without a domain there is nothing to ${action.type}`);
    }
    const nowMs = this.#parts.nowMs();
    const { notes } = await readState(table);
    const memory = memoryOf(notes.memory);
    const order: OrderParts = {
      client: clients.cloudformation,
      table,
      deployment,
      memory,
      nowMs,
    };
    if (action.type === "provision") return provisionImage(order, action);
    if (action.type === "route") return this.#route(action.route, memory, nowMs);
    const { kind } = await deprovision(order);
    if (kind === "absent") await removeOrphans(this.#sweep());
  }

  /** Closes the sockets; the cloud cannot be used any more. */
  close(): void {
    closeClients(this.#parts.clients);
    closeTable(this.#parts.table);
  }

  /** The note goes first: a change that nobody remembers would count as in sync too early. */
  async #route(route: Route, memory: CloudMemory, nowMs: number): Promise<void> {
    const { deployment, clients, table } = this.#parts;
    const { domain } = deployment;
    if (domain === null) return;
    const burst = route.fargateRecord ? await this.#burst(memory, nowMs) : null;
    const change = { route, atMs: nowMs, id: null };
    await remember(table, { ...memory, change });
    const target = aliasOf(burst?.stack?.outputs ?? null);
    const id = await changeRecords(clients.route53, domain, route, target);
    await remember(table, { ...memory, change: { ...change, id } });
  }

  #burst(memory: CloudMemory, nowMs: number): Promise<BurstReading> {
    const { deployment, clients } = this.#parts;
    const { names, domain } = deployment;
    if (domain === null) return Promise.resolve({ kind: "absent", stack: null });
    const client = clients.cloudformation;
    return readBurst({ client, stackName: names.burstStack, memory, wanted: deployment, nowMs });
  }

  async #dns(
    status: Status,
    memory: CloudMemory,
    burst: BurstOutputs | null,
    nowMs: number,
  ): Promise<Observation["dns"]> {
    const { deployment, clients } = this.#parts;
    const { domain } = deployment;
    if (domain === null) return { route: lambdaOnly, inSync: true };
    const route = await readRoute(clients.route53, domain, aliasOf(burst));
    return { route, inSync: await this.#inSync(status, memory, route, nowMs) };
  }

  async #inSync(
    status: Status,
    { change }: CloudMemory,
    route: Route,
    nowMs: number,
  ): Promise<boolean> {
    // Known since then, and whatever moved meanwhile would show in the records.
    if (status.syncedAtMs !== null && sameRoute(route, status.route)) return true;
    if (change !== null && change.id !== null && sameRoute(change.route, route)) {
      return isInSync(this.#parts.clients.route53, change.id);
    }
    const sinceMs = change?.atMs ?? status.shiftedAtMs;
    return sinceMs === null || nowMs - sinceMs >= surelySyncedMs;
  }

  async #series(status: Status, burst: BurstOutputs | null, nowMs: number): Promise<SeriesRead> {
    const { deployment, clients, settings } = this.#parts;
    const balancer = burst?.AlbFullName ?? null;
    const fromMs = readFromMs(status.windowSeenMs, settings.drainQuietMs, nowMs);
    const last = this.#read;
    if (last !== null && last.balancer === balancer && last.fromMs <= fromMs) {
      if (nowMs - last.atMs < metricsEveryMs) return last;
    }
    const queries = metricQueries(deployment, burst);
    const series = await readSeries(clients.cloudwatch, queries, fromMs, nowMs);
    this.#read = { series, balancer, fromMs, atMs: nowMs };
    return this.#read;
  }

  async #concurrencyLimit(nowMs: number): Promise<number> {
    if (this.#limit === null || nowMs - this.#limit.atMs >= limitEveryMs) {
      const value = await readConcurrencyLimit(this.#parts.clients.lambda);
      this.#limit = { value, atMs: nowMs };
    }
    return this.#limit.value;
  }

  async #orphans(): Promise<readonly string[]> {
    if (this.#parts.deployment.domain === null) return [];
    return (await findOrphans(this.#sweep())).map(({ arn }) => arn);
  }

  #sweep(): Parameters<typeof findOrphans>[0] {
    const { clients, deployment } = this.#parts;
    const { app, names } = deployment;
    return { elb: clients.elb, ecs: clients.ecs, app, cluster: names.cluster };
  }

  /** A stack that is gone with everything that it made needs no more looking after. */
  async #forget(
    status: Status,
    memory: CloudMemory,
    reading: BurstReading,
    orphans: readonly string[],
  ): Promise<void> {
    if (this.#parts.readOnly || memory.stack === null || status.target !== "lambda") return;
    if (reading.kind !== "absent" || orphans.length > 0) return;
    await remember(this.#parts.table, { ...memory, stack: null });
  }

  async #noteStirring(samples: readonly Sample[], notedMs: number): Promise<void> {
    const { settings, table, readOnly = false } = this.#parts;
    if (settings.stirs === null || readOnly) return;
    const note = stirredNote(samples, settings.stirs, notedMs);
    if (note !== null) await writeNotes(table, { stirred: note });
  }

  /** Probes a tier only before traffic moves to it: probes are requests too. */
  async #probe(
    status: Status,
    serving: BurstOutputs | null,
  ): Promise<{ readonly lambda: boolean | null; readonly fargate: boolean | null }> {
    const { deployment, probe, settings, readOnly = false } = this.#parts;
    const { domain } = deployment;
    if (domain === null || readOnly) return { lambda: null, fargate: null };
    const url = new URL(settings.readinessPath, `https://${domain.name}`);
    const toFargate = status.target === "fargate" && status.route.fargate < 100;
    const toLambda = status.target === "lambda" && status.route.fargate > 0;
    const [lambda, fargate] = await Promise.all([
      toLambda ? probe({ address: domain.apiTarget, url }) : null,
      toFargate && serving !== null ? probe({ address: serving.AlbDnsName, url }) : null,
    ]);
    return { lambda, fargate };
  }
}

/** Lambda's digest can be ahead of the controller's variables only while a deployment runs. */
async function provisionImage(
  order: OrderParts,
  action: Extract<Action, { type: "provision" }>,
): Promise<void> {
  const { digest } = order.deployment;
  if (action.digest !== digest) {
    const short = (text: string): string => text.slice(0, 19);
    const message = `Lambda runs ${short(action.digest)}, the task definition ${short(digest)}`;
    throw new Error(`${message}: a deployment is under way`);
  }
  await provision(order, action.tasks);
}

function aliasOf(burst: BurstOutputs | null): AliasFacts | null {
  return burst === null ? null : { name: burst.AlbDnsName, zoneId: burst.AlbZoneId };
}

/** What a status means where there is no domain, and so no record that could be moved. */
function stayingOnLambda(status: Status): Status {
  const { target, route, override } = status;
  const stays = target === "lambda" && sameRoute(route, lambdaOnly);
  if (stays && override?.tier !== "fargate") return status;
  return { ...status, target: "lambda", route: lambdaOnly, override: null };
}
