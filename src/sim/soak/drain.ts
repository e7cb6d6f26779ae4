/**
 * Whether the last drain kept what is promised to clients who keep an answer for too long: the
 * record goes only after silence, or after the longest drain.
 */
import type { Route } from "../../core/types.ts";
import type { Zone } from "./names.ts";
import type { Script } from "./script.ts";

/** What a controller saw before it made up its mind. */
export interface Look {
  readonly atMs: number;
  /** For how long nobody had come to the balancer by then. */
  readonly silentMs: number;
  /** The weights that DNS showed; a command that takes them up gives nobody anything. */
  readonly route: Route;
  /** Whether Fargate served, and Lambda could not have taken anything more. */
  readonly lambdaUnfit: boolean;
  /** Whether Fargate answered with more errors than Lambda by more than the stated margin. */
  readonly fargateErrs: boolean;
}

/** A controller commits within its turn: silence that was seen earlier is no reason. */
const lookAgeMsMax = 60_000;

/** Watches the commands that reach the zone, and judges by its own notes. */
export class Drain {
  readonly #script: Script;
  readonly #zone: Zone;
  #weightlessMs: number | null = null;
  #kept = true;

  constructor(script: Script, zone: Zone) {
    this.#script = script;
    this.#zone = zone;
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
  judge(before: Route, after: Route, look: Look, nowMs: number): void {
    if (after.fargate > 0) this.#kept = false;
    if (after.fargateRecord || !before.fargateRecord) return;
    const { drainQuietMs, drainMaxMs } = this.#script.settings;
    const [a, b] = this.#script.clockSkewMs;
    const slackMs = Math.abs(a) + Math.abs(b) + 1000;
    const seen = nowMs - look.atMs <= lookAgeMsMax;
    const silent = seen && look.silentMs + slackMs >= drainQuietMs;
    this.#kept = silent || this.#drainedMs(nowMs) + slackMs >= drainMaxMs;
  }

  /** For how long no server has answered with Fargate. */
  #drainedMs(nowMs: number): number {
    if (this.#weightlessMs === null || !this.#zone.inSync) return 0;
    return nowMs - Math.max(this.#weightlessMs, this.#zone.syncedMs);
  }
}
