/**
 * The clients, and which share of their traffic comes to Fargate.
 *
 * Each client looks the name up again when its answer has expired, at times evenly spread over its
 * span. So the share is the mean of the weights over the last span: one TTL for most, much longer
 * for those behind resolvers that extend it. It moves in straight lines and arrives exactly.
 * Connections that outlive an answer are not modelled.
 */
import type { ClientBehaviour } from "./realistic-scenario.ts";

interface Change {
  readonly atMs: number;
  /** Fargate's share of the answers from then on, 0 to 1. */
  readonly weight: number;
}

/** All clients of the service. */
export class Audience {
  readonly #ttlMs: number;
  readonly #extendedMs: number;
  readonly #extenders: number;
  /** Oldest first; the first one has been true for longer than anybody remembers. */
  #changes: Change[];

  constructor(clients: ClientBehaviour, ttlMs: number, fargatePercent: number) {
    this.#ttlMs = ttlMs;
    this.#extendedMs = Math.max(ttlMs, clients.ttlExtendedSeconds * 1000);
    this.#extenders = clients.ttlExtendersShare;
    this.#changes = [{ atMs: Number.NEGATIVE_INFINITY, weight: fargatePercent / 100 }];
  }

  /** From now on so many per cent of the answers name Fargate. */
  answer(fargatePercent: number, nowMs: number): void {
    const weight = fargatePercent / 100;
    if (weight !== this.#changes.at(-1)?.weight) this.#changes.push({ atMs: nowMs, weight });
  }

  /** Fargate's mean share of the traffic over a span without a bend inside. */
  fargateShare(fromMs: number, toMs: number): number {
    const atMs = (fromMs + toMs) / 2;
    this.#forget(fromMs);
    if (this.#changes.length === 1) return this.#changes[0]?.weight ?? 0;
    const prompt = this.#meanWeight(this.#ttlMs, atMs);
    if (this.#extenders === 0) return prompt;
    const late = this.#meanWeight(this.#extendedMs, atMs);
    return prompt + this.#extenders * (late - prompt);
  }

  /** When the share next bends; Infinity once everybody has followed. */
  nextBendMs(nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#changes) {
      for (const spanMs of [this.#ttlMs, this.#extendedMs]) {
        if (atMs + spanMs > nowMs) nextMs = Math.min(nextMs, atMs + spanMs);
      }
    }
    return nextMs;
  }

  #meanWeight(spanMs: number, atMs: number): number {
    if (spanMs === 0) return this.#changes.at(-1)?.weight ?? 0;
    let untilMs = atMs;
    let sum = 0;
    for (let index = this.#changes.length - 1; index >= 0; index -= 1) {
      const change = this.#changes[index];
      if (change === undefined) break;
      const fromMs = Math.max(change.atMs, atMs - spanMs);
      sum += change.weight * Math.max(0, untilMs - fromMs);
      untilMs = fromMs;
      if (change.atMs <= atMs - spanMs) break;
    }
    return sum / spanMs;
  }

  #forget(nowMs: number): void {
    while ((this.#changes[1]?.atMs ?? Number.POSITIVE_INFINITY) + this.#extendedMs <= nowMs) {
      this.#changes.shift();
    }
  }
}
