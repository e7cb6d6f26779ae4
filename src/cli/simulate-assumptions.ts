/** What the figures of the model rest on, in sentences. No number is shown without them. */
import type { Settings } from "./simulate-scenario.ts";

/** The assumptions of the service and its prices. */
export function serviceAssumptions({
  scenario,
  economics,
  parameters,
}: Settings): readonly string[] {
  const { profile, prices } = scenario;
  return [
    `${prices.region} list prices of ${prices.asOf}, on demand; no free tier, volume discount, ` +
      "logs, DNS, NAT or data transfer out",
    `Lambda: ${profile.lambdaMemoryMB} MB, ${short(profile.lambdaDurationMs)} ms billed per ` +
      `request, ${profile.architecture}, behind ${frontName(profile.front)}; no cold starts`,
    `Fargate: tasks of ${profile.taskVcpu} vCPU and ${profile.taskMemoryMB} MB, ` +
      `${profile.architecture}, public address, at least ${profile.tasksMin}, one for each ` +
      `${short(profile.requestsPerSecondPerTask)} requests/s, at once when needed (ideal scaling)`,
    `balancer: ${profile.balancerZones} addresses, ${profile.connectionsPerRequest} new ` +
      `connections and ${profile.trafficKB} KB per request`,
    Number.isFinite(economics.breakEvenRps)
      ? `from ${short(economics.breakEvenRps)} requests/s on Fargate is cheaper (break-even)`
      : `Fargate is never cheaper with these (${parameters.tasksMin} tasks at least)`,
  ];
}

/** The assumptions about changing tiers. */
export function switchAssumptions({ scenario, economics }: Settings): readonly string[] {
  const { upMinutes, downMinutes, metricLagMinutes, balancerHoursLost } = scenario.times;
  return [
    `a way up takes ${upMinutes} minutes and a way down ${downMinutes}, both tiers are paid ` +
      `meanwhile, ${balancerHoursLost} balancer hours are lost per removal: ` +
      `${economics.cycleUsd.toFixed(4)} USD a cycle without traffic; metrics are ` +
      `${metricLagMinutes} minutes old`,
  ];
}

const hoursBilled = {
  "whole-hours": "each started balancer hour billed",
  mean: "half a balancer hour lost per removal",
} as const;

/** What the realistic model adds, and where it replaces the ideal one. */
export function realisticAssumptions({ realistic, seed }: Settings): readonly string[] {
  const { clients, lambda, fargate, delays, engine } = realistic;
  const range = ([min, max]: readonly [number, number]): string => `${min} to ${max} s`;
  return [
    "the optima and what is called ideal rest on the sentences above alone; the policies and the " +
      `two statics ran in the realistic model, seed ${seed}:`,
    `realistic: drawn delays: balancer ${range(delays.balancerSeconds)}, tasks ` +
      `${range(delays.taskStartSeconds)}, removal ${range(delays.removalSeconds)}, DNS ` +
      `${range(delays.dnsSeconds)}; ${hoursBilled[realistic.balancerRounding]}`,
    "realistic: the engine's own steps, bake and drain; at least " +
      `${engine.dwellFargateMs / 60_000} minutes on Fargate, ${engine.dwellLambdaMs / 60_000} on ` +
      `Lambda; at most ${engine.tasksMax} tasks`,
    `realistic: ${short(100 * clients.ttlExtendersShare)} % of the clients keep an address for ` +
      `${clients.ttlExtendedSeconds} s, the others for its TTL`,
    `realistic: Lambda: ${short(lambda.concurrencyMax)} environments at most, cold starts of ` +
      `${lambda.coldStartSeconds} s`,
    `realistic: Fargate: ${fargate.autoscaling} scaling, a task answers ` +
      `${short(fargate.rpsPerTaskMax)} requests/s at most, ` +
      (fargate.excess === "queue" ? "the rest waits" : "Lambda answers the rest"),
  ];
}

/** A front door by the name that AWS gives it. */
export function frontName(front: string): string {
  const names: Readonly<Record<string, string>> = {
    "http-api": "an HTTP API",
    "rest-api": "a REST API",
    "function-url": "a function URL",
  };
  return names[front] ?? front;
}

/** A number with as many digits as a person wants to read. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "never";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 1 ? 1 : 3;
  return Number(value.toFixed(digits)).toLocaleString("en-US", { maximumFractionDigits: 3 });
}

/** An amount: cents where cents matter, more digits where they do not suffice. */
export function dollars(usd: number): string {
  const size = Math.abs(usd);
  const digits = size >= 1000 ? 0 : size >= 1 || size === 0 ? 2 : size >= 0.01 ? 4 : 6;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return usd.toLocaleString("en-US", options);
}

/** Rows as aligned columns: the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd();
  return rows.map((row) => `  ${line(row)}`).join("\n");
}
