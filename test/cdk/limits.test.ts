/** What AWS limits: names, sizes, variables; and the time that a synth may take. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UserError } from "../../src/config/index.ts";
import { deploymentNames } from "../../src/core/deployment.ts";
import {
  bothTemplates,
  configOf,
  corners,
  image,
  named,
  oneOf,
  secrets,
  templatesOf,
} from "./variants.ts";

describe("limits", () => {
  test("names stay within 32 characters for a balancer, with the longest name", () => {
    const { burst } = bothTemplates({ name: "a23456789012345" });
    for (const type of ["LoadBalancer", "TargetGroup"]) {
      const resource = oneOf(burst, `AWS::ElasticLoadBalancingV2::${type}`);
      const [prefix, suffix] = resource.Properties.Name["Fn::Join"][1];
      // The suffix is the first group of a UUID.
      assert.equal(JSON.stringify(suffix).includes('"Fn::Split":["-"'), true);
      assert.ok(prefix.length + 8 <= 32);
    }
  });

  test("CloudFormation takes the templates", () => {
    for (const { input } of corners) {
      const { baseText, burstText } = templatesOf(input, { image });
      assert.ok(Buffer.byteLength(baseText) < 1_000_000);
      assert.ok(Buffer.byteLength(burstText) < 51_200);
    }
  });

  test("the controller's variables fit 4 KB with the largest configuration", () => {
    const { base } = bothTemplates(largest);
    const variables: Record<string, unknown> = named(base, {
      FunctionName: deploymentNames(largest.name).controllerFunction,
    }).Properties.Environment.Variables;
    const bytes = Object.entries(variables).reduce((sum, [name, value]) => {
      return sum + Buffer.byteLength(name) + Buffer.byteLength(longest(value));
    }, 0);
    assert.ok(bytes <= 4096, `${bytes} bytes`);
  });

  test("permissions that no policy of IAM could hold are refused here", () => {
    const of = (count: number) => ({
      actions: ["s3:GetObject"],
      resources: Array.from({ length: count }, (_, at) => `arn:aws:s3:::bucket-${at}/*`),
    });
    const refused = (error: UserError) =>
      error.code === "CONFIG_VALUE_INVALID" && /IAM allows 6144/.test(error.message);
    assert.throws(() => bothTemplates({ permissions: [of(100), of(100), of(100)] }), refused);
    bothTemplates({ permissions: [of(100), of(100)] });
  });

  test("variables and secrets that Lambda would refuse are refused here", () => {
    const many = Array.from({ length: 60 }, (_, at) => [`SECRET_${at}`, secrets.API_KEY ?? ""]);
    assert.throws(
      () => bothTemplates({ secrets: Object.fromEntries(many) }),
      (error: UserError) => error.code === "CONFIG_VALUE_INVALID" && /4096/.test(error.message),
    );
  });
});

/** Everything set, and as long as it may be. */
const largest = {
  name: "a23456789012345",
  domain: `${"a".repeat(58)}.${"b".repeat(57)}.example.com`,
  certificateArn: `arn:aws:acm:ap-southeast-1:111122223333:certificate/${"0".repeat(36)}`,
  readiness: { path: `/${"p".repeat(199)}`, timeoutSeconds: 299.999 },
  network: { tasks: "private" },
  standby: "warm",
  thresholds: {
    up: { requestsPerMinute: 100_000_000, concurrency: 100_000, periods: 180, of: 180 },
    down: { requestsPerMinute: 20_000_000, minutes: 180 },
  },
  transition: {
    stepPercents: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100],
    stepPercentsDown: [
      95, 90, 85, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 0,
    ],
    bakeSeconds: 0,
    deadlines: { shiftingMinutes: 239.999 },
  },
  notifications: { webhook: secrets.API_KEY },
} as const;

/** What a value may be once CloudFormation has filled it in. */
function longest(value: unknown): string {
  if (typeof value === "string") return value;
  const join = (value as { "Fn::Join"?: [string, unknown[]] })["Fn::Join"];
  if (join) return join[1].map(longest).join(join[0]);
  const sub = (value as { "Fn::Sub"?: string })["Fn::Sub"];
  if (sub) return sub.replace(/\$\{([^}]+)\}/g, (_, ref: string) => pseudo[ref] ?? "");
  const select = (value as { "Fn::Select"?: [number, unknown] })["Fn::Select"];
  if (select) return "x".repeat(71);
  const { Ref, "Fn::GetAtt": attribute } = value as { Ref?: string; "Fn::GetAtt"?: string[] };
  if (Ref?.startsWith("AWS::")) return pseudo[Ref] ?? "";
  const [id = "", part = ""] = attribute ?? [Ref ?? ""];
  const name = id.replace(/^Service|[0-9A-F]{8}$/g, "") + part;
  const found = Object.entries(lengths).find(([pattern]) => new RegExp(`^${pattern}$`).test(name));
  assert.ok(found, `no length known of ${JSON.stringify(value)}`);
  return "x".repeat(found[1]);
}

const pseudo: Readonly<Record<string, string>> = {
  "AWS::Partition": "aws",
  "AWS::Region": "ap-southeast-1",
  "AWS::AccountId": "111122223333",
  "AWS::URLSuffix": "amazonaws.com",
};

/** Characters of what AWS makes: ids of 17 digits, ARNs with names that CloudFormation makes. */
const lengths: Readonly<Record<string, number>> = {
  ".*RoleArn": 20 + 12 + 6 + 64,
  TaskDefinition: 100,
  Table: 24,
  Topic: 110,
  DomainRegionalDomainName: 60,
  DomainRegionalHostedZoneId: 21,
  "(Public|Private)[AB]|PrivateRoutes[AB]": 24,
  HostedZoneId: 32,
  Vpc: 21,
  "(Balancer|Task)GroupGroupId": 20,
  Certificate: 96,
  Api: 10,
};

test("a synth takes far less than five seconds", () => {
  const begun = process.cpuUsage();
  templatesOf({ name: "clock", domain: "api.example.com" }, { image });
  const { user, system } = process.cpuUsage(begun);
  assert.ok(user + system < 2_000_000, `${(user + system) / 1e6} s of CPU`);
});

test("the configuration that is checked is the one that is deployed", () => {
  const config = configOf({ fargate: { vcpu: 2, memoryMB: 4096 } });
  const { base } = templatesOf(config, { image });
  const { Cpu, Memory } = oneOf(base, "AWS::ECS::TaskDefinition").Properties;
  assert.deepEqual([Cpu, Memory], ["2048", "4096"]);
});
