/** Explains a snapshot: why this tier, what would change it, how far that is, what it came to. */
import type { Outlook } from "../core/outlook.ts";
import type { AlarmReading, Snapshot, SwitchReading } from "../core/record.ts";
import type { AlarmName, Tier } from "../core/types.ts";

/** How far an alarm is from ringing. */
export interface Distance {
  readonly alarm: AlarmName;
  /** 0 = nothing of it, 1 = it rings. */
  readonly nearness: number;
  readonly value: number | null;
  readonly threshold: number;
  readonly breachesWhen: AlarmReading["breachesWhen"];
  readonly breaching: number;
  readonly periodsToAlarm: number;
  readonly periods: number;
}

/** What keeps a wish from coming true; the time is that of the cloud's clock. */
export interface Obstacle {
  readonly kind: "pinned" | "shifted" | "dwell" | "back-off";
  /** `null` until a person changes it. */
  readonly untilMs: number | null;
}

/** The answers, as data. */
export interface Explanation {
  readonly tier: Tier;
  /** Whether the way there is complete. */
  readonly arrived: boolean;
  readonly sinceMs: number;
  /** Why it is there, `null` if it has been there from the beginning or nobody remembers. */
  readonly because: string | null;
  /** The tier that it would switch to. */
  readonly otherTier: Tier;
  /** What the policy says now, with its numbers. */
  readonly policy: string;
  readonly policySays: string;
  /** The alarms that lead to the other tier, the nearest first. */
  readonly distances: readonly Distance[];
  /** What steady traffic would make a policy leave that reckons; `null` = none within a day. */
  readonly outlook: Outlook | null;
  readonly obstacles: readonly Obstacle[];
  readonly lastSwitch: SwitchReading | null;
  /** What the last switch saved so far; negative if it cost. `null` if that is not known. */
  readonly savedUsd: number | null;
}

/** What an explanation is made of. */
export interface Explained {
  readonly snapshot: Snapshot;
  readonly outlook: Outlook | null;
}

/** Explains what was seen. */
export function explain({ snapshot, outlook }: Explained): Explanation {
  const { target, phase, lastSwitch } = snapshot;
  const otherTier = target === "lambda" ? "fargate" : "lambda";
  const wanted = (name: AlarmName): boolean => (name === "quiet") === (otherTier === "lambda");
  const distances = snapshot.alarms
    .filter(({ name }) => wanted(name))
    .map(distanceOf)
    .sort((a, b) => b.nearness - a.nearness);
  return {
    tier: target,
    arrived: phase === "steady",
    sinceMs: snapshot.targetSinceMs,
    because: becauseOf(snapshot),
    otherTier,
    policy: snapshot.policy,
    policySays: snapshot.reason,
    distances,
    outlook,
    obstacles: obstaclesOf(snapshot, otherTier),
    lastSwitch,
    savedUsd:
      lastSwitch === null || lastSwitch.actualUsd === null || lastSwitch.stayedUsd === null
        ? null
        : lastSwitch.stayedUsd - lastSwitch.actualUsd,
  };
}

/** The message of a decision begins with the target, which has been said already. */
function becauseOf({ lastSwitch, override, target }: Snapshot): string | null {
  const told = lastSwitch?.reason ?? null;
  if (told !== null) return told.replace(/^(target|keeps trying)( \w+)?: /, "");
  return override?.tier === target ? `set by hand to ${target}` : null;
}

/** Both must come together: the newest value at the threshold, and enough periods beyond it. */
function distanceOf(reading: AlarmReading): Distance {
  const { name, value, threshold, breachesWhen, breaching, periods, periodsToAlarm } = reading;
  const height =
    breachesWhen === "at-least"
      ? (value ?? 0) / threshold
      : value === null || value < threshold
        ? 1
        : threshold / value;
  const length = breaching / periodsToAlarm;
  // While nothing breaches yet, the height tells; then the number of periods does.
  const nearness = reading.state === "ALARM" ? 1 : Math.min(1, (Math.min(1, height) + length) / 2);
  return {
    alarm: name,
    nearness,
    value,
    threshold,
    breachesWhen,
    breaching,
    periodsToAlarm,
    periods,
  };
}

function obstaclesOf(snapshot: Snapshot, otherTier: Tier): readonly Obstacle[] {
  const { override, dwellUntilMs, holdUntilMs } = snapshot;
  const obstacles: Obstacle[] = [];
  if (override !== null && override.tier !== otherTier) {
    const kind = override.untilMs === null ? "pinned" : "shifted";
    obstacles.push({ kind, untilMs: override.untilMs });
  }
  if (dwellUntilMs !== null) obstacles.push({ kind: "dwell", untilMs: dwellUntilMs });
  if (otherTier === "fargate" && holdUntilMs !== null) {
    obstacles.push({ kind: "back-off", untilMs: holdUntilMs });
  }
  return obstacles;
}
