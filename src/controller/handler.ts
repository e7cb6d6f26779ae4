/**
 * The controller in AWS Lambda: glance, take the lease, tick, and while something moves go on
 * until the time of the invocation is used up. The next one continues from what is stored.
 */
import { appendEvents } from "../aws/history.ts";
import { readState, writeNotes } from "../aws/table.ts";
import { releaseTurn, takeTurn } from "../aws/turns.ts";
import { type EngineEvent, type Phase, type TickResult, tick } from "../core/index.ts";
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
    await tell(controller, told, told.phase, [trouble(message, told.phase ?? "steady", atMs)]);
    throw error;
  }
  options.write(tickLine(deployment.app, result, atMs));
  const events = eventsOfTick(result, told, refusals.take(), atMs);
  const phase = result.step?.phase ?? told.phase;
  return { result, told: await tell(controller, told, phase, events) };
}

/** Events of the controller's own are numbered after those of the engine. */
const ownFirst = 500;

/**
 * Stores and sends what is news: what was committed and not told, then the controller's own events.
 * That it fails is logged, and keeps nothing from moving.
 */
async function tell(
  controller: Controller,
  told: Told,
  phase: Phase | null,
  own: readonly EngineEvent[],
): Promise<Told> {
  const { table, audience, options, cloud } = controller;
  const attempt = async (what: string, work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => true,
      (error: Error) => {
        options.write(logLine("warn", `${what} failed: ${error.message}`, {}));
        return false;
      },
    );
  const { untold } = cloud;
  const revision = untold.at(-1)?.revision ?? 0;
  const committed = untold.map((one) => ({ ...one, first: 0 }));
  const parts = [...committed, { revision, events: own, first: ownFirst }];
  let after = told;
  let stored = true;
  const news: EngineEvent[] = [];
  for (const part of parts) {
    const heard = tellNews(after, part.events);
    after = heard.told;
    news.push(...heard.news);
    const written = appendEvents(table, part.revision, heard.news, part.first);
    stored = (await attempt("writing the history", written)) && stored;
  }
  after = { ...after, phase };
  // Told first and noted then: whoever dies in between is followed by one that tells again.
  for (const problem of await notify(audience, news)) {
    options.write(logLine("warn", `telling failed: ${problem}`, {}));
  }
  if (stored && (news.length > 0 || untold.length > 0 || told.phase !== phase)) {
    const notes = { told: JSON.stringify(after), ...(untold.length > 0 ? { untold: "[]" } : {}) };
    if (await attempt("noting", writeNotes(table, notes))) cloud.forgetUntold();
  }
  // What could not be stored is told again: twice is better than never.
  return stored ? after : told;
}
