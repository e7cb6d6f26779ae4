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

/** What the engine observes; each subject is looked at only when it is read. */
export function observationOf(state: AbstractState, look: Look): Observation {
  const { stack, skew, shown } = state;
  const route = routes[shown];
  if (route === undefined) throw new RangeError(`no route ${shown}`);
  return {
    lambda: {
      get state() {
        return look("lambda") === "failed" ? "failed" : "ready";
      },
      digest: digests[0],
      get concurrencyFree() {
        return look("lambda") === "full" ? 0 : 1000;
      },
    },
    fargate: {
      state: tierStates[stack],
      digest: stack === "absent" ? null : (digests[skew] ?? null),
      tasksDesired: stands(stack) ? 1 : 0,
      tasksHealthy: stack === "ready" ? 1 : 0,
      get probeOk() {
        // Probes are requests too: they are only made on the way up.
        if (!stands(stack) || state.target === "lambda") return null;
        return look("probe") === "answers";
      },
      failure: null,
      orphans: state.orphans ? ["balancer"] : [],
    },
    dns: { route, inSync: state.inSync },
    alarms,
    samples,
    recent: {
      get lambda() {
        return look("errors") === "on Lambda" ? faulty : flawless;
      },
      get fargate() {
        return look("errors") === "on Fargate" ? faulty : flawless;
      },
    },
    get balancerLastRequestMs() {
      return look("balancer") === "quiet" ? nowMs - proofSettings.drainQuietMs : nowMs;
    },
  };
}

/** A policy that says whatever it likes: every policy is one path through what this one does. */
export function anyPolicy(look: Look): Policy {
  const decision = {
    get type() {
      return look("policy") === "holds" ? "hold" : "target";
    },
    get tier() {
      return look("policy") === "wants Fargate" ? "fargate" : "lambda";
    },
    tasks: 1,
    reason: "",
  } as Decision;
  return { name: "any", decide: (_, policyState) => ({ decision, policyState }) };
}
