/**
 * The hour's rhythm: what Fargate would have saved in each minute of the past few hours, and the
 * best plan if the coming hour is like them.
 *
 * Timers and cron jobs start on a minute of the hour. Such an onset cannot be answered in time, a
 * deployment takes longer than the burst; it has to be met by deploying ahead.
 */
import type { Economics } from "../economics.ts";

/** Saved USD per minute of the hour, a running mean of the last hours. */
export type HourProfile = readonly number[];

/** Minutes of the horizon and of the profile. */
export const hourMinutes = 60;

/** About so many hours are remembered: a rhythm that ends is forgotten within a day. */
const hoursRemembered = 6;

/** Takes in one minute. `hours` counts the hours seen so far, this one included. */
export function withMinute(
  profile: HourProfile,
  minuteOfHour: number,
  savedUsd: number,
  hours: number,
): HourProfile {
  const next = profile.slice();
  const before = next[minuteOfHour] ?? 0;
  next[minuteOfHour] = before + (savedUsd - before) / Math.min(hours, hoursRemembered);
  return next;
}

/** The longest way that a plan can look across. */
const wayMinutesMax = 64;
const onLambda = new Float64Array(hourMinutes + wayMinutesMax);
const onFargate = new Float64Array(hourMinutes + wayMinutesMax);

/**
 * Whether the best plan for the next hour has Fargate as its goal from now on.
 *
 * Backward dynamic programming relative to Lambda: a way costs its base minutes, a minute on
 * Fargate earns what the profile says. Nothing is known of the time after the hour.
 */
export function plansFargate(
  profile: HourProfile,
  minuteOfHour: number,
  isOnFargate: boolean,
  economics: Economics,
): boolean {
  const { upMinutes, downMinutes, stayMinutes, baseUsdPerMinute, removalUsd } = economics;
  const upUsd = upMinutes * baseUsdPerMinute;
  const downUsd = downMinutes * baseUsdPerMinute + removalUsd;
  // Beyond the horizon both tiers count 0; the arrays are scratch and keep their zeros there.
  const stays = stayMinutes > 0;
  if (stays) addUp(profile);
  else if (isOnFargate && !canPay(profile, minuteOfHour, true, downUsd)) return true;
  else if (!isOnFargate && !canPay(profile, minuteOfHour + upMinutes, false, upUsd)) return false;
  // Who has just arrived may not leave before the dwell is over.
  const arrived = (ahead: number): number =>
    stays
      ? (onFargate[ahead + stayMinutes] ?? 0) - savedFrom(minuteOfHour + ahead, stayMinutes)
      : (onFargate[ahead] ?? 0);
  let lambda = 0;
  let fargate = 0;
  for (let ahead = hourMinutes - 1; ahead >= 1; ahead -= 1) {
    const go = upUsd + arrived(ahead + upMinutes);
    if (go < lambda) lambda = go;
    onLambda[ahead] = lambda;
    const at = minuteOfHour + ahead;
    const keep = fargate - (profile[at < hourMinutes ? at : at - hourMinutes] ?? 0);
    const leave = downUsd + (onLambda[ahead + downMinutes] ?? 0);
    fargate = leave < keep ? leave : keep;
    onFargate[ahead] = fargate;
  }
  if (isOnFargate) {
    const savedNow = profile[minuteOfHour] ?? 0;
    return downUsd + (onLambda[downMinutes] ?? 0) >= fargate - savedNow;
  }
  return upUsd + arrived(upMinutes) < lambda;
}

/**
 * Whether a change can pay at all: only if, from its minute on, the other tier saves more than the
 * change costs within some span. Most minutes are answered here, without a plan.
 */
function canPay(
  profile: HourProfile,
  minuteOfHour: number,
  isOnFargate: boolean,
  changeUsd: number,
): boolean {
  let at = minuteOfHour % hourMinutes;
  let savedUsd = 0;
  for (let minute = 0; minute < hourMinutes; minute += 1) {
    const fargateUsd = profile[at] ?? 0;
    savedUsd += isOnFargate ? -fargateUsd : fargateUsd;
    if (savedUsd > changeUsd) return true;
    at = at + 1 < hourMinutes ? at + 1 : 0;
  }
  return false;
}

const sums = new Float64Array(2 * hourMinutes + 1);

function addUp(profile: HourProfile): void {
  for (let at = 0; at < 2 * hourMinutes; at += 1) {
    sums[at + 1] = (sums[at] ?? 0) + (profile[at % hourMinutes] ?? 0);
  }
}

/** What the profile saves in so many minutes from a minute of the hour on. */
function savedFrom(minuteOfHour: number, minutes: number): number {
  const from = minuteOfHour % hourMinutes;
  const part = minutes % hourMinutes;
  const wholeHours = (minutes - part) / hourMinutes;
  return wholeHours * (sums[hourMinutes] ?? 0) + (sums[from + part] ?? 0) - (sums[from] ?? 0);
}
