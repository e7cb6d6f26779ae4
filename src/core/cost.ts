/**
 * Price arithmetic, pure: what traffic costs on either tier, and from which rate on Fargate is
 * cheaper.
 *
 * Rates are USD per hour for a steady load; a bill is a sum of rates over windows, plus what is
 * billed by the piece or by the started hour.
 */
import { type Prices, usEast1 } from "./prices.ts";

/** The processor that both tiers run on: one image has one. */
export type Architecture = "x86_64" | "arm64";

/** What stands before the Lambda function. A function URL is free. */
export type Front = "http-api" | "rest-api" | "function-url";

/** Everything about a service that its bill depends on. */
export interface CostProfile {
  readonly architecture: Architecture;
  readonly front: Front;
  readonly lambdaMemoryMB: number;
  /** Mean billed duration of a request on Lambda. */
  readonly lambdaDurationMs: number;
  readonly taskVcpu: number;
  readonly taskMemoryMB: number;
  readonly tasksMin: number;
  readonly requestsPerSecondPerTask: number;
  /** Addresses of the balancer: one per availability zone. */
  readonly balancerZones: number;
  /** New connections per request; keep-alive makes it less than 1. */
  readonly connectionsPerRequest: number;
  /** Bytes in and out of the balancer per request, in KB. */
  readonly trafficKB: number;
}

/** The defaults of the policy benchmark: a small service at 50 ms and 0.5 GB. */
export const profileDefault: CostProfile = {
  architecture: "x86_64",
  front: "http-api",
  lambdaMemoryMB: 512,
  lambdaDurationMs: 50,
  taskVcpu: 0.5,
  taskMemoryMB: 1024,
  tasksMin: 2,
  requestsPerSecondPerTask: 50,
  balancerZones: 2,
  connectionsPerRequest: 0.2,
  trafficKB: 5,
};

/** Requests on Lambda, all alike. */
export interface LambdaUsage {
  readonly requests: number;
  /** Mean billed duration of a request. */
  readonly durationMs: number;
  readonly memoryMB: number;
  readonly architecture: Architecture;
  readonly front: Front;
}

/** What requests on Lambda cost, the front door included. */
export function lambdaCostUsd(usage: LambdaUsage, prices: Prices = usEast1): number {
  const frontUsd = {
    "http-api": prices.httpApiUsdPerRequest,
    "rest-api": prices.restApiUsdPerRequest,
    "function-url": 0,
  }[usage.front];
  const usdPerGBSecond =
    usage.architecture === "arm64"
      ? prices.lambdaUsdPerGBSecondArm
      : prices.lambdaUsdPerGBSecondX86;
  const GBSeconds = (usage.memoryMB / 1024) * (usage.durationMs / 1000);
  const usdPerRequest = prices.lambdaUsdPerRequest + frontUsd + GBSeconds * usdPerGBSecond;
  return usage.requests * usdPerRequest;
}

/** What a steady rate costs on Lambda. */
export function lambdaRateUsdPerHour(
  requestsPerSecond: number,
  profile: CostProfile,
  prices: Prices = usEast1,
): number {
  return lambdaCostUsd(usageOf(requestsPerSecond * 3600, profile), prices);
}

function usageOf(requests: number, profile: CostProfile): LambdaUsage {
  const { lambdaDurationMs: durationMs, lambdaMemoryMB: memoryMB, architecture, front } = profile;
  return { requests, durationMs, memoryMB, architecture, front };
}

/** One running task: processor, memory and its public address. */
export function taskUsdPerHour(profile: CostProfile, prices: Prices = usEast1): number {
  const arm = profile.architecture === "arm64";
  const vcpu = arm ? prices.fargateUsdPerVcpuHourArm : prices.fargateUsdPerVcpuHourX86;
  const GB = arm ? prices.fargateUsdPerGBHourArm : prices.fargateUsdPerGBHourX86;
  const memoryGB = profile.taskMemoryMB / 1024;
  return profile.taskVcpu * vcpu + memoryGB * GB + prices.publicIpv4UsdPerHour;
}

/** The balancer's hour and its addresses, before any request. */
export function balancerUsdPerHour(profile: CostProfile, prices: Prices = usEast1): number {
  return prices.balancerUsdPerHour + profile.balancerZones * prices.publicIpv4UsdPerHour;
}

/** Capacity units: the dimension that is used most is billed. */
export function lcuRateUsdPerHour(
  requestsPerSecond: number,
  profile: CostProfile,
  prices: Prices = usEast1,
): number {
  const newConnectionsPerSecond = requestsPerSecond * profile.connectionsPerRequest;
  const GBPerHour = (requestsPerSecond * 3600 * profile.trafficKB) / 1e6;
  const units = Math.max(
    newConnectionsPerSecond / prices.lcuNewConnectionsPerSecond,
    GBPerHour / prices.lcuGBPerHour,
  );
  return prices.lcuUsdPerHour * units;
}

/** Tasks that serve a rate when scaling is ideal. */
export function tasksFor(requestsPerSecond: number, profile: CostProfile): number {
  const needed = Math.ceil(requestsPerSecond / profile.requestsPerSecondPerTask);
  return Math.max(profile.tasksMin, needed);
}

/** A load on Fargate. */
export interface FargateLoad {
  readonly requestsPerSecond: number;
  /** Tasks that run; by default as many as the rate needs. */
  readonly tasks?: number;
}

/** What a steady load costs on Fargate: balancer, addresses, capacity units and tasks. */
export function fargateRateUsdPerHour(
  load: FargateLoad,
  profile: CostProfile,
  prices: Prices = usEast1,
): number {
  const { requestsPerSecond, tasks = tasksFor(requestsPerSecond, profile) } = load;
  return (
    balancerUsdPerHour(profile, prices) +
    lcuRateUsdPerHour(requestsPerSecond, profile, prices) +
    tasks * taskUsdPerHour(profile, prices)
  );
}

/** Hours that are billed for a balancer that existed for a time: each started one. */
export function balancerHours(existedMs: number): number {
  return Math.ceil(existedMs / hourMs);
}

const hourMs = 3_600_000;

/**
 * The lowest rate at which Lambda costs as much as Fargate, in requests/s; Infinity if it never
 * does.
 *
 * Both are straight lines while n tasks suffice, that is for `r ≤ n·R`: Lambda costs `a·r`, Fargate
 * `infra + n·task + s·r`. They meet at `r = (infra + n·task) / (a − s)`; the first n for which that
 * is within `n·R` is the first with `infra ≤ n·(R·(a − s) − task)`.
 */
export function breakEvenRequestsPerSecond(
  profile: CostProfile = profileDefault,
  prices: Prices = usEast1,
): number {
  const saved = lambdaRateUsdPerHour(1, profile, prices) - lcuRateUsdPerHour(1, profile, prices);
  const task = taskUsdPerHour(profile, prices);
  const infra = balancerUsdPerHour(profile, prices);
  const savedPerTask = profile.requestsPerSecondPerTask * saved - task;
  if (savedPerTask <= 0) return Number.POSITIVE_INFINITY;
  const tasks = Math.max(profile.tasksMin, Math.ceil(infra / savedPerTask));
  return (infra + tasks * task) / saved;
}

/** One window of a cycle as it happened. */
export interface CostWindow {
  readonly periodMs: number;
  readonly lambdaRequests: number;
  readonly fargateRequests: number;
  /** Tasks that ran, the starting ones included: they are billed from the image pull on. */
  readonly tasks: number;
  /** Whether the balancer existed. */
  readonly balancer: boolean;
}

/** An amount and what must be true for it to hold. */
export interface Cost {
  readonly usd: number;
  readonly assumptions: readonly string[];
}

/** What a cycle cost, and what the same requests would have cost without changing tiers. */
export interface CycleCost {
  readonly actual: Cost;
  readonly alwaysLambda: Cost;
  readonly alwaysFargate: Cost;
}

/** The bill of the windows, which follow each other without a gap, oldest first. */
export function costOfWindows(
  windows: readonly CostWindow[],
  profile: CostProfile,
  prices: Prices = usEast1,
): CycleCost {
  let lambdaUsd = 0;
  let lcuUsd = 0;
  let taskUsd = 0;
  let addressUsd = 0;
  let alwaysLambdaUsd = 0;
  let alwaysFargateUsd = 0;
  for (const window of windows) {
    const hours = window.periodMs / hourMs;
    const requests = window.lambdaRequests + window.fargateRequests;
    const perSecond = (count: number): number => (count * 1000) / window.periodMs;
    lambdaUsd += lambdaCostUsd(usageOf(window.lambdaRequests, profile), prices);
    lcuUsd += hours * lcuRateUsdPerHour(perSecond(window.fargateRequests), profile, prices);
    taskUsd += hours * window.tasks * taskUsdPerHour(profile, prices);
    if (window.balancer) addressUsd += hours * profile.balancerZones * prices.publicIpv4UsdPerHour;
    alwaysLambdaUsd += lambdaCostUsd(usageOf(requests, profile), prices);
    const load = { requestsPerSecond: perSecond(requests) };
    alwaysFargateUsd += hours * fargateRateUsdPerHour(load, profile, prices);
  }
  const hoursBilled = balancerHoursBilled(windows);
  const balancerUsd = hoursBilled * prices.balancerUsdPerHour;
  const given = assumptions(profile, prices, hoursBilled);
  return {
    actual: {
      usd: lambdaUsd + balancerUsd + addressUsd + lcuUsd + taskUsd,
      assumptions: [...given.prices, ...given.lambda, ...given.balancer, ...given.started],
    },
    alwaysLambda: { usd: alwaysLambdaUsd, assumptions: [...given.prices, ...given.lambda] },
    alwaysFargate: {
      usd: alwaysFargateUsd,
      assumptions: [...given.prices, ...given.balancer, ...given.deployed],
    },
  };
}

/** Each balancer is a new one: every uninterrupted existence is rounded up by itself. */
function balancerHoursBilled(windows: readonly CostWindow[]): number {
  let hours = 0;
  let existedMs = 0;
  for (const window of windows) {
    if (window.balancer) {
      existedMs += window.periodMs;
      continue;
    }
    hours += balancerHours(existedMs);
    existedMs = 0;
  }
  return hours + balancerHours(existedMs);
}

function assumptions(
  profile: CostProfile,
  prices: Prices,
  hoursBilled: number,
): Readonly<Record<"prices" | "lambda" | "balancer" | "started" | "deployed", readonly string[]>> {
  const { taskVcpu, requestsPerSecondPerTask, tasksMin } = profile;
  return {
    prices: [
      `${prices.region} list prices of ${prices.asOf}, on demand`,
      "no free tier, volume discount, logs, DNS or data transfer out",
    ],
    lambda: [
      `Lambda: ${profile.lambdaDurationMs} ms at ${profile.lambdaMemoryMB} MB per request, ` +
        `${profile.architecture}, front door ${profile.front}`,
    ],
    balancer: [
      `task: ${taskVcpu} vCPU, ${profile.taskMemoryMB} MB, ${profile.architecture}, public address`,
      `balancer: ${profile.balancerZones} addresses, ${profile.connectionsPerRequest} new ` +
        `connections and ${profile.trafficKB} KB per request`,
    ],
    started: [`balancer hours billed whole: ${hoursBilled}`, "tasks as they ran, by the second"],
    deployed: [
      "Fargate deployed throughout, balancer hours in proportion",
      `ideal scaling at ${requestsPerSecondPerTask} requests/s per task, at least ${tasksMin}`,
    ],
  };
}
