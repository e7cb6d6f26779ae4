/** The service that chaos runs: it keeps an account of its own, which survives its death. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestTemplate } from "../../src/local/load/load.ts";

/** Virtual seconds per real second: a whole cycle takes about ten real seconds. */
export const speed = 180;
/** Requests/s when the crowd is there. */
export const peakPerSecond = 100;
/** Share of the peak that remains when it has left. */
export const ebb = 0.02;

/**
 * Each process writes `R <id>` when a request has reached it and `A <id>` when its answer has left,
 * and `L` when it listens, with synchronous writes, so that the kernel keeps them whatever happens
 * to the process next.
 */
const server = `
const { createServer } = require("node:http");
const { openSync, writeSync } = require("node:fs");
const { join } = require("node:path");
const file = process.env.LAMBDAFLEX_TIER + "-" + process.pid + ".log";
const account = openSync(join(process.env.CHAOS_ACCOUNTS, file), "a");
createServer((request, response) => {
  const id = request.headers["x-request-id"];
  const note = (what) => id && writeSync(account, what + " " + id + "\\n");
  note("R");
  response.on("finish", () => note("A"));
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    if (id) response.setHeader("x-request-id", id);
    const waitMs = Number(/\\/wait\\/(\\d+)/.exec(request.url)?.[1] ?? 0);
    setTimeout(() => response.end(request.method + " " + request.url + " " + body), waitMs);
  });
}).listen(Number(process.env.PORT), "127.0.0.1", () => writeSync(account, "L\\n"));
`;

/** Reads and writes; each takes 1 to 50 ms, so that there is always something in flight. */
export const mix: readonly RequestTemplate[] = [
  { method: "GET", path: "/wait/{n}?t={token}", weight: 2, expect: [200], echo: true },
  {
    method: "POST",
    path: "/wait/{n}?t={token}",
    body: '{"token":"{token}"}',
    weight: 1,
    expect: [200],
    echo: true,
  },
];

const config = {
  name: "chaos",
  command: "node server.cjs",
  readiness: { timeoutSeconds: 30 },
  // A busy machine starts environments slowly: what waits for one must not be throttled.
  lambda: { timeoutSeconds: 15, concurrencyMax: 1000 },
  fargate: { minTasks: 2, maxTasks: 3, requestsPerTaskPerMinute: 100_000 },
  thresholds: {
    up: { requestsPerMinute: 3600, periods: 1, of: 1 },
    down: { requestsPerMinute: 720, minutes: 2 },
  },
  transition: {
    stepPercents: [50, 100],
    bakeSeconds: 30,
    healthySeconds: 10,
    probes: 2,
    dwellMinutes: 0,
    cooldownMinutes: 0,
    drainQuietMinutes: 2,
    pollSeconds: 5,
    deadlines: { provisioningMinutes: 240, shiftingMinutes: 240, deprovisioningMinutes: 240 },
  },
};

/** Where a run of chaos takes place. */
export interface Place {
  /** Removed when the scenario is over. */
  readonly root: string;
  /** The service and its configuration. */
  readonly folder: string;
  /** What the processes of the service wrote. */
  readonly accounts: string;
  /** The state folder of the local cloud. */
  readonly state: string;
}

/** Makes a fresh place. */
export function makePlace(): Place {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "lambdaflex-chaos-")));
  const place = {
    root,
    folder: join(root, "service"),
    accounts: join(root, "accounts"),
    state: join(root, "service", ".lambdaflex"),
  };
  for (const folder of [place.folder, place.accounts, place.state]) mkdirSync(folder);
  const env = { CHAOS_ACCOUNTS: place.accounts };
  writeFileSync(join(place.folder, "server.cjs"), server);
  writeFileSync(join(place.folder, "lambdaflex.json"), JSON.stringify({ ...config, env }));
  return place;
}
