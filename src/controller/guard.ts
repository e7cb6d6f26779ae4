/**
 * The guard: before the base stack goes, everything that it does not own goes: traffic returns to
 * Lambda, the burst stack is deleted, the records are removed. What cannot be removed fails the
 * removal with its reason; nothing is left behind in silence.
 *
 * It is level-triggered as the engine is: each step looks at what is there and asks for what is
 * missing, so that a run that was cut off goes on where it was.
 */
import type { CustomResourceEvent } from "./custom-resource.ts";

/** What the guard sees. */
export interface GuardSight {
  /** Whether DNS answers with Lambda alone; true without a domain. */
  readonly onLambda: boolean;
  /** Status of the burst stack, `null` once there is none. */
  readonly stackStatus: string | null;
}

/** What the guard asks for. All of it may be asked for again. */
export interface GuardWorld {
  readonly see: () => Promise<GuardSight>;
  /** Gives Lambda all traffic. Resolves once every name server knows it. */
  readonly returnToLambda: () => Promise<void>;
  readonly deleteStack: () => Promise<void>;
  /** Why the stack could not be deleted, in the failing resource's own words. */
  readonly deleteFailure: () => Promise<string>;
  /** Removes the record of Lambda, the last one. */
  readonly removeRecords: () => Promise<void>;
}

/** What must survive when the guard calls itself again. */
export interface GuardProgress {
  readonly sinceMs: number;
  /** When DNS was first seen to answer with Lambda alone. */
  readonly onLambdaMs: number | null;
  /** Deletions that failed. */
  readonly failures: number;
}

/** What became of a run. */
export type GuardOutcome =
  | { readonly done: true }
  | { readonly done: false; readonly progress: GuardProgress };

/** A run and its time. */
export interface GuardRun {
  readonly world: GuardWorld;
  readonly progress: GuardProgress;
  /** When this run must end; the next one continues. */
  readonly untilMs: number;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Real time between two looks. */
const pollMs = 10_000;

/** A controller that was woken before its schedule went may act for so long. */
const controllerMs = 60_000;

/** How long clients may keep an answer of DNS: the TTL of an alias record. */
const ttlMs = 60_000;

/** Deletions that may fail before the removal of the base stack does. */
const failuresMax = 3;

/** CloudFormation gives the guard an hour. */
const giveUpMs = 55 * 60_000;

/** Clears up until all is gone or the time is over. Throws with the reason if it cannot. */
export async function clearUp(run: GuardRun): Promise<GuardOutcome> {
  let { progress } = run;
  for (;;) {
    const next = await step(run, progress);
    if (next === null) {
      await run.world.removeRecords();
      return { done: true };
    }
    progress = next;
    if (run.nowMs() - progress.sinceMs > giveUpMs) {
      throw new Error("the burst stack is still being deleted after 55 minutes");
    }
    if (run.nowMs() + pollMs >= run.untilMs) return { done: false, progress };
    await run.sleep(pollMs);
  }
}

/** One look and what follows from it; `null` once nothing is left to do but the last record. */
async function step(run: GuardRun, before: GuardProgress): Promise<GuardProgress | null> {
  const { world, nowMs } = run;
  const { onLambda, stackStatus } = await world.see();
  if (!onLambda) await world.returnToLambda();
  const onLambdaMs = onLambda ? (before.onLambdaMs ?? nowMs()) : nowMs();
  const progress = { ...before, onLambdaMs };
  if (stackStatus === null) {
    const settled = nowMs() - before.sinceMs >= controllerMs;
    return onLambda && settled ? null : progress;
  }
  // Clients that resolved the balancer's address a moment ago still find it.
  if (nowMs() - onLambdaMs < ttlMs || isBusy(stackStatus)) return progress;
  const failed = stackStatus === "DELETE_FAILED";
  const failures = before.failures + (failed ? 1 : 0);
  if (failures > failuresMax) throw new Error(await world.deleteFailure());
  await world.deleteStack();
  return { ...progress, failures };
}

/** What CloudFormation must end first; a deletion may interrupt a creation alone. */
function isBusy(status: string): boolean {
  return status.endsWith("_IN_PROGRESS") && status !== "CREATE_IN_PROGRESS";
}

/** Why an update must not be: the records of the earlier domain would stay for ever. */
export function updateProblem(event: CustomResourceEvent): string | null {
  if (event.RequestType !== "Update") return null;
  const before = event.OldResourceProperties?.Domain ?? "";
  const after = event.ResourceProperties.Domain;
  if (before === "" || before === after) return null;
  const change = `from ${before} to ${after || "none"}`;
  return `the domain of a deployment cannot change ${change}: destroy it, then deploy again`;
}
