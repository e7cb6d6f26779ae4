/**
 * The controller in AWS Lambda: glance, take the lease, tick, and while something moves go on
 * until the time of the invocation is used up. The next one continues from what is stored.
 */
import { appendEvents } from "../aws/history.ts";
import { readState, writeNote } from "../aws/table.ts";
import { releaseTurn, takeTurn } from "../aws/turns.ts";
import { type EngineEvent, type TickResult, tick } from "../core/index.ts";
import { eventsOfTick, trouble } from "./events.ts";
import { failureLine, logLine, tickLine } from "./log.ts";
import { notify } from "./notify.ts";
import { type Controller, type ControllerOptions, setUp } from "./setup.ts";
import { type Told, tellNews, toldOf } from "./told.ts";
import { wakerOf } from "./waking.ts";

/** What Lambda says about an invocation. */
export interface InvocationContext {
  readonly awsRequestId: string;
  readonly getRemainingTimeInMillis: () => number;
}

/** What became of an invocation. */
export interface InvocationResult {
  /**
   * `idle`: nothing to do; `busy`: another invocation holds the lease; `failed`: the last tick
   * could not read or change AWS.
   */
  readonly outcome: "idle" | "busy" | "ticked" | "failed";
  readonly ticks: number;
  /** The last failure; empty without one. */
  readonly failure: string;
}

/** The function that Lambda calls. */
export type ControllerHandler = (
  event: unknown,
  context: InvocationContext,
) => Promise<InvocationResult>;

/** Time that a tick may take: none begins with less, so that none is cut off as a rule. */
const tickMsMax = 10_000;

/** An invocation that was killed keeps the lease until it would have ended. */
const leaseSlackMs = 2_000;

/** Makes the handler. Throws when the environment is not what the stack wrote. */
export function createHandler(options: ControllerOptions): ControllerHandler {
  const controller = setUp(options);
  return async (event, context) => {
    const { nowMs, write } = options;
    const untilMs = nowMs() + context.getRemainingTimeInMillis();
    const waker = wakerOf(event);
    try {
      // An alarm that changed its state is worth a whole look even if nothing seems to have moved.
      const awake = waker === "schedule" ? (await controller.cloud.glance()).awake : waker;
      if (awake === null) return { outcome: "idle", ticks: 0, failure: "" };
      return await withLease(controller, context.awsRequestId, untilMs);
    } catch (error) {
      if (!(error instanceof Error) || isBug(error)) throw error;
      write(failureLine(controller.deployment.app, `invocation failed: ${error.message}`, nowMs()));
      return { outcome: "failed", ticks: 0, failure: error.message };
    }
  };
}

/** What only a defect throws: it must end the invocation with an error that an alarm counts. */
function isBug({ name }: Error): boolean {
  return ["InvariantError", "AssertionError", "TypeError", "RangeError"].includes(name);
}

async function withLease(
  controller: Controller,
  owner: string,
  untilMs: number,
): Promise<InvocationResult> {
  const { table, options } = controller;
  const turn = { owner, untilMs: untilMs + leaseSlackMs };
  if (!(await takeTurn(table, "lease", turn, options.nowMs()))) {
    return { outcome: "busy", ticks: 0, failure: "" };
  }
  try {
    return await tickUntil(controller, untilMs);
  } finally {
    // If this fails, the lease ends by itself.
    await releaseTurn(table, "lease", owner).catch((error: Error) => {
      options.write(logLine("warn", `the lease was not returned: ${error.message}`, {}));
    });
  }
}

/** Ticks as often as the engine asks for, while there is time for another one. */
async function tickUntil(controller: Controller, untilMs: number): Promise<InvocationResult> {
  const { nowMs, sleep } = controller.options;
  const notes = (await readState(controller.table)).notes;
  let told = toldOf(notes.told);
  for (let ticks = 1; ; ticks += 1) {
    const done = await tickOnce(controller, told);
    told = done.told;
    const { result } = done;
    const requeueAfterMs = result.ok ? result.step.requeueAfterMs : result.requeueAfterMs;
    if (nowMs() + requeueAfterMs + tickMsMax > untilMs) return outcomeOf(result, ticks);
    await sleep(requeueAfterMs);
  }
}

function outcomeOf(result: TickResult, ticks: number): InvocationResult {
  if (result.ok || result.during === "conflict") return { outcome: "ticked", ticks, failure: "" };
  return { outcome: "failed", ticks, failure: result.error.message };
}

async function tickOnce(
  controller: Controller,
  told: Told,
): Promise<{ readonly result: TickResult; readonly told: Told }> {
  const { cloud, refusals, settings, options, deployment } = controller;
  const atMs = options.nowMs();
  let result: TickResult;
  try {
    result = await tick(cloud, refusals.policy, settings, atMs);
  } catch (error) {
    const message = `defect: ${error instanceof Error ? error.message : String(error)}`;
    await tell(controller, told, [trouble(message, told.phase ?? "steady", atMs)], 0);
    throw error;
  }
  options.write(tickLine(deployment.app, result, atMs));
  const events = eventsOfTick(result, told, refusals.take(), atMs);
  const { step } = result;
  const phase = step?.phase ?? told.phase;
  const targetSinceMs = step?.status.targetSinceMs ?? told.targetSinceMs;
  const now = { ...told, phase, targetSinceMs };
  return { result, told: await tell(controller, now, events, step?.status.revision ?? 0, told) };
}

/** Stores and sends what is news. That it fails is logged, and keeps nothing from moving. */
async function tell(
  controller: Controller,
  told: Told,
  events: readonly EngineEvent[],
  revision: number,
  stored: Told = told,
): Promise<Told> {
  const { table, audience, options } = controller;
  const after = tellNews(told, events);
  const attempt = (what: string, work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => true,
      (error: Error) => {
        options.write(logLine("warn", `${what} failed: ${error.message}`, {}));
        return false;
      },
    );
  const { news } = after;
  const written =
    news.length === 0 ||
    (await attempt("writing the history", appendEvents(table, revision, news)));
  // A decision that is missing in the history is told by the next tick.
  const { targetSinceMs } = written ? after.told : stored;
  const noted = { ...after.told, targetSinceMs };
  if (news.length > 0 || stored.phase !== noted.phase || stored.targetSinceMs !== targetSinceMs) {
    await attempt("noting", writeNote(table, "told", JSON.stringify(noted)));
  }
  for (const problem of await notify(audience, after.news)) {
    options.write(logLine("warn", `telling failed: ${problem}`, {}));
  }
  return noted;
}
