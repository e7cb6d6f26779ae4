/** How large each tier is. The ranges are those of AWS. */
import { z } from "zod";
import type { Config, ConfigInput } from "../types.ts";
import { type Section, whole } from "./field.ts";

/** The tier from zero to moderate load. */
export const lambda: Section<Config["lambda"], ConfigInput["lambda"]> = z
  .strictObject({
    memoryMB: whole(128, 10240, 512, "Memory of one environment; CPU grows with it."),
    timeoutSeconds: whole(
      1,
      30,
      29,
      "Longest time for one answer, on both tiers; API Gateway ends requests after 30 s.",
    ),
    architecture: z
      .enum(["arm64", "x86_64"])
      .default("arm64")
      .describe("Processor that the image is built for, on both tiers."),
    concurrencyMax: whole(
      1,
      100_000,
      1000,
      "Environments that the account lets run at once; more requests are throttled.",
    ),
    idleMinutes: whole(1, 60, 10, "How long an unused environment stays, in the local cloud."),
  })
  .prefault({})
  .describe("The Lambda tier: from zero to moderate load.");

const healthCheck: Section<
  Config["fargate"]["healthCheck"],
  NonNullable<ConfigInput["fargate"]>["healthCheck"]
> = z
  .strictObject({
    intervalSeconds: whole(5, 300, 5, "Time between two health checks of a task."),
    timeoutSeconds: whole(2, 120, 3, "Longest time for the answer to a health check."),
    healthyThreshold: whole(2, 10, 2, "Good answers in a row after which a task is healthy."),
    unhealthyThreshold: whole(2, 10, 3, "Bad answers in a row after which a task is replaced."),
  })
  .prefault({})
  .describe("How the balancer checks a task, at `readiness.path`.");

/** The tier for peaks. */
export const fargate: Section<Config["fargate"], ConfigInput["fargate"]> = z
  .strictObject({
    vcpu: z
      .literal([0.25, 0.5, 1, 2, 4, 8, 16])
      .default(0.5)
      .describe("Processors of one task: 0.25, 0.5, 1, 2, 4, 8 or 16."),
    memoryMB: whole(512, 122_880, 1024, "Memory of one task; which sizes exist depends on `vcpu`."),
    minTasks: whole(1, 1000, 2, "Fewest tasks while the tier exists; 2 survive the loss of one."),
    maxTasks: whole(1, 5000, 10, "Most tasks that scaling may start."),
    cpuPercent: whole(10, 90, 60, "Average processor use that scaling aims at."),
    requestsPerTaskPerMinute: whole(
      1,
      1_000_000,
      3000,
      "Requests for each task that scaling aims at.",
    ),
    deregistrationDelaySeconds: whole(
      0,
      3600,
      35,
      "Time that a leaving task has for the requests it is busy with.",
    ),
    stopTimeoutSeconds: whole(2, 120, 60, "Time between SIGTERM and SIGKILL for a task."),
    clientKeepAliveSeconds: whole(
      60,
      604_800,
      60,
      "Longest life of a client's connection; AWS's own 3600 pins clients to the tier.",
    ),
    envelope: z
      .enum(["native", "strict"])
      .default("native")
      .describe(
        "strict holds Fargate to what Lambda allows: 6 MB, 10 KB of headers, timeoutSeconds, no " +
          "forged client address; needs the bootstrap in the image.",
      ),
    healthCheck,
  })
  .prefault({})
  .describe("The Fargate tier: present only while demand is high.");
