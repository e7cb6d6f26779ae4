/**
 * The smallest cloud there is: a few facts in memory that follow actions after fixed delays.
 * It drives the engine through whole cycles in microseconds; faults are switched on by the test.
 */
import {
  type Action,
  type AlarmState,
  type Cloud,
  ConflictError,
  type EngineSettings,
  initialStatus,
  lambdaOnly,
  type Observation,
  type Route,
  type Status,
  type TierState,
} from "../src/core/index.ts";

/** Everything a test may look at or break. */
export interface Stage {
  nowMs: number;
  status: Status;
  burst: TierState;
  burstDigest: string | null;
  lambdaDigest: string;
  lambdaState: TierState;
  burstSinceMs: number;
  healthy: number;
  probeOk: boolean;
  route: Route;
  routedAtMs: number;
  busy: boolean;
  quiet: boolean;
  failCreate: boolean;
  errorsFargate: number;
  errorsLambda: number;
  lastRequestMs: number | null;
  concurrencyFree: number;
  applied: Action[];
  failNext: "observe" | "commit" | "apply" | null;
  insyncMs: number;
  createMs: number;
  deleteMs: number;
}

/** Short settings in round numbers for tests. */
export const stageSettings: EngineSettings = {
  ttlMs: 60_000,
  stepPercents: [10, 50, 100],
  stepPercentsDown: [50, 0],
  bakeMs: 30_000,
  healthyMs: 30_000,
  probesMin: 3,
  tasksMin: 2,
  tasksMax: 10,
  drainQuietMs: 120_000,
  drainMaxMs: 3_600_000,
  dwellFargateMs: 3_000_000,
  dwellLambdaMs: 600_000,
  errorMargin: 0.05,
  errorRequestsMin: 50,
  deadlineMs: {
    provisioning: 900_000,
    shifting: 900_000,
    deprovisioning: 900_000,
  },
  backoffMs: 300_000,
  backoffMaxMs: 7_200_000,
  pollMs: 5_000,
  idleMs: 60_000,
};

/** A stage at rest on Lambda. */
export function newStage(nowMs = 1_000_000_000): Stage {
  return {
    nowMs,
    status: initialStatus(),
    burst: "absent",
    burstDigest: null,
    lambdaDigest: "sha256:one",
    lambdaState: "ready",
    burstSinceMs: 0,
    healthy: 0,
    probeOk: true,
    route: lambdaOnly,
    routedAtMs: 0,
    busy: false,
    quiet: false,
    failCreate: false,
    errorsFargate: 0,
    errorsLambda: 0,
    lastRequestMs: null,
    concurrencyFree: 1000,
    applied: [],
    failNext: null,
    insyncMs: 20_000,
    createMs: 200_000,
    deleteMs: 120_000,
  };
}

/** The Cloud port over a stage. */
export function stageCloud(stage: Stage): Cloud {
  const fail = (part: Stage["failNext"]): void => {
    if (stage.failNext !== part) return;
    stage.failNext = null;
    throw new Error(`injected: ${part}`);
  };
  return {
    async observe() {
      fail("observe");
      progress(stage);
      return { status: stage.status, world: look(stage) };
    },
    async commit(status) {
      fail("commit");
      if (status.revision !== stage.status.revision + 1) throw new ConflictError("stale");
      stage.status = status;
    },
    async apply(action) {
      fail("apply");
      stage.applied.push(action);
      perform(stage, action);
    },
  };
}

/** Lets the burst tier become what its time has come for. */
function progress(stage: Stage): void {
  const age = stage.nowMs - stage.burstSinceMs;
  if (stage.burst === "starting" && age >= stage.createMs) {
    stage.burst = stage.failCreate ? "failed" : "ready";
    stage.healthy = stage.failCreate ? 0 : 2;
  }
  if (stage.burst === "stopping" && age >= stage.deleteMs) {
    stage.burst = "absent";
    stage.burstDigest = null;
  }
  if (stage.route.fargate > 0) stage.lastRequestMs = stage.nowMs;
}

function perform(stage: Stage, action: Action): void {
  if (action.type === "route") {
    stage.route = action.route;
    stage.routedAtMs = stage.nowMs;
  } else if (action.type === "provision") {
    stage.burstDigest = action.digest;
    if (stage.burst !== "absent") return;
    stage.burst = "starting";
    stage.burstSinceMs = stage.nowMs;
  } else if (stage.burst !== "absent" && stage.burst !== "stopping") {
    stage.burst = "stopping";
    stage.healthy = 0;
    stage.burstSinceMs = stage.nowMs;
  }
}

function look(stage: Stage): Observation {
  const alarm = (on: boolean): AlarmState => (on ? "ALARM" : "OK");
  const burst = stage.burst !== "absent";
  return {
    lambda: {
      state: stage.lambdaState,
      digest: stage.lambdaDigest,
      concurrencyFree: stage.concurrencyFree,
    },
    fargate: {
      state: stage.burst,
      digest: stage.burstDigest,
      tasksDesired: burst ? 2 : 0,
      tasksHealthy: stage.healthy,
      probeOk: stage.burst === "ready" ? stage.probeOk : null,
      failure: stage.burst === "failed" ? "quota" : null,
      orphans: [],
    },
    dns: { route: stage.route, inSync: stage.nowMs - stage.routedAtMs >= stage.insyncMs },
    alarms: {
      "busy-requests": alarm(stage.busy),
      "busy-concurrency": "OK",
      throttled: "OK",
      quiet: burst ? alarm(stage.quiet) : "INSUFFICIENT_DATA",
    },
    samples: [],
    recent: {
      lambda: { windowMs: 120_000, requests: 1000, errors: stage.errorsLambda },
      fargate: { windowMs: 120_000, requests: 1000, errors: stage.errorsFargate },
    },
    balancerLastRequestMs: stage.lastRequestMs,
  };
}
