/**
 * The Fargate service behind its balancer: tasks that start and stop, target tracking that follows
 * late, and requests that wait meanwhile.
 *
 * Requests that no task has time for wait in one line (a fluid queue); below full load they wait
 * as Erlang C says, with as many servers as the tasks answer at once.
 */
import type { Delays } from "../core/delays.ts";
import { type ScalingDirection, trackTarget } from "../core/scaling.ts";
import type { Agenda } from "./agenda.ts";
import type { RealisticScenario } from "./realistic-scenario.ts";
import { type DelayTally, erlangC } from "./waiting.ts";

/** What became of the requests of one step. */
export interface FargateStep {
  readonly served: number;
  /** Of those served: they had to wait. */
  readonly queued: number;
  readonly timedOut: number;
  /** Requests that nobody had time for, where Lambda answers those. */
  readonly excess: number;
}

interface Task {
  healthy: boolean;
  /** Since when it is billed, `null` before its image is pulled. */
  billedFromMs: number | null;
  readonly cancel: (() => void)[];
}

/** Tasks, line and scaling of one service. */
export class FargateService {
  readonly #scenario: RealisticScenario;
  readonly #agenda: Agenda;
  readonly #delays: Delays;
  readonly #tally: DelayTally;
  #tasks: Task[] = [];
  #healthy = 0;
  /** Tasks that are billed now, the stopping ones included. */
  #billed = 0;
  #taskSeconds = 0;
  #waiting = 0;
  readonly #asking = { out: 0, in: 0 };
  #lastScaledMs: number | null = null;
  #lastDirection: ScalingDirection | null = null;

  constructor(scenario: RealisticScenario, agenda: Agenda, delays: Delays, tally: DelayTally) {
    this.#scenario = scenario;
    this.#agenda = agenda;
    this.#delays = delays;
    this.#tally = tally;
  }

  get desired(): number {
    return this.#tasks.length;
  }

  get healthy(): number {
    return this.#healthy;
  }

  /** Requests in line. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Seconds of tasks that were billed so far. */
  get taskSeconds(): number {
    return this.#taskSeconds;
  }

  /** Starts or stops tasks; `running` ones need no start. */
  scaleTo(count: number, nowMs: number, running = false): void {
    while (this.#tasks.length < count) this.#start(nowMs, running);
    while (this.#tasks.length > count) {
      const unready = this.#tasks.findLastIndex(({ healthy }) => !healthy);
      const [task] = this.#tasks.splice(unready >= 0 ? unready : this.#tasks.length - 1, 1);
      if (task !== undefined) this.#stop(task, nowMs);
    }
  }

  /** Stops everything; whoever waits gets an error. Returns how many those are. */
  remove(nowMs: number): number {
    this.scaleTo(0, nowMs);
    this.#lastScaledMs = null;
    this.#lastDirection = null;
    this.#asking.out = 0;
    this.#asking.in = 0;
    const lost = this.#waiting;
    this.#waiting = 0;
    return lost;
  }

  /** The longest step over which the line can be taken as even. */
  get stepMsMax(): number {
    return this.#waiting > 0 ? 10_000 : Number.POSITIVE_INFINITY;
  }

  /** Takes in the requests of one step, and pays for the tasks in it. */
  serve(requests: number, seconds: number, reachable: boolean): FargateStep {
    const { fargate, profile } = this.#scenario;
    const ideal = fargate.autoscaling === "ideal";
    const needed = Math.ceil(requests / seconds / profile.requestsPerSecondPerTask);
    const tasks = ideal && reachable ? Math.max(profile.tasksMin, needed) : this.#healthy;
    const serves = ideal && requests > 0;
    this.#taskSeconds += seconds * (serves ? tasks : this.#billed);
    const capacity = tasks * fargate.rpsPerTaskMax;
    const can = capacity * seconds;
    if (fargate.excess === "lambda" && requests > can) {
      this.#tally.add(can, 0);
      return { served: can, queued: 0, timedOut: 0, excess: requests - can };
    }
    if (this.#waiting === 0 && requests <= can) {
      const queued = this.#wait(requests, capacity, requests / can);
      return { served: requests, queued, timedOut: 0, excess: 0 };
    }
    return { ...this.#queue(requests, capacity, can), excess: 0 };
  }

  /** One evaluation of target tracking: requests of the newest minute that could be read. */
  evaluate(requestsPerMinute: number, nowMs: number): void {
    const { fargate, profile, engine } = this.#scenario;
    if (fargate.autoscaling === "ideal" || this.#healthy === 0) return;
    const input = {
      desired: this.desired,
      min: engine.tasksMin,
      max: engine.tasksMax,
      running: this.#healthy,
      // The balancer reports nothing without traffic.
      metric: requestsPerMinute === 0 ? null : requestsPerMinute / this.#healthy,
      target: 60 * profile.requestsPerSecondPerTask,
      scaleOutCooldownMs: fargate.scaleOutCooldownSeconds * 1000,
      scaleInCooldownMs: fargate.scaleInCooldownSeconds * 1000,
      lastScaledMs: this.#lastScaledMs,
      lastDirection: this.#lastDirection,
      nowMs,
    };
    // The alarms know nothing of cooldowns: they go on counting while one lasts.
    const wish = trackTarget({ ...input, lastScaledMs: null }).desired;
    this.#asking.out = wish > this.desired ? this.#asking.out + 1 : 0;
    this.#asking.in = wish < this.desired ? this.#asking.in + 1 : 0;
    const outcome = trackTarget(input);
    if (outcome.desired === this.desired) return;
    const out = outcome.desired > this.desired;
    const enough = out
      ? this.#asking.out >= fargate.scaleOutMinutes
      : this.#asking.in >= fargate.scaleInMinutes;
    if (!enough) return;
    this.#lastScaledMs = outcome.lastScaledMs;
    this.#lastDirection = outcome.lastDirection;
    this.scaleTo(outcome.desired, nowMs);
  }

  #start(nowMs: number, running: boolean): void {
    const { pullSeconds, healthySeconds } = this.#scenario.fargate;
    const startMs = running ? 0 : Math.round(this.#delays.taskStartMs());
    const pullMs = nowMs + Math.max(0, startMs - pullSeconds * 1000);
    const task: Task = { healthy: false, billedFromMs: null, cancel: [] };
    this.#tasks.push(task);
    const bill = (): void => {
      task.billedFromMs = pullMs;
      this.#billed += 1;
    };
    const serve = (): void => {
      task.healthy = true;
      this.#healthy += 1;
    };
    if (running) {
      bill();
      serve();
      return;
    }
    task.cancel.push(this.#agenda.at(pullMs, bill));
    task.cancel.push(this.#agenda.at(nowMs + startMs + healthySeconds * 1000, serve));
  }

  #stop(task: Task, nowMs: number): void {
    for (const cancel of task.cancel) cancel();
    if (task.healthy) this.#healthy -= 1;
    if (task.billedFromMs === null) return;
    const { stopSeconds, billedSecondsMin } = this.#scenario.fargate;
    const endMs = nowMs + stopSeconds * 1000;
    const shortSeconds = billedSecondsMin - (endMs - task.billedFromMs) / 1000;
    if (shortSeconds > 0) this.#taskSeconds += shortSeconds;
    this.#agenda.at(endMs, () => {
      this.#billed -= 1;
    });
  }

  /** Below full load: how many wait at all, and how long (M/M/m). */
  #wait(requests: number, capacity: number, load: number): number {
    if (requests === 0) return 0;
    const serviceSeconds = this.#scenario.profile.lambdaDurationMs / 1000;
    const servers = Math.max(1, Math.floor(capacity * serviceSeconds));
    const waiting = requests * erlangC(servers, servers * load);
    this.#tally.add(requests - waiting, 0);
    const left = capacity * (1 - load);
    const longestSeconds = this.#scenario.fargate.requestTimeoutSeconds;
    const meanSeconds = left > 0 ? Math.min(longestSeconds, 1 / left) : longestSeconds;
    if (waiting > 0) this.#tally.addExponential(waiting, meanSeconds);
    return waiting;
  }

  #queue(requests: number, capacity: number, can: number): Omit<FargateStep, "excess"> {
    const { requestTimeoutSeconds } = this.#scenario.fargate;
    const before = this.#waiting;
    const total = before + requests;
    const served = Math.min(total, can);
    const lineMax = capacity * requestTimeoutSeconds;
    this.#waiting = Math.min(total - served, lineMax);
    const timedOut = total - served - this.#waiting;
    if (capacity > 0) this.#tally.add(served, (before + this.#waiting) / 2 / capacity);
    return { served, queued: served, timedOut };
  }
}
