/** Writes up the transitions: what each phase took, what it waited for, and the engine's share. */
import type { Phase, TickResult, Tier } from "../core/index.ts";
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
  readonly ms: number;
  readonly reason: string;
  readonly phases: readonly PhaseRecord[];
  /** From the end of the first breaching minute to the decision, part of `ms`. */
  readonly alarmMs: number;
  /** What the engine added to waits that nobody could have shortened, within `ms`. */
  readonly engineMs: number;
}

/** Follows the ticks of one controller. */
export interface Journal {
  onTick(result: TickResult, atMs: number, milestones: Milestones): void;
  readonly transitions: readonly TransitionRecord[];
  /** The transition under way. */
  readonly open: { readonly direction: "up" | "down"; readonly startMs: number } | null;
}

interface OpenTransition {
  direction: "up" | "down";
  startMs: number;
  reason: string;
  phases: { phase: Phase; startMs: number; waits: Map<string, number> }[];
  engineMs: number;
  alarmMs: number;
}

interface Last {
  readonly atMs: number;
  readonly phase: Phase;
  readonly kind: string | null;
  readonly leftMs: number | null;
  readonly target: Tier;
}

/** `breachSinceMs` tells when the demand crossed the threshold that an alarm reacted to. */
export function createJournal(breachSinceMs: () => number | null): Journal {
  const transitions: TransitionRecord[] = [];
  let open: OpenTransition | null = null;
  let last: Last | null = null;

  const begin = (target: Tier, reason: string, atMs: number): void => {
    const since = breachSinceMs();
    const startMs = since === null ? atMs : Math.min(since, atMs);
    const direction = target === "fargate" ? "up" : "down";
    const alarmMs = atMs - startMs;
    open = { direction, startMs, reason, phases: [], engineMs: 0, alarmMs };
  };
  const close = (atMs: number): void => {
    if (open === null) return;
    const { direction, startMs, reason, engineMs, alarmMs } = open;
    const phases = open.phases.map((entry, index) => {
      const end = open?.phases[index + 1]?.startMs ?? atMs;
      const waits = [...entry.waits].map(([kind, ms]) => ({ kind, ms }));
      return { phase: entry.phase, ms: end - entry.startMs, waits };
    });
    transitions.push({
      direction,
      startMs,
      ms: atMs - startMs,
      reason,
      phases,
      alarmMs,
      engineMs,
    });
    open = null;
  };

  return {
    transitions,
    get open() {
      return open && { direction: open.direction, startMs: open.startMs };
    },
    onTick(result, atMs, milestones) {
      if (!result.ok) return;
      const { phase, wait, status, actions, events } = result.step;
      const turned = last !== null && last.target !== status.target;
      const moved = actions.length > 0 || phase !== last?.phase || wait?.kind !== last?.kind;
      if (open !== null && last !== null) {
        addWait(open, last, atMs);
        if (moved) open.engineMs += Math.max(0, atMs - dueOf(last, milestones, atMs));
      }
      if (turned || (last === null && phase !== "steady")) {
        const told = events.find((event) => event.type === "decision" || event.type === "failure");
        if (open !== null) open = null;
        begin(status.target, told?.message ?? "resumed", atMs);
      }
      if (open !== null && phase !== "steady" && open.phases.at(-1)?.phase !== phase) {
        open.phases.push({ phase, startMs: atMs, waits: new Map() });
      }
      if (open !== null && phase === "steady" && !turned) close(atMs);
      const kind = wait?.kind ?? null;
      last = { atMs, phase, kind, leftMs: wait?.leftMs ?? null, target: status.target };
    },
  };
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
  return due === null ? atMs : Math.max(due, last.atMs);
}
