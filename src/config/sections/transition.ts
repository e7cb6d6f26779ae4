/** When the tier changes, and how. */
import { z } from "zod";
import { lateCallMsMax } from "../../core/types.ts";
import type { Config, ConfigInput } from "../types.ts";
import { amount, problem, type Section, whole } from "./field.ts";

/** The longest span that an alarm looks back, in its periods of one minute. */
const periodsMax = 180;

const up: Section<Config["thresholds"]["up"], NonNullable<ConfigInput["thresholds"]>["up"]> = z
  .strictObject({
    requestsPerMinute: whole(5, 100_000_000, 3000, "Requests a minute that ask for Fargate."),
    concurrency: whole(1, 100_000, 50, "Requests in flight at once that ask for Fargate."),
    periods: whole(1, periodsMax, 2, "Minutes above a threshold before the alarm rings ..."),
    of: whole(1, periodsMax, 3, "... out of this many minutes looked at."),
  })
  .prefault({})
  .describe("What counts as busy.");

const down: Section<Config["thresholds"]["down"], NonNullable<ConfigInput["thresholds"]>["down"]> =
  z
    .strictObject({
      requestsPerMinute: whole(
        1,
        20_000_000,
        300,
        "Requests a minute, both tiers together, below which it is quiet.",
      ),
      minutes: whole(1, periodsMax, 15, "How many minutes in a row must be quiet."),
    })
    .prefault({})
    .describe("What counts as quiet.");

/** When the tier changes. */
export const thresholds: Section<Config["thresholds"], ConfigInput["thresholds"]> = z
  .strictObject({ up, down })
  .prefault({})
  .describe("What the policy threshold follows, as CloudWatch alarms; others are only woken.");

const share = z.int().min(0).max(100);

function ascending(steps: readonly number[]): boolean {
  return steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0));
}

const stepPercents = z
  .array(share)
  .min(1)
  .max(20)
  .refine(
    (steps) => steps[0] !== 0 && ascending(steps) && steps.at(-1) === 100,
    problem(
      "STEPS_INVALID",
      "the steps must ascend from above 0 and end in 100",
      "For example [10, 50, 100].",
    ),
  )
  .default([10, 50, 100])
  .describe("Fargate's share of the traffic after each step up, in per cent.");

const stepPercentsDown = z
  .array(share)
  .min(1)
  .max(20)
  .refine(
    (steps) => steps[0] !== 100 && ascending(steps.toReversed()) && steps.at(-1) === 0,
    problem(
      "STEPS_INVALID",
      "the steps must descend from below 100 and end in 0",
      "For example [50, 0].",
    ),
  )
  .default([50, 0])
  .describe("Fargate's share of the traffic after each step down, in per cent.");

const deadlines: Section<
  Config["transition"]["deadlines"],
  NonNullable<ConfigInput["transition"]>["deadlines"]
> = z
  .strictObject({
    provisioningMinutes: amount(1, 240, 15, "Until the Fargate tier must be healthy."),
    shiftingMinutes: amount(1, 240, 30, "Until all weights must have moved."),
    deprovisioningMinutes: amount(1, 240, 30, "Until the Fargate tier must be gone."),
  })
  .prefault({})
  .describe("A phase that takes longer has failed: traffic returns to Lambda.");

/** How the tier changes. */
export const transition: Section<Config["transition"], ConfigInput["transition"]> = z
  .strictObject({
    stepPercents,
    stepPercentsDown,
    bakeSeconds: amount(0, 3600, 60, "Time to observe after each step, once clients follow it."),
    healthySeconds: amount(
      lateCallMsMax / 1000,
      3600,
      30,
      "How long tasks must be healthy before traffic moves; a late removal would show meanwhile.",
    ),
    probes: whole(1, 100, 5, "Good answers in a row through the balancer before traffic moves."),
    ttlSeconds: amount(1, 3600, 60, "Time that clients may keep a DNS answer."),
    errorMarginPercent: amount(
      0,
      100,
      2,
      "A shift turns back when the new tier's 5xx share is higher than the old one's by more.",
    ),
    errorRequestsMin: whole(1, 1_000_000, 50, "Answers of the new tier before its errors count."),
    dwellMinutes: amount(
      0,
      1440,
      50,
      "Shortest stay on Fargate; a balancer's hours are billed whole.",
    ),
    cooldownMinutes: amount(0, 1440, 10, "Shortest stay on Lambda after Fargate."),
    drainQuietMinutes: amount(
      0,
      1440,
      10,
      "How long no client may have used the balancer before it is removed; some keep addresses.",
    ),
    drainMinutesMax: amount(
      1,
      1440,
      60,
      "Longest wait for that; then it is removed although clients still come.",
    ),
    deadlines,
    backoffMinutes: amount(
      0,
      1440,
      5,
      "Wait after a failed burst before the next; doubles with each failure in a row.",
    ),
    backoffMinutesMax: amount(0, 10_080, 60, "Longest wait after a failure."),
    pollSeconds: amount(0.1, 60, 5, "How often the controller looks while it waits for something."),
  })
  .prefault({})
  .describe("How traffic moves from one tier to the other.");
