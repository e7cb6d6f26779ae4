/**
 * Ports for processes of the service. They are promised before anybody listens, so they are taken
 * from a range that no system hands out by itself: a connection that leaves this machine, or a
 * server that takes any port, would else get one of them in between.
 */
import { createServer } from "node:net";

const host = "127.0.0.1";
/** Below 32,768, where Linux begins to hand out; other systems and IANA begin at 49,152. */
const first = 20_000;
const count = 10_000;

const promised = new Set<number>();
/** Where other lambdaflex processes of this machine are unlikely to look just now. */
let next = (process.pid * 7919) % count;

/** What a service prints when somebody else listens on its port. */
export const portTaken: RegExp =
  /EADDRINUSE|\b(address|connection|port \d+)( is| was)?( already)? in use\b/i;

/** A port that was free a moment ago and is promised to nobody else, until it is given back. */
export interface PromisedPort {
  readonly port: number;
  giveBack(): void;
}

/** Promises a port of loopback. Rejects when all of them are taken, or none can be listened on. */
export async function promisePort(): Promise<PromisedPort> {
  for (let tried = 0; tried < count; tried += 1) {
    const port = first + next;
    next = (next + 1) % count;
    if (promised.has(port)) continue;
    promised.add(port);
    if (await isFree(port)) return { port, giveBack: () => void promised.delete(port) };
    promised.delete(port);
  }
  throw new Error(`no port from ${first} to ${first + count - 1} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      if (code === "EADDRINUSE" || code === "EACCES") resolve(false);
      else reject(new Error(`cannot listen on ${host}: ${message}`));
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
