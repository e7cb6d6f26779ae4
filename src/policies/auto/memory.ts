/** What `auto` remembers: plain numbers in a few short lists, a few kilobytes of JSON. */
import type { PolicyState } from "../../core/types.ts";
import type { Economics } from "../economics.ts";
import { type Debt, noDebt } from "./debt.ts";
import { type Guard, newGuard } from "./guard.ts";
import { type HourProfile, hourMinutes } from "./rhythm.ts";
import { firstLeader, team } from "./team.ts";

/** The state of the policy between two windows. Never changed in place. */
export interface AutoMemory {
  readonly kind: "auto-4";
  /** Courses of the members and, last, of the policy itself: one list per minute of metric lag. */
  readonly courses: readonly (readonly number[])[];
  /** What staying has cost each member more than the other tier would have, USD. */
  readonly regretsUsd: readonly number[];
  /** Imagined bills, discounted, USD. */
  readonly scoresUsd: readonly number[];
  readonly leader: number;
  /** The most that Fargate saved in a minute lately, fading: what a minute of an onset costs. */
  readonly onsetUsd: number;
  readonly profile: HourProfile;
  readonly guard: Guard;
  readonly debt: Debt;
  /** Whether the debt keeps it on Lambda, whatever the leader does. */
  readonly waits: boolean;
  readonly rps: number;
  /** The highest rate lately, fading. */
  readonly peakRps: number;
  /** The rate that Fargate would still have tasks for, and for how many minutes more. */
  readonly heldRps: number;
  readonly heldMinutes: number;
}

/** The memory before any traffic: everybody on Lambda. */
export function newMemory(economics: Economics): AutoMemory {
  // Lists without holes: `Array(n)` would remember that it had some, and each reading would check.
  const zeros = (length: number): number[] => Array.from({ length }, () => 0);
  const onLambda = zeros(team.length + 1);
  return {
    kind: "auto-4",
    courses: Array<readonly number[]>(Math.max(1, economics.metricLagMinutes)).fill(onLambda),
    regretsUsd: zeros(team.length),
    scoresUsd: zeros(team.length),
    leader: firstLeader,
    onsetUsd: 0,
    profile: zeros(hourMinutes),
    guard: newGuard(economics),
    debt: noDebt,
    waits: false,
    rps: 0,
    peakRps: 0,
    heldRps: 0,
    heldMinutes: 0,
  };
}

/** The memory in a stored state; `null` if another policy or an older version left it. */
export function recallMemory(state: PolicyState): AutoMemory | null {
  return state.kind === "auto-4" ? (state as unknown as AutoMemory) : null;
}
