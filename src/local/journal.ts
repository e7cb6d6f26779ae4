/** Writes up the transitions: what each phase took, what it waited for, and the engine's share. */
import type { Phase, Step, TickResult, Tier } from "../core/index.ts";
import type { Milestones } from "./control-plane.ts";

/** One phase of a transition. */
export interface PhaseRecord {
  readonly phase: Phase;
  readonly ms: number;
  /** What it waited for, with the time spent on each, in order. */
  readonly waits: readonly { readonly kind: string; readonly ms: number }[];
}

/** One completed way from a tier to the other. */
export interface TransitionRecord {
  readonly direction: "up" | "down";
  readonly startMs: number;
  /** The sum of `alarmMs`, `heldMs` and of the phases. */
  readonly ms: number;
  readonly reason: string;
  readonly phases: readonly PhaseRecord[];
  /** From the start of the first breaching minute until the policy wanted to leave. */
  readonly alarmMs: number;
  /** How long the engine kept it back: dwell, back-off, or a removal under way. */
  readonly heldMs: number;
  /** What the engine added to waits that nobody could have shortened, within `ms`. */
  readonly engineMs: number;
}

/** A way that ended on the tier where it had begun; the way back is part of it. */
export interface TurnedBackRecord extends TransitionRecord {
  /** Why it turned back. */
  readonly because: string;
}

/** Follows the ticks of one controller. */
export interface Journal {
  onTick(result: TickResult, atMs: number, milestones: Milestones): void;
  readonly transitions: readonly TransitionRecord[];
  /** What was begun and not completed: no transition, for the service is where it was. */
  readonly turnedBack: readonly TurnedBackRecord[];
  /** The transition under way. */
  readonly open: { readonly direction: "up" | "down"; readonly startMs: number } | null;
}

interface OpenTransition {
  readonly from: Tier;
  readonly startMs: number;
  readonly reason: string;
  readonly alarmMs: number;
  readonly heldMs: number;
  because: string;
  phases: { phase: Phase; startMs: number; waits: Map<string, number> }[];
  engineMs: number;
}

interface Last {
  readonly atMs: number;
  readonly phase: Phase;
  readonly kind: string | null;
  readonly leftMs: number | null;
  readonly target: Tier;
}

/** Records that are kept of each kind. */
const recordsMax = 1000;

/** `breachSinceMs` tells when the demand crossed the threshold that an alarm reacted to. */
export function createJournal(breachSinceMs: () => number | null): Journal {
  const transitions: TransitionRecord[] = [];
  const turnedBack: TurnedBackRecord[] = [];
  let open: OpenTransition | null = null;
  let last: Last | null = null;
  let closedMs = Number.NEGATIVE_INFINITY;
  let heldSinceMs: number | null = null;

  const close = (ended: OpenTransition, target: Tier, atMs: number): void => {
    if (target === ended.from) {
      turnedBack.push({ ...recordOf(ended, atMs), because: ended.because });
      if (turnedBack.length > recordsMax) turnedBack.shift();
    } else {
      transitions.push(recordOf(ended, atMs));
      if (transitions.length > recordsMax) transitions.shift();
    }
    closedMs = atMs;
  };

  return {
    transitions,
    turnedBack,
    get open() {
      return open && { direction: directionFrom(open.from), startMs: open.startMs };
    },
    onTick(result, atMs, milestones) {
      if (!result.ok) return;
      const { phase, wait, status, actions } = result.step;
      const turned = last !== null && last.target !== status.target;
      const moved = actions.length > 0 || phase !== last?.phase || wait?.kind !== last?.kind;
      if (open !== null && last !== null) {
        addWait(open, last, atMs);
        if (moved) open.engineMs += Math.max(0, atMs - dueOf(last, milestones, atMs));
      }
      if (turned && open !== null) open.because = reasonOf(result.step);
      if (open === null && (turned || (last === null && phase !== "steady"))) {
        const since = turned && byAlarm(result.step) ? breachSinceMs() : null;
        // The breach behind an earlier transition says nothing about this one.
        const startMs = Math.min(atMs, Math.max(since ?? atMs, closedMs));
        const from = status.target === "fargate" ? "lambda" : "fargate";
        const reason = reasonOf(result.step);
        const heldMs = heldSinceMs === null ? 0 : atMs - Math.max(heldSinceMs, startMs);
        const alarmMs = atMs - startMs - heldMs;
        open = { from, startMs, reason, alarmMs, heldMs, because: "", phases: [], engineMs: 0 };
      }
      if (open !== null && phase !== "steady" && open.phases.at(-1)?.phase !== phase) {
        open.phases.push({ phase, startMs: atMs, waits: new Map() });
      }
      if (open !== null && phase === "steady") {
        close(open, status.target, atMs);
        open = null;
      }
      const kind = wait?.kind ?? null;
      heldSinceMs = kind === "hold" ? (heldSinceMs ?? atMs) : null;
      last = { atMs, phase, kind, leftMs: wait?.leftMs ?? null, target: status.target };
    },
  };
}

function directionFrom(tier: Tier): "up" | "down" {
  return tier === "lambda" ? "up" : "down";
}

function recordOf(open: OpenTransition, atMs: number): TransitionRecord {
  const { from, startMs, reason, alarmMs, heldMs, engineMs } = open;
  const phases = open.phases.map((entry, index) => {
    const end = open.phases[index + 1]?.startMs ?? atMs;
    const waits = [...entry.waits].map(([kind, ms]) => ({ kind, ms }));
    return { phase: entry.phase, ms: end - entry.startMs, waits };
  });
  const ms = atMs - startMs;
  const direction = directionFrom(from);
  return { direction, startMs, ms, reason, phases, alarmMs, heldMs, engineMs };
}

/** Why the target is what it is now. */
function reasonOf({ events }: Step): string {
  const told = events.find((event) => event.type === "decision" || event.type === "failure");
  return told?.message ?? "resumed";
}

/** Failures and people do not wait for alarms. */
function byAlarm({ events, status }: Step): boolean {
  return status.override === null && events.every((event) => event.type !== "failure");
}

function addWait(open: OpenTransition, last: Last, atMs: number): void {
  const waits = open.phases.at(-1)?.waits;
  if (waits === undefined || last.kind === null) return;
  waits.set(last.kind, (waits.get(last.kind) ?? 0) + atMs - last.atMs);
}

/** When the wait of the last tick was really over. */
function dueOf(last: Last, milestones: Milestones, atMs: number): number {
  if (last.leftMs !== null) return last.atMs + last.leftMs;
  const milestone: Record<string, number | null> = {
    stack: milestones.servesAtMs,
    "in-sync": milestones.inSyncAtMs,
    removal: milestones.goneAtMs,
  };
  const due = last.kind === null ? null : (milestone[last.kind] ?? null);
  // A milestone of an earlier wait: this one was not over, something else ended it.
  return due === null || due < last.atMs ? atMs : due;
}
