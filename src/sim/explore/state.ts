/**
 * The abstract state: what the engine remembers, what is true of the world, and what the engine
 * cannot see. Times are ages in whole units, cut off where no rule can tell them apart any more.
 */
import type { EngineSettings, Route, Tier } from "../../core/types.ts";

/** What is left of a burst stack, as CloudFormation and the target group would show it. */
export const stacks = [
  "absent",
  "creating",
  "ready",
  // Complete, but without a healthy target.
  "sick",
  "failed",
  "deleting",
  "undeletable",
] as const;

/** One of `stacks`. */
export type Stack = (typeof stacks)[number];

/** The routes that the steps of `proofSettings` can command, and that a hand can set. */
export const routes: readonly Route[] = [
  { lambda: 100, fargate: 0, fargateRecord: false },
  { lambda: 100, fargate: 0, fargateRecord: true },
  { lambda: 50, fargate: 50, fargateRecord: true },
  { lambda: 0, fargate: 100, fargateRecord: true },
];

/** An index into `routes`; from `weighted` on Fargate has weight. */
export type RouteIndex = number;

/** The route whose record stands without a share. */
export const weightless = 1;

/** The first route that gives Fargate a share. */
export const weighted = 2;

/** Ages are counted up to here; the number above tells which of two old ones is older. */
export const ageMax = 3;

/** The address is kept for as long as the client likes: longer than the TTL allows. */
export const extender = 2;

/** The whole of one state. Ages are `-1` where the status says `null`. */
export interface AbstractState {
  // What the engine remembers.
  readonly target: Tier;
  readonly targetAge: number;
  readonly route: RouteIndex;
  readonly shiftedAge: number;
  readonly syncedAge: number;
  readonly healthyAge: number;
  readonly probes: number;
  /** Time left of the back-off. Of failures before that, a look tells: there may have been any. */
  readonly hold: number;
  readonly override: Tier | null;
  // What can be observed.
  readonly stack: Stack;
  readonly orphans: boolean;
  /** The burst's image: 0 is Lambda's, 1 another, 2 another and an update is on its way. */
  readonly skew: number;
  readonly shown: RouteIndex;
  readonly inSync: boolean;
  // What the engine cannot see.
  /** While not in sync: some server may still answer with Fargate. */
  readonly lingering: boolean;
  /** The followed client: 0 holds no Fargate address, 1 holds one for its TTL, or `extender`. */
  readonly client: number;
  /** Committed, and not yet applied: 0 nothing, 1 the current image, 2 an older one. */
  readonly pendingProvision: number;
  /** `-1` for none. */
  readonly pendingRoute: RouteIndex;
  readonly pendingRemoval: boolean;
  /** A fault or a hand took Fargate away under its clients: what they lose is not our doing. */
  readonly excused: boolean;
  /** What a stale answer shows after our own call, `null` if only the truth. */
  readonly before: Stack | null;
}

/** At rest on Lambda, as every service begins. */
export const initialState: AbstractState = {
  target: "lambda",
  targetAge: ageMax,
  route: 0,
  shiftedAge: -1,
  syncedAge: -1,
  healthyAge: -1,
  probes: 0,
  hold: 0,
  override: null,
  stack: "absent",
  orphans: false,
  skew: 0,
  shown: 0,
  inSync: true,
  lingering: false,
  client: 0,
  pendingProvision: 0,
  pendingRoute: -1,
  pendingRemoval: false,
  excused: false,
  before: null,
};

/**
 * The smallest settings that keep every wait apart from every other. One unit is one millisecond:
 * the engine knows no other constants than these.
 */
export const proofSettings: EngineSettings = {
  ttlMs: 1,
  stepPercents: [50, 100],
  stepPercentsDown: [50, 0],
  bakeMs: 0,
  healthyMs: 1,
  probesMin: 1,
  tasksMin: 1,
  tasksMax: 1,
  drainQuietMs: 1,
  drainMaxMs: 3,
  dwellFargateMs: 1,
  dwellLambdaMs: 1,
  errorMargin: 0.05,
  errorRequestsMin: 50,
  deadlineMs: { provisioning: 2, shifting: 2, deprovisioning: 2 },
  backoffMs: 1,
  backoffMaxMs: 1,
  pollMs: 1,
  idleMs: 1,
};

/** Whether a resolution may be answered with Fargate now. */
export function mayAnswerFargate(state: AbstractState): boolean {
  return state.shown >= weighted || state.lingering;
}

/** Whether the stack stands, with or without healthy targets. */
export function stands(stack: Stack): boolean {
  return stack === "ready" || stack === "sick";
}

/** Whether a committed step has not been applied yet. */
export function hasPending(state: AbstractState): boolean {
  return state.pendingProvision > 0 || state.pendingRoute >= 0 || state.pendingRemoval;
}
