/** What a run on a real account costs at most, from the product's own prices. */
import { usEast1 } from "../../../src/core/prices.ts";

/** The balancer is billed in whole hours; a run that dawdles touches three of them. */
const balancerHours = 3;
const hours = 2.5;
const tasks = 2;
const addresses = 2 + tasks;

/** USD for one run: balancer, addresses, tasks, requests and builds of a few alarms. */
export function runUsd(): number {
  const balancer = balancerHours * (usEast1.balancerUsdPerHour + usEast1.lcuUsdPerHour);
  const network = hours * addresses * usEast1.publicIpv4UsdPerHour;
  const perTask = 0.5 * usEast1.fargateUsdPerVcpuHourArm + 1 * usEast1.fargateUsdPerGBHourArm;
  const requests = 20_000 * (usEast1.httpApiUsdPerRequest + usEast1.lambdaUsdPerRequest);
  return balancer + network + hours * tasks * perTask + requests;
}
