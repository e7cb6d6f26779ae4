/** What a burst stands on, by the real templates of pairs of configurations. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConfigKeys, templatesOf } from "../../../test/aws/base-stack.ts";
import { baseChanges, burstChanges, type Template } from "./template-changes.ts";

function both(config: ConfigKeys): { readonly base: Template; readonly burst: Template | null } {
  const { base, files } = templatesOf(config);
  const texts = [...files.values()].map(String).filter((text) => text.includes('"QuietAlarm"'));
  const burst = texts.find((text) => text.includes('"AWS::ECS::Service"'));
  return { base: JSON.parse(base), burst: burst === undefined ? null : JSON.parse(burst) };
}

function changes(before: ConfigKeys, after: ConfigKeys): readonly string[] {
  const [a, b] = [both(before), both(after)];
  assert.ok(a.burst);
  return [...baseChanges(a.base, b.base), ...burstChanges(a.burst, b.burst)];
}

const ids = (kind: string, ...digits: readonly string[]): readonly string[] =>
  digits.map((digit) => `${kind}-${digit.repeat(8)}`);
const vpc = {
  vpcId: "vpc-00000001",
  subnetIds: ids("subnet", "1", "2"),
  balancerSubnetIds: ids("subnet", "3", "4"),
  securityGroupIds: ids("sg", "1"),
  tasks: "private",
};
const certificateArn =
  "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000001";

describe("what waits until the burst is gone", () => {
  const cases: readonly (readonly [string, ConfigKeys, ConfigKeys, RegExp])[] = [
    ["the port", {}, { port: 9000 }, /^TaskGroup \(AWS::EC2::SecurityGroup\) would change$/],
    [
      "the port, without a network in base",
      { standby: "cold" },
      { standby: "cold", port: 9000 },
      /^TaskGroup/,
    ],
    ["warm to cold", {}, { standby: "cold" }, /^Vpc \(AWS::EC2::VPC\) would go$/],
    ["cold to warm: its own network", { standby: "cold" }, {}, /^Vpc \(AWS::EC2::VPC\) would go$/],
    [
      "cold to warm: the right to remove it",
      { standby: "cold" },
      {},
      /would lose \d+ rights, ec2:/,
    ],
    [
      "public to private tasks",
      {},
      { network: { tasks: "private" } },
      /^S3Endpoint .* would change$/,
    ],
    ["private to public tasks", { network: { tasks: "private" } }, {}, /^PrivateA .* would go$/],
    [
      "NAT gateways",
      { network: { tasks: "private", natGateways: 2 } },
      { network: { tasks: "private", natGateways: 1 } },
      /^Nat2 \(AWS::EC2::NatGateway\) would go$/,
    ],
    ["another network", {}, { network: vpc }, /^Vpc \(AWS::EC2::VPC\) would go$/],
    [
      "other subnets",
      { network: vpc },
      { network: { ...vpc, subnetIds: ids("subnet", "1", "5") } },
      /^Service \(AWS::ECS::Service\) would change$/,
    ],
    ["the certificate that the stack made", {}, { certificateArn }, /^Certificate .* would go$/],
    ["no burst tier any more", {}, { domain: null }, /^TargetGroup .* would go$/],
  ];
  for (const [name, before, after, words] of cases) {
    test(name, () => {
      const found = changes(before, after);
      assert.ok(
        found.some((one) => words.test(one)),
        found.join("\n"),
      );
    });
  }
});

describe("what is deployed during a burst", () => {
  const cases: readonly (readonly [string, ConfigKeys])[] = [
    ["nothing new", {}],
    ["sizes", { lambda: { memoryMB: 2048 }, fargate: { vcpu: 1, memoryMB: 2048, maxTasks: 30 } }],
    ["variables and thresholds", { env: { A: "b" }, thresholds: { down: { minutes: 30 } } }],
    ["checks and time-outs", { readiness: { path: "/ready" }, lambda: { timeoutSeconds: 20 } }],
    [
      "limits and logs",
      { throttle: { requestsPerSecond: 99 }, logRetentionDays: 30, dashboard: false },
    ],
  ];
  for (const [name, after] of cases) {
    test(name, () => assert.deepEqual(changes({}, after), []));
  }
});
