/**
 * The client's side of DNS: a stub resolver with a cache, as each simulated client has one.
 *
 * The TTL passes on the virtual clock, packets are lost and retried in real time.
 */
import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type DecodedPacket, decode, encode } from "dns-packet";
import type { Tier } from "../../core/types.ts";
import type { Clock } from "../clock.ts";
import type { Endpoint } from "../service.ts";
import { messageBytesMax, rcode } from "./wire.ts";
import { serviceName, tierName } from "./zone.ts";

/** Where a name leads to. */
export interface Resolved {
  readonly tier: Tier;
  readonly endpoint: Endpoint;
}

/** Why a name could not be resolved. */
export type ResolveFailure = "TIMEOUT" | "NXDOMAIN" | "NODATA" | "REFUSED" | "OVERLOAD" | "CLOSED";

/** Thrown by `resolve`; the next call asks again. */
export class ResolveError extends Error {
  override readonly name = "ResolveError";
  readonly code: ResolveFailure;

  constructor(code: ResolveFailure, host: string) {
    super(`${host} can not be resolved: ${code}`);
    this.code = code;
  }
}

/** A resolver with a cache of its own. */
export interface Resolver {
  /** The cached answer, or one asked for now. Rejects with ResolveError. */
  resolve(host: string): Promise<Resolved>;
  /** The cached answer if its TTL has not expired: nothing is ever served stale. */
  cached(host: string): Resolved | null;
  close(): void;
}

/** One UDP socket that many resolvers share. */
export interface ResolverPool {
  /** Asks the server, without any cache. Rejects with ResolveError. */
  ask(host: string): Promise<Resolved & { readonly ttlSeconds: number }>;
  close(): void;
}

/** With doubling waits nearly 8 s at 250 ms, as patient as the resolver of an operating system. */
const attemptsMax = 5;
/** Queries under way; more than any sane number of clients would have. */
const pendingMax = 4096;

type Answered = Awaited<ReturnType<ResolverPool["ask"]>>;

interface Pending {
  readonly host: string;
  readonly settle: (result: Answered | ResolveFailure) => void;
}

/**
 * Opens the socket. It keeps no process alive. After `retryMs` of real time without an answer a
 * question is sent again, then after twice that time and so on, five times in all.
 */
export function openResolverPool(server: Endpoint, retryMs: number = 250): ResolverPool {
  // Connected to the server, the kernel itself drops what others send.
  const socket = createSocket("udp4");
  const pending = new Map<number, Pending>();
  const connected = connect(socket, server);
  let open = true;

  socket.on("error", () => undefined);
  socket.on("message", (packet) => {
    const message = decodeResponse(packet);
    const asked = message && pending.get(message.id ?? -1);
    const result = asked && readAnswer(message, asked.host);
    if (result) asked.settle(result);
  });

  const ask = async (name: string): Promise<Answered> => {
    const host = name.toLowerCase();
    await connected;
    if (!open) throw new ResolveError("CLOSED", host);
    if (pending.size >= pendingMax) throw new ResolveError("OVERLOAD", host);
    let id = randomInt(65_536);
    while (pending.has(id)) id = (id + 1) % 65_536;
    const query = encodeQuery(id, host);
    return new Promise((resolve, reject) => {
      let attempts = 0;
      const attempt = (): void => {
        if (attempts === attemptsMax) {
          settle("TIMEOUT");
          return;
        }
        attempts += 1;
        timer = setTimeout(attempt, retryMs * 2 ** (attempts - 1));
        // A refused datagram shows up as an error here; the retry takes care of it.
        socket.send(query, () => undefined);
      };
      const settle: Pending["settle"] = (result) => {
        clearTimeout(timer);
        pending.delete(id);
        if (typeof result === "string") reject(new ResolveError(result, host));
        else resolve(result);
      };
      let timer: NodeJS.Timeout | undefined;
      pending.set(id, { host, settle });
      attempt();
    });
  };

  const close = (): void => {
    if (!open) return;
    open = false;
    for (const { settle } of [...pending.values()]) settle("CLOSED");
    connected.then(() => socket.close());
  };
  return { ask, close };
}

async function connect(socket: Socket, server: Endpoint): Promise<void> {
  socket.connect(server.port, server.host);
  await once(socket, "connect");
  socket.unref();
}

function encodeQuery(id: number, host: string): Buffer {
  return encode({
    type: "query",
    id,
    questions: [{ type: "SRV", name: serviceName(host) }],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: messageBytesMax,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}

function decodeResponse(packet: Buffer): DecodedPacket | null {
  try {
    const message = decode(packet);
    return message.flag_qr && !message.flag_tc ? message : null;
  } catch {
    return null;
  }
}

/** What a response to our question says; `null` when it is none, so that it is ignored. */
function readAnswer(message: DecodedPacket, host: string): Answered | ResolveFailure | null {
  const question = message.questions?.[0];
  const name = serviceName(host);
  if (question?.type !== "SRV" || question.name.toLowerCase() !== name) return null;
  const code = (message.flags ?? 0) & 0xf;
  if (code === rcode.nameError) return "NXDOMAIN";
  if (code !== rcode.noError) return "REFUSED";
  const { answers = [], additionals = [] } = message;
  if (answers.length === 0) return "NODATA";
  for (const record of answers) {
    if (record.type !== "SRV" || record.name.toLowerCase() !== name) continue;
    const { target, port } = record.data;
    const tier = (["lambda", "fargate"] as const).find((one) => tierName(one, host) === target);
    const address = additionals.find((one) => one.type === "A" && one.name === target);
    // Load must not leave this machine, whatever an answer says.
    if (!tier || address?.type !== "A" || !address.data.startsWith("127.")) continue;
    return { tier, endpoint: { host: address.data, port }, ttlSeconds: record.ttl ?? 0 };
  }
  return null;
}

/** What a resolver needs; without a pool it opens a socket of its own. */
export interface ResolverOptions {
  readonly server: Endpoint;
  readonly clock: Pick<Clock, "nowMs">;
  readonly pool?: ResolverPool;
}

/** Creates a resolver with an empty cache. */
export function createResolver({ server, clock, pool }: ResolverOptions): Resolver {
  const source = pool ?? openResolverPool(server);
  const cache = new Map<string, { readonly resolved: Resolved; readonly expiresMs: number }>();
  const asking = new Map<string, Promise<Resolved>>();

  const cached = (host: string): Resolved | null => {
    const entry = cache.get(host);
    return entry && clock.nowMs() < entry.expiresMs ? entry.resolved : null;
  };
  const ask = async (host: string): Promise<Resolved> => {
    try {
      // Counted from the question: the answer is at least as young, however late it is read.
      const askedMs = clock.nowMs();
      const { tier, endpoint, ttlSeconds } = await source.ask(host);
      const resolved = { tier, endpoint };
      cache.set(host, { resolved, expiresMs: askedMs + ttlSeconds * 1000 });
      return resolved;
    } finally {
      asking.delete(host);
    }
  };
  const resolve = async (host: string): Promise<Resolved> => {
    const known = cached(host);
    if (known) return known;
    const underWay = asking.get(host) ?? ask(host);
    asking.set(host, underWay);
    return underWay;
  };
  return { resolve, cached, close: () => (pool ? undefined : source.close()) };
}
