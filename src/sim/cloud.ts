/**
 * The Cloud port over the ideal cost model, in virtual time: the engine's own tick runs against it
 * and pays what the model says.
 *
 * A deployment takes exactly the scenario's minutes, weights count at once, and a way that was
 * begun is finished: as soon as the last weight leaves Fargate the burst tier is on its way out.
 */
import { alarmsAtStart } from "../core/alarms.ts";
import { initialStatus, lambdaOnly } from "../core/status.ts";
import {
  type Action,
  type Cloud,
  ConflictError,
  type EngineSettings,
  type FargateFacts,
  type LambdaFacts,
  type Observation,
  type RecentTraffic,
  type Route,
  type RouteFacts,
  type Sample,
  type Status,
} from "../core/types.ts";
import type { Economics } from "../policies/economics.ts";
import type { AlarmBoard, AlarmStates } from "./alarms.ts";
import type { MinuteCosts } from "./model.ts";
import { sampleOf } from "./replay.ts";

const minuteMs = 60_000;
const digest = "sha256:simulated";
const lambdaFacts: LambdaFacts = {
  state: "ready",
  digest,
  concurrencyFree: Number.MAX_SAFE_INTEGER,
};
const absent: FargateFacts = {
  state: "absent",
  digest: null,
  tasksDesired: 0,
  tasksHealthy: 0,
  probeOk: null,
  failure: null,
  orphans: [],
};
const silence: RecentTraffic = { windowMs: 2 * minuteMs, requests: 0, errors: 0 };
const recent = { lambda: silence, fargate: silence };
const nothing: readonly Sample[] = [];

/** Engine settings under which a cycle takes exactly what the cost model says. */
export function idealSettings(economics: Economics, tasksMax = 1000): EngineSettings {
  const never = Number.MAX_SAFE_INTEGER;
  return {
    ttlMs: 0,
    stepPercents: [100],
    stepPercentsDown: [0],
    bakeMs: 0,
    healthyMs: 0,
    probesMin: 1,
    tasksMin: economics.tasksMin,
    tasksMax: Math.max(tasksMax, economics.tasksMin),
    drainQuietMs: 0,
    drainMaxMs: 0,
    // A begun deployment is finished: the model knows no way back from half of it.
    dwellFargateMs: economics.upMinutes * minuteMs,
    dwellLambdaMs: 0,
    errorMargin: 1,
    errorRequestsMin: never,
    deadlineMs: { provisioning: never, shifting: never, deprovisioning: never },
    backoffMs: minuteMs,
    backoffMaxMs: minuteMs,
    pollMs: minuteMs,
    idleMs: minuteMs,
  };
}

/** What a simulated load has cost so far. */
export interface Bill {
  readonly costUsd: number;
  readonly minutesOnFargate: number;
  readonly provisions: number;
}

/** Optional parts of a simulated cloud. */
export interface SimCloudOptions {
  /** Start of the first minute; a whole minute. */
  readonly startMs?: number;
  /** Without it the alarms stay as they are at the start. */
  readonly alarms?: AlarmBoard;
}

/** The simulated cloud. `advance` pays for the minute that a tick has just decided on. */
export class SimCloud implements Cloud {
  readonly #costs: MinuteCosts;
  readonly #startMs: number;
  #minute = 0;
  #status: Status = initialStatus();
  #fargate: FargateFacts = absent;
  /** When the present way ends; only read while starting or stopping. */
  #wayEndsMs = 0;
  #route: Route = lambdaOnly;
  #dns: RouteFacts = { route: lambdaOnly, inSync: true };
  /** Which tier served the minutes that the metrics have not shown yet. */
  readonly #served: Uint8Array;
  #costUsd = 0;
  #minutesOnFargate = 0;
  #provisions = 0;
  readonly #board: AlarmBoard | undefined;
  #alarms: AlarmStates = alarmsAtStart;
  #samples: readonly Sample[] = nothing;

  constructor(costs: MinuteCosts, options: SimCloudOptions = {}) {
    this.#costs = costs;
    this.#startMs = options.startMs ?? 0;
    this.#board = options.alarms;
    this.#served = new Uint8Array(costs.economics.metricLagMinutes + 1);
  }

  get nowMs(): number {
    return this.#startMs + this.#minute * minuteMs;
  }

  get status(): Status {
    return this.#status;
  }

  get bill(): Bill {
    return {
      costUsd: this.#costUsd,
      minutesOnFargate: this.#minutesOnFargate,
      provisions: this.#provisions,
    };
  }

  async observe(): Promise<{ readonly status: Status; readonly world: Observation }> {
    return {
      status: this.#status,
      world: {
        lambda: lambdaFacts,
        fargate: this.#fargate,
        dns: this.#dns,
        alarms: this.#alarms,
        samples: this.#samples,
        recent,
        balancerLastRequestMs: null,
      },
    };
  }

  async commit(status: Status): Promise<void> {
    if (status.revision !== this.#status.revision + 1) throw new ConflictError("stale revision");
    this.#status = status;
  }

  async apply(action: Action): Promise<void> {
    if (action.type === "provision") this.#provision(action.tasks);
    else if (action.type === "deprovision") this.#stop();
    else this.#shift(action.route);
  }

  /** Pays for the present minute and lets it pass. */
  advance(): void {
    const { economics, lambdaUsd, fargateUsd } = this.#costs;
    const onFargate = this.#route.fargate > 0 && this.#fargate.state === "ready";
    if (onFargate) {
      this.#costUsd += fargateUsd[this.#minute] ?? 0;
      this.#minutesOnFargate += 1;
    } else {
      this.#costUsd += lambdaUsd[this.#minute] ?? 0;
      if (this.#fargate.state !== "absent") this.#costUsd += economics.baseUsdPerMinute;
    }
    this.#served[this.#minute % this.#served.length] = onFargate ? 1 : 0;
    this.#minute += 1;
    this.#progress();
    this.#samples = this.#newestSamples();
    if (this.#samples === nothing || this.#board === undefined) return;
    this.#alarms = this.#board(this.#samples, this.#fargate.state !== "absent");
  }

  #progress(): void {
    if (!this.#dns.inSync) this.#dns = { route: this.#route, inSync: true };
    const { state, tasksDesired } = this.#fargate;
    if (state !== "starting" && state !== "stopping") return;
    if (this.nowMs < this.#wayEndsMs) return;
    this.#fargate =
      state === "stopping"
        ? absent
        : { ...this.#fargate, state: "ready", tasksHealthy: tasksDesired, probeOk: true };
  }

  #provision(tasks: number): void {
    if (this.#fargate.state !== "absent") return;
    this.#fargate = { ...absent, state: "starting", digest, tasksDesired: tasks };
    this.#wayEndsMs = this.nowMs + this.#costs.economics.upMinutes * minuteMs;
    this.#provisions += 1;
  }

  #stop(): void {
    const { state } = this.#fargate;
    if (state === "absent" || state === "stopping") return;
    this.#fargate = { ...this.#fargate, state: "stopping", tasksHealthy: 0, probeOk: null };
    this.#wayEndsMs = this.nowMs + this.#costs.economics.downMinutes * minuteMs;
    this.#costUsd += this.#costs.economics.removalUsd;
  }

  #shift(route: Route): void {
    const leaves = this.#route.fargate > 0 && route.fargate === 0;
    this.#route = route;
    this.#dns = { route, inSync: false };
    if (leaves) this.#stop();
  }

  #newestSamples(): readonly Sample[] {
    const seen = this.#minute - this.#costs.economics.metricLagMinutes;
    const rps = this.#costs.rps[seen];
    if (seen < 0 || rps === undefined) return nothing;
    const tier = this.#served[seen % this.#served.length] === 1 ? "fargate" : "lambda";
    return [sampleOf(tier, this.#startMs + seen * minuteMs, rps * 60)];
  }
}
