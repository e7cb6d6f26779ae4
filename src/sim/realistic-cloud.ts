/**
 * The Cloud port over a world that takes its time: stacks, DNS, clients, environments, tasks and
 * metrics each with their own delay, drawn from a seed.
 *
 * Time is virtual and moves from event to event; in between every rate is constant, so requests are
 * a fluid that is accounted for exactly. What is asked of the world is accepted at once and becomes
 * true later. Whoever wants a worse world wraps the port, or asks this one for its methods.
 */
import { alarmsAtStart } from "../core/alarms.ts";
import { type Delays, drawnDelays } from "../core/delays.ts";
import { between, type Random, seededRandom } from "../core/random.ts";
import { initialStatus, lambdaOnly, routeOf, sameRoute } from "../core/status.ts";
import {
  type Action,
  type Cloud,
  ConflictError,
  type Observation,
  type Route,
  type Sample,
  type Status,
  type Tier,
} from "../core/types.ts";
import { type Agenda, createAgenda } from "./agenda.ts";
import { type AlarmBoard, type AlarmStates, alarmBoard } from "./alarms.ts";
import { Audience } from "./audience.ts";
import { type BillParts, Meter, totalOfBill } from "./bill.ts";
import { BurstStack } from "./burst-stack.ts";
import { FargateService } from "./fargate-service.ts";
import { LambdaPool } from "./lambda-pool.ts";
import type { RealisticScenario } from "./realistic-scenario.ts";
import { type RequestTotals, TierTraffic } from "./traffic.ts";
import { DelayTally } from "./waiting.ts";

const minuteMs = 60_000;
const digest = "sha256:simulated";
/** Minutes of samples that can be read: enough for a controller that missed a few ticks. */
const minutesReadable = 10;

/** One minute as it happened. */
export interface RealisticMinute {
  readonly startMs: number;
  /** Requests per second that arrived. */
  readonly rps: number;
  /** Requests that either tier answered. */
  readonly lambda: number;
  readonly fargate: number;
  readonly throttled: number;
  readonly timedOut: number;
  readonly refused: number;
  /** In line at the balancer at the end of the minute. */
  readonly waiting: number;
  /** Fargate's share of what clients sent, 0 to 1, at the end of the minute. */
  readonly fargateShare: number;
  readonly tasksHealthy: number;
  readonly environments: number;
  /** The whole bill up to the end of the minute. */
  readonly costUsd: number;
}

/** Optional parts of a realistic cloud. */
export interface RealisticCloudOptions {
  /** Start of the first minute; a whole minute. @default 0 */
  readonly startMs?: number;
  /** The tier that serves at the start; Fargate is then deployed already. @default "lambda" */
  readonly startOn?: Tier;
  readonly onMinute?: ((minute: RealisticMinute) => void) | undefined;
}

/** The simulated cloud, in virtual time. */
export class RealisticCloud implements Cloud {
  readonly #scenario: RealisticScenario;
  readonly #rps: Float64Array;
  readonly #startMs: number;
  readonly #onMinute: ((minute: RealisticMinute) => void) | undefined;
  readonly #random: Random;
  readonly #delays: Delays;
  readonly #agenda: Agenda = createAgenda();
  readonly #audience: Audience;
  readonly #pool: LambdaPool;
  readonly #service: FargateService;
  readonly #meter: Meter;
  readonly #stack: BurstStack;
  readonly #board: AlarmBoard;
  readonly #traffic = {
    lambda: new TierTraffic("lambda"),
    fargate: new TierTraffic("fargate"),
  };
  /** Delays that requests met on top of their service time. */
  readonly #tally = new DelayTally();
  #nowMs: number;
  #status: Status = initialStatus();
  #route: Route = lambdaOnly;
  #inSync = true;
  #cancelRoute = (): void => undefined;
  #alarms: AlarmStates = alarmsAtStart;
  #woken = false;
  #samples: readonly Sample[] = [];
  #publishedMs = 0;
  #alarmedMs = 0;
  #balancerLastRequestMs: number | null = null;
  #arrived = 0;
  #refused = 0;
  #refusedBefore = 0;
  #coldStarts = 0;
  #queued = 0;

  constructor(
    rps: Float64Array,
    scenario: RealisticScenario,
    seed: number,
    options: RealisticCloudOptions = {},
  ) {
    this.#scenario = scenario;
    this.#rps = rps;
    this.#startMs = options.startMs ?? 0;
    this.#nowMs = this.#startMs;
    this.#onMinute = options.onMinute;
    this.#random = seededRandom(seed);
    this.#delays = drawnDelays(this.#random, scenario.delays);
    const onFargate = options.startOn === "fargate";
    this.#audience = new Audience(scenario.clients, scenario.engine.ttlMs, onFargate ? 100 : 0);
    this.#pool = new LambdaPool(scenario.lambda, scenario.profile.lambdaDurationMs);
    this.#service = new FargateService(scenario, this.#agenda, this.#delays, this.#tally);
    this.#meter = new Meter(scenario);
    this.#stack = new BurstStack({
      agenda: this.#agenda,
      delays: this.#delays,
      meter: this.#meter,
      service: this.#service,
    });
    this.#board = alarmBoard(scenario.thresholds, scenario.lambda.concurrencyMax);
    if (onFargate) this.#startOnFargate();
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get status(): Status {
    return this.#status;
  }

  /** What became of all requests so far. */
  get requests(): RequestTotals {
    const { lambda, fargate } = this.#traffic;
    return {
      arrived: this.#arrived,
      lambda: lambda.served,
      fargate: fargate.served,
      throttled: lambda.failed,
      timedOut: fargate.failed,
      refused: this.#refused,
      waiting: this.#service.waiting,
    };
  }

  /** Requests that waited for a new environment. */
  get coldStarts(): number {
    return this.#coldStarts;
  }

  /** Requests that waited for a task. */
  get queued(): number {
    return this.#queued;
  }

  get bill(): BillParts {
    return this.#meter.bill(this.#nowMs, this.#service.taskSeconds);
  }

  /** The latency that a share of the answered requests exceeded; `null` without any. */
  latencyMs(exceeding: number): number | null {
    return this.#tally.latencyMs(exceeding, this.#scenario.profile.lambdaDurationMs);
  }

  async observe(): Promise<{ readonly status: Status; readonly world: Observation }> {
    const { lambda, fargate } = this.#traffic;
    const state = this.#stack.tierState;
    const { concurrencyMax } = this.#scenario.lambda;
    return {
      status: this.#status,
      world: {
        lambda: {
          state: "ready",
          digest,
          concurrencyFree: concurrencyMax - Math.ceil(this.#pool.concurrencyAt(this.#lambdaRps())),
        },
        fargate: {
          state,
          digest: this.#stack.exists ? digest : null,
          tasksDesired: this.#service.desired,
          tasksHealthy: state === "ready" ? this.#service.healthy : 0,
          probeOk: state === "ready" ? true : null,
          failure: null,
          orphans: [],
        },
        dns: { route: this.#route, inSync: this.#inSync },
        alarms: this.#alarms,
        samples: this.#samples,
        recent: { lambda: lambda.recent(this.#nowMs), fargate: fargate.recent(this.#nowMs) },
        balancerLastRequestMs: this.#balancerLastRequestMs,
      },
    };
  }

  async commit(status: Status): Promise<void> {
    if (status.revision !== this.#status.revision + 1) throw new ConflictError("stale revision");
    this.#status = status;
  }

  async apply(action: Action): Promise<void> {
    if (action.type === "provision") this.#stack.create(this.#tasks(action.tasks), this.#nowMs);
    else if (action.type === "deprovision") this.#deprovision();
    else this.#shift(action.route);
  }

  /** Lets time pass, but not beyond an alarm that goes off. Tells whether one did. */
  advanceTo(untilMs: number): boolean {
    this.#woken = false;
    this.#agenda.runDue(this.#nowMs);
    while (this.#nowMs < untilMs && !this.#woken) {
      const nextMs = this.#nextMs(untilMs);
      this.#flow(this.#nowMs, nextMs);
      this.#nowMs = nextMs;
      if ((nextMs - this.#startMs) % minuteMs === 0) this.#closeMinute(nextMs - minuteMs);
      this.#agenda.runDue(nextMs);
    }
    return this.#woken;
  }

  #rateAt(atMs: number): number {
    return this.#rps[Math.floor((atMs - this.#startMs) / minuteMs)] ?? 0;
  }

  #lambdaRps(): number {
    const share = this.#audience.fargateShare(this.#nowMs, this.#nowMs);
    return this.#rateAt(this.#nowMs) * (1 - share);
  }

  #nextMs(untilMs: number): number {
    const nowMs = this.#nowMs;
    const elapsedMs = nowMs - this.#startMs;
    const minuteEndMs = this.#startMs + (Math.floor(elapsedMs / minuteMs) + 1) * minuteMs;
    const bendMs = this.#audience.nextBendMs(nowMs);
    // While clients move, the rates of the tiers change steadily: ten steps are even enough.
    const moving = bendMs === Number.POSITIVE_INFINITY ? bendMs : this.#scenario.engine.ttlMs / 10;
    const stepMs = Math.min(
      Math.max(1, moving),
      this.#service.stepMsMax,
      this.#pool.stepMsMax(this.#lambdaRps(), nowMs),
    );
    return Math.min(untilMs, minuteEndMs, bendMs, this.#agenda.nextMs, nowMs + stepMs);
  }

  /** Everything that arrives between two moments, at constant rates. */
  #flow(fromMs: number, toMs: number): void {
    const seconds = (toMs - fromMs) / 1000;
    const arrived = this.#rateAt(fromMs) * seconds;
    const toFargate = arrived * this.#audience.fargateShare(fromMs, toMs);
    this.#arrived += arrived;
    const { reachable } = this.#stack;
    if (!reachable) this.#refused += toFargate;
    else this.#noteRequest(toFargate, toMs);
    const { served, queued, timedOut, excess } = this.#service.serve(
      reachable ? toFargate : 0,
      seconds,
      reachable,
    );
    this.#queued += queued;
    this.#meter.fargate(served + timedOut);
    const { fargate, lambda } = this.#traffic;
    if (served + timedOut > 0) {
      fargate.add(fromMs, { served, failed: timedOut });
      const delaySeconds = served > 0 ? this.#service.waiting / (served / seconds) : 0;
      fargate.noteDelay(this.#service.waiting > 0 ? queued : 0, delaySeconds);
    }
    const step = this.#pool.serve(arrived - toFargate + excess, fromMs, toMs);
    this.#coldStarts += step.coldStarts;
    this.#meter.lambda(step.served, step.throttled, step.coldStarts);
    const { coldStartSeconds } = this.#scenario.lambda;
    this.#tally.add(step.served - step.coldStarts, 0);
    this.#tally.add(step.coldStarts, coldStartSeconds);
    lambda.add(fromMs, { served: step.served, failed: step.throttled });
    lambda.noteDelay(step.coldStarts, coldStartSeconds);
    const rps = seconds > 0 ? (arrived - toFargate + excess) / seconds : 0;
    lambda.noteConcurrency(this.#pool.concurrencyAt(rps));
  }

  /** A trickle is still single requests: whether one came in time is a matter of chance. */
  #noteRequest(requests: number, atMs: number): void {
    if (requests > 0 && this.#random() >= Math.exp(-requests)) this.#balancerLastRequestMs = atMs;
  }

  /** The minute's samples: they can be read later, and alarms look at them later still. */
  #closeMinute(startMs: number): void {
    const { lambda, fargate } = this.#traffic;
    const serviceMs = this.#scenario.profile.lambdaDurationMs;
    const samples = [lambda.closeMinute(startMs, serviceMs)];
    const onFargate = fargate.closeMinute(startMs, serviceMs);
    if (this.#stack.exists || onFargate.requests > 0) samples.push(onFargate);
    const [min, max] = this.#scenario.metricLagSeconds;
    const lagMs = Math.max(minuteMs, Math.round(between(this.#random, min, max) * 1000));
    this.#publishedMs = Math.max(this.#publishedMs, startMs + lagMs);
    const alarmMs = this.#publishedMs + Math.round(this.#delays.alarmMs());
    this.#alarmedMs = Math.max(this.#alarmedMs, alarmMs);
    this.#agenda.at(this.#publishedMs, () => {
      this.#samples = [...this.#samples.slice(-2 * minutesReadable), ...samples];
      if (this.#stack.reachable) this.#service.evaluate(onFargate.requests, this.#nowMs);
    });
    this.#agenda.at(this.#alarmedMs, () => this.#evaluateAlarms(samples));
    this.#report(samples[0], onFargate);
  }

  #report(onLambda: Sample | undefined, onFargate: Sample): void {
    const refused = this.#refused - this.#refusedBefore;
    this.#refusedBefore = this.#refused;
    if (this.#onMinute === undefined || onLambda === undefined) return;
    this.#onMinute({
      startMs: onFargate.startMs,
      rps: this.#rateAt(onFargate.startMs),
      lambda: onLambda.requests - onLambda.errors,
      fargate: onFargate.requests - onFargate.errors,
      throttled: onLambda.errors,
      timedOut: onFargate.errors,
      refused,
      waiting: this.#service.waiting,
      fargateShare: this.#audience.fargateShare(this.#nowMs, this.#nowMs),
      tasksHealthy: this.#service.healthy,
      environments: this.#pool.environments,
      costUsd: totalOfBill(this.bill),
    });
  }

  #evaluateAlarms(samples: readonly Sample[]): void {
    const before = this.#alarms;
    this.#alarms = this.#board(samples, this.#stack.exists);
    if (this.#alarms === before) return;
    for (const [name, state] of Object.entries(this.#alarms)) {
      if (state === "ALARM" && before[name as keyof AlarmStates] !== "ALARM") this.#woken = true;
    }
  }

  /** Ideal scaling begins with the fewest tasks: it has more as soon as it needs them. */
  #tasks(tasks: number): number {
    const { fargate, profile } = this.#scenario;
    return fargate.autoscaling === "ideal" ? profile.tasksMin : tasks;
  }

  #deprovision(): void {
    const lost = this.#stack.remove(this.#nowMs);
    if (lost > 0) this.#traffic.fargate.add(this.#nowMs, { served: 0, failed: lost });
  }

  /** Route 53 shows a change at once; clients get it when all servers answer with it. */
  #shift(route: Route): void {
    if (sameRoute(route, this.#route)) return;
    this.#cancelRoute();
    this.#route = route;
    this.#inSync = false;
    const dueMs = this.#nowMs + Math.round(this.#delays.dnsMs());
    this.#cancelRoute = this.#agenda.at(dueMs, () => {
      this.#inSync = true;
      this.#audience.answer(route.fargate, dueMs);
    });
  }

  /** Deployed beforehand, with as many tasks as the first minute needs. */
  #startOnFargate(): void {
    const { profile, engine } = this.#scenario;
    const wanted = Math.ceil((this.#rps[0] ?? 0) / profile.requestsPerSecondPerTask);
    const tasks = Math.min(engine.tasksMax, Math.max(engine.tasksMin, wanted));
    const nowMs = this.#nowMs;
    this.#stack.create(this.#tasks(tasks), nowMs, true);
    this.#route = routeOf(100);
    const since = { targetSinceMs: nowMs, healthySinceMs: nowMs, syncedAtMs: nowMs };
    this.#status = { ...initialStatus(), ...since, target: "fargate", tasks, route: this.#route };
  }
}
