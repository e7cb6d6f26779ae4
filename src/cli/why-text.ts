/** The five lines of `lambdaflex why`. */
import type { Snapshot } from "../core/record.ts";
import type { AlarmName, Tier } from "../core/types.ts";
import { count, duration } from "./screen.ts";
import { type Distance, type Explained, explain, type Obstacle } from "./why-explain.ts";

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
export function whyLines(seen: Explained): readonly string[] {
  return [
    `here    ${hereText(seen)}`,
    `now     ${nowText(seen.snapshot)}`,
    `leaves  ${leavesText(seen)}`,
    `nearest ${nearestText(seen)}`,
    `cost    ${costText(seen)}`,
  ];
}

function hereText(seen: Explained): string {
  const { tier, arrived, sinceMs, because } = explain(seen);
  const { lastSwitch, atMs } = seen.snapshot;
  const name = tierName(tier);
  if (lastSwitch === null) return `on ${name} from the beginning: it has never moved`;
  const ago = duration(atMs - sinceMs);
  const verb = arrived ? "on" : "on the way to";
  return `${verb} ${name} for ${ago}: ${because ?? "the reason is not remembered"}`;
}

function nowText({ phase, wait, route, reason }: Snapshot): string {
  const weights = `Lambda ${route.lambda} %, Fargate ${route.fargate} %`;
  if (wait === null) return `${phase}, ${weights}; the policy says: ${reason}`;
  const left = wait.leftMs === null ? "" : `, ${duration(wait.leftMs)} left`;
  return `${phase}, ${weights}; waits for ${wait.kind}: ${wait.message}${left}`;
}

function leavesText(seen: Explained): string {
  const { otherTier, policy, distances, obstacles } = explain(seen);
  const [longest] = [...obstacles].sort((a, b) => endOf(b) - endOf(a));
  const unless =
    longest === undefined ? "" : `; not before ${obstacleText(longest, seen.snapshot.atMs)}`;
  const rules = followsAlarms(policy) ? distances.map(ruleText).join(", or ") : steadyText(seen);
  return `to ${tierName(otherTier)} at ${rules}${unless}`;
}

/** Only this one does what the alarms say; the others reckon, and are asked what they wait for. */
function followsAlarms(policy: string): boolean {
  return policy === "threshold";
}

/** What the traffic must be for a policy that reckons. */
function steadyText({ snapshot, outlook }: Explained): string {
  if (outlook === null) return "no steady rate within a day";
  const { requestsPerSecond, withinMs } = outlook;
  const when = `for ${duration(withinMs)}`;
  if (requestsPerSecond === null) return `any rate ${when}`;
  const sign = snapshot.target === "lambda" ? "≥" : "≤";
  return `${sign} ${rate(requestsPerSecond)} requests/s ${when}`;
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

function nearestText(seen: Explained): string {
  const { policy, distances } = explain(seen);
  if (!followsAlarms(policy)) return reckonedText(seen);
  const [nearest] = distances;
  if (nearest === undefined) return "no alarm is known";
  const { alarm, value, threshold, breaching, periodsToAlarm, nearness, breachesWhen } = nearest;
  const sign = breachesWhen === "at-least" ? "of" : "against less than";
  return (
    `${alarm} at ${Math.floor(nearness * 100)} %: ${count(value ?? 0)} ${sign} ` +
    `${count(threshold)} ${alarmUnit[alarm]}, in ${breaching} of ${periodsToAlarm} min`
  );
}

/** How far a policy that reckons is from leaving, at the traffic of now. */
function reckonedText({ snapshot, outlook }: Explained): string {
  if (outlook === null) return "nothing that steady traffic would bring about within a day";
  const { nowRequestsPerSecond: now, asNowMs, requestsPerSecond } = outlook;
  const asNow = `${rate(now)} requests/s as now`;
  if (asNowMs !== null) return `in ${duration(asNowMs)} at ${asNow}`;
  const stays = `stays for a day and longer at ${asNow}`;
  if (snapshot.target === "fargate" || requestsPerSecond === null) return stays;
  const share = Math.floor((100 * now) / requestsPerSecond);
  return `${stays}, which is ${share} % of the rate that it leaves at`;
}

function rate(perSecond: number): string {
  return perSecond < 100 ? perSecond.toFixed(1) : count(perSecond);
}

function costText(seen: Explained): string {
  const { lastSwitch, savedUsd } = explain(seen);
  if (lastSwitch === null) return "no switch yet";
  const to = `the switch to ${tierName(lastSwitch.to)}`;
  if (savedUsd === null) return `of ${to} not known: not all of the time since was counted`;
  const { actualUsd, stayedUsd } = lastSwitch;
  const verb = savedUsd >= 0 ? "saved" : "cost";
  const since = duration(seen.snapshot.atMs - lastSwitch.atMs);
  return (
    `${to} has ${verb} about ${usd(Math.abs(savedUsd))} in ${since}: ` +
    `${usd(actualUsd ?? 0)} instead of ${usd(stayedUsd ?? 0)}`
  );
}

/** An amount, with more digits where it is small. */
export function usd(value: number): string {
  return `${value.toFixed(value !== 0 && Math.abs(value) < 0.1 ? 5 : 2)} USD`;
}
