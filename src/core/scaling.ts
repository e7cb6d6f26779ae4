/**
 * Target tracking: how many tasks a metric asks for, as Application Auto Scaling decides it.
 *
 * Capacity follows the metric in proportion and is rounded up. Scale-out is quick: it waits only
 * for its own cooldown, never for that of a scale-in. Scale-in is careful: missing data never
 * removes a task, the metric must be well below its target, and both cooldowns must have passed.
 * Sources: Application Auto Scaling User Guide, "How target tracking scaling works"
 * (docs.aws.amazon.com/autoscaling/application/userguide,
 * page target-tracking-scaling-policy-overview);
 * cooldown meaning and 300 s default: API Reference, "TargetTrackingScalingPolicyConfiguration".
 */

/** Which way the last change of capacity went. */
export type ScalingDirection = "out" | "in";

/** What one evaluation looks at. Times are virtual milliseconds. */
export interface ScalingInput {
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  /** Tasks that the metric is an average over; `desired` may be ahead of them. */
  readonly running: number;
  /** Load per running task, for example requests a minute; `null` when there is no data. */
  readonly metric: number | null;
  /** The load per task to hold, in the metric's unit; above 0. */
  readonly target: number;
  readonly scaleOutCooldownMs: number;
  readonly scaleInCooldownMs: number;
  /** When capacity last changed, `null` before the first change. */
  readonly lastScaledMs: number | null;
  readonly lastDirection: ScalingDirection | null;
  readonly nowMs: number;
}

/** The outcome of one evaluation; feed the last two fields into the next one. */
export interface ScalingOutcome {
  readonly desired: number;
  /** A sentence with the numbers behind the decision. */
  readonly reason: string;
  readonly lastScaledMs: number | null;
  readonly lastDirection: ScalingDirection | null;
}

/**
 * How far below its target the metric must be, and stay, for a scale-in. The alarm that Application
 * Auto Scaling makes for scale-in stands 10 % below the target.
 */
const scaleInMargin = 0.1;

/** One evaluation of a target-tracking policy: pure, bounded to `min`..`max`. */
export function trackTarget(input: ScalingInput): ScalingOutcome {
  const { desired, min, max, metric, target, running } = input;
  const stay = (reason: string): ScalingOutcome => ({
    desired,
    reason,
    lastScaledMs: input.lastScaledMs,
    lastDirection: input.lastDirection,
  });
  const change = (to: number, direction: ScalingDirection, reason: string): ScalingOutcome => ({
    desired: to,
    reason,
    lastScaledMs: input.nowMs,
    lastDirection: direction,
  });

  const bounded = Math.min(max, Math.max(min, desired));
  if (bounded !== desired) {
    const direction = bounded > desired ? "out" : "in";
    return change(bounded, direction, `${desired} tasks are outside ${min} to ${max}`);
  }
  if (metric === null || running === 0) return stay("no data: capacity stays");

  const load = metric * running;
  const measured = `${round(metric)} per task on ${running}, target ${round(target)}`;
  const out = Math.min(max, ceil(load / target));
  if (out > desired) {
    if (coolingMs(input, "out") > 0) return stay(`${measured}: scale-out is cooling down`);
    return change(out, "out", `${measured}: out from ${desired} to ${out}`);
  }
  const within = Math.max(min, ceil(load / (target * (1 - scaleInMargin))));
  if (within < desired) {
    if (coolingMs(input, "in") > 0) return stay(`${measured}: scale-in is cooling down`);
    return change(within, "in", `${measured}: in from ${desired} to ${within}`);
  }
  return stay(`${measured}: ${desired} tasks fit`);
}

/** What is left of the cooldown that stands in the way of a change in `wanted` direction. */
function coolingMs(input: ScalingInput, wanted: ScalingDirection): number {
  const { lastScaledMs, lastDirection } = input;
  if (lastScaledMs === null || lastDirection === null) return 0;
  if (wanted === "out" && lastDirection === "in") return 0;
  const cooldownMs =
    lastDirection === "out" && wanted === "out"
      ? input.scaleOutCooldownMs
      : input.scaleInCooldownMs;
  return lastScaledMs + cooldownMs - input.nowMs;
}

/** Rounds up, but not for the rounding error of an average that is multiplied again. */
function ceil(tasks: number): number {
  return Math.ceil(tasks - 1e-9);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
