/** List prices. Flat on purpose: a number here can be compared with AWS's page at a glance. */

/** What AWS asks for the things LambdaFlex uses: USD, without free tiers and volume discounts. */
export interface Prices {
  readonly region: string;
  /** Month in which the numbers were last compared with their sources. */
  readonly asOf: string;
  readonly lambdaUsdPerRequest: number;
  readonly lambdaUsdPerGBSecondX86: number;
  readonly lambdaUsdPerGBSecondArm: number;
  /** An API Gateway HTTP API meters each started 512 KB as one request. */
  readonly httpApiUsdPerRequest: number;
  readonly restApiUsdPerRequest: number;
  /** An Application Load Balancer; a started hour is billed whole. */
  readonly balancerUsdPerHour: number;
  /** One load balancer capacity unit. */
  readonly lcuUsdPerHour: number;
  readonly lcuNewConnectionsPerSecond: number;
  readonly lcuGBPerHour: number;
  readonly fargateUsdPerVcpuHourX86: number;
  readonly fargateUsdPerVcpuHourArm: number;
  readonly fargateUsdPerGBHourX86: number;
  readonly fargateUsdPerGBHourArm: number;
  /** Each public address: one per zone of the balancer, one per public task. */
  readonly publicIpv4UsdPerHour: number;
}

/** On-demand prices of us-east-1, first volume tier. */
export const usEast1: Prices = {
  region: "us-east-1",
  asOf: "2026-09",
  // aws.amazon.com/lambda/pricing, read 2026-09-20: 0.20 USD per million, first 6 billion GB-s.
  lambdaUsdPerRequest: 0.2e-6,
  lambdaUsdPerGBSecondX86: 1.66667e-5,
  lambdaUsdPerGBSecondArm: 1.33334e-5,
  // AWS whitepaper "Best practices for API Gateway private APIs": first 300 and 333 million.
  httpApiUsdPerRequest: 1.0e-6,
  restApiUsdPerRequest: 3.5e-6,
  // aws.amazon.com/elasticloadbalancing/pricing, read 2026-09-20.
  balancerUsdPerHour: 0.0225,
  lcuUsdPerHour: 0.008,
  lcuNewConnectionsPerSecond: 25,
  lcuGBPerHour: 1,
  // aws.amazon.com/fargate/pricing, rates of March 2026: Linux, on demand, at least 60 s a task.
  fargateUsdPerVcpuHourX86: 0.04048,
  fargateUsdPerVcpuHourArm: 0.03238,
  fargateUsdPerGBHourX86: 0.004445,
  fargateUsdPerGBHourArm: 0.00356,
  // AWS networking blog: charged since 2024-02-01, in use or not.
  publicIpv4UsdPerHour: 0.005,
};
