/** LocalCloud: the `Cloud` port over real processes, sockets and files of this machine. */
import {
  type Action,
  type AlarmName,
  type AlarmState,
  type Cloud,
  ConflictError,
  initialStatus,
  type Observation,
  type RecentTraffic,
  type Sample,
  type Status,
} from "../core/index.ts";
import type { Clock } from "./clock.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Meter } from "./meter.ts";
import type { RevisionedFile } from "./state-file.ts";

/** What LocalCloud reads and drives. */
export interface LocalCloudParts {
  readonly clock: Clock;
  readonly plane: ControlPlane;
  readonly store: RevisionedFile<Status>;
  readonly lambdaMeter: Meter;
  readonly fargateMeter: Meter;
  readonly alarms: () => Readonly<Record<AlarmName, AlarmState>>;
  /** The image that the Lambda tier runs now. */
  readonly digest: () => string;
  readonly lambdaStats: () => {
    readonly environments: number;
    readonly failure: string | null;
  };
  readonly concurrencyMax: number;
  readonly fargateStats: () => {
    readonly desired: number;
    readonly healthy: number;
    readonly digest: string;
  } | null;
  /** One request to each tier with the real Host, outside all meters. */
  readonly probeLambda: () => Promise<boolean>;
  readonly probeFargate: () => Promise<boolean>;
}

/** Span of the traffic that guards look at: long enough for a 10 % share to speak. */
const recentWindowMs = 180_000;

/** The adapter of the one port for this machine. */
export class LocalCloud implements Cloud {
  readonly #parts: LocalCloudParts;

  constructor(parts: LocalCloudParts) {
    this.#parts = parts;
  }

  async observe(): Promise<{ readonly status: Status; readonly world: Observation }> {
    const parts = this.#parts;
    // One moment for both meters: a window that closes between two reads would be seen by half.
    const nowMs = parts.clock.nowMs();
    const samples = mergeSamples(parts.lambdaMeter.samples(), parts.fargateMeter.samples()).filter(
      ({ startMs, periodMs }) => startMs + periodMs <= nowMs,
    );
    const { revision, value } = await parts.store.read();
    // A revision that was damaged counts, or no later one could ever be committed.
    const status = { ...(value ?? initialStatus()), revision };
    const burst = parts.plane.burst();
    const stats = parts.fargateStats();
    const lambda = parts.lambdaStats();
    const probes = await this.#probe(status, burst.state === "ready");
    const lambdaOk = lambda.failure === null && probes.lambda !== false;
    return {
      status,
      world: {
        lambda: {
          state: lambdaOk ? "ready" : "failed",
          digest: parts.digest(),
          concurrencyFree: Math.max(0, parts.concurrencyMax - parts.lambdaMeter.inFlight),
        },
        fargate: {
          state: burst.state,
          digest: burst.state === "absent" ? null : (stats?.digest ?? parts.plane.facts.digest),
          tasksDesired: stats?.desired ?? 0,
          tasksHealthy: stats?.healthy ?? 0,
          probeOk: probes.fargate,
          failure: burst.failure,
          orphans: [],
        },
        dns: this.#dns(),
        alarms: parts.alarms(),
        samples,
        recent: this.#recent(),
        balancerLastRequestMs: parts.fargateMeter.lastRequestMs,
      },
    };
  }

  async commit(status: Status): Promise<void> {
    const { revision: held } = await this.#parts.store.read();
    const free = held === status.revision - 1;
    if (!free || !(await this.#parts.store.write(status.revision, status))) {
      throw new ConflictError(`revision ${status.revision} is taken, the stored one is ${held}`);
    }
  }

  async apply(action: Action): Promise<void> {
    const { plane } = this.#parts;
    if (action.type === "provision") plane.provision(action.digest, action.tasks);
    else if (action.type === "route") plane.setRoute(action.route);
    else plane.deprovision();
  }

  /** Probes a tier only before traffic moves to it: probes are requests too. */
  async #probe(
    status: Status,
    burstReady: boolean,
  ): Promise<{ readonly lambda: boolean | null; readonly fargate: boolean | null }> {
    const toFargate = burstReady && status.target === "fargate" && status.route.fargate < 100;
    const toLambda = burstReady && status.target === "lambda" && status.route.fargate > 0;
    const [lambda, fargate] = await Promise.all([
      toLambda ? this.#parts.probeLambda() : null,
      toFargate ? this.#parts.probeFargate() : null,
    ]);
    return { lambda, fargate };
  }

  #dns(): Observation["dns"] {
    const { facts, inSync } = this.#parts.plane;
    // Route 53 shows a change at once; `inSync` says whether all its servers answer with it.
    return { route: facts.pendingRoute?.route ?? facts.route, inSync };
  }

  #recent(): Observation["recent"] {
    const of = (meter: Meter): RecentTraffic => meter.recent(recentWindowMs);
    return { lambda: of(this.#parts.lambdaMeter), fargate: of(this.#parts.fargateMeter) };
  }
}

/** Both tiers' windows in order of time, so that each is consumed once. */
export function mergeSamples(
  lambda: readonly Sample[],
  fargate: readonly Sample[],
): readonly Sample[] {
  return [...lambda, ...fargate].sort((a, b) => a.startMs - b.startMs);
}
