/** The controller's own events beside those of the engine: trouble, refusals and arrivals. */
import type { EngineEvent, Phase, TickResult } from "../core/index.ts";
import { type Told, troubleData } from "./told.ts";

/** What a tick is worth telling beside the engine's events. */
export function eventsOfTick(
  result: TickResult,
  told: Told,
  refusal: string | null,
  nowMs: number,
): readonly EngineEvent[] {
  if (!result.ok) {
    // Somebody else was faster: that is what compare-and-swap is for.
    if (result.during === "conflict") return [];
    const phase = result.step?.phase ?? told.phase ?? "steady";
    const message = `could not ${verbs[result.during]}: ${result.error.message}`;
    return [trouble(message, phase, nowMs)];
  }
  const { step } = result;
  const events: EngineEvent[] = [];
  if (refusal !== null) {
    events.push({ ...trouble(refusal, step.phase, nowMs), type: "notice" });
  }
  const { state, failure } = result.world.fargate;
  if (state !== "failed" && failure !== null) {
    const message = `the burst tier serves on with its former settings: ${failure}`;
    events.push({ ...trouble(message, step.phase, nowMs), type: "notice" });
  }
  const arrived = arrival(result, told, nowMs);
  return arrived === null ? events : [...events, arrived];
}

const verbs = { observe: "read AWS", commit: "commit", apply: "change AWS" } as const;

/** An operating failure as an event. */
export function trouble(message: string, phase: Phase, atMs: number): EngineEvent {
  return { atMs, type: "failure", message, phase, data: { ...troubleData } };
}

/** The end of a transition, which the engine does not tell because nothing is left to be done. */
function arrival(
  { step }: Extract<TickResult, { ok: true }>,
  told: Told,
  nowMs: number,
): EngineEvent | null {
  if (step.phase !== "steady" || told.phase === null || told.phase === "steady") return null;
  const { target, targetSinceMs, route } = step.status;
  const minutes = Math.max(0, Math.round((nowMs - targetSinceMs) / 60_000));
  const where = target === "fargate" ? "Fargate" : "Lambda";
  const message =
    target === "fargate"
      ? `all traffic is on ${where}, ${minutes} minutes after the decision`
      : `all traffic is on ${where} and nothing of the burst tier is left`;
  const data = { target, minutes, fargate: route.fargate };
  return { atMs: nowMs, type: "notice", message, phase: step.phase, data };
}
