/**
 * The vocabulary of LambdaFlex: read this file first.
 *
 * Every type is plain readonly data, so that a state can be printed, stored, compared and replayed.
 * Times are milliseconds of the cloud's own clock (suffix `Ms`), weights are whole per cent.
 */

/** Where requests are answered: a Lambda function or a load-balanced Fargate service. */
export type Tier = "lambda" | "fargate";

/** What a tier is right now. `ready` means that it may carry traffic. */
export type TierState = "absent" | "starting" | "ready" | "stopping" | "failed";

/** What the system is busy with. Derived from facts by `phaseOf`, never stored. */
export type Phase = "steady" | "provisioning" | "shifting" | "draining" | "deprovisioning";

/** The state of an alarm, with the meaning CloudWatch gives to it. */
export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** The alarms that wake the engine; their definitions are made by `alarmDefinitions`. */
export type AlarmName = "busy-requests" | "busy-concurrency" | "throttled" | "quiet";

/** One closed metric window of one tier. */
export interface Sample {
  readonly tier: Tier;
  /** Start of the window, a multiple of `periodMs`. */
  readonly startMs: number;
  readonly periodMs: number;
  readonly requests: number;
  /** Answers with status 5xx. */
  readonly errors: number;
  /** Invocations refused for lack of concurrency (Lambda only). */
  readonly throttles: number;
  /** Most requests in flight at once. */
  readonly concurrencyMax: number;
  /** `null` when the window saw no request. */
  readonly latencyMsP99: number | null;
  /** Mean billed duration of an invocation (Lambda only), where the adapter can tell. */
  readonly durationMsMean?: number;
}

/** How DNS divides new resolutions. `lambda + fargate` is always 100. */
export interface Route {
  readonly lambda: number;
  readonly fargate: number;
  /** Whether the Fargate record exists. The Lambda record always does. */
  readonly fargateRecord: boolean;
}

/** What is true of the Lambda tier now. */
export interface LambdaFacts {
  /** `ready` only after a successful probe; `failed` when the probe does not answer. */
  readonly state: TierState;
  /** Image digest that the live alias runs. */
  readonly digest: string;
  /** Environments that could still be started before the account limit throttles. */
  readonly concurrencyFree: number;
}

/** What is true of the Fargate tier now. */
export interface FargateFacts {
  /** `ready`: the stack is complete, it runs `digest` and at least one target is healthy. */
  readonly state: TierState;
  /** Image digest that the service runs, `null` while absent. */
  readonly digest: string | null;
  readonly tasksDesired: number;
  readonly tasksHealthy: number;
  /** Result of the last request through the balancer with the real Host; `null` if not probed. */
  readonly probeOk: boolean | null;
  /** The failing resource's own reason: why `state` is `failed`, or an update was rolled back. */
  readonly failure: string | null;
  /** Billable leftovers of a removed stack, by name. */
  readonly orphans: readonly string[];
}

/** What DNS answers now. */
export interface RouteFacts {
  readonly route: Route;
  /** Whether every authoritative server answers with `route`. */
  readonly inSync: boolean;
}

/** Traffic of one tier over the last few minutes, for guards rather than for policies. */
export interface RecentTraffic {
  /** Span that the counts cover. */
  readonly windowMs: number;
  readonly requests: number;
  readonly errors: number;
}

/** Everything that is true now, as one adapter read it. */
export interface Observation {
  readonly lambda: LambdaFacts;
  readonly fargate: FargateFacts;
  readonly dns: RouteFacts;
  readonly alarms: Readonly<Record<AlarmName, AlarmState>>;
  /** Closed windows, oldest first; may repeat windows that were seen before. */
  readonly samples: readonly Sample[];
  readonly recent: Readonly<Record<Tier, RecentTraffic>>;
  /** When the balancer last answered a request for our Host; `null` = never since it exists. */
  readonly balancerLastRequestMs: number | null;
}

/** A manual decision that outranks the policy. */
export interface Override {
  readonly tier: Tier;
  /** `null` pins the tier until the override is removed. */
  readonly untilMs: number | null;
}

/** A policy's memory: JSON, opaque to the engine. */
export type PolicyState = Readonly<Record<string, unknown>>;

/** The little that must be remembered between two ticks. */
export interface Status {
  /** Grows by one with each commit; the compare-and-swap key. */
  readonly revision: number;
  readonly target: Tier;
  readonly targetSinceMs: number;
  /** Tasks that the burst tier starts with. */
  readonly tasks: number;
  /** The route last commanded: the world is brought back to it when it differs. */
  readonly route: Route;
  /** When `route` was last commanded, `null` before the first shift. */
  readonly shiftedAtMs: number | null;
  /** When `route` was first seen in sync, `null` while it is not. */
  readonly syncedAtMs: number | null;
  /** Since when the burst tier is healthy and probed without interruption. */
  readonly healthySinceMs: number | null;
  /** Consecutive successful probes since then. */
  readonly probesOk: number;
  /** No burst before this time: the back-off after a failure. */
  readonly holdUntilMs: number | null;
  /** Failures in a row, the exponent of the back-off. */
  readonly failures: number;
  readonly override: Override | null;
  /** Start of the newest window that the policy has consumed. */
  readonly windowSeenMs: number;
  readonly policyState: PolicyState;
}

/** What a policy is allowed to see. */
export interface PolicyView {
  readonly nowMs: number;
  readonly target: Tier;
  readonly targetSinceMs: number;
  readonly phase: Phase;
  readonly alarms: Readonly<Record<AlarmName, AlarmState>>;
  /** Closed windows not seen before, oldest first, each exactly once. */
  readonly samples: readonly Sample[];
}

/** What should be. Every decision carries a reason with its numbers. */
export type Decision =
  | {
      readonly type: "target";
      readonly tier: Tier;
      readonly tasks: number;
      readonly reason: string;
    }
  | { readonly type: "hold"; readonly reason: string };

/** A policy: pure, pluggable, and never asked about the same window twice. */
export interface Policy {
  readonly name: string;
  readonly decide: (
    view: PolicyView,
    state: PolicyState,
  ) => { readonly decision: Decision; readonly policyState: PolicyState };
}

/** What the engine asks of a cloud: idempotent and absolute. */
export type Action =
  | { readonly type: "provision"; readonly digest: string; readonly tasks: number }
  | { readonly type: "route"; readonly route: Route }
  | { readonly type: "deprovision" };

/** Something worth telling, in the one event stream that logs, views and histories read. */
export interface EngineEvent {
  readonly atMs: number;
  readonly type: "decision" | "shift" | "provision" | "deprovision" | "failure" | "notice";
  readonly message: string;
  readonly phase: Phase;
  /** The numbers that the message rests on. */
  readonly data: Readonly<Record<string, number | string | boolean | null>>;
}

/** What the engine is waiting for; the kinds are in the order of a cycle. */
export interface Wait {
  readonly kind:
    | "stack"
    | "healthy"
    | "lambda"
    | "in-sync"
    | "ttl"
    | "bake"
    | "drain"
    | "removal"
    | "hold";
  readonly message: string;
  /** Time left if it is known, `null` if something external decides. */
  readonly leftMs: number | null;
}

/** The outcome of one reconciliation. */
export interface Step {
  readonly phase: Phase;
  readonly status: Status;
  readonly actions: readonly Action[];
  readonly events: readonly EngineEvent[];
  readonly wait: Wait | null;
  /** When to look again at the latest; an alarm may wake the engine earlier. */
  readonly requeueAfterMs: number;
}

/**
 * A call that failed may still take effect, but no later than this. A removal may therefore come
 * as a surprise for so long, and a tier that is to get weight again must outlive that first.
 */
export const lateCallMsMax: number = 10_000;

/** How transitions are made. All values come from the configuration. */
export interface EngineSettings {
  /** TTL of the DNS records. */
  readonly ttlMs: number;
  /** Fargate's share after each step up, ascending, the last one 100. */
  readonly stepPercents: readonly number[];
  /** Fargate's share after each step down, descending, the last one 0. */
  readonly stepPercentsDown: readonly number[];
  /** Observation time after each step, once clients can have followed it. */
  readonly bakeMs: number;
  /** How long targets must be healthy before the first weight moves; `lateCallMsMax` at least. */
  readonly healthyMs: number;
  /** Consecutive successful probes through the balancer before the first weight moves. */
  readonly probesMin: number;
  readonly tasksMin: number;
  readonly tasksMax: number;
  /** How long the balancer must be silent before the burst tier is removed. */
  readonly drainQuietMs: number;
  /** The longest drain: after it the burst tier is removed although clients still come. */
  readonly drainMaxMs: number;
  /** Shortest stay on Fargate before a policy may leave it. */
  readonly dwellFargateMs: number;
  /** Shortest stay on Lambda before a policy may leave it. */
  readonly dwellLambdaMs: number;
  /** A share of 5xx answers above the other tier's by more than this turns a shift back, 0 to 1. */
  readonly errorMargin: number;
  /** Requests the new tier must have answered before its errors count. */
  readonly errorRequestsMin: number;
  /** A phase that takes longer has failed. A drain has an end of its own: `drainMaxMs`. */
  readonly deadlineMs: Readonly<Record<Exclude<Phase, "steady" | "draining">, number>>;
  /** First back-off after a failure; doubles with each failure in a row. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Polling interval while something external is awaited. */
  readonly pollMs: number;
  /** Interval of ticks while nothing happens. */
  readonly idleMs: number;
}

/** The one port. AWS, the local cloud and the simulator are its adapters. */
export interface Cloud {
  /** Reads everything at once. Throws when the cloud cannot be read; the next tick retries. */
  observe(): Promise<{ readonly status: Status; readonly world: Observation }>;
  /**
   * Stores `status` if the stored revision is `status.revision - 1`, else throws ConflictError.
   * `events` are what it tells: an adapter with a history stores them in the same write.
   */
  commit(status: Status, events?: readonly EngineEvent[]): Promise<void>;
  /** Returns when the action is accepted; its progress shows in `observe`. */
  apply(action: Action): Promise<void>;
}

/** Thrown by `commit` when another controller was faster. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
}
