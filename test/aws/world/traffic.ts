/** Who calls the service: clients that cache addresses for the TTL, in small steps of time. */
import { answers } from "./dns.ts";
import { balancerOf, groupsBehind, healthyBehind } from "./elb.ts";
import type { World } from "./world.ts";

/** What one request of the model was answered by. */
export interface TrafficCount {
  lambda: number;
  fargate: number;
  /** Answered by nobody: no such name, no such address, no healthy target. */
  lost: number;
  /** Refused for lack of concurrency. */
  throttled: number;
}

/** A line of the record of lost requests. */
export interface Loss {
  readonly atMs: number;
  readonly requests: number;
  readonly why: string;
}

/** Demand and what became of it. */
export interface Traffic {
  /** Requests per second at a time. */
  rate: (nowMs: number) => number;
  readonly total: TrafficCount;
  readonly losses: Loss[];
  /** Address by client group: what each resolved last. */
  readonly cached: ReadonlyMap<string, number>[];
}

/** How the front door and the function are called in CloudWatch, and who resolves what. */
export interface TrafficNames {
  /** Empty without a domain: all clients then call the API's own address. */
  readonly domain: string;
  readonly zoneId: string;
  readonly apiId: string;
  readonly apiDimension: "ApiId" | "ApiName";
  readonly functionName: string;
}

/** One step of the model; also a twelfth of the TTL: in each step one group resolves anew. */
const stepMs = 5_000;
const groups = 12;

/** Demand without anybody who asks. */
export function createTraffic(): Traffic {
  return {
    rate: () => 0,
    total: { lambda: 0, fargate: 0, lost: 0, throttled: 0 },
    losses: [],
    cached: Array.from({ length: groups }, () => new Map()),
  };
}

/** Lets the clients call from now on. */
export function startTraffic(world: World, names: TrafficNames): void {
  let round = 0;
  for (let group = 0; group < groups; group += 1) lookUp(world, names, group);
  const step = (): void => {
    lookUp(world, names, round % groups);
    round += 1;
    const requests = (world.traffic.rate(world.nowMs) * stepMs) / 1000;
    if (requests > 0) serve(world, names, requests);
    world.after(stepMs, step);
  };
  world.after(stepMs, step);
}

const apiAddress = "api";

function lookUp(world: World, names: TrafficNames, group: number): void {
  const zone = world.zones.get(names.zoneId);
  if (names.domain === "" || !zone) {
    world.traffic.cached[group] = new Map([[apiAddress, 1]]);
    return;
  }
  const server = Math.floor(world.random() * zone.servers.length);
  world.traffic.cached[group] = answers(world, zone, server, names.domain);
}

function serve(world: World, names: TrafficNames, requests: number): void {
  const perGroup = requests / groups;
  let toLambda = 0;
  const toBalancers = new Map<string, number>();
  for (const shares of world.traffic.cached) {
    if (shares.size === 0) lose(world, perGroup, "the name does not exist");
    for (const [address, share] of shares) {
      const count = perGroup * share;
      if (!address.includes(".elb.")) toLambda += count;
      else toBalancers.set(address, (toBalancers.get(address) ?? 0) + count);
    }
  }
  if (toLambda > 0) serveByLambda(world, names, toLambda);
  for (const [address, count] of toBalancers) serveByBalancer(world, address, count);
}

function lose(world: World, requests: number, why: string): void {
  world.traffic.total.lost += requests;
  world.traffic.losses.push({ atMs: world.nowMs, requests, why });
}

function serveByLambda(world: World, names: TrafficNames, requests: number): void {
  const { metrics, application, traffic } = world;
  const perSecond = requests / (stepMs / 1000);
  const wanted = (perSecond * application.latencyMs) / 1000;
  const refused = Math.max(0, 1 - world.concurrencyQuota / Math.max(wanted, 1e-9)) * requests;
  const served = requests - refused;
  const errors = Math.round(served * application.errorShare.lambda);
  traffic.total.lambda += served;
  traffic.total.throttled += refused;
  const concurrency = Math.min(world.concurrencyQuota, Math.max(1, Math.ceil(wanted)));
  for (const dimensions of apiDimensions(names)) {
    const api = (metric: string, value: number, count = 1): void =>
      metrics.add({ namespace: "AWS/ApiGateway", metric, dimensions }, value, count);
    api("Count", requests, requests);
    api(names.apiDimension === "ApiId" ? "5xx" : "5XXError", errors + refused, requests);
    api("Latency", application.latencyMs);
  }
  const { functionName } = names;
  const alias = { FunctionName: functionName, Resource: `${functionName}:live` };
  for (const dimensions of [{ FunctionName: functionName }, alias]) {
    const lambda = (metric: string, value: number): void =>
      metrics.add({ namespace: "AWS/Lambda", metric, dimensions }, value);
    lambda("Invocations", served);
    lambda("Errors", 0);
    lambda("Throttles", refused);
    lambda("ConcurrentExecutions", concurrency);
    lambda("Duration", application.latencyMs);
  }
  for (const metric of ["ConcurrentExecutions", "UnreservedConcurrentExecutions"]) {
    metrics.add({ namespace: "AWS/Lambda", metric, dimensions: {} }, concurrency);
  }
}

function apiDimensions(names: TrafficNames): readonly Readonly<Record<string, string>>[] {
  const own = { [names.apiDimension]: names.apiId };
  return [own, { ...own, Stage: names.apiDimension === "ApiId" ? "$default" : "live" }];
}

function serveByBalancer(world: World, address: string, requests: number): void {
  const balancer = balancerOf(world, address);
  if (!balancer) {
    lose(world, requests, `${address} does not exist any more`);
    return;
  }
  const { metrics, application, traffic } = world;
  const dead = healthyBehind(world, balancer) === 0;
  if (dead) lose(world, requests, `${address} has no healthy target`);
  else traffic.total.fargate += requests;
  const errors = Math.round(requests * application.errorShare.fargate);
  const own = { LoadBalancer: balancer.fullName };
  const add = (metric: string, value: number, dimensions: Readonly<Record<string, string>>): void =>
    metrics.add({ namespace: "AWS/ApplicationELB", metric, dimensions }, value);
  const all = groupsBehind(world, balancer).flatMap(({ fullName }) => [
    { TargetGroup: fullName },
    { ...own, TargetGroup: fullName },
  ]);
  for (const dimensions of [own, ...all]) {
    // The balancer only counts requests for which it found a target.
    if (dead) {
      if (dimensions === own) add("HTTPCode_ELB_5XX_Count", requests, dimensions);
      continue;
    }
    add("RequestCount", requests, dimensions);
    if (errors > 0) add("HTTPCode_Target_5XX_Count", errors, dimensions);
    add("TargetResponseTime", application.latencyMs / 1000, dimensions);
  }
}
