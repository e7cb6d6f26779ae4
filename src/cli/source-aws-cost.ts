/** What a service on AWS was probably billed for: CloudWatch counts requests, but no tasks. */
import { type CostProfile, tasksFor } from "../core/cost.ts";
import type { DatedCostWindow } from "../core/snapshot.ts";
import type { Sample, Status } from "../core/types.ts";

/**
 * The windows of the bill, with as many tasks as the requests need. The balancer counts from the
 * decision for Fargate on, and after the one for Lambda as long as it has requests.
 */
export function estimatedWindows(
  samples: readonly Sample[],
  { target, targetSinceMs }: Status,
  profile: CostProfile,
): readonly DatedCostWindow[] {
  const minutes = new Map<number, { lambda: number; fargate: number; periodMs: number }>();
  for (const { tier, startMs, periodMs, requests } of samples) {
    const minute = minutes.get(startMs) ?? { lambda: 0, fargate: 0, periodMs };
    minute[tier] += requests;
    minutes.set(startMs, minute);
  }
  return [...minutes.entries()]
    .sort(([a], [b]) => a - b)
    .map(([startMs, { lambda, fargate, periodMs }]) => {
      const decided = target === "fargate" && startMs + periodMs > targetSinceMs;
      const balancer = decided || fargate > 0;
      return {
        startMs,
        periodMs,
        lambdaRequests: lambda,
        fargateRequests: fargate,
        tasks: balancer ? tasksFor((fargate * 1000) / periodMs, profile) : 0,
        balancer,
      };
    });
}
