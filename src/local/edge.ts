/**
 * One stable address in front of both tiers, for people and their tools.
 *
 * It does what a client does: each new connection goes to the address that the service's name
 * resolves to, and stays there until it is closed. It looks into no byte of it.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Endpoint } from "./service.ts";

/** A running edge. */
export interface Edge {
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

/** Where the edge listens and how it looks the service up. */
export interface EdgeOptions {
  /** Port to listen on; 0 = any free. */
  readonly port: number;
  /** Looks the service's name up, honouring the TTL. */
  readonly resolve: () => Promise<Endpoint>;
  readonly connectionsMax?: number;
}

/** Starts listening on loopback. Rejects with EADDRINUSE when the port is taken. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    void forward(client, options, open);
  });
  server.maxConnections = options.connectionsMax ?? 1024;
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  // Too many open files: this connection is lost, the next one may be accepted again.
  server.on("error", () => undefined);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return {
    endpoint: { host: "127.0.0.1", port },
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function forward(client: Socket, options: EdgeOptions, open: Set<Socket>): Promise<void> {
  track(client, open);
  try {
    const target = await options.resolve();
    if (client.destroyed) return;
    const upstream = connect({ ...target, noDelay: true, allowHalfOpen: true });
    track(upstream, open);
    client.on("close", () => upstream.destroy());
    // What the tier has said before it closed is still on its way to a slow client.
    upstream.on("close", () => client.destroySoon());
    client.pipe(upstream);
    upstream.pipe(client);
  } catch {
    client.destroy();
  }
}

function track(socket: Socket, open: Set<Socket>): void {
  open.add(socket);
  socket.on("error", () => socket.destroy());
  socket.on("close", () => open.delete(socket));
}
