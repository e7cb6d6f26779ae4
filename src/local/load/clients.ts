/**
 * The simulated clients. Each has a DNS cache and keep-alive connections of its own, and treats
 * them as browsers do:
 * - a request goes out on an idle connection to the address that DNS names now, or on a new one;
 * - one client in ten is sticky: it stays on any open connection until the server closes that;
 * - a request that was lost because the server closed a reused connection is sent once more,
 *   if that can not do harm twice.
 */
import { type Random, seededRandom } from "../../core/random.ts";
import type { Tier } from "../../core/types.ts";
import { afterPoll } from "../after-poll.ts";
import type { Clock } from "../clock.ts";
import { createResolver, openResolverPool, type Resolved, type Resolver } from "../dns/resolver.ts";
import type { Endpoint } from "../service.ts";
import { type Connection, type Outcome, openConnection } from "./connection.ts";
import type { LoadRequest } from "./request.ts";

/** What the clients need. */
export interface ClientsOptions {
  readonly count: number;
  readonly seed: number;
  readonly host: string;
  readonly dns: Endpoint;
  readonly clock: Pick<Clock, "nowMs">;
  /** Real time after which a request has failed. */
  readonly timeoutMs: number;
}

/** Called once per request, with the tier that it went to. */
export type Finished = (tier: Tier | null, outcome: Outcome) => void;

/** All simulated clients together. */
export interface Clients {
  readonly outstanding: number;
  /** Sends a request as one of the clients. */
  send(client: number, request: LoadRequest, finished: Finished): void;
  /** Closes everything; what is outstanding fails with `reason`. */
  close(reason: string): void;
}

/** Requests under way at once, over all clients. */
export const outstandingMax: number = 20_000;
const stickyShare = 0.1;
/** A connection that was idle for longer is closed by its client. */
const idleMsMax = 5000;
/**
 * Writes go only on connections that were in use this recently: they can not be sent again when the
 * server closes an idle connection at the same moment.
 */
const idleMsMaxForWrites = 500;
const sweepMs = 100;

interface Lane {
  readonly tier: Tier;
  readonly connection: Connection;
}

interface Client {
  readonly resolver: Resolver;
  readonly sticky: boolean;
  /** The most recently used last. */
  readonly idle: Lane[];
}

/** One request under way. */
interface Exchange {
  readonly client: Client;
  readonly request: LoadRequest;
  readonly finished: Finished;
  readonly startedMs: number;
  lane: Lane | null;
  retried: boolean;
  settled: boolean;
}

/** What all clients have in common. */
interface Fleet {
  readonly host: string;
  /** In the order in which they were sent. */
  readonly outstanding: Set<Exchange>;
  readonly lanes: Set<Lane>;
}

/** Creates the clients; they open no connection before their first request. */
export function createClients(options: ClientsOptions): Clients {
  const { host, dns, clock, timeoutMs } = options;
  const pool = openResolverPool(dns);
  const random: Random = seededRandom(options.seed ^ 0x2c1b3c6d);
  const clients = Array.from({ length: options.count }, (): Client => {
    const resolver = createResolver({ server: dns, clock, pool });
    return { resolver, sticky: random() < stickyShare, idle: [] };
  });
  const fleet: Fleet = { host, outstanding: new Set(), lanes: new Set() };
  const { outstanding, lanes } = fleet;
  const sweep = setInterval(() => {
    const nowMs = performance.now();
    for (const exchange of outstanding) {
      if (nowMs - exchange.startedMs < timeoutMs) break;
      abandon(fleet, exchange, `no answer within ${timeoutMs} ms`);
    }
    for (const { idle } of clients) closeIdle(idle, nowMs);
  }, sweepMs);

  return {
    get outstanding() {
      return outstanding.size;
    },
    send(index, request, finished) {
      const client = clients[index];
      if (client === undefined || outstanding.size >= outstandingMax) {
        finished(null, failure("client overload"));
        return;
      }
      const startedMs = performance.now();
      const state = { lane: null, retried: false, settled: false };
      const exchange: Exchange = { client, request, finished, startedMs, ...state };
      outstanding.add(exchange);
      start(fleet, exchange, false);
    },
    close(reason) {
      clearInterval(sweep);
      for (const exchange of [...outstanding]) abandon(fleet, exchange, reason);
      for (const lane of [...lanes]) lane.connection.destroy(reason);
      pool.close();
    },
  };
}

/** Finds a connection for a request; with `fresh` none that was used before. */
function start(fleet: Fleet, exchange: Exchange, fresh: boolean): void {
  const { resolver, sticky } = exchange.client;
  const anywhere = sticky && !fresh ? takeIdle(exchange, null) : null;
  if (anywhere) {
    reuse(fleet, exchange, anywhere);
    return;
  }
  const known = resolver.cached(fleet.host);
  if (known) {
    route(fleet, exchange, known, fresh);
    return;
  }
  resolver.resolve(fleet.host).then(
    (resolved) => route(fleet, exchange, resolved, fresh),
    (error: Error) => settle(fleet, exchange, null, failure(`dns: ${error.message}`)),
  );
}

function route(fleet: Fleet, exchange: Exchange, resolved: Resolved, fresh: boolean): void {
  if (exchange.settled) return;
  const lane = fresh ? null : takeIdle(exchange, resolved.endpoint);
  if (lane) reuse(fleet, exchange, lane);
  else write(fleet, exchange, open(fleet, exchange.client, resolved), true);
}

function open({ lanes }: Fleet, { idle }: Client, { tier, endpoint }: Resolved): Lane {
  const connection = openConnection(endpoint, () => {
    lanes.delete(lane);
    const at = idle.indexOf(lane);
    if (at >= 0) idle.splice(at, 1);
  });
  const lane: Lane = { tier, connection };
  lanes.add(lane);
  return lane;
}

function reuse(fleet: Fleet, exchange: Exchange, lane: Lane): void {
  if (exchange.request.idempotent) {
    write(fleet, exchange, lane, false);
    return;
  }
  // Look whether the server has closed it meanwhile, as OkHttp does for all but GET.
  afterPoll(() => {
    if (lane.connection.open) write(fleet, exchange, lane, false);
    else start(fleet, exchange, false);
  });
}

function write(fleet: Fleet, exchange: Exchange, lane: Lane, fresh: boolean): void {
  const { client, request } = exchange;
  if (exchange.settled) {
    lane.connection.destroy("not needed");
    return;
  }
  exchange.lane = lane;
  lane.connection.send(request.wire, (outcome) => {
    exchange.lane = null;
    if (lane.connection.open) client.idle.push(lane);
    if (outcome.type === "failure" && sendsAgain(fleet, exchange, outcome, fresh)) {
      exchange.retried = true;
      start(fleet, exchange, true);
    } else settle(fleet, exchange, lane.tier, outcome);
  });
}

function sendsAgain(
  { host }: Fleet,
  { client, request, settled, retried }: Exchange,
  { responded, connected }: Outcome & { type: "failure" },
  fresh: boolean,
): boolean {
  if (settled || retried) return false;
  const lost = !fresh && !responded && request.idempotent;
  // Nobody listens at an address whose TTL ran out meanwhile: ask for the new one first.
  const moved = fresh && !connected && client.resolver.cached(host) === null;
  return lost || moved;
}

function settle(
  { outstanding }: Fleet,
  exchange: Exchange,
  tier: Tier | null,
  outcome: Outcome,
): void {
  if (exchange.settled) return;
  exchange.settled = true;
  outstanding.delete(exchange);
  exchange.finished(tier, outcome);
}

function abandon(fleet: Fleet, exchange: Exchange, reason: string): void {
  const { lane } = exchange;
  settle(fleet, exchange, lane?.tier ?? null, failure(reason));
  lane?.connection.destroy(reason);
}

function closeIdle(idle: readonly Lane[], nowMs: number): void {
  // A copy, because closing removes from the list.
  for (const { connection } of [...idle]) {
    if (!isUsable(connection, idleMsMax, nowMs)) connection.destroy("idle");
  }
}

/** Takes the client's idle connection to `endpoint`, or to anywhere, that was used last. */
function takeIdle({ client, request }: Exchange, endpoint: Endpoint | null): Lane | null {
  const nowMs = performance.now();
  const idleMs = request.idempotent ? idleMsMax : idleMsMaxForWrites;
  for (let at = client.idle.length - 1; at >= 0; at -= 1) {
    const lane = client.idle[at];
    if (!lane) continue;
    const { host, port } = lane.connection.endpoint;
    if (endpoint && (host !== endpoint.host || port !== endpoint.port)) continue;
    if (!isUsable(lane.connection, idleMs, nowMs)) continue;
    client.idle.splice(at, 1);
    return lane;
  }
  return null;
}

/** A server's own keep-alive time is honoured with a margin, so that it does not close first. */
function isUsable(connection: Connection, idleMs: number, nowMs: number): boolean {
  const promisedMs = (connection.keepAliveSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const marginMs = Math.min(1000, promisedMs / 2);
  return nowMs - connection.idleSinceMs < Math.min(idleMs, promisedMs - marginMs);
}

function failure(error: string): Outcome {
  return { type: "failure", error, responded: false, connected: false };
}
