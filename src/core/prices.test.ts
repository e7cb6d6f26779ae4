/** AWS's own examples and lists, computed from the table: a wrong digit shows here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { usEast1 as prices } from "./prices.ts";

const near = (usd: number, expected: number): void => {
  assert.ok(Math.abs(usd - expected) < 1e-9 * Math.max(1, expected), `${usd} is not ${expected}`);
};

test("a million requests", () => {
  near(1e6 * prices.lambdaUsdPerRequest, 0.2);
  near(1e6 * prices.httpApiUsdPerRequest, 1);
  near(1e6 * prices.restApiUsdPerRequest, 3.5);
});

test("a million GB-seconds on either processor", () => {
  near(1e6 * prices.lambdaUsdPerGBSecondX86, 16.6667);
  near(1e6 * prices.lambdaUsdPerGBSecondArm, 13.3334);
});

test("a month of 730 hours", () => {
  near(730 * prices.balancerUsdPerHour, 16.425);
  near(730 * prices.publicIpv4UsdPerHour, 3.65);
  near(730 * prices.fargateUsdPerVcpuHourX86, 29.5504);
  near(730 * prices.fargateUsdPerVcpuHourArm, 23.6374);
  near(730 * prices.fargateUsdPerGBHourX86, 3.24485);
  near(730 * prices.fargateUsdPerGBHourArm, 2.5988);
});

test("a capacity unit", () => {
  near(prices.lcuUsdPerHour, 0.008);
  assert.equal(prices.lcuNewConnectionsPerSecond, 25);
  assert.equal(prices.lcuGBPerHour, 1);
});
