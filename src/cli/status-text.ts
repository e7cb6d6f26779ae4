/** A snapshot as a person reads it: the picture of `lambdaflex status`, and its plain line. */
import type { AlarmReading, Snapshot, TierReading } from "../core/record.ts";
import type { Sample, Tier } from "../core/types.ts";
import { bar, count, duration, type Paint, sparkline } from "./screen.ts";
import type { Report, SourceName } from "./source.ts";
import { alarmUnit, tierName, usd } from "./why-text.ts";

/** Minutes in a line of traffic. */
const minutesShown = 60;

/** The whole picture; the first line says what is shown. */
export function statusLines(report: Report, paint: Paint): readonly string[] {
  const { snapshot, source, speed } = report;
  const row = (name: string, text: string): string => `  ${paint("dim", name.padEnd(11))} ${text}`;
  return [
    `${paint("bold", snapshot.service)} · ${sourceText(source, speed)}`,
    row("phase", phaseText(snapshot, paint)),
    row("waits", waitText(snapshot)),
    row("weights", weightsText(snapshot, paint)),
    ...(["lambda", "fargate"] as const).flatMap((tier) => [
      row(tierName(tier), tierText(tier, snapshot.tiers[tier], paint)),
      row(...trafficText(tier, report, paint)),
    ]),
    row("by hand", overrideText(snapshot)),
    row("last", lastText(snapshot)),
    row("cost", costText(snapshot)),
    // Last, because a low terminal has no room for all of them.
    ...snapshot.alarms.map((alarm, at) => row(at === 0 ? "alarms" : "", alarmText(alarm, paint))),
  ];
}

/** The same in one line, for logs and pipes. */
export function statusLine({ snapshot }: Report): string {
  const { phase, route, tiers } = snapshot;
  const rate = (tier: Tier): string => count(tiers[tier].requestsPerSecond ?? 0);
  return (
    `${clockTime(snapshot.atMs)} ${phase}: weights ${route.lambda}/${route.fargate}, ` +
    `${rate("lambda")} + ${rate("fargate")} requests/s, ${tiers.fargate.running ?? 0} tasks; ` +
    waitText(snapshot)
  );
}

/** Which service, and how its time passes. */
export function sourceText({ on, name, at }: SourceName, speed: number): string {
  if (on === "aws") return `on AWS, ${at}`;
  const quick = speed === 1 ? "" : `, ${speed} × as fast`;
  return `${name} on this machine, ${at}${quick}`;
}

/** A moment on the cloud's clock, in UTC. */
export function clockTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace("T", " ");
}

function phaseText(
  { phase, target, targetSinceMs, lastSwitch, atMs }: Snapshot,
  paint: Paint,
): string {
  const shown = paint(phase === "steady" ? "green" : "cyan", phase);
  const since = lastSwitch === null ? "" : ` for ${duration(atMs - targetSinceMs)}`;
  return `${shown}, target ${tierName(target)}${since}`;
}

/** What is waited for with its countdown, or what the policy says while nothing is. */
export function waitText({ wait, reason }: Snapshot): string {
  if (wait === null) return `for nothing; the policy says: ${reason}`;
  const left = wait.leftMs === null ? "" : `, ${duration(wait.leftMs)} left`;
  return `for ${wait.kind}: ${wait.message}${left}`;
}

function weightsText({ route, inSync }: Snapshot, paint: Paint): string {
  const sync = inSync ? "in sync" : paint("yellow", "not yet in sync");
  const { lambda, fargate } = route;
  return `Lambda ${lambda} % ${bar(lambda / 100, 20)} ${fargate} % Fargate, ${sync}`;
}

function tierText(tier: Tier, reading: TierReading, paint: Paint): string {
  const { state, running, desired, requestsPerSecond, errorShare, latencyMsP99 } = reading;
  const style = state === "ready" ? "green" : state === "failed" ? "red" : "dim";
  const parts = [paint(style, state.padEnd(8))];
  if (tier === "lambda" && running !== null) {
    parts.push(`${count(running)} environment${running === 1 ? "" : "s"}`);
  }
  if (tier === "fargate" && state !== "absent")
    parts.push(`${running ?? 0} of ${desired ?? 0} tasks`);
  if (requestsPerSecond !== null) parts.push(`${requestsPerSecond.toFixed(1)} requests/s`);
  if (latencyMsP99 !== null) parts.push(`p99 ${latencyMsP99.toFixed(0)} ms`);
  if (errorShare !== null && errorShare > 0) {
    parts.push(paint("red", `${(errorShare * 100).toFixed(1)} % errors`));
  }
  if (reading.digest !== null) parts.push(reading.digest.slice(0, 19));
  if (reading.failure !== null) parts.push(paint("red", reading.failure));
  return parts.join("  ");
}

/** The highest minute, and the line; both tiers up to the same height, to be compared. */
function trafficText(
  tier: Tier,
  { windows, snapshot }: Report,
  paint: Paint,
): readonly [most: string, line: string] {
  const lambda = perMinute(windows, "lambda", snapshot.atMs);
  const fargate = perMinute(windows, "fargate", snapshot.atMs);
  const values = tier === "lambda" ? lambda : fargate;
  const line = sparkline(values, minutesShown, Math.max(1, ...lambda, ...fargate));
  const style = tier === "lambda" ? "cyan" : "blue";
  return [`≤ ${count(Math.max(0, ...values))}/min`, paint(style, line)];
}

/**
 * Requests of each of the last minutes that are reported, oldest first; one without a window had
 * none. On AWS the newest ones are not reported yet, and would look like the end of all traffic.
 */
export function perMinute(
  windows: readonly Sample[],
  tier: Tier,
  nowMs: number,
): readonly number[] {
  const minuteMs = 60_000;
  const closed = windows.filter(({ startMs, periodMs }) => startMs + periodMs <= nowMs);
  const last = Math.floor(Math.max(...closed.map(({ startMs }) => startMs)) / minuteMs);
  const values = new Array<number>(minutesShown).fill(0);
  for (const { tier: of, startMs, requests, periodMs } of closed) {
    const at = minutesShown - 1 - (last - Math.floor(startMs / minuteMs));
    if (of === tier && values[at] !== undefined) values[at] += (requests * minuteMs) / periodMs;
  }
  return values;
}

function alarmText(alarm: AlarmReading, paint: Paint): string {
  const { name, state, value, threshold, breachesWhen, breaching, periodsToAlarm, periods } = alarm;
  const shown = {
    OK: paint("green", "OK   "),
    ALARM: paint("yellow", "ALARM"),
    INSUFFICIENT_DATA: paint("dim", "–    "),
  };
  const sign = breachesWhen === "at-least" ? "≥" : "<";
  const limit = `${sign} ${count(threshold)} ${alarmUnit[name]}`;
  const rule = `${limit} in ${periodsToAlarm} of ${periods} min`;
  const now = value === null ? "no data" : count(value);
  return `${name.padEnd(16)} ${shown[state]} ${now}, rings ${rule}, now in ${breaching}`;
}

function overrideText({ override, atMs }: Snapshot): string {
  if (override === null) return "nothing; the policy decides";
  const { tier, untilMs } = override;
  if (untilMs === null) return `pinned to ${tierName(tier)} until lambdaflex auto`;
  return `shifted to ${tierName(tier)}, ${duration(untilMs - atMs)} left`;
}

function lastText({ lastSwitch, atMs }: Snapshot): string {
  if (lastSwitch === null) return "it has never moved";
  const { to, reason } = lastSwitch;
  const ago = `${duration(atMs - lastSwitch.atMs)} ago to ${tierName(to)}`;
  return reason === null ? ago : `${ago}: ${reason.replace(/^target \w+: /, "")}`;
}

function costText({ cost, atMs }: Snapshot): string {
  if (cost === null) return "not counted";
  const { actualUsd, alwaysLambdaUsd, alwaysFargateUsd, sinceMs } = cost;
  return (
    `about ${usd(actualUsd)} in ${duration(atMs - sinceMs)}; ` +
    `always Lambda ${usd(alwaysLambdaUsd)}, always Fargate ${usd(alwaysFargateUsd)}`
  );
}
