/** Tells the service, and whoever asks on this machine, how its stack is doing. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { TickResult } from "../core/index.ts";
import type { ControlPlane } from "./control-plane.ts";
import { processes, type Sandboxes } from "./sandbox.ts";
import type { Endpoint } from "./service.ts";

/** A read-only JSON document over HTTP. */
export interface StatusServer {
  readonly endpoint: Endpoint;
  readonly url: string;
  /** The same address as the service's sandboxes know it. */
  readonly urlForService: string;
  stop(): Promise<void>;
}

/** What those who look on from outside may ask besides. */
export interface Onlookers {
  /** Answers `GET /snapshot`; `null` = 503, there is none yet. */
  snapshot(): unknown;
  /** `POST /wake`: somebody changed the status. */
  wake(): void;
}

const nobody: Onlookers = { snapshot: () => null, wake: () => undefined };

/** Serves `read()` as JSON to each GET on loopback, to onlookers more. Other methods get 405. */
export async function startStatusServer(
  read: () => unknown,
  onlookers: Onlookers = nobody,
  here: Sandboxes["here"] = processes.here,
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    request.resume();
    if (!fromHere(request, here)) {
      response.writeHead(403).end();
      return;
    }
    const { method, url } = request;
    if (method === "POST" && url === "/wake") {
      onlookers.wake();
      response.writeHead(204).end();
      return;
    }
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const found = url === "/snapshot" ? onlookers.snapshot() : read();
    const body = JSON.stringify(found);
    response.writeHead(found === null ? 503 : 200, {
      "content-type": "application/json",
      "cache-control": "no-store",
      "content-length": Buffer.byteLength(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  server.listen(0, here.listen);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = { host: here.listen, port };
  return {
    endpoint,
    url: `http://${here.listen}:${port}/`,
    urlForService: `http://${here.host}:${port}/`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Pages of other origins, and names that only resolve to this machine, have no business here. */
function fromHere({ headers }: IncomingMessage, here: Sandboxes["here"]): boolean {
  const host = headers.host?.replace(/:\d+$/, "") ?? "";
  const ours = ["127.0.0.1", "localhost", here.listen, here.host];
  return headers.origin === undefined && ours.includes(host);
}

/** What `/stack-status` of a service shows. */
export function statusDocument(latest: TickResult | null, plane: ControlPlane | null): unknown {
  if (latest === null || !latest.ok || plane === null) {
    const weights = { lambda: 100, fargate: 0 };
    return { target: "lambda", phase: "steady", weights, stack: "unknown" };
  }
  const { step, world } = latest;
  const { lambda, fargate } = plane.facts.route;
  return {
    target: step.status.target,
    phase: step.phase,
    weights: { lambda, fargate },
    stack: world.fargate.state,
    tasks: world.fargate.tasksHealthy,
    digest: world.lambda.digest,
    wait: step.wait?.message ?? null,
  };
}
