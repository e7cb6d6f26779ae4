/** The five lines of `lambdaflex why`. */
import type { Snapshot } from "../core/record.ts";
import type { AlarmName, Tier } from "../core/types.ts";
import { count, duration } from "./screen.ts";
import { type Distance, explain, type Obstacle } from "./why-explain.ts";

/** A tier as people write it. */
export function tierName(tier: Tier): string {
  return tier === "lambda" ? "Lambda" : "Fargate";
}

/** What an alarm counts. */
export const alarmUnit: Readonly<Record<AlarmName, string>> = {
  "busy-requests": "requests/min",
  "busy-concurrency": "requests at once",
  throttled: "throttles/min",
  quiet: "requests/min",
};

/** Five lines: why here, what now, what would change it, how far that is, what it came to. */
export function whyLines(snapshot: Snapshot): readonly string[] {
  return [
    `here    ${hereText(snapshot)}`,
    `now     ${nowText(snapshot)}`,
    `leaves  ${leavesText(snapshot)}`,
    `nearest ${nearestText(snapshot)}`,
    `cost    ${costText(snapshot)}`,
  ];
}

function hereText(snapshot: Snapshot): string {
  const { tier, arrived, sinceMs, because } = explain(snapshot);
  const name = tierName(tier);
  if (snapshot.lastSwitch === null) return `on ${name} from the beginning: it has never moved`;
  const ago = duration(snapshot.atMs - sinceMs);
  const verb = arrived ? "on" : "on the way to";
  return `${verb} ${name} for ${ago}: ${because ?? "the reason is not remembered"}`;
}

function nowText({ phase, wait, route, reason }: Snapshot): string {
  const weights = `Lambda ${route.lambda} %, Fargate ${route.fargate} %`;
  if (wait === null) return `${phase}, ${weights}; the policy says: ${reason}`;
  const left = wait.leftMs === null ? "" : `, ${duration(wait.leftMs)} left`;
  return `${phase}, ${weights}; waits for ${wait.kind}: ${wait.message}${left}`;
}

function leavesText(snapshot: Snapshot): string {
  const { otherTier, policy, distances, obstacles } = explain(snapshot);
  const [longest] = [...obstacles].sort((a, b) => endOf(b) - endOf(a));
  const unless =
    longest === undefined ? "" : `; not before ${obstacleText(longest, snapshot.atMs)}`;
  if (!followsAlarms(policy)) {
    return `to ${tierName(otherTier)} when ${policy} finds it worth its price${unless}`;
  }
  const rules = distances.map(ruleText).join(", or ");
  return `to ${tierName(otherTier)} at ${rules}${unless}`;
}

/** The other policies weigh costs; their reason has the numbers. */
function followsAlarms(policy: string): boolean {
  return policy === "threshold";
}

function ruleText({ alarm, threshold, breachesWhen, periodsToAlarm, periods }: Distance): string {
  const sign = breachesWhen === "at-least" ? "≥" : "<";
  return `${sign} ${count(threshold)} ${alarmUnit[alarm]} in ${periodsToAlarm} of ${periods} min`;
}

function endOf({ untilMs }: Obstacle): number {
  return untilMs ?? Number.POSITIVE_INFINITY;
}

function obstacleText({ kind, untilMs }: Obstacle, nowMs: number): string {
  if (untilMs === null) return "somebody removes the pin (lambdaflex auto)";
  const left = duration(untilMs - nowMs);
  if (kind === "shifted") return `the shift by hand ends in ${left}`;
  if (kind === "dwell") return `the minimum stay ends in ${left}`;
  return `the back-off after a failure ends in ${left}`;
}

function nearestText(snapshot: Snapshot): string {
  const { policy, policySays, distances } = explain(snapshot);
  if (!followsAlarms(policy)) return policySays;
  const [nearest] = distances;
  if (nearest === undefined) return "no alarm is known";
  const { alarm, value, threshold, breaching, periodsToAlarm, nearness, breachesWhen } = nearest;
  const sign = breachesWhen === "at-least" ? "of" : "against less than";
  return (
    `${alarm} at ${Math.floor(nearness * 100)} %: ${count(value ?? 0)} ${sign} ` +
    `${count(threshold)} ${alarmUnit[alarm]}, in ${breaching} of ${periodsToAlarm} min`
  );
}

function costText(snapshot: Snapshot): string {
  const { lastSwitch, savedUsd } = explain(snapshot);
  if (lastSwitch === null) return "no switch yet";
  const to = `the switch to ${tierName(lastSwitch.to)}`;
  if (savedUsd === null) return `of ${to} not known: not all of the time since was counted`;
  const { actualUsd, stayedUsd } = lastSwitch;
  const verb = savedUsd >= 0 ? "saved" : "cost";
  const since = duration(snapshot.atMs - lastSwitch.atMs);
  return (
    `${to} has ${verb} about ${usd(Math.abs(savedUsd))} in ${since}: ` +
    `${usd(actualUsd ?? 0)} instead of ${usd(stayedUsd ?? 0)}`
  );
}

/** An amount, with more digits where it is small. */
export function usd(value: number): string {
  return `${value.toFixed(value !== 0 && Math.abs(value) < 0.1 ? 5 : 2)} USD`;
}
