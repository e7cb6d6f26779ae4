/** The Cloud port of one controller over the world of a soak, with everything that can go wrong. */
import {
  type Action,
  type Cloud,
  ConflictError,
  lateCallMsMax,
  type Observation,
} from "../../core/types.ts";
import type { Call, Mishap } from "./script.ts";
import type { World } from "./world.ts";

/** A turn of one controller; only while it lasts may its calls take effect. */
export interface Lease {
  owner: number;
  untilMs: number;
}

/** What will happen to the next call of a kind. */
export type Mishaps = Partial<
  Record<Call, { readonly mishap: Mishap; readonly forMs: number } | null>
>;

/** What a port is made of. */
export interface PortParts {
  readonly world: World;
  readonly lease: Lease;
  readonly controller: number;
  readonly mishaps: Mishaps;
  /** Lets everything else go on while this call hangs. */
  readonly hang: (forMs: number) => Promise<void>;
  /** Told just before an action takes effect. */
  readonly onApply: (action: Action) => void;
}

/** Longer than the longest invocation of a controller. */
const leaseMs = 60_000;

/** The port of one controller. */
export function controllerPort(parts: PortParts): Cloud {
  const { world, lease, controller, mishaps } = parts;
  let seen: Observation | null = null;
  const holdsLease = (): void => {
    const over = lease.owner !== controller || world.nowMs >= lease.untilMs;
    if (over) throw new Error("the lease is over");
  };
  /** What the script has for the next call of a kind; each mishap happens once. */
  const mishapOf = (call: Call): { readonly mishap: Mishap; readonly forMs: number } | null => {
    const found = mishaps[call] ?? null;
    mishaps[call] = null;
    return found;
  };
  return {
    async observe() {
      if (lease.owner !== controller && world.nowMs < lease.untilMs) {
        throw new Error("another controller has the lease");
      }
      lease.owner = controller;
      lease.untilMs = world.nowMs + leaseMs;
      const trouble = mishapOf("observe");
      if (trouble?.mishap === "before") throw new Error("observe is throttled");
      const { status } = world;
      const fresh = world.observation();
      const stale = trouble?.mishap === "stale" && seen !== null;
      const told = stale ? withOldStack(fresh, seen ?? fresh) : fresh;
      if (stale) world.doubtImages();
      world.told(told);
      seen = fresh;
      if (trouble?.mishap === "stall") await parts.hang(trouble.forMs);
      return { status, world: told };
    },
    async commit(status) {
      const trouble = mishapOf("commit");
      if (trouble?.mishap === "stall") await parts.hang(trouble.forMs);
      if (trouble?.mishap === "before") throw new Error("commit is throttled");
      holdsLease();
      if (status.revision !== world.status.revision + 1) throw new ConflictError("stale revision");
      world.status = status;
      if (trouble?.mishap === "after") throw new Error("commit timed out");
    },
    async apply(action) {
      const trouble = mishapOf("apply");
      if (trouble?.mishap === "stall") await parts.hang(trouble.forMs);
      if (trouble?.mishap === "before") throw new Error("apply is throttled");
      holdsLease();
      const effect = (): void => {
        parts.onApply(action);
        world.perform(action);
      };
      if (trouble?.mishap === "late") {
        const afterMs = Math.min(trouble.forMs, lateCallMsMax);
        world.agenda.at(world.nowMs + afterMs, effect);
        throw new Error("apply timed out");
      }
      effect();
      if (trouble?.mishap === "after") throw new Error("apply timed out");
    },
  };
}

/** A control plane that is eventually consistent: the stack as it was at the last look. */
function withOldStack(fresh: Observation, seen: Observation): Observation {
  return { ...fresh, fargate: { ...seen.fargate, probeOk: fresh.fargate.probeOk } };
}
