/** What a service costs: break-even, a month at a rate or over a trace, idle, and settings. */

import { fargateOffers } from "../config/fargate-sizes.ts";
import { alarmDefinitions, type Thresholds } from "../core/alarms.ts";
import {
  balancerUsdPerHour,
  breakEvenRequestsPerSecond,
  type CostProfile,
  lambdaCostUsd,
  taskUsdPerHour,
} from "../core/cost.ts";
import { autoPolicy } from "../policies/auto.ts";
import { economicsOf, fargateMinuteUsd, lambdaMinuteUsd } from "../policies/economics.ts";
import { minuteCosts, type Scenario, totalUsd } from "../sim/model.ts";
import { optimumUsd } from "../sim/optimum.ts";
import { replay } from "../sim/replay.ts";

/** A month has 30 days here: the same length for every amount. */
export const monthHours: number = 30 * 24;
const monthMinutes = 60 * monthHours;

/** The grid of the break-even table. */
export const grid = {
  memoryMB: [128, 256, 512, 1024, 2048],
  durationMs: [10, 25, 50, 100, 250, 1000],
  front: ["http-api", "rest-api", "function-url"],
  architecture: ["x86_64", "arm64"],
  tasksMin: [1, 2, 3],
} as const;

/** One cell of the break-even table. */
export interface BreakEvenCell {
  readonly lambdaMemoryMB: number;
  readonly lambdaDurationMs: number;
  readonly front: CostProfile["front"];
  readonly architecture: CostProfile["architecture"];
  readonly tasksMin: number;
  /** `null` where Fargate is never cheaper. */
  readonly breakEvenRequestsPerSecond: number | null;
}

/** The whole grid, the service's own values included. */
export function breakEvenTable({ profile, prices }: Scenario): readonly BreakEvenCell[] {
  const cells: BreakEvenCell[] = [];
  for (const lambdaMemoryMB of withOwn(grid.memoryMB, profile.lambdaMemoryMB)) {
    for (const lambdaDurationMs of withOwn(grid.durationMs, profile.lambdaDurationMs)) {
      for (const front of grid.front) {
        for (const architecture of grid.architecture) {
          for (const tasksMin of withOwn(grid.tasksMin, profile.tasksMin)) {
            const cell = { lambdaMemoryMB, lambdaDurationMs, front, architecture, tasksMin };
            const rate = breakEvenRequestsPerSecond({ ...profile, ...cell }, prices);
            cells.push({ ...cell, breakEvenRequestsPerSecond: finite(rate) });
          }
        }
      }
    }
  }
  return cells;
}

/** A list of the grid with the service's own value in its place. */
export function withOwn(values: readonly number[], own: number): readonly number[] {
  return [...new Set([...values, own])].sort((a, b) => a - b);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** The traffic that a month is estimated for: one steady rate, or a trace as it is. */
export type Traffic =
  | { readonly kind: "rate"; readonly requestsPerSecond: number }
  | { readonly kind: "trace"; readonly rps: Float64Array; readonly startSeconds: number };

/** USD per month of 30 days. */
export interface Month {
  readonly alwaysLambda: number;
  readonly alwaysFargate: number;
  /** With changes of tiers by the default policy; `null` for a steady rate, which needs none. */
  readonly flexible: number | null;
  /** The cheapest in hindsight. */
  readonly optimum: number;
}

/** What a month of the traffic costs. */
export function monthOf(traffic: Traffic, scenario: Scenario): Month {
  const economics = economicsOf(scenario.profile, scenario.times, scenario.prices);
  if (traffic.kind === "rate") {
    const { requestsPerSecond } = traffic;
    const alwaysLambda = monthMinutes * lambdaMinuteUsd(economics, requestsPerSecond);
    const alwaysFargate = monthMinutes * fargateMinuteUsd(economics, requestsPerSecond);
    const optimum = Math.min(alwaysLambda, alwaysFargate);
    return { alwaysLambda, alwaysFargate, flexible: null, optimum };
  }
  const costs = minuteCosts(traffic.rps, economics);
  const toMonth = monthMinutes / traffic.rps.length;
  const policy = autoPolicy({ economics, tasksMax: Number.MAX_SAFE_INTEGER });
  const startMs = Math.floor(traffic.startSeconds / 60) * 60_000;
  return {
    alwaysLambda: toMonth * totalUsd(costs.lambdaUsd),
    alwaysFargate: toMonth * totalUsd(costs.fargateUsd),
    flexible: toMonth * replay(costs, policy, { startMs }).costUsd,
    optimum: toMonth * optimumUsd(costs),
  };
}

/** A line of the idle bill, USD per month. */
export interface IdleLine {
  readonly what: string;
  readonly usd: number;
  readonly assumes: string;
}

/** The controller: one run a minute of a small function, always on arm64. */
const controller = { memoryMB: 256, durationMs: 200, architecture: "arm64" } as const;
// infracost's golden files of 2024-07-01; the hosted zone: AWS's page read 2026-09-20. us-east-1.
const usdPerAlarm = 0.1;
const usdPerHostedZone = 0.5;
const usdPerImageGB = 0.1;
const imageGB = 0.2;
/** A read of up to 4 KB that sees every earlier write. */
const usdPerRead = 0.125e-6;
const usdPerDashboard = 3;
/** A metric asked for by GetMetricData: CloudWatch's price list, us-east-1. */
const usdPerSeriesRead = 0.01 / 1000;
/** A sleeping policy looks twice a day, each time at the seven series of the Lambda tier. */
const looks = { perMonth: (2 * monthMinutes) / 1440, series: 7 } as const;
/** Those of the base stack, and the one on the controller's own errors. */
const alarmsAtRest =
  1 + alarmDefinitions(anyThresholds()).filter(({ stack }) => stack === "base").length;

function anyThresholds(): Thresholds {
  const up = { requestsPerMinute: 1, concurrency: 1, periods: 1, of: 1 };
  return { up, down: { requestsPerMinute: 1, minutes: 1 } };
}

const inFreeTier = (count: string): string => `${monthMinutes} of ${count} free ones a month`;

/** What is paid while there is no request at all and the burst tier is away. */
export function idleBill({ prices }: Scenario): readonly IdleLine[] {
  const runs = { ...controller, requests: monthMinutes, front: "function-url" } as const;
  return [
    { what: "Lambda tier", usd: 0, assumes: "no request, no bill; no provisioned concurrency" },
    {
      what: "controller",
      usd: lambdaCostUsd(runs, prices),
      assumes:
        `a run a minute, ${controller.durationMs} ms at ${controller.memoryMB} MB; ` +
        "within the free tier of an account that has it left",
    },
    {
      what: "state table",
      usd: monthMinutes * usdPerRead,
      assumes: "a read a minute; a write or two a day",
    },
    {
      what: "policy's looks",
      usd: looks.perMonth * looks.series * usdPerSeriesRead,
      assumes: `two a day at ${looks.series} metrics; none with the policy threshold`,
    },
    { what: "schedule", usd: 0, assumes: inFreeTier("14 million") },
    { what: "alarm states", usd: 0, assumes: `read each minute: ${inFreeTier("a million")}` },
    {
      what: "dashboard",
      usd: 0,
      assumes: `one of an account's three free ones; ${usdPerDashboard} USD beyond that`,
    },
    { what: "network", usd: 0, assumes: "VPC, subnets, routes; NAT gateways come with the burst" },
    {
      what: "alarms",
      usd: alarmsAtRest * usdPerAlarm,
      assumes:
        `${alarmsAtRest} alarms at ${usdPerAlarm} USD (us-east-1); ` +
        "the first 10 of an account are free",
    },
    {
      what: "image",
      usd: imageGB * usdPerImageGB,
      assumes: `${imageGB} GB in the registry at ${usdPerImageGB} USD per GB (us-east-1)`,
    },
    {
      what: "hosted zone",
      usd: usdPerHostedZone,
      assumes: "a zone of its own; 0 in a zone that you have already",
    },
  ];
}

/** What Fargate costs a month with its fewest tasks and no request. */
export function fargateIdleUsd({ profile, prices }: Scenario): number {
  const tasks = profile.tasksMin * taskUsdPerHour(profile, prices);
  return monthHours * (balancerUsdPerHour(profile, prices) + tasks);
}

/** A setting changed alone, and what that does. */
export interface Sensitivity {
  readonly change: string;
  readonly breakEvenRequestsPerSecond: number | null;
  /** `null` when no traffic was given. */
  readonly month: Month | null;
}

/** Each setting changed alone. */
export function sensitivities(scenario: Scenario, traffic: Traffic | null): readonly Sensitivity[] {
  return changesOf(scenario.profile).map(([change, changed]) => {
    const other = { ...scenario, profile: { ...scenario.profile, ...changed } };
    return {
      change,
      breakEvenRequestsPerSecond: finite(breakEvenRequestsPerSecond(other.profile, other.prices)),
      month: traffic === null ? null : monthOf(traffic, other),
    };
  });
}

type Change = readonly [change: string, changed: Partial<CostProfile>];

function changesOf(profile: CostProfile): readonly Change[] {
  const { lambdaMemoryMB, lambdaDurationMs, tasksMin, taskVcpu, taskMemoryMB } = profile;
  const half = Math.max(128, Math.round(lambdaMemoryMB / 2));
  const twice = Math.min(10_240, 2 * lambdaMemoryMB);
  const rate = profile.requestsPerSecondPerTask;
  const changes: Change[] = [
    [`memory ${half} MB, duration unchanged`, { lambdaMemoryMB: half }],
    [`memory ${twice} MB, duration unchanged`, { lambdaMemoryMB: twice }],
    [`duration ${lambdaDurationMs / 2} ms`, { lambdaDurationMs: lambdaDurationMs / 2 }],
    [`duration ${lambdaDurationMs * 2} ms`, { lambdaDurationMs: lambdaDurationMs * 2 }],
    ...grid.front
      .filter((front) => front !== profile.front)
      .map((front): Change => [`front ${front}`, { front }]),
    ...grid.architecture
      .filter((architecture) => architecture !== profile.architecture)
      .map((architecture): Change => [`architecture ${architecture}`, { architecture }]),
    [`at least ${tasksMin + 1} tasks`, { tasksMin: tasksMin + 1 }],
    [
      `task of twice the size, same rate`,
      { taskVcpu: 2 * taskVcpu, taskMemoryMB: 2 * taskMemoryMB },
    ],
    [
      `task of half the size, same rate`,
      { taskVcpu: taskVcpu / 2, taskMemoryMB: taskMemoryMB / 2 },
    ],
    [`${rate * 2} requests/s per task`, { requestsPerSecondPerTask: rate * 2 }],
    [`a new connection for each request`, { connectionsPerRequest: 1 }],
  ];
  if (tasksMin > 1) changes.push([`at least ${tasksMin - 1} tasks`, { tasksMin: tasksMin - 1 }]);
  return changes.filter(([, changed]) => {
    const next = { ...profile, ...changed };
    const same = Object.entries(changed).every(
      ([key, value]) => profile[key as keyof CostProfile] === value,
    );
    return !same && fargateOffers({ vcpu: next.taskVcpu, memoryMB: next.taskMemoryMB });
  });
}
