/**
 * Which environment takes which request, and when environments start and stop.
 *
 * A request takes the environment that was used last, so that the others fall idle and are reaped.
 * Where none is idle it waits in line for whichever is free first, an old or a new one, and only
 * after a moment of patience starts another: a start takes far longer than most requests, and a
 * machine with few cores would only get slower by starting one for each request in a burst.
 *
 * Lambda's environments each bring a processor, ours share those of this machine. While all are
 * busy, one more environment makes everything slower: they start one at a time, and only for a
 * request that has waited longer than a start takes.
 */
import type { Clock } from "../clock.ts";
import type { Environment, EnvironmentEvents } from "./environment.ts";
import type { FunctionBackend } from "./gateway.ts";
import type { Invocation } from "./invocation.ts";

/** Settings of a pool. */
export interface PoolOptions {
  readonly concurrencyMax: number;
  readonly startsMax: number;
  /** Virtual. */
  readonly idleMs: number;
  readonly clock: Clock;
  /** Starts an environment of the current code; it reports only later. */
  readonly start: (events: EnvironmentEvents) => Environment;
  readonly onLog: (line: string) => void;
  /** First back-off after failed starts in a row, real time. @default 200 */
  readonly backoffMs?: number;
  /** Wait before a request starts one more environment, real time. @default see `patienceOf` */
  readonly patienceMs?: number;
  /** Share of this machine's processors that is idle, 0 to 1. @default always 1 */
  readonly idleShare?: () => number;
}

/** What the pool counts. */
export interface PoolStats {
  readonly environments: number;
  readonly starting: number;
  readonly busy: number;
  readonly queued: number;
  readonly coldStarts: number;
  readonly throttles: number;
  /** Why the last start failed, `null` once one has succeeded. */
  readonly failure: string | null;
}

/** The environments of one function. */
export interface Pool extends FunctionBackend {
  stats(): PoolStats;
  /** The code has changed: present environments finish what they do and stop. */
  renew(): void;
  /** Stops everything; waiting requests get an error. */
  stop(graceMs: number): Promise<void>;
}

interface Slot {
  environment: Environment | null;
  state: "starting" | "idle" | "busy";
  idleSinceMs: number;
  /** When it took its present request, real time. */
  busySinceMs: number;
  /** It runs old code. */
  retired: boolean;
}

/** Starts that fail in a row before waiting requests get an error; one may be bad luck. */
const failuresTolerated = 1;
const backoffMaxMs = 8_000;
/**
 * How long a request waits for a busy environment before it starts another: about as long as two
 * requests take, so that a steady line of requests gets the environments that Lambda would give it,
 * and two that merely meet do not. Real time.
 */
const patienceOf = (requestMs: number): number => Math.min(20, Math.max(1, 2 * requestMs));
/** The weight of the newest request in the mean duration. */
const newestWeight = 0.05;
/** With less idle time than this, the processors are what requests wait for. */
const idleShareMin = 0.15;
/** A start under full load takes about this many times as long as it did before. */
const crowdedStarts = 2;
/** For environments that are no longer needed: they have nothing to finish. */
const stopGraceMs = 1_000;

/** An empty pool; environments start with the first request. */
export function createPool(options: PoolOptions): Pool {
  return new EnvironmentPool(options);
}

class EnvironmentPool implements Pool {
  readonly #options: PoolOptions;
  readonly #slots = new Set<Slot>();
  /** The longest idle first. */
  readonly #idle: Slot[] = [];
  /** With their (real) time of arrival; at most `concurrencyMax` together with those in flight. */
  readonly #waiting = new Map<Invocation, number>();
  readonly #leaving = new Set<Promise<void>>();
  #inFlight = 0;
  #starting = 0;
  #coldStarts = 0;
  #throttles = 0;
  #failures = 0;
  #failure: string | null = null;
  #patience: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #cancelReaper: (() => void) | null = null;
  #stopped = false;
  /** How long the last start took, real time. */
  #startMs = 0;
  /** When the last start was complete, real time. */
  #startedMs = 0;
  /** Mean duration of a request in its environment, real time. */
  #requestMs = 10;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  invoke(invocation: Invocation): boolean {
    if (this.#stopped || this.#inFlight + this.#waiting.size >= this.#options.concurrencyMax) {
      this.#throttles += 1;
      return false;
    }
    const slot = this.#idle.pop();
    if (slot) this.#dispatch(slot, invocation);
    else {
      this.#waiting.set(invocation, performance.now());
      this.#scale();
    }
    return true;
  }

  cancel(invocation: Invocation): void {
    this.#waiting.delete(invocation);
  }

  stats(): PoolStats {
    const environments = this.#slots.size;
    return {
      environments,
      starting: this.#starting,
      busy: environments - this.#starting - this.#idle.length,
      queued: this.#waiting.size,
      coldStarts: this.#coldStarts,
      throttles: this.#throttles,
      failure: this.#failure,
    };
  }

  renew(): void {
    this.#idle.length = 0;
    for (const slot of this.#slots) {
      if (slot.state === "busy") slot.retired = true;
      else this.#dismiss(slot);
    }
    this.#failures = 0;
    this.#failure = null;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#scale();
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#patience);
    clearTimeout(this.#retry);
    this.#cancelReaper?.();
    this.#failWaiting("the tier is stopping");
    this.#idle.length = 0;
    for (const slot of this.#slots) this.#dismiss(slot, graceMs);
    await Promise.all(this.#leaving);
  }

  #dispatch(slot: Slot, invocation: Invocation): void {
    slot.state = "busy";
    slot.busySinceMs = performance.now();
    this.#inFlight += 1;
    slot.environment?.invoke(invocation);
  }

  /** Starts an environment for each impatient request that no starting one will take. */
  #scale(): void {
    if (this.#stopped || this.#retry !== undefined) return;
    const { startsMax, concurrencyMax } = this.#options;
    const wanted = Math.min(this.#crowded() ? 1 : startsMax, this.#impatient());
    while (this.#starting < wanted && this.#slots.size < concurrencyMax) this.#start();
  }

  /**
   * Requests that have waited long enough; while nothing can serve them, all have. What has waited
   * for a start gets its patience anew: an environment that is free now may serve many at once.
   */
  #impatient(): number {
    if (this.#slots.size === this.#starting) return this.#waiting.size;
    const patienceMs = this.#patienceMs();
    const nowMs = performance.now();
    let count = 0;
    for (const arrivedMs of this.#waiting.values()) {
      const leftMs = Math.max(arrivedMs, this.#startedMs) + patienceMs - nowMs;
      if (leftMs > 0) {
        this.#patience ??= setTimeout(() => {
          this.#patience = undefined;
          this.#scale();
        }, leftMs);
        break;
      }
      count += 1;
    }
    return count;
  }

  #crowded(): boolean {
    return (this.#options.idleShare?.() ?? 1) < idleShareMin;
  }

  #patienceMs(): number {
    const patienceMs = this.#options.patienceMs ?? patienceOf(this.#requestMs);
    return this.#crowded() ? Math.max(patienceMs, crowdedStarts * this.#startMs) : patienceMs;
  }

  #start(): void {
    const begunMs = performance.now();
    const slot: Slot = {
      environment: null,
      state: "starting",
      idleSinceMs: 0,
      busySinceMs: 0,
      retired: false,
    };
    this.#slots.add(slot);
    this.#starting += 1;
    slot.environment = this.#options.start({
      onIdle: () => {
        if (slot.state === "starting") {
          this.#startedMs = performance.now();
          this.#startMs = this.#startedMs - begunMs;
        }
        this.#onIdle(slot);
      },
      onLost: () => this.#onLost(slot),
      onAnswered: (invocation, result) => {
        this.#inFlight -= 1;
        const spentMs = performance.now() - slot.busySinceMs;
        this.#requestMs += newestWeight * (spentMs - this.#requestMs);
        invocation.done(result);
      },
      onGone: (initialised, reason) => this.#onGone(slot, initialised, reason),
    });
  }

  #onIdle(slot: Slot): void {
    if (!this.#slots.has(slot)) return;
    const started = slot.state === "starting";
    if (started) {
      this.#starting -= 1;
      this.#coldStarts += 1;
      this.#failures = 0;
      this.#failure = null;
    }
    slot.state = "idle";
    if (slot.retired) {
      this.#dismiss(slot);
      this.#scale();
      return;
    }
    for (const invocation of this.#waiting.keys()) {
      this.#waiting.delete(invocation);
      this.#dispatch(slot, invocation);
      if (started) this.#scale();
      return;
    }
    slot.idleSinceMs = this.#options.clock.nowMs();
    this.#idle.push(slot);
    if (this.#cancelReaper === null) this.#armReaper();
  }

  #onLost(slot: Slot): void {
    this.#removeIdle(slot);
    slot.state = "busy";
  }

  #onGone(slot: Slot, initialised: boolean, reason: string): void {
    if (!this.#slots.delete(slot)) return;
    this.#removeIdle(slot);
    const id = slot.environment?.id;
    this.#options.onLog(`[${id}] gone: ${reason}`);
    this.#track(slot.environment?.stop(0));
    if (slot.state === "starting") this.#starting -= 1;
    if (!initialised) this.#initFailed(reason);
    this.#scale();
  }

  /** The first failure is tried again at once, later ones after a back-off that doubles. */
  #initFailed(reason: string): void {
    this.#failures += 1;
    this.#failure = reason;
    if (this.#failures <= failuresTolerated) return;
    if (this.#slots.size === 0) this.#failWaiting(reason);
    const backoffMs = this.#options.backoffMs ?? 200;
    const exponent = Math.min(this.#failures - failuresTolerated - 1, 20);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        this.#scale();
      },
      Math.min(backoffMaxMs, backoffMs * 2 ** exponent),
    );
  }

  #failWaiting(message: string): void {
    const failed = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const { done } of failed) done({ type: "error", errorType: "Runtime.InitError", message });
  }

  #removeIdle(slot: Slot): void {
    const index = this.#idle.indexOf(slot);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Stops an environment that is not needed any more. */
  #dismiss(slot: Slot, graceMs = stopGraceMs): void {
    this.#slots.delete(slot);
    if (slot.state === "starting") this.#starting -= 1;
    this.#track(slot.environment?.stop(graceMs));
  }

  /** Remembers a process that is about to exit, so that `stop` leaves none behind. */
  #track(leaving: Promise<void> | undefined): void {
    if (!leaving) return;
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }

  #armReaper(): void {
    const [oldest] = this.#idle;
    this.#cancelReaper = null;
    if (!oldest || this.#stopped) return;
    const { clock, idleMs } = this.#options;
    const leftMs = oldest.idleSinceMs + idleMs - clock.nowMs();
    this.#cancelReaper = clock.after(Math.max(0, leftMs), () => this.#reap());
  }

  #reap(): void {
    const { clock, idleMs, onLog } = this.#options;
    const before = clock.nowMs() - idleMs;
    for (;;) {
      const [oldest] = this.#idle;
      if (!oldest || oldest.idleSinceMs > before) break;
      this.#idle.shift();
      onLog(`[${oldest.environment?.id}] stopped: idle for ${Math.round(idleMs / 1000)} s`);
      this.#dismiss(oldest);
    }
    this.#armReaper();
  }
}
