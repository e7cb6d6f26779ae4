/** Open-loop traffic over all lives of lambdaflex, with every request on record. */
import { setTimeout as sleep } from "node:timers/promises";
import { createArrivals } from "../../src/local/load/arrivals.ts";
import { type Clients, createClients } from "../../src/local/load/clients.ts";
import { createWriter, faultOf, type LoadRequest } from "../../src/local/load/request.ts";
import { parseTrace } from "../../src/local/load/shape.ts";
import type { Endpoint } from "../../src/local/service.ts";
import type { Failure } from "./account.ts";
import { ebb, mix, peakPerSecond, speed } from "./service.ts";

/** Traffic that flows towards whatever life there is. */
export interface Traffic {
  readonly requests: number;
  readonly failures: readonly Failure[];
  /** How many are sent, and not yet answered. */
  readonly inFlight: number;
  /** Real milliseconds since the traffic was made. */
  nowMs(): number;
  /** Lets requests flow to a service that runs. */
  flow(host: string): void;
  /** The crowd comes, or leaves. */
  crowd(here: boolean): void;
  /** No new requests: there is nobody who could take them. */
  hold(): void;
  /** Resolves when all are answered, or `graceMs` (real) has passed: then they have failed. */
  settle(reason: string, graceMs: number): Promise<void>;
}

const clientCount = 24;
/** Longer than the longest freeze, and than the time that a function may take. */
const timeoutMs = 20_000;
const settleLookMs = 5;
const livesMax = 1000;

/** Arrivals at one rate, for longer than any scenario takes. */
const steady = {
  shape: parseTrace("0,1\n60,1\n", "steady"),
  peakPerSecond,
  replayMs: 3_600_000,
  ebbPerSecond: 0,
  clients: clientCount,
  weights: mix.map(({ weight }) => weight),
};

/** Prepares traffic whose names `dns` resolves. */
export function makeTraffic(dns: Endpoint, seed: number): Traffic {
  const begunMs = performance.now();
  const nowMs = (): number => performance.now() - begunMs;
  const failures: Failure[] = [];
  let inFlight = 0;
  let factor = 1;
  let requests = 0;
  let clients: Clients | null = null;
  let timer: NodeJS.Timeout | undefined;
  let life = 0;

  const send = (request: LoadRequest, client: number): void => {
    const sentMs = nowMs();
    requests += 1;
    inFlight += 1;
    clients?.send(client, request, (tier, outcome) => {
      inFlight -= 1;
      const status = outcome.type === "answer" ? outcome.answer.status : null;
      const error = outcome.type === "answer" ? faultOf(request, outcome.answer) : outcome.error;
      if (error === null) return;
      const [method = "", path = ""] = request.wire.text.split(" ", 2);
      const { id } = request;
      failures.push({ id, method, path, tier, status, error, sentMs, endedMs: nowMs() });
    });
  };
  return {
    get requests() {
      return requests;
    },
    failures,
    get inFlight() {
      return inFlight;
    },
    nowMs,
    flow(host) {
      life += 1;
      // Of each life its own, so that no two requests of a run have the same name.
      const lifeSeed = seed * livesMax + life;
      const clock = { nowMs: () => performance.now() * speed };
      clients = createClients({ count: clientCount, seed: lifeSeed, host, dns, clock, timeoutMs });
      const writers = mix.map((template) => createWriter(template, host, lifeSeed));
      const next = createArrivals({ ...steady, seed: lifeSeed, factor: () => factor });
      const fromMs = nowMs();
      let due = next();
      const arrive = (): void => {
        for (; due !== null && fromMs + due.atMs <= nowMs(); due = next()) {
          const request = writers[due.template]?.(due);
          if (request) send(request, due.client);
        }
        if (due !== null) timer = setTimeout(arrive, Math.max(1, fromMs + due.atMs - nowMs()));
      };
      arrive();
    },
    crowd(here) {
      factor = here ? 1 : ebb;
    },
    hold: () => clearTimeout(timer),
    async settle(reason, graceMs) {
      clearTimeout(timer);
      const untilMs = nowMs() + graceMs;
      while (inFlight > 0 && nowMs() < untilMs) await sleep(settleLookMs);
      clients?.close(reason);
      clients = null;
    },
  };
}
