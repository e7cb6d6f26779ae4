/**
 * What was told already, so that the same thing is not told every minute. A note beside the status:
 * an idle system writes nothing, and a cold start does not begin to tell anew.
 */
import type { EngineEvent, Phase } from "../core/index.ts";
import { isNumber, isText, listOf, object, oneOf, orNull } from "../core/shape-check.ts";

/** The memory of what was told. */
export interface Told {
  /** The phase that the last tick left, `null` before the first. */
  readonly phase: Phase | null;
  /** Since when the target is what the history says; 0 is the start of a service. */
  readonly targetSinceMs: number;
  /** What was told lately, newest last. */
  readonly recent: readonly { readonly key: string; readonly atMs: number }[];
}

/** Before anything was told. */
export const nothingTold: Told = { phase: null, targetSinceMs: 0, recent: [] };

/** The same trouble is told again after this time. */
const againMs = 60 * 60_000;

const recentMax = 12;
const keyMax = 200;

const check = object({
  phase: orNull(oneOf("steady", "provisioning", "shifting", "draining", "deprovisioning")),
  targetSinceMs: isNumber,
  recent: listOf(object({ key: isText, atMs: isNumber }), recentMax),
});

/** Reads the note; one that cannot be read only means that something is told twice. */
export function toldOf(note: string | null): Told {
  try {
    const value: unknown = JSON.parse(note ?? "");
    return check(value) === null ? (value as Told) : nothingTold;
  } catch {
    return nothingTold;
  }
}

/** The events that are news, and the memory with them. */
export function tellNews(
  told: Told,
  events: readonly EngineEvent[],
): { readonly told: Told; readonly news: readonly EngineEvent[] } {
  let recent = told.recent;
  const news: EngineEvent[] = [];
  for (const event of events) {
    const key = keyOf(event);
    const last = recent.at(-1);
    // Only trouble is the same whatever came between; a step is made again after another one.
    const before = isTrouble(event) ? recent.findLast((one) => one.key === key) : last;
    if (before?.key === key && event.atMs - before.atMs < againMs) continue;
    news.push(event);
    recent = [...recent, { key, atMs: event.atMs }].slice(-recentMax);
  }
  return { told: recent === told.recent ? told : { ...told, recent }, news };
}

/** Trouble of the controller's own making carries numbers that change with each try. */
function keyOf(event: EngineEvent): string {
  const message = isTrouble(event)
    ? event.message.replace(/[0-9a-f-]*\d[\w.,-]*/g, "#")
    : event.message;
  return `${event.type} ${message}`.slice(0, keyMax);
}

/** Marks an event as one of the controller and not of the engine. */
export const troubleData = { source: "controller" } as const;

function isTrouble({ data }: EngineEvent): boolean {
  return data.source === troubleData.source;
}
