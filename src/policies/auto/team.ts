/**
 * The team whose best member `auto` follows: counters of many tempers, the two static choices, and
 * one that knows the hour's rhythm.
 *
 * What a member would have cost depends on the traffic alone, so each is run in thought, minute by
 * minute, and judged by its own imagined bill.
 */
import type { Economics } from "../economics.ts";

/** One member of the team. */
export type Member =
  | {
      readonly kind: "counter";
      /** Regret in units of B that moves it to Fargate. */
      readonly up: number;
      /** Regret in units of B that moves it back. */
      readonly down: number;
    }
  | { readonly kind: "always"; readonly fargate: boolean }
  | { readonly kind: "rhythm" };

const ups: readonly number[] = [0.03, 0.1, 0.3, 1, 3];
const downs: readonly number[] = [0.3, 1, 2, 4, 10, 30, 100];

/** The team, in the order that the memory keeps. */
export const team: readonly Member[] = [
  ...ups.flatMap((up) => downs.map((down): Member => ({ kind: "counter", up, down }))),
  { kind: "always", fargate: false },
  { kind: "always", fargate: true },
  { kind: "rhythm" },
];

function counterIndex(up: number, down: number): number {
  return team.findIndex((one) => one.kind === "counter" && one.up === up && one.down === down);
}

/** Followed before there is experience: slow to leave either tier. */
export const firstLeader: number = counterIndex(3, 4);

/** The work-function counter, which the guard falls back to. */
export const referenceMember: number = counterIndex(1, 1);

/** Regret that moves each member to Fargate and back, USD; Infinity where it does not matter. */
export interface TeamLimits {
  readonly upUsd: Float64Array;
  readonly downUsd: Float64Array;
}

/** The limits of the counters under a cost model. */
export function teamLimits(economics: Economics): TeamLimits {
  const limit = (units: (one: Member) => number): Float64Array =>
    Float64Array.from(team, (one) => units(one) * economics.cycleUsd);
  const never = Number.POSITIVE_INFINITY;
  return {
    upUsd: limit((one) =>
      one.kind === "counter" ? one.up : one.kind === "always" && one.fargate ? 0 : never,
    ),
    downUsd: limit((one) =>
      one.kind === "counter" ? one.down : one.kind === "always" && !one.fargate ? 0 : never,
    ),
  };
}

/** A member for people. */
export function nameOfMember(index: number): string {
  const member = team[index];
  if (member === undefined) return "nobody";
  if (member.kind === "counter") return `counter ${member.up} B up / ${member.down} B down`;
  if (member.kind === "rhythm") return "hourly rhythm";
  return member.fargate ? "always Fargate" : "always Lambda";
}
