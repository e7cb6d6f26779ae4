/**
 * Whether the last drain kept what is promised to clients who keep an answer for too long: the
 * record goes only after silence, or after the longest drain.
 */
import type { Route } from "../../core/types.ts";
import type { Script } from "./script.ts";

/** Watches the commands that reach the zone, and judges by its own notes. */
export class Drain {
  readonly #script: Script;
  #weightlessMs: number | null = null;
  #kept = true;

  constructor(script: Script) {
    this.#script = script;
  }

  /** Whether who comes now has been waited for. */
  get wasKept(): boolean {
    return this.#kept;
  }

  /** The zone is about to show other weights, whoever wants it. */
  noteWeights(route: Route, nowMs: number): void {
    if (route.fargate > 0) this.#weightlessMs = null;
    else this.#weightlessMs ??= nowMs;
  }

  /** The engine commits to other weights. */
  judge(before: Route, after: Route, silentMs: number, nowMs: number): void {
    if (after.fargate > 0) this.#kept = false;
    if (after.fargateRecord || !before.fargateRecord) return;
    const { drainQuietMs, drainMaxMs } = this.#script.settings;
    const [a, b] = this.#script.clockSkewMs;
    const slackMs = Math.abs(a) + Math.abs(b) + 1000;
    const drainedMs = nowMs - (this.#weightlessMs ?? nowMs);
    this.#kept = silentMs + slackMs >= drainQuietMs || drainedMs + slackMs >= drainMaxMs;
  }
}
