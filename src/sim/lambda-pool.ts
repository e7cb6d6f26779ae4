/**
 * Lambda's environments as a fluid: how many are warm, which requests start one, which are refused.
 *
 * Requests come at random (Poisson) and take the environment that was used last. Then the number
 * in use follows a Poisson law around the offered load a = rate × duration, and environment k is
 * needed u(k) = rate × P(k − 1 in use) times a second. One that is needed less than once per idle
 * time does not stay warm; one that is finds itself cold with probability exp(−u × idle).
 */
import type { LambdaBehaviour } from "./realistic-scenario.ts";
import { erlangB } from "./waiting.ts";

/** What became of the requests of one step. */
export interface LambdaStep {
  readonly served: number;
  /** Of those served: they waited for a new environment. */
  readonly coldStarts: number;
  readonly throttled: number;
}

interface Warmth {
  readonly rps: number;
  /** Environments that stay warm at this rate. */
  readonly environments: number;
  /** Starts per second that replace environments which idled away. */
  readonly coldPerSecond: number;
  /** Share of requests that find the whole quota in use. */
  readonly blocked: number;
}

/** The environments of one function. */
export class LambdaPool {
  readonly #options: LambdaBehaviour;
  readonly #durationSeconds: number;
  #warm = 0;
  #starting: { readonly readyMs: number; readonly count: number }[] = [];
  /** Environments that may still be added at once. */
  #tokens: number;
  #warmth: Warmth = { rps: 0, environments: 0, coldPerSecond: 0, blocked: 0 };

  constructor(options: LambdaBehaviour, durationMs: number) {
    this.#options = options;
    this.#durationSeconds = durationMs / 1000;
    this.#tokens = options.environmentsPer10Seconds;
  }

  /** Warm and starting environments. */
  get environments(): number {
    return this.#starting.reduce((sum, { count }) => sum + count, this.#warm);
  }

  /** Most in use at once while requests come at this rate: three standard deviations up. */
  concurrencyAt(rps: number): number {
    const load = rps * this.#durationSeconds;
    const starting = this.environments - this.#warm;
    return Math.min(this.#options.concurrencyMax, load + 3 * Math.sqrt(load) + starting);
  }

  /** The longest step over which the pool can be taken as constant. */
  stepMsMax(rps: number, nowMs: number): number {
    const lacking = rps * this.#durationSeconds > this.#warm;
    const full = this.#starting.length === 0 && this.#warm >= this.#options.concurrencyMax;
    const readyMs = this.#starting[0]?.readyMs ?? Number.POSITIVE_INFINITY;
    const stepMs = lacking && !full ? 1000 : Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(stepMs, readyMs - nowMs));
  }

  /** Takes in the requests of one step. */
  serve(requests: number, fromMs: number, toMs: number): LambdaStep {
    const { concurrencyMax, environmentsPer10Seconds, environmentIdleSeconds } = this.#options;
    this.#arrive(fromMs);
    const seconds = (toMs - fromMs) / 1000;
    const grown = (environmentsPer10Seconds * seconds) / 10;
    this.#tokens = Math.min(environmentsPer10Seconds, this.#tokens + grown);
    const { environments, coldPerSecond, blocked } = this.#warmthAt(requests / seconds);
    const room = Math.max(0, Math.min(this.#tokens, concurrencyMax - this.environments));
    const perEnvironment =
      this.#durationSeconds > 0 ? seconds / this.#durationSeconds : Number.POSITIVE_INFINITY;
    const warmServes = this.#warm > 0 ? this.#warm * perEnvironment : 0;
    const surplus = Math.max(0, requests - warmServes);
    const started = Math.min(surplus, room);
    const throttled = Math.max(surplus - started, requests * blocked);
    const lacking = environments - this.environments - started;
    const more = Math.min(Math.max(0, lacking), room - started);
    const served = requests - throttled;
    const coldStarts = Math.min(served, started + more + coldPerSecond * seconds);
    const added = Math.min(coldStarts, started + more);
    this.#tokens -= added;
    if (added > 0) {
      const readyMs = fromMs + this.#options.coldStartSeconds * 1000;
      this.#starting.push({ readyMs, count: added });
    }
    if (this.#warm > environments) {
      const gone = 1 - Math.exp(-seconds / Math.max(environmentIdleSeconds, 1e-9));
      this.#warm -= (this.#warm - environments) * gone;
    }
    return { served, coldStarts, throttled };
  }

  #arrive(nowMs: number): void {
    for (let first = this.#starting[0]; first !== undefined && first.readyMs <= nowMs; ) {
      this.#warm += first.count;
      this.#starting.shift();
      first = this.#starting[0];
    }
  }

  #warmthAt(rps: number): Warmth {
    if (rps === this.#warmth.rps) return this.#warmth;
    const { environmentIdleSeconds: idleSeconds, concurrencyMax } = this.#options;
    const load = rps * this.#durationSeconds;
    let k = Math.floor(load) + 1;
    let needed = rps * poisson(k - 1, load);
    let environments = Math.min(k - 1, concurrencyMax);
    let coldPerSecond = 0;
    for (; k <= concurrencyMax && needed * idleSeconds > 1e-6; k += 1) {
      if (needed * idleSeconds >= 1) environments = k;
      coldPerSecond += needed * Math.exp(-needed * idleSeconds);
      needed *= load / k;
    }
    // Far from the quota nobody is refused; near it the formula costs as many steps as the quota.
    const blocked = load > concurrencyMax / 2 ? erlangB(concurrencyMax, load) : 0;
    this.#warmth = { rps, environments, coldPerSecond, blocked };
    return this.#warmth;
  }
}

/** P(exactly `count`) of a Poisson law, by logarithms so that a large mean does not underflow. */
function poisson(count: number, mean: number): number {
  if (mean === 0) return count === 0 ? 1 : 0;
  let logFactorial = 0;
  for (let n = 2; n <= count; n += 1) logFactorial += Math.log(n);
  return Math.exp(count * Math.log(mean) - mean - logFactorial);
}
