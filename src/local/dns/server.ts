/** The authoritative DNS server of the local cloud: UDP on loopback, answers only to the sender. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Endpoint } from "../service.ts";
import { rcode, readQuery, writeReply } from "./wire.ts";
import { answer, bareReply, type Zone } from "./zone.ts";

/** A zone and where to serve it. */
export interface DnsServerOptions extends Zone {
  /** Any free port when left out. */
  readonly port?: number;
  readonly onLog?: (line: string) => void;
}

/** A running server. */
export interface DnsServer {
  readonly endpoint: Endpoint;
  /** Questions answered so far. */
  queries(): number;
  stop(): Promise<void>;
}

/** Starts the server. Rejects when the port is taken. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const zone: Zone = { ...options, host: options.host.toLowerCase() };
  const socket = createSocket("udp4");
  let queries = 0;

  const reply = (packet: Buffer): Buffer | null => {
    const query = readQuery(packet);
    if (query === null) return null;
    if (query.question === null) return writeReply(query, bareReply(rcode.notImplemented));
    queries += 1;
    return writeReply(query, answer(zone, query.question));
  };
  socket.on("message", (packet, sender) => {
    const bytes = reply(packet);
    if (bytes === null) options.onLog?.(`dns: dropped ${packet.length} bytes`);
    // Nobody listens on port 0: only a forged sender names it.
    else if (sender.port !== 0) socket.send(bytes, sender.port, sender.address, () => undefined);
  });

  socket.bind({ address: "127.0.0.1", port: options.port ?? 0, exclusive: true });
  await once(socket, "listening");
  socket.on("error", (error) => options.onLog?.(`dns: ${error.message}`));
  const stopped = once(socket, "close");
  let open = true;
  return {
    endpoint: { host: "127.0.0.1", port: socket.address().port },
    queries: () => queries,
    async stop() {
      if (open) socket.close();
      open = false;
      await stopped;
    },
  };
}
