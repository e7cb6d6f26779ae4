/** Tells the service, and whoever asks on this machine, how its stack is doing. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TickResult } from "../core/index.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Endpoint } from "./service.ts";

/** A read-only JSON document over HTTP. */
export interface StatusServer {
  readonly endpoint: Endpoint;
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves `read()` as JSON to each GET on loopback. Other methods get 405. */
export async function startStatusServer(read: () => unknown): Promise<StatusServer> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return;
    }
    const body = JSON.stringify(read());
    response.writeHead(200, {
      "content-type": "application/json",
      "cache-control": "no-store",
      "content-length": Buffer.byteLength(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = { host: "127.0.0.1", port };
  return {
    endpoint,
    url: `http://127.0.0.1:${port}/`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
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
