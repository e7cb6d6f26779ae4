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
  crashed.catch(() => undefined);

  const once = async (): Promise<void> => {
    const atMs = clock.nowMs();
    const result = await tick(cloud, policy, settings, atMs);
    onTick(result, atMs);
    const requeueAfterMs = result.ok ? result.step.requeueAfterMs : result.requeueAfterMs;
    schedule(wokenMeanwhile ? 0 : atMs + requeueAfterMs - clock.nowMs());
    wokenMeanwhile = false;
  };
  const run = (): void => {
    if (stopped) return;
    running = once()
      .catch(crash)
      .finally(() => {
        running = null;
      });
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
