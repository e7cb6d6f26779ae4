/** cdk-nag's AwsSolutions rules find nothing without a reason, and no reason is left over. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CfnSecurityGroup } from "aws-cdk-lib/aws-ec2";
import { App, Stack, Validations } from "aws-cdk-lib/core";
import { AwsSolutionsChecks } from "cdk-nag";
import type { IConstruct } from "constructs";
import { addBurstStack, type BurstInputName } from "../../src/cdk/burst-template.ts";
import { baseFindings, burstFindings } from "../../src/cdk/findings.ts";
import { flexApp } from "../../src/cdk/index.ts";
import { quietApp } from "../../src/cdk/plan.ts";
import type { ConfigInput } from "../../src/config/index.ts";
import { deploymentNames } from "../../src/core/deployment.ts";
import { configOf, corners, fakeBundle, image, type Variant, variants } from "./variants.ts";

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-nag-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Rules that are broken in a construct; with `all` those with a reason as well. */
function broken(scope: IConstruct, all: boolean): readonly string[] {
  const checks = new AwsSolutionsChecks();
  if (all) Object.assign(checks, { isAcknowledged: () => false });
  return checks.validateScope(scope).violations.map(({ ruleName }) => ruleName);
}

function base(input: Partial<ConfigInput>): IConstruct {
  const options = { out: join(folder, "out"), image, controllerFolder: fakeBundle(folder) };
  return flexApp(configOf(input), options).service;
}

function burst(input: Partial<ConfigInput>): IConstruct {
  const config = configOf({ domain: "api.example.com", ...input });
  const names = deploymentNames(config.name);
  const plan = { config, names, image, hostedZoneId: "Z1" };
  const warm = config.standby === "warm";
  const inputs: BurstInputName[] = ["ApiId", "CertificateArn"];
  if (warm) inputs.push("VpcId", "PublicSubnetIds", "BalancerGroupId", "TaskGroupId");
  if (warm) inputs.push("PrivateSubnetIds", "PrivateRouteTableIds");
  return addBurstStack(new App({ ...quietApp, outdir: join(folder, "burst") }), plan, inputs);
}

// Permissions of the user's are the user's to justify.
const without = ({ name, input }: Variant): Variant => ({
  name,
  input: { ...input, permissions: [] },
});
const checked = corners.map(without);

test("no finding of any variant is without a reason", () => {
  for (const { name, input } of variants.map(without)) {
    assert.deepEqual(broken(base(input), false), [], name);
    if (input.domain) assert.deepEqual(broken(burst(input), false), [], name);
  }
});

test("each reason is for something that is found", () => {
  const found = (make: (input: Partial<ConfigInput>) => IConstruct): ReadonlySet<string> =>
    new Set(checked.flatMap(({ input }) => broken(make(input), true)));
  const [inBase, inBurst] = [found(base), found(burst)];
  const unused = (ids: ReadonlySet<string>, given: typeof baseFindings): readonly string[] =>
    given.map(({ id }) => id).filter((id) => !ids.has(id));
  assert.deepEqual(unused(inBase, baseFindings), []);
  assert.deepEqual(unused(inBurst, burstFindings), []);
  for (const { reason } of [...baseFindings, ...burstFindings]) assert.match(reason, /\w{3}.*\.$/);
});

test("the check bites", () => {
  const stack = new Stack(new App({ ...quietApp, outdir: join(folder, "bad") }), "Bad");
  const open = { ipProtocol: "tcp", cidrIp: "0.0.0.0/0", fromPort: 22, toPort: 22 };
  const group = { groupDescription: "open", vpcId: "vpc-1", securityGroupIngress: [open] };
  const bad = new CfnSecurityGroup(stack, "Open", group);
  assert.deepEqual(broken(stack, false), ["AwsSolutions-EC23"]);
  Validations.of(bad).acknowledge({ id: "AwsSolutions-EC23", reason: "a test" });
  assert.deepEqual(broken(stack, false), []);
});
