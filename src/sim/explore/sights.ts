/**
 * What a look at the world may show besides the stack and the records: every probe, error share,
 * headroom and last request that there can be, and every word of the policy.
 *
 * Only what the engine really reads is branched on. What it never looked at cannot have mattered,
 * so nothing is left out, whatever the engine becomes.
 */
import type {
  AlarmState,
  Decision,
  Observation,
  Policy,
  RecentTraffic,
  Sample,
  Tier,
  TierState,
} from "../../core/types.ts";
import { nowMs } from "./concrete.ts";
import { type AbstractState, proofSettings, routes, type Stack, stands } from "./state.ts";

/** What can be seen of each, in the order in which it is tried: the first is the calm one. */
export const sights = {
  policy: ["holds", "wants Fargate", "wants Lambda"],
  lambda: ["ready", "full", "failed"],
  errors: ["none", "on Lambda", "on Fargate"],
  probe: ["answers", "fails"],
  balancer: ["quiet", "in use"],
  // Whether the last way to Fargate failed, though the back-off is over.
  series: ["clean", "failed"],
} as const;

/** Something that may look one way or another. */
export type Subject = keyof typeof sights;

/** Says how a subject looks now; asked at most once per subject and tick. */
export type Look = (subject: Subject) => string;

const tierStates: Readonly<Record<Stack, TierState>> = {
  absent: "absent",
  creating: "starting",
  ready: "ready",
  sick: "starting",
  failed: "failed",
  deleting: "stopping",
  undeletable: "failed",
};

const digests = ["sha256:live", "sha256:other", "sha256:other"] as const;
const calm: AlarmState = "OK";
const alarms = { "busy-requests": calm, "busy-concurrency": calm, throttled: calm, quiet: calm };
const samples: readonly Sample[] = [
  {
    tier: "lambda",
    startMs: 0,
    periodMs: 1,
    requests: 1,
    errors: 0,
    throttles: 0,
    concurrencyMax: 1,
    latencyMsP99: 1,
  },
];
const flawless: RecentTraffic = { windowMs: 1, requests: 100, errors: 0 };
const faulty: RecentTraffic = { windowMs: 1, requests: 100, errors: 50 };
const orphaned: readonly string[] = ["balancer"];
const none: readonly string[] = [];

/**
 * What the engine observes; each subject is looked at only when it is read. Classes, because there
 * are tens of millions of looks and accessors of literals are made anew for each.
 */
export function observationOf(state: AbstractState, look: Look): Observation {
  return new Observed(state, look);
}

class Observed implements Observation {
  readonly lambda: Observation["lambda"];
  readonly fargate: Observation["fargate"];
  readonly dns: Observation["dns"];
  readonly alarms: Observation["alarms"] = alarms;
  readonly samples = samples;
  readonly recent: Observation["recent"];
  readonly #look: Look;

  constructor(state: AbstractState, look: Look) {
    const route = routes[state.shown];
    if (route === undefined) throw new RangeError(`no route ${state.shown}`);
    this.#look = look;
    this.lambda = new LambdaSeen(look);
    this.fargate = new FargateSeen(state, look);
    this.dns = { route, inSync: state.inSync };
    this.recent = new RecentSeen(look);
  }

  get balancerLastRequestMs(): number {
    return this.#look("balancer") === "quiet" ? nowMs - proofSettings.drainQuietMs : nowMs;
  }
}

class LambdaSeen {
  readonly digest: string = digests[0];
  readonly #look: Look;

  constructor(look: Look) {
    this.#look = look;
  }

  get state(): TierState {
    return this.#look("lambda") === "failed" ? "failed" : "ready";
  }

  get concurrencyFree(): number {
    return this.#look("lambda") === "full" ? 0 : 1000;
  }
}

class FargateSeen {
  readonly state: TierState;
  readonly digest: string | null;
  readonly tasksDesired: number;
  readonly tasksHealthy: number;
  readonly failure = null;
  readonly orphans: readonly string[];
  readonly #probed: boolean;
  readonly #look: Look;

  constructor({ stack, skew, target, orphans }: AbstractState, look: Look) {
    this.state = tierStates[stack];
    this.digest = stack === "absent" ? null : (digests[skew] ?? null);
    this.tasksDesired = stands(stack) ? 1 : 0;
    this.tasksHealthy = stack === "ready" ? 1 : 0;
    this.orphans = orphans ? orphaned : none;
    // Probes are requests too: they are only made on the way up.
    this.#probed = stands(stack) && target === "fargate";
    this.#look = look;
  }

  get probeOk(): boolean | null {
    return this.#probed ? this.#look("probe") === "answers" : null;
  }
}

class RecentSeen {
  readonly #look: Look;

  constructor(look: Look) {
    this.#look = look;
  }

  get lambda(): RecentTraffic {
    return this.#look("errors") === "on Lambda" ? faulty : flawless;
  }

  get fargate(): RecentTraffic {
    return this.#look("errors") === "on Fargate" ? faulty : flawless;
  }
}

/** A policy that says whatever it likes: every policy is one path through what this one does. */
export function anyPolicy(look: Look): Policy {
  const decision = new AnyDecision(look) as Decision;
  return { name: "any", decide: (_, policyState) => ({ decision, policyState }) };
}

class AnyDecision {
  readonly tasks = 1;
  readonly reason = "";
  readonly #look: Look;

  constructor(look: Look) {
    this.#look = look;
  }

  get type(): Decision["type"] {
    return this.#look("policy") === "holds" ? "hold" : "target";
  }

  get tier(): Tier {
    return this.#look("policy") === "wants Fargate" ? "fargate" : "lambda";
  }
}
