/** Runs the engine: ticks when asked to, when woken by an alarm, and at the latest when idle. */
import {
  type Cloud,
  type EngineSettings,
  type Policy,
  type TickResult,
  tick,
} from "../core/index.ts";
import type { Clock } from "./clock.ts";

/** The controller of the local cloud. */
export interface Controller {
  /** Ticks soon: an alarm changed its state, or somebody changed the status. */
  wake(): void;
  /** Resolves when the running tick has ended; no other follows. */
  stop(): Promise<void>;
  /** Rejects when a tick throws, which only a bug does. */
  readonly crashed: Promise<never>;
}

/** What the controller ticks with. */
export interface ControllerOptions {
  readonly cloud: Cloud;
  readonly policy: Policy;
  readonly settings: EngineSettings;
  readonly clock: Clock;
  readonly onTick: (result: TickResult, atMs: number) => void;
}

/** Starts ticking at once. Ticks never overlap. */
export function startController(options: ControllerOptions): Controller {
  const { cloud, policy, settings, clock, onTick } = options;
  let cancel = (): void => undefined;
  let running: Promise<void> | null = null;
  let wokenMeanwhile = false;
  let stopped = false;
  let crash: (error: unknown) => void = () => undefined;
  const crashed = new Promise<never>((_, reject) => {
    crash = reject;
  });
  // Whoever does not listen is no reason to end the process.
  crashed.catch(() => undefined);

  /** One tick; resolves with the time until the next one is due. */
  const once = async (): Promise<number> => {
    const atMs = clock.nowMs();
    const result = await tick(cloud, policy, settings, atMs);
    onTick(result, atMs);
    const requeueAfterMs = result.ok ? result.step.requeueAfterMs : result.requeueAfterMs;
    return atMs + requeueAfterMs - clock.nowMs();
  };
  const run = (): void => {
    wokenMeanwhile = false;
    running = once().then(
      (afterMs) => {
        running = null;
        schedule(wokenMeanwhile ? 0 : afterMs);
      },
      (error: unknown) => {
        running = null;
        stopped = true;
        crash(error);
      },
    );
  };
  const schedule = (afterMs: number): void => {
    cancel();
    if (!stopped) cancel = clock.after(Math.max(0, afterMs), run);
  };
  schedule(0);

  return {
    crashed,
    wake() {
      if (running === null) schedule(0);
      else wokenMeanwhile = true;
    },
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}

/** In the place of a controller, where something else drives the cloud. */
export function noController(): Controller {
  return { wake: () => undefined, stop: async () => undefined, crashed: new Promise(() => {}) };
}
