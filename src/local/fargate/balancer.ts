/**
 * The application load balancer of the local cloud: an HTTP/1.1 reverse proxy on loopback.
 *
 * Node's own server reads the requests, strictly; the way to the targets is ours (see upstream.ts).
 */
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Meter } from "../meter.ts";
import type { Endpoint } from "../service.ts";
import { type AdmissionRules, type Admitted, admit, wantsTunnel } from "./admission.ts";
import { answerPlainly, clientGone, type Exchange, plainHead, startExchange } from "./exchange.ts";
import { createTargetGroup, type HealthCheck, type TargetState } from "./targets.ts";
import { startTunnel } from "./tunnel.ts";

/** How a balancer behaves. */
export interface BalancerOptions {
  readonly clock: Clock;
  readonly meter: Meter;
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly healthCheck: HealthCheck;
  /** How long a target that leaves may take for its last requests; virtual milliseconds. */
  readonly deregistrationDelayMs: number;
  /** Age at which a client connection ends with its next answer; virtual milliseconds. */
  readonly clientKeepAliveMs: number;
  /** Silence that ends a client connection; real milliseconds. */
  readonly idleTimeoutMs: number;
  /** Standstill of a target after which a request gets 504; real milliseconds. */
  readonly requestTimeoutMs: number;
  /** When set, requests for any other host get 404 and are not counted. The port is ignored. */
  readonly hosts?: readonly string[];
  readonly onLog?: (line: string) => void;
  /** A request, as "GET /path", got something from its target that is no answer. */
  readonly onMalformed?: (request: string, detail: string) => void;
  /** A request, as "GET /path", was given up without a byte of an answer; real milliseconds. */
  readonly onUnanswered?: (request: string, waitedMs: number) => void;
}

/** What is to be seen of a target. */
export interface TargetView {
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly state: TargetState;
  /** What the last health check found wrong, `null` if it passed. */
  readonly reason: string | null;
  readonly outstanding: number;
  readonly requests: number;
}

/** A running balancer. */
export interface Balancer {
  readonly endpoint: Endpoint;
  /** Adds a target, which gets requests once it is healthy. Returns its id. */
  register(target: Endpoint): string;
  /** No new requests; resolves when its last ones are done or the delay has passed. */
  deregister(id: string): Promise<void>;
  targets(): readonly TargetView[];
  /** Calls `changed` whenever a target's state has changed, until the result is called. */
  watch(changed: () => void): () => void;
  /** One request with its own path and Host that no meter counts. True for 200 to 299. */
  probe(path: string, timeoutMs: number): Promise<boolean>;
  /** Serves on until no request is in flight, but at most 2 s; then closes everything. */
  stop(): Promise<void>;
}

const host = "127.0.0.1";
/** As an application load balancer: the whole head of a request. */
const requestHeadBytesMax = 64 * 1024;
/** Client connections at once; what comes beyond is closed. */
const connectionsMax = 8192;
const stopRealMsMax = 2000;

/** A client connection and the requests on it, more than one if the client pipelines. */
interface Client {
  readonly sinceMs: number;
  readonly exchanges: Set<Exchange>;
}

/** Starts a balancer without targets on loopback. */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { clock, meter } = options;
  const onLog = options.onLog ?? ((): void => undefined);
  const watchers = new Set<() => void>();
  const onChange = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  const group = createTargetGroup({ ...options, onLog, onChange });
  const clients = new Map<Socket, Client>();
  /** Local ports of our own probes: nobody else can send from them at the same time. */
  const probes = new Set<number>();
  let stopping = false;
  let serving = 0;
  let onQuiet = (): void => undefined;

  const server = createServer({
    maxHeaderSize: requestHeadBytesMax,
    keepAliveTimeout: options.idleTimeoutMs,
    headersTimeout: options.idleTimeoutMs,
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(30_000, Math.max(100, options.idleTimeoutMs / 4)),
    insecureHTTPParser: false,
    noDelay: true,
    shouldUpgradeCallback: wantsTunnel,
  });
  server.maxConnections = connectionsMax;
  server.setTimeout(options.idleTimeoutMs);
  const rules = (): AdmissionRules => ({
    hosts: options.hosts ? new Set(options.hosts.map((name) => name.toLowerCase())) : null,
    port: (server.address() as AddressInfo).port,
    traceId: traceIds(clock),
  });

  /** Counts a request in; the returned function counts it out with its status. */
  const count = (socket: Socket): ((status: number) => void) => {
    if (probes.has(socket.remotePort ?? 0)) return () => undefined;
    const begunMs = clock.nowMs();
    meter.started();
    serving += 1;
    return (status) => {
      serving -= 1;
      meter.finished({ status, latencyMs: clock.realMs(clock.nowMs() - begunMs) });
      if (serving === 0) onQuiet();
    };
  };

  const serve = (request: IncomingMessage, response: ServerResponse, admitted: Admitted): void => {
    const client = clients.get(request.socket);
    if (!client) return;
    const counted = count(request.socket);
    const begunMs = clock.nowMs();
    const exchange = startExchange(request, response, admitted, {
      group,
      onLog,
      onMalformed: options.onMalformed ?? ((): void => undefined),
      closes: () => stopping || clock.nowMs() - client.sinceMs >= options.clientKeepAliveMs,
      onOver(status) {
        client.exchanges.delete(exchange);
        counted(status);
        if (status !== 504 && (status !== clientGone || response.headersSent)) return;
        const waitedMs = clock.realMs(clock.nowMs() - begunMs);
        options.onUnanswered?.(`${request.method} ${request.url}`, waitedMs);
      },
    });
    client.exchanges.add(exchange);
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const admitted = admit(request, admission, false);
    if ("head" in admitted) {
      serve(request, response, admitted);
      return;
    }
    onLog(`${admitted.status} ${request.method} ${request.url}: ${admitted.reason}`);
    response.shouldKeepAlive = false;
    answerPlainly(response, admitted.status);
  };

  server.on("request", onRequest);
  server.on("checkContinue", onRequest);
  server.on("upgrade", (request: IncomingMessage, socket: Socket, early: Buffer) => {
    const admitted = admit(request, admission, true);
    if ("status" in admitted) {
      socket.on("error", () => undefined).end(plainHead(admitted.status));
      return;
    }
    const { idleTimeoutMs } = options;
    startTunnel(request, socket, early, admitted, {
      group,
      onLog,
      onAnswered: count(socket),
      idleTimeoutMs,
    });
  });
  server.on("connection", (socket: Socket) => {
    const client: Client = { sinceMs: clock.nowMs(), exchanges: new Set() };
    clients.set(socket, client);
    socket.on("close", () => {
      clients.delete(socket);
      for (const exchange of [...client.exchanges]) exchange.abort();
    });
  });
  server.on("timeout", (socket: Socket) => {
    const waiting = [...(clients.get(socket)?.exchanges ?? [])];
    // A client that waits for a slow target is silent too; the target has its own time-out.
    if (waiting.length > 0 && !waiting.some((exchange) => exchange.clientStalls())) {
      socket.setTimeout(options.idleTimeoutMs);
    } else socket.destroy();
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const admission = rules();

  return {
    endpoint: { host, port: admission.port },
    register: (target) => group.register(target),
    deregister: (id) => group.deregister(id),
    targets: () =>
      group.targets.map(({ id, endpoint, state, reason, outstanding, requests }) => {
        return { id, endpoint, state, reason, outstanding, requests };
      }),
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    probe: (path, timeoutMs) =>
      probe({ host, port: admission.port }, path, timeoutMs, options.hosts?.[0], probes),
    async stop() {
      if (stopping) return;
      stopping = true;
      if (serving > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, stopRealMsMax);
          onQuiet = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of clients.keys()) socket.destroy();
      group.stop();
      await closed;
    },
  };
}

/** Sends one request through the balancer; its port is noted in `probes` while it lasts. */
function probe(
  endpoint: Endpoint,
  path: string,
  timeoutMs: number,
  name: string | undefined,
  probes: Set<number>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { connection: "close", ...(name !== undefined && { host: name }) };
    const request = get({ host: endpoint.host, port: endpoint.port, path, agent: false, headers });
    let port = 0;
    const timer = setTimeout(() => request.destroy(), timeoutMs);
    request.on("socket", (socket) => {
      socket.on("connect", () => {
        port = socket.localPort ?? 0;
        probes.add(port);
      });
    });
    const settle = (good: boolean): void => {
      clearTimeout(timer);
      probes.delete(port);
      resolve(good);
    };
    request.on("response", (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.on("close", () =>
        settle(response.complete && statusCode >= 200 && statusCode < 300),
      );
    });
    request.on("error", () => settle(false));
    request.on("close", () => settle(false));
  });
}

/**
 * Ids in the format of AWS X-Ray: version, seconds, 96 bits. They must be unique, not secret, so a
 * counter beside the process id will do.
 */
function traceIds(clock: Clock): () => string {
  const prefix = process.pid.toString(16).padStart(8, "0");
  let count = 0;
  return () => {
    count += 1;
    const seconds = Math.floor(clock.nowMs() / 1000)
      .toString(16)
      .padStart(8, "0");
    return `Root=1-${seconds}-${prefix}${count.toString(16).padStart(16, "0")}`;
  };
}
