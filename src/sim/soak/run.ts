/** One run of a script: the engine's own tick in two controllers, until the world is at rest. */
import { tick } from "../../core/tick.ts";
import type { Action, EngineSettings, Policy, Status } from "../../core/types.ts";
import type { Fates } from "./clients.ts";
import { wrongChange, wrongWith } from "./monitor.ts";
import { policyOf } from "./policy.ts";
import { controllerPort, type Lease, type Mishaps } from "./port.ts";
import type { Happening, Script } from "./script.ts";
import { World } from "./world.ts";

const minuteMs = 60_000;

/** Once faults have stopped and nobody comes, everything must be gone within this time. */
const settleMaxMs = 8 * 60 * minuteMs;

/** What came of a run. */
export interface Outcome {
  readonly violation: string | null;
  /** When it was found. */
  readonly atMs: number;
  readonly fates: Fates;
  readonly arrived: number;
  readonly ticks: number;
  /** Changes of the target, and steps of the weights. */
  readonly turns: number;
  readonly shifts: number;
  readonly simulatedMs: number;
  /** How long after the last fault nothing was left. */
  readonly settledMs: number;
}

/** Optional parts of a run. */
export interface RunOptions {
  /** Told everything that happens, in virtual time. */
  readonly onStory?: (atMs: number, line: string) => void;
  /** What the engine goes by; the promises that it is judged by stay those of the script. */
  readonly engine?: EngineSettings;
}

/** A controller and when it looks again. */
interface Controller {
  readonly id: number;
  readonly run: () => Promise<void>;
  dueMs: number;
  busy: boolean;
}

/** Runs a script. The same script gives the same outcome. */
export function runScript(script: Script, options: RunOptions = {}): Promise<Outcome> {
  return new Soak(script, options).run();
}

class Soak {
  readonly #script: Script;
  readonly #tell: (line: string) => void;
  readonly #world: World;
  readonly #policy: Policy;
  readonly #engine: EngineSettings;
  readonly #mishaps: Mishaps = {};
  readonly #lease: Lease = { owner: 0, untilMs: 0 };
  readonly #controllers: readonly Controller[];
  #violation: { readonly what: string; readonly atMs: number } | null = null;
  #ticksLostUntilMs = 0;
  #ticks = 0;
  #turns = 0;
  #shifts = 0;

  constructor(script: Script, options: RunOptions) {
    this.#script = script;
    this.#world = new World(script);
    this.#policy = policyOf(script);
    this.#engine = options.engine ?? script.settings;
    this.#tell = (line) => options.onStory?.(this.#world.nowMs, line);
    this.#world.onViolation = (what) => this.#accuse(what);
    this.#controllers = [this.#controller(0), this.#controller(1)];
    this.#world.onAlarm = () => this.#wake();
    for (const { atMs, what } of script.events) {
      if (atMs > script.endMs) continue;
      this.#world.agenda.at(atMs, () => this.#happen(what));
    }
  }

  async run(): Promise<Outcome> {
    const { endMs } = this.#script;
    await this.#advance(endMs);
    this.#world.calmDown();
    this.#ticksLostUntilMs = 0;
    for (const call of ["observe", "commit", "apply"] as const) this.#mishaps[call] = null;
    this.#tell("faults stop and nobody comes any more");
    const unpin = (status: Status): Status => ({ ...status, override: null, holdUntilMs: null });
    this.#edit(unpin);
    let settledMs = 0;
    while (!this.#atRest() && this.#violation === null) {
      if (settledMs >= settleMaxMs) this.#accuse("6: something is left although nobody comes");
      settledMs += minuteMs;
      await this.#advance(endMs + settledMs);
    }
    const world = this.#world;
    const counted = Object.values(world.fates).reduce((sum, count) => sum + count, 0);
    const missing = world.arrived - counted - world.inFlight;
    if (missing !== 0) this.#accuse(`${missing} requests unaccounted`);
    if (this.#atRest() && world.inFlight > 0) this.#accuse(`${world.inFlight} never answered`);
    return {
      violation: this.#violation?.what ?? null,
      atMs: this.#violation?.atMs ?? 0,
      fates: world.fates,
      arrived: world.arrived,
      ticks: this.#ticks,
      turns: this.#turns,
      shifts: this.#shifts,
      simulatedMs: world.nowMs,
      settledMs,
    };
  }

  #atRest(): boolean {
    const { status, zone, burst } = this.#world;
    return (
      status.target === "lambda" &&
      !status.route.fargateRecord &&
      !zone.route.fargateRecord &&
      zone.inSync &&
      burst.gone
    );
  }

  /** Lets time pass with everything that falls due, ticks included. */
  async #advance(untilMs: number): Promise<void> {
    const world = this.#world;
    while (world.nowMs < untilMs && this.#violation === null) {
      let dueMs = untilMs;
      for (const { busy, dueMs: next } of this.#controllers) {
        if (!busy && next < dueMs) dueMs = next;
      }
      world.advance(Math.max(dueMs, world.nowMs));
      for (const controller of this.#controllers) {
        if (!controller.busy && controller.dueMs <= world.nowMs) await controller.run();
      }
    }
  }

  #controller(id: number): Controller {
    const { settings, clockSkewMs } = this.#script;
    const world = this.#world;
    const port = controllerPort({
      world,
      lease: this.#lease,
      controller: id,
      mishaps: this.#mishaps,
      hang: (forMs) => {
        this.#tell(`controller ${id} hangs for ${Math.round(forMs / 1000)} s`);
        // The schedule starts another one meanwhile.
        this.#wake();
        return this.#advance(world.nowMs + forMs);
      },
      onApply: (action) => this.#apply(action, id),
    });
    const watched = { ...port, commit: this.#watchedCommit(port.commit) };
    const controller: Controller = {
      id,
      // The second one only looks when it is asked to.
      dueMs: id === 0 ? 0 : Number.POSITIVE_INFINITY,
      busy: false,
      run: async () => {
        controller.busy = true;
        controller.dueMs = Number.POSITIVE_INFINITY;
        const lost = world.nowMs < this.#ticksLostUntilMs;
        const afterMs = lost ? settings.idleMs : await this.#tick(watched, clockSkewMs[id] ?? 0);
        controller.busy = false;
        if (id === 0 || this.#controllers[0]?.busy) controller.dueMs = world.nowMs + afterMs;
      },
    };
    return controller;
  }

  async #tick(port: Parameters<typeof tick>[0], skewMs: number): Promise<number> {
    this.#ticks += 1;
    const settings = this.#engine;
    try {
      const result = await tick(port, this.#policy, settings, this.#world.nowMs + skewMs);
      if (!result.ok) this.#tell(`${result.during} fails: ${result.error.message}`);
      else for (const { message } of result.step.events) this.#tell(message);
      return result.ok ? result.step.requeueAfterMs : result.requeueAfterMs;
    } catch (error) {
      this.#accuse(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
      return settings.idleMs;
    }
  }

  #watchedCommit(commit: (status: Status) => Promise<void>): (status: Status) => Promise<void> {
    return async (status) => {
      const before = this.#world.status;
      try {
        await commit(status);
      } finally {
        const after = this.#world.status;
        if (after === status) this.#committed(before, after);
      }
    };
  }

  #committed(before: Status, after: Status): void {
    if (before.target !== after.target) this.#turns += 1;
    this.#world.commanded(before.route, after.route);
    const wrong = wrongChange(before, after, this.#script, this.#world);
    if (wrong !== null) this.#accuse(wrong);
  }

  #apply(action: Action, controller: number): void {
    const wrong = wrongWith(action, this.#world);
    if (wrong !== null) this.#accuse(wrong);
    if (action.type === "route") this.#shifts += 1;
    this.#tell(`controller ${controller}: ${JSON.stringify(action)}`);
  }

  #wake(): void {
    const { nowMs } = this.#world;
    const [first, second] = this.#controllers;
    if (first !== undefined && !first.busy) first.dueMs = Math.min(first.dueMs, nowMs);
    else if (second !== undefined) second.dueMs = Math.min(second.dueMs, nowMs + minuteMs);
  }

  #happen(what: Happening): void {
    if (what.kind !== "traffic") this.#tell(`happens: ${JSON.stringify(what)}`);
    if (this.#world.suffer(what)) return;
    const { nowMs } = this.#world;
    if (what.kind === "call") this.#mishaps[what.call] = what;
    else if (what.kind === "ticks lost") this.#ticksLostUntilMs = nowMs + what.forMs;
    else if (what.kind === "tick doubled") {
      const second = this.#controllers[1];
      if (second !== undefined) second.dueMs = nowMs;
    } else if (what.kind === "pin") {
      const untilMs = what.forMs === null ? null : nowMs + what.forMs;
      const override = what.tier === null ? null : { tier: what.tier, untilMs };
      this.#edit((status) => ({ ...status, override, holdUntilMs: null }));
    }
  }

  /** A command of the owner: stored under the next revision like any other change. */
  #edit(change: (status: Status) => Status): void {
    const { status } = this.#world;
    this.#world.status = { ...change(status), revision: status.revision + 1 };
  }

  #accuse(what: string): void {
    this.#violation ??= { what, atMs: this.#world.nowMs };
    this.#tell(`VIOLATION ${what}`);
  }
}
