/**
 * The default policy: follow the member of a team that would have been cheapest lately.
 *
 * Scores are imagined bills, halved every four days. The leader changes only for a member that is
 * cheaper by one cycle, so that changing leaders does not cost more than it gains. A guard keeps
 * the proven bound of the work-function counter.
 */
import type { Decision, Policy, PolicyState, Tier } from "../core/types.ts";
import { indebted, proofUsd } from "./auto/debt.ts";
import { boundUsd, guarded, optimumSoFarUsd } from "./auto/guard.ts";
import { type AutoMemory, newMemory, recallMemory } from "./auto/memory.ts";
import { hourMinutes, plansFargate, withMinute } from "./auto/rhythm.ts";
import type { TeamLimits } from "./auto/team.ts";
import { nameOfMember, referenceMember, team, teamLimits } from "./auto/team.ts";
import {
  type Courses,
  coursesOf,
  isFree,
  type MinutePrices,
  minutePrices,
  steered,
} from "./course.ts";
import { type Demand, demandOf } from "./demand.ts";
import type { Economics } from "./economics.ts";
import { holdFor, targetFor, usd } from "./wording.ts";

/** Settings of the default policy. */
export interface AutoOptions {
  readonly economics: Economics;
  readonly tasksMax: number;
}

/** After so many minutes a past bill counts half. */
const halfLifeMinutes = 4 * 1440;
const keptPerMinute = 0.5 ** (1 / halfLifeMinutes);

/** A member must be cheaper than the leader by so many cycles to replace it. */
const marginCycles = 1;

const alwaysLambda = team.length - 3;
const alwaysFargate = team.length - 2;
const rhythm = team.length - 1;
/** The policy's own course is kept behind the team's. */
const self = team.length;

/**
 * Who leaves Fargate meets the next onset on Lambda, for as long as news and a deployment take. A
 * member that heads for Lambda is followed from Fargate only if it is cheaper by a share of that
 * too: as if each leave had this chance to be wrong. What an onset costs is remembered for hours.
 */
const onsetShare = 0.1;
const onsetKeptPerMinute = 0.5 ** (1 / 360);

/**
 * A burst is met with tasks for the highest rate lately: who deploys ahead of it sees a low rate,
 * and tasks that are too few only become more after minutes. Peaks count half after two hours.
 */
const peakKeptPerMinute = 0.5 ** (1 / 120);

/** What follows from the economics alone. */
interface Model {
  readonly economics: Economics;
  readonly limits: TeamLimits;
  readonly courses: Courses;
}

/** A longer window is walked through minute by minute, up to an hour. */
const minutesPerWindowMax = 60;

/** Makes the policy. */
export function autoPolicy(options: AutoOptions): Policy {
  const { economics } = options;
  const courses = coursesOf(economics);
  const model = { economics, limits: teamLimits(economics), courses };
  return {
    name: "auto",
    decide(view, state) {
      const windows = demandOf(view);
      const before = recallMemory(state);
      if (before !== null && windows.length === 0) {
        return { decision: decided(before, view.target, options, courses), policyState: state };
      }
      let memory = before ?? newMemory(economics);
      for (const window of windows) {
        const minutes = Math.min(minutesPerWindowMax, Math.max(1, Math.round(window.minutes)));
        for (let k = 0; k < minutes; k += 1) {
          memory = learnt(memory, window, k, model);
        }
      }
      return {
        decision: decided(memory, view.target, options, courses),
        policyState: memory as unknown as PolicyState,
      };
    },
  };
}

/** Takes in one minute of a window: bills, regrets and courses of the team, then the own course. */
function learnt(
  memory: AutoMemory,
  window: Demand,
  minuteOfWindow: number,
  model: Model,
): AutoMemory {
  const { economics, courses: table } = model;
  const { rps, startMs } = window;
  const minute = Math.floor(startMs / 60_000) + minuteOfWindow;
  const held = rps >= memory.heldRps || memory.heldMinutes <= 0;
  const heldRps = held ? rps : memory.heldRps;
  const heldMinutes = held ? economics.scaleInMinutes : memory.heldMinutes - 1;
  const peakRps = Math.max(rps, memory.peakRps * peakKeptPerMinute);
  const prices = minutePrices(economics, rps, heldRps, peakRps);
  const savedUsd = prices[0] - prices[3];
  const hours = Math.floor(memory.guard.minutes / hourMinutes) + 1;
  const profile = withMinute(memory.profile, minute % hourMinutes, savedUsd, hours);
  const codes = memory.courses[0] ?? [];
  const latest = memory.courses.at(-1) ?? [];
  const regretsUsd = memory.regretsUsd.slice();
  const course = latest.slice();
  count(regretsUsd, course, savedUsd, model);
  const rhythmCode = table.next[latest[rhythm] ?? 0] ?? 0;
  course[rhythm] = rhythmCode;
  if (hours > 1 && isFree(rhythmCode, table)) {
    const at = (minute + economics.metricLagMinutes) % hourMinutes;
    const plans = plansFargate(profile, at, rhythmCode !== 0, economics);
    course[rhythm] = steered(rhythmCode, plans, table);
  }
  const scoresUsd = memory.scoresUsd.slice();
  const ownCode = table.next[latest[self] ?? 0] ?? 0;
  const onsetUsd = Math.max(savedUsd, memory.onsetUsd * onsetKeptPerMinute, 0);
  const away = table.heads[ownCode] === 1;
  const riskUsd = away ? riskOf(onsetUsd, economics) : 0;
  const paid = { codes, prices, course, riskUsd };
  const leader = billed(scoresUsd, paid, memory.leader, model);
  const ownUsd = prices[table.kind[codes[self] ?? 0] ?? 0] ?? 0;
  const guard = guarded(memory.guard, prices, ownUsd, codes[self] === 1, economics);
  const debt = indebted(memory.debt, prices[0], savedUsd, away);
  const followed = course[guard.holds ? referenceMember : leader] ?? 0;
  const wants = table.heads[followed] === 1;
  // The guard's promise rests on doing what the counter does.
  const waits =
    wants && !away && !guard.holds && debt.waitedUsd < proofUsd(debt, guard.ownUsd, economics);
  course[self] = steered(ownCode, wants && !waits, table);
  const courses = memory.courses.slice(1);
  courses.push(course);
  return {
    kind: "auto-4",
    courses,
    regretsUsd,
    scoresUsd,
    leader,
    onsetUsd,
    profile,
    guard,
    debt,
    waits,
    rps,
    peakRps,
    heldRps,
    heldMinutes,
  };
}

/** What leaving Fargate puts at stake. */
function riskOf(onsetUsd: number, { metricLagMinutes, upMinutes }: Economics): number {
  return onsetShare * (metricLagMinutes + upMinutes) * onsetUsd;
}

/**
 * Adds a minute to the members' bills, in place, and tells whom to follow: another than the leader
 * only if it is cheaper by the margin, its risk on Lambda included.
 */
function billed(
  scoresUsd: number[],
  minute: {
    readonly codes: readonly number[];
    readonly prices: MinutePrices;
    readonly course: readonly number[];
    readonly riskUsd: number;
  },
  leader: number,
  { courses: { heads, kind }, economics }: Model,
): number {
  const { codes, prices, course, riskUsd } = minute;
  let best = leader;
  let bestUsd = Number.POSITIVE_INFINITY;
  let leaderUsd = 0;
  for (let index = 0; index < scoresUsd.length; index += 1) {
    const usd = prices[kind[codes[index] ?? 0] ?? 0] ?? 0;
    const score = (scoresUsd[index] ?? 0) * keptPerMinute + usd;
    scoresUsd[index] = score;
    const risked = heads[course[index] ?? 0] === 1 ? score : score + riskUsd;
    if (index === leader) leaderUsd = risked;
    if (risked >= bestUsd) continue;
    bestUsd = risked;
    best = index;
  }
  return leaderUsd - bestUsd > marginCycles * economics.cycleUsd ? best : leader;
}

/** Moves the counters on by one minute, in place. The hot loop of a simulated year. */
function count(regretsUsd: number[], course: number[], savedUsd: number, model: Model): void {
  const { next, heads, onFargate } = model.courses;
  const { upUsd, downUsd } = model.limits;
  for (let index = 0; index < rhythm; index += 1) {
    const before = course[index] ?? 0;
    const code = next[before] ?? 0;
    if (code !== before) course[index] = code;
    const onWay = heads[code] === 1;
    const cameUsd = onWay ? -savedUsd : savedUsd;
    const wasUsd = regretsUsd[index] ?? 0;
    const limit = (onWay ? downUsd[index] : upUsd[index]) ?? 0;
    // Content where it is, as most members are in most minutes.
    if (wasUsd === 0 && cameUsd <= 0 && limit > 0) continue;
    const more = wasUsd + cameUsd;
    const regret = more > 0 ? more : 0;
    const moves = regret >= limit && (code === 0 || code === onFargate);
    regretsUsd[index] = moves ? 0 : regret;
    if (moves) course[index] = code + 1;
  }
}

/** The tier that the followed member heads for, with the numbers that speak for it. */
function decided(
  memory: AutoMemory,
  target: Tier,
  options: AutoOptions,
  courses: Courses,
): Decision {
  const { economics, tasksMax } = options;
  const followed = memory.guard.holds ? referenceMember : memory.leader;
  const code = memory.courses.at(-1)?.[followed] ?? 0;
  // Who is on Fargate for another reason has no way up to pay for.
  const heads = courses.heads[code] === 1 && !(memory.waits && target === "lambda");
  const tier = heads ? "fargate" : "lambda";
  if (tier === target) return holdFor(() => reasonOf(memory, followed, "stays", heads, economics));
  const reason = (): string => reasonOf(memory, followed, "moves", heads, economics);
  return targetFor(tier, { economics, tasksMax, rps: memory.peakRps }, reason);
}

function reasonOf(
  memory: AutoMemory,
  followed: number,
  does: "moves" | "stays",
  heads: boolean,
  economics: Economics,
): string {
  const { scoresUsd, guard, rps, onsetUsd } = memory;
  const score = (index: number): string => usd(scoresUsd[index] ?? 0);
  const rate = `${rps.toFixed(1)} requests/s (break-even ${economics.breakEvenRps.toFixed(1)})`;
  const stays = heads && does === "stays" && onsetUsd > 0;
  const risk = stays ? `, leaving risks ${usd(riskOf(onsetUsd, economics))}` : "";
  const name = nameOfMember(followed);
  const lead = guard.holds
    ? `guard: own bill ${usd(guard.ownUsd)} above ${usd(boundUsd(guard, economics))}, the bound ` +
      `at an optimum of ${usd(optimumSoFarUsd(guard))}; follows ${name}`
    : `follows ${name}, lately ${score(followed)} against ${score(alwaysLambda)} on Lambda and ` +
      `${score(alwaysFargate)} on Fargate`;
  return `${rate}: ${motiveOf(memory, followed, does, heads, economics)}${risk}; ${lead}`;
}

function motiveOf(
  memory: AutoMemory,
  followed: number,
  does: "moves" | "stays",
  heads: boolean,
  economics: Economics,
): string {
  const { waits, debt, guard } = memory;
  if (waits && !heads) {
    const proof = usd(proofUsd(debt, guard.ownUsd, economics));
    const owed = usd(guard.ownUsd - debt.lambdaUsd);
    return `owes ${owed} to always Lambda, so waits until staying has cost ${proof}`;
  }
  const member = team[followed];
  if (member?.kind === "rhythm") {
    const promised = memory.profile.reduce((sum, savedUsd) => sum + Math.max(0, savedUsd), 0);
    return `the past hours promise ${usd(promised)} an hour in their busy minutes`;
  }
  if (member?.kind !== "counter") return "whatever the rate";
  const [here, there] =
    heads === (does === "stays") ? ["Fargate", "Lambda"] : ["Lambda", "Fargate"];
  const more = (amountUsd: number): string =>
    `${here} has cost ${usd(amountUsd)} more than ${there} would have`;
  // A move has set the regret back to zero: what it passed is the limit of the tier it left.
  if (does === "moves") return more((heads ? member.up : member.down) * economics.cycleUsd);
  const limitUsd = (heads ? member.down : member.up) * economics.cycleUsd;
  return `${more(memory.regretsUsd[followed] ?? 0)}, goes at ${usd(limitUsd)}`;
}
