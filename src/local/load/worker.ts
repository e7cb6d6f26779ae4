/** The load generator's thread: sends each arrival at its time, reports five times a second. */
import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { scaledClock } from "../clock.ts";
import { type Arrival, createArrivals } from "./arrivals.ts";
import { createClients } from "./clients.ts";
import type { Outcome } from "./connection.ts";
import type { LoadOrder, LoadReport, LoadWorkerData } from "./load.ts";
import { createWriter, faultOf, type LoadRequest } from "./request.ts";
import { createTally } from "./tally.ts";

const reportMs = 200;
const batchMax = 100;

function run(data: LoadWorkerData, port: NonNullable<typeof parentPort>): void {
  const { seed, host, dns, timeoutMs, mix } = data;
  const { speed, startMs } = data.clock;
  const sinceCallMs = Number(process.hrtime.bigint() - data.calledAtNs) / 1e6;
  const clock = scaledClock(speed, startMs + sinceCallMs * speed);
  const replayMs = data.durationMs / speed;
  const clients = createClients({ count: data.clients, seed, host, dns, clock, timeoutMs });
  const writers = mix.map((template) => createWriter(template, host, seed));
  let factor = 1;
  const nextArrival = createArrivals({
    ...data,
    factor: () => factor,
    replayMs,
    weights: mix.map(({ weight }) => weight),
  });
  const tally = createTally();
  const begunMs = performance.now();
  const elapsedMs = (): number => performance.now() - begunMs;

  const send = (arrival: Arrival): void => {
    const write = writers[arrival.template];
    assert.ok(write);
    const request = write(arrival);
    tally.late(elapsedMs() - arrival.atMs);
    clients.send(arrival.client, request, (tier, outcome) => {
      const latencyMs = elapsedMs() - arrival.atMs;
      const { template } = request;
      tally.ended({ atMs: clock.nowMs(), tier, template, latencyMs, ...judge(request, outcome) });
      if (stopping && clients.outstanding === 0) finish();
    });
  };

  const report = (): void => {
    const stats = tally.snapshot(performance.now(), clients.outstanding);
    const phase = elapsedMs() < replayMs ? "replay" : "ebb";
    port.postMessage({ stats, phase } satisfies LoadReport);
  };
  const reports = setInterval(report, reportMs);

  let stopping = false;
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    clearInterval(reports);
    clients.close("stopped before the answer came");
    report();
    port.close();
  };
  port.on("message", (order: LoadOrder) => {
    if ("factor" in order) {
      factor = order.factor;
      return;
    }
    const { graceMs } = order;
    cancelArrivals();
    stopping = true;
    if (clients.outstanding === 0) finish();
    else setTimeout(finish, graceMs).unref();
  });
  report();
  const cancelArrivals = schedule(nextArrival, elapsedMs, send);
}

/** Calls `send` for each arrival at its time, until the returned function is called. */
function schedule(
  nextArrival: () => Arrival | null,
  elapsedMs: () => number,
  send: (arrival: Arrival) => void,
): () => void {
  let next = nextArrival();
  let timer: NodeJS.Timeout | undefined;
  const arrive = (): void => {
    // The batch is bounded so that answers are read even when more is due than can be sent.
    for (let sent = 0; sent < batchMax && next !== null && next.atMs <= elapsedMs(); sent += 1) {
      const due = next;
      next = nextArrival();
      send(due);
    }
    if (next === null) return;
    // The wait is bounded because Node's timers are.
    const waitMs = Math.min(Math.max(0, next.atMs - elapsedMs()), 60_000);
    timer = setTimeout(arrive, waitMs);
  };
  arrive();
  return () => clearTimeout(timer);
}

function judge(
  request: LoadRequest,
  outcome: Outcome,
): { readonly status: number | null; readonly error: string | null } {
  if (outcome.type === "failure") return { status: null, error: outcome.error };
  return { status: outcome.answer.status, error: faultOf(request, outcome.answer) };
}

assert.ok(parentPort, "runs in a worker thread");
run(workerData as LoadWorkerData, parentPort);
