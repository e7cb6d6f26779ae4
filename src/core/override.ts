/** The owner's word: how a person outranks the policy, whatever cloud the status is kept in. */
import type { Snapshot } from "./record.ts";
import { ConflictError, type Override, type Status, type Tier } from "./types.ts";

/** Whatever keeps a status: a `Cloud`, or only its memory. */
export interface StatusKeeper {
  observe(): Promise<{ readonly status: Status }>;
  /** Throws ConflictError when another one was faster. */
  commit(status: Status): Promise<void>;
}

/** Times that a busy controller may be faster before it is given up. */
const attemptsMax = 20;

/**
 * Stores `override` in the status by compare-and-swap, `null` to let the policy decide again. A
 * back-off is forgotten: a person who asks has seen the failure.
 * @throws ConflictError when another controller was faster twenty times in a row
 */
export async function commitOverride(
  cloud: StatusKeeper,
  override: Override | null,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const { status } = await cloud.observe();
    try {
      const revision = status.revision + 1;
      return await cloud.commit({ ...status, revision, override, holdUntilMs: null });
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= attemptsMax) throw error;
    }
  }
}

/** Stays until somebody says otherwise. */
export function pinned(tier: Tier): Override {
  return { tier, untilMs: null };
}

/** A shorter stay would be over before a shift is. */
const stayMinMs = 10 * 60_000;

/** How long a shift by hand holds: the tier's minimum stay, and at least ten minutes. */
export function stayOf({ dwellMs }: Pick<Snapshot, "dwellMs">, tier: Tier): number {
  return Math.max(stayMinMs, dwellMs[tier]);
}

/** Goes there and stays for `stayMs`, so that the policy does not turn it back at once. */
export function shifted(tier: Tier, nowMs: number, stayMs: number): Override {
  return { tier, untilMs: nowMs + stayMs };
}
