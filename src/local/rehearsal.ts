/** A rehearsal: a service, a trace of real traffic, and one whole cycle under it. */
import { setTimeout as sleep } from "node:timers/promises";
import { type CostProfile, type CycleCost, costOfWindows } from "../core/cost.ts";
import type { Phase, Tier } from "../core/index.ts";
import { pinned } from "../core/override.ts";
import { causeOf, createJudge, ServiceFailed, type UnfinishedWay } from "./fault.ts";
import { firstAnswer } from "./first-answer.ts";
import type { Journal, TransitionRecord } from "./journal.ts";
import { leashedLeft } from "./leash.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { type Load, type LoadStats, type RequestTemplate, startLoad } from "./load/load.ts";
import type { TraceShape } from "./load/shape.ts";
import { type Local, type LocalOptions, startLocal } from "./start.ts";

/** A service, a trace, and how long to try. */
export interface RehearsalOptions {
  readonly local: LocalOptions;
  readonly shape: TraceShape;
  readonly peakPerSecond: number;
  readonly mix: readonly RequestTemplate[];
  /** What the bill is computed from; the duration on Lambda is measured. */
  readonly profile: CostProfile;
  /** Virtual time over which the trace is replayed. */
  readonly replayMs: number;
  /** Virtual time after which an unfinished cycle is given up. */
  readonly deadlineMs: number;
  readonly onProgress: (progress: Progress) => void;
  /** The load flows: it may be scaled from now on. */
  readonly onLoad?: (load: Load) => void;
  readonly signal: AbortSignal;
}

/** What a view of a running rehearsal shows, a few times a second. */
export interface Progress {
  readonly stage: "starting" | "settling" | "running" | "stopping";
  readonly local: Local | null;
  readonly load: LoadStats | null;
}

/** The outcome of one tier. */
export interface TierResult {
  readonly requests: number;
  readonly failed: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** What `lambdaflex rehearse --json` prints. Times of transitions are virtual milliseconds. */
export interface RehearsalResult {
  readonly requests: number;
  readonly failed: number;
  readonly byTier: Readonly<Record<Tier, TierResult>>;
  readonly transitions: readonly {
    readonly direction: "up" | "down";
    readonly ms: number;
    readonly phases: readonly { readonly phase: Phase | "alarm" | "hold"; readonly ms: number }[];
    readonly waits: readonly { readonly kind: string; readonly ms: number }[];
    readonly reason: string;
    /** What the engine added to the critical path, in per cent of it. */
    readonly enginePercent: number;
  }[];
  /** Ways that were begun and given up: traffic ended where it had begun. */
  readonly turnedBack: readonly {
    readonly direction: "up" | "down";
    readonly ms: number;
    readonly reason: string;
    /** Why it turned back. */
    readonly because: string;
  }[];
  readonly coldStarts: number;
  readonly cost: {
    readonly actual: number;
    readonly alwaysLambda: number;
    readonly alwaysFargate: number;
    readonly assumptions: readonly string[];
  };
  /** Processes and sockets that outlived the rehearsal. */
  readonly leftRunning: number;
  /** Whether both transitions completed. */
  readonly complete: boolean;
  /** Whether it is complete, nothing failed and nothing is left running. */
  readonly ok: boolean;
  /** Virtual length of the rehearsal and the factor to real time. */
  readonly virtualMs: number;
  readonly speed: number;
  readonly failures: LoadStats["failures"];
}

/** Why a rehearsal ended before its cycle was complete. */
export class RehearsalAborted extends Error {
  override readonly name = "RehearsalAborted";
}

/** Requests/s after the trace, if the down threshold allows for as many. */
const ebbPerSecondMax = 2;
/** The chance that a minute of the ebb is not quiet although the ebb's mean is. */
const loudMinuteChance = 0.001;

/**
 * The ebb after the trace: the highest rate at which hardly a minute reaches the threshold, so that
 * a request lost during the way down still shows. One request counts `speed` times in a minute.
 */
export function ebbPerSecond(requestsPerMinute: number, speed: number): number {
  const loud = Math.max(1, Math.ceil(requestsPerMinute / speed));
  let mean = (ebbPerSecondMax * 60) / speed;
  while (poissonTail(mean, loud) > loudMinuteChance) mean *= 0.9;
  return (mean * speed) / 60;
}

/** The chance of `count` or more events when `mean` are expected. */
function poissonTail(mean: number, count: number): number {
  let term = Math.exp(-mean);
  let below = 0;
  for (let events = 0; events < count; events += 1) {
    below += term;
    term *= mean / (events + 1);
  }
  return Math.max(0, 1 - below);
}

/**
 * Runs a whole rehearsal. Whatever happens, everything it started is stopped when it returns.
 * @throws ServiceFailed, RehearsalAborted when `signal` fires, or what the engine crashed with
 */
export async function runRehearsal(options: RehearsalOptions): Promise<RehearsalResult> {
  const { signal, onProgress } = options;
  onProgress({ stage: "starting", local: null, load: null });
  signal.throwIfAborted();
  const local = await startLocal(options.local);
  const ledger = openLedger(local);
  let load: Load | null = null;
  let stats: LoadStats | null = null;
  const startedMs = local.clock.nowMs();
  const running = new AbortController();
  try {
    const aborted = new Promise<never>((_, reject) => {
      const stop = (): void => reject(new RehearsalAborted("interrupted"));
      signal.addEventListener("abort", stop, { signal: running.signal, once: true });
    });
    aborted.catch(() => undefined);
    // An abort that came while everything was starting has found no listener.
    if (signal.aborted) throw new RehearsalAborted("interrupted");
    const guard = <T>(work: Promise<T>): Promise<T> => Promise.race([work, aborted, local.crashed]);
    onProgress({ stage: "starting", local, load: null });
    await guard(firstAnswer(local, running.signal));
    if (local.resumed) await guard(settle(local, options));
    const known = lengthsOf(local.journal);
    load = await startLoad(loadOptions(local, options));
    options.onLoad?.(load);
    const replayed = load;
    await guard(wholeCycle(local, replayed, known.transitions, options, ledger));
    blameUnfinished(local, known);
    onProgress({ stage: "stopping", local, load: load.stats() });
    stats = await load.stop();
    load = null;
    return await finish(local, stats, ledger, known, startedMs, options);
  } finally {
    running.abort();
    await load?.stop(0);
    ledger.stop();
    await local.stop();
  }
}

/** How much a journal held when the load began: what was before is not of this rehearsal. */
interface JournalLengths {
  readonly transitions: number;
  readonly turnedBack: number;
}

function lengthsOf({ transitions, turnedBack }: Journal): JournalLengths {
  return { transitions: transitions.length, turnedBack: turnedBack.length };
}

/** Brings what an interrupted run left behind back to Lambda before a new cycle begins. */
async function settle(local: Local, options: RehearsalOptions): Promise<void> {
  await local.override(pinned("lambda"));
  await until(local, options, "settling", null, async () => {
    const { target, route } = await local.status();
    const { facts } = local.plane;
    const gone = !route.fargateRecord && facts.stack === "absent";
    // The way back ends with the tick that sees it: it must not count as part of the new cycle.
    return target === "lambda" && gone && local.journal.open === null;
  });
  await local.override(null);
}

/** Virtual time of rest after the trace from which on nothing will happen any more. */
const restMaxMs = 15 * 60_000;

/** Nothing happens now, and nothing can: the crowd has left and no alarm asks for Fargate. */
function rests({ journal, plane, alarms }: Local, load: Load): boolean {
  const { quiet: _, ...busy } = alarms;
  const asked = Object.values(busy).includes("ALARM");
  return load.phase === "ebb" && !asked && journal.open === null && plane.facts.stack === "absent";
}

/** Resolves when the cycle is complete, or will never be. */
async function wholeCycle(
  local: Local,
  load: Load,
  known: number,
  options: RehearsalOptions,
  ledger: Ledger,
): Promise<void> {
  const judge = createJudge(local.faults, local.clock.speed);
  let busyAtMs = local.clock.nowMs();
  await until(local, options, "running", load, async () => {
    ledger.update();
    const nowMs = local.clock.nowMs();
    if (!rests(local, load)) busyAtMs = nowMs;
    const { lambda, fargate } = load.stats().byTier;
    const failed = { lambda: lambda.failed, fargate: fargate.failed };
    const fault = judge(nowMs, failed);
    if (fault !== null) throw new ServiceFailed(fault.kind, fault.reason);
    const directions = local.journal.transitions.slice(known).map((done) => done.direction);
    const up = directions.indexOf("up");
    const cycled = up >= 0 && directions.indexOf("down", up) > up;
    if (nowMs - busyAtMs > restMaxMs) return true;
    return cycled && load.phase === "ebb" && local.journal.open === null;
  });
}

/** A crash that only a health check has met costs no request, and the cycle all the same. */
function blameUnfinished(local: Local, known: JournalLengths): void {
  const { journal, faults, clock } = local;
  const turned = journal.turnedBack.slice(known.turnedBack);
  const ways: UnfinishedWay[] = turned.map(({ startMs, ms }) => {
    return { startMs, endMs: startMs + ms };
  });
  if (journal.open !== null) ways.push({ startMs: journal.open.startMs, endMs: clock.nowMs() });
  const complete = journal.transitions.slice(known.transitions).length >= 2;
  const fault = complete ? null : causeOf(faults, ways);
  if (fault !== null) throw new ServiceFailed(fault.kind, fault.reason);
}

/** Looks a few times a second until `done`, or until the deadline has passed. */
async function until(
  local: Local,
  options: RehearsalOptions,
  stage: Progress["stage"],
  load: Load | null,
  done: () => Promise<boolean>,
): Promise<void> {
  const realMs = 200;
  const giveUpMs = local.clock.nowMs() + options.deadlineMs;
  while (local.clock.nowMs() < giveUpMs && !options.signal.aborted) {
    options.onProgress({ stage, local, load: load?.stats() ?? null });
    if (await done()) return;
    await local.clock.sleep(realMs * local.clock.speed);
  }
}

function loadOptions(local: Local, options: RehearsalOptions): Parameters<typeof startLoad>[0] {
  const { speed, seed } = options.local;
  return {
    shape: options.shape,
    peakPerSecond: options.peakPerSecond,
    seed,
    clock: { speed, startMs: local.clock.nowMs() },
    durationMs: options.replayMs,
    ebbPerSecond: ebbPerSecond(options.local.thresholds.down.requestsPerMinute, speed),
    dns: local.dns,
    host: local.host,
    clients: 64,
    mix: options.mix,
    timeoutMs: 30_000,
  };
}

async function finish(
  local: Local,
  stats: LoadStats,
  ledger: Ledger,
  known: JournalLengths,
  startedMs: number,
  options: RehearsalOptions,
): Promise<RehearsalResult> {
  ledger.update();
  const virtualMs = local.clock.nowMs() - startedMs;
  const { coldStarts } = local.lambdaStats();
  const transitions = local.journal.transitions.slice(known.transitions);
  const turnedBack = local.journal.turnedBack.slice(known.turnedBack);
  await local.stop();
  const leftRunning = (await leashedLeft(2000)) + (await listenersLeft(2000));
  const measured = stats.byTier.lambda.p50Ms;
  const lambdaDurationMs = Math.max(1, measured ?? 1);
  const cost = costOfWindows(ledger.windows(), { ...options.profile, lambdaDurationMs });
  const complete = ["up", "down"].every((way) => transitions.some((t) => t.direction === way));
  const tier = (name: Tier): TierResult => {
    const { requests, failed, p50Ms, p99Ms } = stats.byTier[name];
    return { requests, failed, p50Ms, p99Ms };
  };
  return {
    requests: stats.requests,
    failed: stats.failed,
    byTier: { lambda: tier("lambda"), fargate: tier("fargate") },
    transitions: transitions.map(transitionResult),
    turnedBack: turnedBack.map(({ direction, ms, reason, because }) => {
      return { direction, ms: Math.round(ms), reason, because };
    }),
    coldStarts,
    cost: costResult(cost),
    leftRunning,
    complete,
    ok: complete && stats.failed === 0 && leftRunning === 0,
    virtualMs,
    speed: local.clock.speed,
    failures: stats.failures,
  };
}

const listening = new Set(["TCPServerWrap", "PipeServerWrap", "UDPWrap"]);

/** Sockets of this process that still listen; closed ones are listed until the next turn or so. */
async function listenersLeft(graceMs: number): Promise<number> {
  const untilMs = performance.now() + graceMs;
  for (;;) {
    const left = process.getActiveResourcesInfo().filter((name) => listening.has(name)).length;
    if (left === 0 || performance.now() >= untilMs) return left;
    await sleep(10);
  }
}

function transitionResult(record: TransitionRecord): RehearsalResult["transitions"][number] {
  const { direction, ms, reason, alarmMs, heldMs, engineMs } = record;
  const before = [
    { phase: "alarm" as const, ms: alarmMs },
    { phase: "hold" as const, ms: heldMs },
  ];
  const phases = [...before.filter((part) => part.ms > 0), ...record.phases];
  const waits = new Map<string, number>();
  for (const { kind, ms: spent } of record.phases.flatMap((entry) => entry.waits)) {
    waits.set(kind, (waits.get(kind) ?? 0) + spent);
  }
  return {
    direction,
    ms: Math.round(ms),
    phases: roundedParts(phases),
    waits: [...waits].map(([kind, spent]) => ({ kind, ms: Math.round(spent) })),
    reason,
    enginePercent: Math.round((engineMs / Math.max(1, ms - engineMs)) * 1000) / 10,
  };
}

/** Rounds parts so that they still sum to their rounded whole. */
function roundedParts<Name>(
  parts: readonly { readonly phase: Name; readonly ms: number }[],
): readonly { readonly phase: Name; readonly ms: number }[] {
  let end = 0;
  return parts.map(({ phase, ms }) => {
    const start = end;
    end += ms;
    return { phase, ms: Math.round(end) - Math.round(start) };
  });
}

function costResult(cost: CycleCost): RehearsalResult["cost"] {
  const all = [cost.actual, cost.alwaysLambda, cost.alwaysFargate];
  return {
    actual: cost.actual.usd,
    alwaysLambda: cost.alwaysLambda.usd,
    alwaysFargate: cost.alwaysFargate.usd,
    assumptions: [...new Set(all.flatMap((part) => part.assumptions))],
  };
}
