/** The bill as AWS writes it: by request, by second, and balancer hours whole. */
import { balancerHours, lambdaCostUsd, lcuRateUsdPerHour, taskUsdPerHour } from "../core/cost.ts";
import type { RealisticScenario } from "./realistic-scenario.ts";

/** A bill, part by part, USD. */
export interface BillParts {
  /** Requests and their durations, the front door included. */
  readonly lambdaUsd: number;
  /** Starting environments: billed like work. */
  readonly coldStartUsd: number;
  readonly balancerUsd: number;
  /** The balancer's public addresses; those of tasks are with the tasks. */
  readonly addressUsd: number;
  /** Load balancer capacity units. */
  readonly capacityUsd: number;
  readonly taskUsd: number;
}

/** The sum of a bill. */
export function totalOfBill(bill: BillParts): number {
  return fargateOfBill(bill) + bill.lambdaUsd + bill.coldStartUsd;
}

/** What the burst tier cost. */
export function fargateOfBill(bill: BillParts): number {
  return bill.balancerUsd + bill.addressUsd + bill.capacityUsd + bill.taskUsd;
}

const hourMs = 3_600_000;

/** Counts what is billed. */
export class Meter {
  readonly #scenario: RealisticScenario;
  readonly #requestUsd: number;
  readonly #refusedUsd: number;
  readonly #coldStartUsd: number;
  readonly #capacityUsd: number;
  #lambdaUsd = 0;
  #coldStarts = 0;
  #fargateRequests = 0;
  /** Since when the present balancer exists. */
  #balancerSinceMs: number | null = null;
  #balancerMs = 0;
  #balancerHours = 0;

  constructor(scenario: RealisticScenario) {
    this.#scenario = scenario;
    const { profile, prices, lambda } = scenario;
    const { architecture, front, lambdaMemoryMB: memoryMB } = profile;
    const requestUsd = (requests: number, durationMs: number): number =>
      lambdaCostUsd({ requests, durationMs, memoryMB, architecture, front }, prices);
    this.#requestUsd = requestUsd(1, profile.lambdaDurationMs);
    // The front door counts refused requests too; Lambda does not.
    this.#refusedUsd = requestUsd(1, 0) - prices.lambdaUsdPerRequest;
    this.#coldStartUsd = requestUsd(1, lambda.coldStartSeconds * 1000) - requestUsd(1, 0);
    this.#capacityUsd = lcuRateUsdPerHour(1, profile, prices) / 3600;
  }

  lambda(served: number, throttled: number, coldStarts: number): void {
    this.#lambdaUsd += served * this.#requestUsd + throttled * this.#refusedUsd;
    this.#coldStarts += coldStarts;
  }

  fargate(requests: number): void {
    this.#fargateRequests += requests;
  }

  balancerCreated(nowMs: number): void {
    this.#balancerSinceMs = nowMs;
  }

  /** The ideal model pays its mean rounding when removal begins. */
  removalBegun(): void {
    if (this.#scenario.balancerRounding === "mean") {
      this.#balancerHours += this.#scenario.times.balancerHoursLost;
    }
  }

  balancerGone(nowMs: number): void {
    const existedMs = nowMs - (this.#balancerSinceMs ?? nowMs);
    this.#balancerMs += existedMs;
    this.#balancerHours += this.#hours(existedMs);
    this.#balancerSinceMs = null;
  }

  /** The bill so far. */
  bill(nowMs: number, taskSeconds: number): BillParts {
    const { profile, prices } = this.#scenario;
    const existsMs = this.#balancerSinceMs === null ? 0 : nowMs - this.#balancerSinceMs;
    const hours = this.#balancerHours + this.#hours(existsMs);
    const addressHours = ((this.#balancerMs + existsMs) / hourMs) * profile.balancerZones;
    return {
      lambdaUsd: this.#lambdaUsd,
      coldStartUsd: this.#coldStarts * this.#coldStartUsd,
      balancerUsd: hours * prices.balancerUsdPerHour,
      addressUsd: addressHours * prices.publicIpv4UsdPerHour,
      capacityUsd: this.#fargateRequests * this.#capacityUsd,
      taskUsd: (taskSeconds / 3600) * taskUsdPerHour(profile, prices),
    };
  }

  #hours(existedMs: number): number {
    return this.#scenario.balancerRounding === "mean"
      ? existedMs / hourMs
      : balancerHours(existedMs);
  }
}
