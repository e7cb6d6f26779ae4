/**
 * Every parameter of the realistic model, by name and unit.
 *
 * Where AWS publishes no number the default is an assumption, and its comment says so.
 */
import type { Thresholds } from "../core/alarms.ts";
import { awsDelayRanges, type DelayRanges, type SecondsRange } from "../core/delays.ts";
import type { EngineSettings } from "../core/types.ts";
import { idealSettings } from "./cloud.ts";
import { economicsOfScenario, type Scenario, scenarioDefault } from "./model.ts";

/** How clients follow DNS. */
export interface ClientBehaviour {
  /** Share of the traffic behind resolvers that keep answers beyond their TTL, 0 to 1. */
  readonly ttlExtendersShare: number;
  /** How long those keep an answer. */
  readonly ttlExtendedSeconds: number;
}

/** How Lambda runs the function. */
export interface LambdaBehaviour {
  /** Environments that may exist at once: the account's quota. */
  readonly concurrencyMax: number;
  /** Environments that one function may add, at once and in each 10 seconds. */
  readonly environmentsPer10Seconds: number;
  /** An environment that nobody used for so long is gone. */
  readonly environmentIdleSeconds: number;
  /** From a request without an environment until its own one has started. Billed like work. */
  readonly coldStartSeconds: number;
}

/** How the Fargate service runs and scales. */
export interface FargateBehaviour {
  /** What one task can answer at most; target tracking holds the profile's lower rate. */
  readonly rpsPerTaskMax: number;
  /** `ideal` has as many tasks as the rate needs at every moment. */
  readonly autoscaling: "reactive" | "ideal";
  /**
   * Where requests go that no task has time for: they wait at the balancer, or Lambda answers
   * them. DNS cannot do the latter; it is the best case of a front that can.
   */
  readonly excess: "queue" | "lambda";
  /** A request that waited so long is answered with an error. */
  readonly requestTimeoutSeconds: number;
  /** Minutes in a row that must ask for it before tasks are added or removed. */
  readonly scaleOutMinutes: number;
  readonly scaleInMinutes: number;
  readonly scaleOutCooldownSeconds: number;
  readonly scaleInCooldownSeconds: number;
  /** From the start of a task's process until the balancer uses it. */
  readonly healthySeconds: number;
  /** The last part of a task's start, from which on it is billed: pulling the image. */
  readonly pullSeconds: number;
  /** From the end of a task's traffic to its end: deregistration and stop, still billed. */
  readonly stopSeconds: number;
  /** The shortest time that a task is billed for. */
  readonly billedSecondsMin: number;
}

/** How balancer hours are billed: each started one, or as the ideal model's mean. */
export type BalancerRounding = "whole-hours" | "mean";

/** All parameters of the realistic model. `times` only informs policies. */
export interface RealisticScenario extends Scenario {
  readonly engine: EngineSettings;
  /** When the alarms go off. */
  readonly thresholds: Thresholds;
  readonly delays: DelayRanges;
  /** Age of a minute, counted from its start, when its sample can be read. */
  readonly metricLagSeconds: SecondsRange;
  readonly clients: ClientBehaviour;
  readonly lambda: LambdaBehaviour;
  readonly fargate: FargateBehaviour;
  readonly balancerRounding: BalancerRounding;
}

const minuteMs = 60_000;

/** The engine as an untouched configuration sets it, with room for more tasks. */
const engineDefault: EngineSettings = {
  ttlMs: minuteMs,
  stepPercents: [10, 50, 100],
  stepPercentsDown: [50, 0],
  bakeMs: minuteMs,
  healthyMs: 30_000,
  probesMin: 5,
  tasksMin: scenarioDefault.profile.tasksMin,
  tasksMax: 1000,
  drainQuietMs: 10 * minuteMs,
  drainMaxMs: 60 * minuteMs,
  dwellFargateMs: 50 * minuteMs,
  dwellLambdaMs: 10 * minuteMs,
  errorMargin: 0.02,
  errorRequestsMin: 50,
  deadlineMs: {
    provisioning: 15 * minuteMs,
    shifting: 30 * minuteMs,
    deprovisioning: 30 * minuteMs,
  },
  backoffMs: 5 * minuteMs,
  backoffMaxMs: 60 * minuteMs,
  pollMs: 5000,
  idleMs: minuteMs,
};

/** AWS as it is published, and the product's own defaults. */
export const realisticDefault: RealisticScenario = {
  ...scenarioDefault,
  engine: engineDefault,
  thresholds: {
    up: { requestsPerMinute: 3000, concurrency: 50, periods: 2, of: 3 },
    down: { requestsPerMinute: 300, minutes: 15 },
  },
  delays: awsDelayRanges("warm"),
  // Observed for API Gateway and the balancer: on average the ideal model's two minutes.
  metricLagSeconds: [60, 180],
  clients: {
    // 8.74 % of 8,524 resolvers: Bhowmick et al., TTL Violation of DNS Resolvers in the Wild, 2023.
    ttlExtendersShare: 0.0874,
    // An assumption: the paper does not say for how long.
    ttlExtendedSeconds: 600,
  },
  lambda: {
    concurrencyMax: 1000,
    environmentsPer10Seconds: 1000,
    // An assumption: AWS promises nothing; minutes are commonly observed.
    environmentIdleSeconds: 300,
    // An assumption about the image: measure your own with a rehearsal.
    coldStartSeconds: 1,
  },
  fargate: {
    // 50 requests/s at a CPU target of 60 %.
    rpsPerTaskMax: 83,
    autoscaling: "reactive",
    excess: "queue",
    // The balancer's idle timeout.
    requestTimeoutSeconds: 60,
    // The alarms that Application Auto Scaling makes, and its cooldown for ECS.
    scaleOutMinutes: 3,
    scaleInMinutes: 15,
    scaleOutCooldownSeconds: 60,
    scaleInCooldownSeconds: 300,
    // Two health checks, 5 s apart.
    healthySeconds: 10,
    // An assumption: a few hundred MB.
    pullSeconds: 20,
    // Deregistration delay 35 s, then SIGTERM with a few seconds to finish.
    stopSeconds: 40,
    billedSecondsMin: 60,
  },
  balancerRounding: "whole-hours",
};

/** A realistic scenario that waits for nothing but what the ideal model waits for. */
export function idealisedScenario(scenario: Scenario = scenarioDefault): RealisticScenario {
  const { upMinutes, downMinutes, metricLagMinutes } = scenario.times;
  const always = (minutes: number): SecondsRange => [60 * minutes, 60 * minutes];
  const unbounded = Number.MAX_SAFE_INTEGER;
  const tasksMax = realisticDefault.engine.tasksMax;
  return {
    ...realisticDefault,
    ...scenario,
    // The shortest TTL that still is one: with none the engine would do two steps at once.
    engine: { ...idealSettings(economicsOfScenario(scenario), tasksMax), ttlMs: 1, pollMs: 1000 },
    delays: {
      balancerSeconds: always(0),
      taskStartSeconds: always(upMinutes),
      removalSeconds: always(downMinutes),
      dnsSeconds: always(0),
      alarmSeconds: always(0),
    },
    metricLagSeconds: always(metricLagMinutes),
    clients: { ttlExtendersShare: 0, ttlExtendedSeconds: 0 },
    lambda: {
      concurrencyMax: unbounded,
      environmentsPer10Seconds: unbounded,
      environmentIdleSeconds: 300,
      coldStartSeconds: 0,
    },
    fargate: {
      ...realisticDefault.fargate,
      rpsPerTaskMax: scenario.profile.requestsPerSecondPerTask,
      autoscaling: "ideal",
      healthySeconds: 0,
      pullSeconds: 60 * upMinutes,
      stopSeconds: 60 * downMinutes,
      billedSecondsMin: 0,
    },
    balancerRounding: "mean",
  };
}
