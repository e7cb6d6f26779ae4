/** The stream of a local cloud: what the page and a recording see of `dev` and `rehearse`. */
import { type AlarmDefinition, alarmDefinitions } from "../core/alarms.ts";
import type { CostProfile } from "../core/cost.ts";
import type {
  AlarmName,
  AlarmState,
  EngineEvent,
  Status,
  TickResult,
  Tier,
} from "../core/index.ts";
import { type Outlook, outlookOf } from "../core/outlook.ts";
import { pinned, shifted, stayOf } from "../core/override.ts";
import type {
  Control,
  RecordedRequest,
  RunHead,
  RunRecord,
  RunStream,
  Snapshot,
  TierReading,
} from "../core/record.ts";
import { snapshotOf } from "../core/snapshot.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { type Load, loadFactorMax, loadFactorMin } from "./load/load.ts";
import type { Local, LocalOptions } from "./start.ts";

/** Real time between two snapshots. */
const snapshotRealMs = 250;
/** Real time that rates are the mean of. */
const rateRealMs = 1000;

/** What is streamed. */
export interface LocalStreamOptions {
  readonly command: "dev" | "rehearse";
  readonly local: Omit<LocalOptions, "stateFolder">;
  /** What costs are computed from; the duration on Lambda is measured once there are requests. */
  readonly profile: CostProfile;
  /** The mix that is sent, if it is us who send. */
  readonly requests?: readonly RecordedRequest[];
}

/** A stream with the ends that the local cloud is plugged into. */
export interface LocalStream extends RunStream {
  readonly onTick: (result: TickResult, atMs: number) => void;
  readonly onAlarm: (name: AlarmName, state: AlarmState, atMs: number) => void;
  /** The cloud runs: snapshots follow from now on. */
  attach(local: Local): void;
  /** Requests are made by us: people may change how many. */
  attachLoad(load: Load): void;
  /** What the policy waits for, asked when somebody wants to know; `null` before the first tick. */
  outlook(): Outlook | null;
  /** The last record of a run that came to its end. */
  end(ok: boolean, message: string): void;
  /** Stops the snapshots. */
  stop(): void;
}

type Seen = Extract<TickResult, { ok: true }> & { readonly atMs: number };

/** A head is one line, which has an end: so many characters of requests are kept in it. */
const requestCharactersMax = 32_768;
/** Recordings are handed on: what proves who somebody is stays here. */
const confidential = /^(?:proxy-)?authorization$|^cookie$|key|token|secret/i;

function recordable(requests: readonly RecordedRequest[]): readonly RecordedRequest[] {
  let left = requestCharactersMax;
  return requests.flatMap(({ method, path, headers, body }) => {
    const open = Object.entries(headers).filter(([name]) => !confidential.test(name));
    const request = { method, path, headers: Object.fromEntries(open), body };
    left -= JSON.stringify(request).length;
    return left < 0 ? [] : [request];
  });
}

/** Creates a stream that nobody reads yet. */
export function createLocalStream(options: LocalStreamOptions): LocalStream {
  const { command, local: cloudOptions } = options;
  const { service, speed, startMs } = cloudOptions;
  const listeners = new Set<(record: RunRecord) => void>();
  const emit = (record: RunRecord): void => {
    for (const listener of listeners) listener(record);
  };
  const look = createLook(options);
  let seen: Seen | null = null;
  let asked: Status | null = null;
  let outlook: Outlook | null = null;
  let windowSeenMs = startMs - 1;
  let endedMs = startMs;
  const snapshot = (): void => {
    if (seen === null) return;
    const shot = look.snapshot(seen);
    if (shot !== null) emit({ type: "snapshot", snapshot: shot });
  };
  const head: RunHead = {
    type: "run",
    version: 1,
    atMs: startMs,
    service: service.name,
    command,
    speed,
    ...(options.requests && { requests: recordable(options.requests) }),
  };
  return {
    head,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    controls: command === "dev" ? ["shift", "pin", "auto"] : ["shift", "pin", "auto", "load"],
    control: (wanted) => obey(wanted, look, cloudOptions),
    onTick(result, atMs) {
      if (!result.ok) return;
      for (const event of result.step.events) emit({ type: "event", event });
      look.remember(result.step.events);
      for (const sample of result.world.samples) {
        if (sample.startMs > windowSeenMs) emit({ type: "window", sample });
      }
      windowSeenMs = Math.max(windowSeenMs, result.world.samples.at(-1)?.startMs ?? 0);
      seen = { ...result, atMs };
      endedMs = atMs;
      snapshot();
    },
    onAlarm: (name, state, atMs) => emit({ type: "alarm", atMs, name, state }),
    attach: (running) => look.attach(running, snapshot),
    attachLoad: (load) => look.attachLoad(load),
    outlook() {
      if (seen === null) return null;
      const { status } = seen.step;
      // It takes some milliseconds, and its answer changes with each window at most.
      if (asked?.policyState !== status.policyState || asked.target !== status.target) {
        outlook = outlookOf(cloudOptions.policy, status, seen.world, look.nowMs() ?? seen.atMs);
        asked = status;
      }
      return outlook;
    },
    end(ok, message) {
      emit({ type: "end", atMs: look.nowMs() ?? endedMs, ok, message });
    },
    stop: look.stop,
  };
}

/** Looks at a running local cloud. */
interface Look {
  readonly load: Load | null;
  readonly local: Local | null;
  nowMs(): number | null;
  attach(local: Local, snapshot: () => void): void;
  attachLoad(load: Load): void;
  /** Keeps why the target is what it is. */
  remember(events: readonly EngineEvent[]): void;
  snapshot(seen: Seen): Snapshot | null;
  stop(): void;
}

function createLook({ local: cloudOptions, profile }: LocalStreamOptions): Look {
  const { thresholds, sizes, service, policy, settings } = cloudOptions;
  const definitions: readonly AlarmDefinition[] = alarmDefinitions(
    thresholds,
    sizes.lambda.concurrencyMax,
  );
  let local: Local | null = null;
  let load: Load | null = null;
  let ledger: Ledger | null = null;
  let cancel = (): void => undefined;
  let switchReason: string | null = null;
  const rates = { lambda: createRate(), fargate: createRate() };

  const reading = (tier: Tier, from: TierReading, running: Local): TierReading => {
    const meter = running.meters[tier];
    const { requests, errors } = meter.totals;
    const { clock } = running;
    return {
      ...from,
      requestsPerSecond: rates[tier].perSecond(requests, clock.nowMs() / clock.speed),
      latencyMsP50: meter.latency?.p50Ms ?? null,
      latencyMsP99: meter.latency?.p99Ms ?? null,
      // A client also knows of the answers that never came.
      failed: Math.max(errors, load?.stats().byTier[tier].failed ?? 0),
    };
  };
  return {
    get load() {
      return load;
    },
    get local() {
      return local;
    },
    nowMs: () => local?.clock.nowMs() ?? null,
    attach(running, snapshot) {
      if (local !== null) return;
      local = running;
      ledger = openLedger(running);
      cancel = running.clock.every(snapshotRealMs * running.clock.speed, snapshot);
    },
    attachLoad(made) {
      load = made;
    },
    remember(events) {
      const told = events.find(({ type }) => type === "decision" || type === "failure");
      if (told !== undefined) switchReason = told.message;
    },
    snapshot(seen) {
      if (local === null || ledger === null) return null;
      ledger.update();
      const nowMs = local.clock.nowMs();
      const measured = load?.stats().byTier.lambda.p50Ms ?? local.meters.lambda.latency?.p50Ms;
      const shot = snapshotOf({
        ...seen,
        service: service.name,
        policy: policy.name,
        nowMs,
        status: seen.step.status,
        settings,
        definitions,
        environments: local.lambdaStats().environments,
        switchReason,
        windows: ledger.windows(),
        profile: { ...profile, lambdaDurationMs: measured ?? profile.lambdaDurationMs },
      });
      const { tiers, wait } = shot;
      const tasks = local.fargateStats();
      const { effectiveRoute } = local.plane;
      const leftMs = wait?.leftMs == null ? null : Math.max(0, wait.leftMs - (nowMs - seen.atMs));
      const fargate = {
        ...tiers.fargate,
        weight: effectiveRoute.fargate,
        running: tasks?.healthy ?? 0,
        desired: tasks?.desired ?? 0,
      };
      return {
        ...shot,
        route: effectiveRoute,
        inSync: local.plane.inSync,
        wait: wait === null ? null : { ...wait, leftMs },
        tiers: {
          lambda: reading("lambda", { ...tiers.lambda, weight: effectiveRoute.lambda }, local),
          fargate: reading("fargate", fargate, local),
        },
        loadFactor: load?.factor ?? null,
      };
    },
    stop() {
      cancel();
      ledger?.stop();
    },
  };
}

/** The rate of a count over the last second or so. */
function createRate(): { perSecond(count: number, realMs: number): number } {
  const past: { readonly count: number; readonly realMs: number }[] = [];
  return {
    perSecond(count, realMs) {
      past.push({ count, realMs });
      while ((past[1]?.realMs ?? realMs) <= realMs - rateRealMs) past.shift();
      const then = past[0] ?? { count, realMs };
      return ((count - then.count) * 1000) / Math.max(rateRealMs, realMs - then.realMs);
    },
  };
}

async function obey(
  wanted: Control,
  look: Look,
  { settings }: LocalStreamOptions["local"],
): Promise<string> {
  const { local, load } = look;
  if (local === null) throw new Error("the local cloud is still starting");
  if (wanted.type === "load") {
    if (load === null) throw new Error("the load does not flow yet");
    const factor = Math.min(loadFactorMax, Math.max(loadFactorMin, wanted.factor));
    load.scale(factor);
    return `the load is ${factor} × the trace from now on`;
  }
  if (wanted.type === "auto") {
    await local.override(null);
    return "the policy decides again";
  }
  const { type, tier } = wanted;
  if (type === "pin") {
    await local.override(pinned(tier));
    return `pinned to ${tier} until somebody says otherwise`;
  }
  const dwellMs = { lambda: settings.dwellLambdaMs, fargate: settings.dwellFargateMs };
  const stayMs = stayOf({ dwellMs }, tier);
  await local.override(shifted(tier, local.clock.nowMs(), stayMs));
  return `shifts to ${tier} and stays for ${Math.round(stayMs / 60_000)} minutes at least`;
}
