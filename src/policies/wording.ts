/**
 * Decisions whose reasons are worded only when somebody reads them: a simulated year has half a
 * million holds, and formatting their numbers would take longer than deciding.
 */
import type { Decision, Tier } from "../core/types.ts";
import type { Economics } from "./economics.ts";

/** A hold with a reason worded on demand. */
export function holdFor(reason: () => string): Decision {
  return new WordedHold(reason);
}

/** A class because an accessor in an object literal costs as much as the decision itself. */
class WordedHold {
  readonly type = "hold";
  readonly #reason: () => string;

  constructor(reason: () => string) {
    this.#reason = reason;
  }

  get reason(): string {
    return this.#reason();
  }

  toJSON(): Decision {
    return { type: this.type, reason: this.reason };
  }
}

/** What the size of a burst follows from. */
export interface BurstSize {
  readonly economics: Economics;
  readonly tasksMax: number;
  readonly rps: number;
}

/** A target with as many tasks as the latest rate needs, within the bounds. */
export function targetFor(tier: Tier, size: BurstSize, reason: () => string): Decision {
  const { tasksMin, rpsPerTask } = size.economics;
  const wanted = Math.ceil(size.rps / rpsPerTask);
  const tasks = Math.min(size.tasksMax, Math.max(tasksMin, wanted));
  return { type: "target", tier, tasks, reason: `${reason()} → ${tier}` };
}

/** An amount for people: enough digits to compare cents of a cent. */
export function usd(amount: number): string {
  return `${amount.toFixed(Math.abs(amount) < 1 ? 4 : 2)} USD`;
}
