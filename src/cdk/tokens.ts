/**
 * Properties whose values CloudFormation fills in, such as `zone.hostedZoneId`. The schema checks
 * forms; a value that is not known yet is taken out, checked in its absence, and put back.
 */
import { Token } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import { type Config, parseConfig } from "../config/index.ts";
import { inputFromProps } from "../config/props.ts";

/** Stands in for a value of its key while the rest is checked. */
const standIns: Readonly<Record<string, string>> = {
  hostedZoneId: "Z0",
  certificateArn: `arn:aws:acm:us-east-1:000000000000:certificate/${"0".repeat(36)}`,
  vpcId: "vpc-00000000",
  subnetIds: "subnet-00000000",
  balancerSubnetIds: "subnet-00000000",
  securityGroupIds: "sg-00000000",
  resources: "arn:aws:s3:::unknown",
  secrets: "arn:aws:ssm:us-east-1:000000000000:parameter/unknown",
  webhook: "arn:aws:ssm:us-east-1:000000000000:parameter/unknown",
  emails: "unknown@example.com",
  domain: "unknown.example.com",
};

interface Found {
  readonly keys: readonly string[];
  readonly token: string;
}

/** Checks the properties and fills in all defaults. Throws UserError. */
export function configFromProps(
  scope: Construct,
  props: Readonly<Record<string, unknown>>,
): Config {
  const found: Found[] = [];
  const known = withoutTokens(inputFromProps(props), [], found);
  const config = parseConfig(known, scope.node.id, `FlexService ${scope.node.path}`);
  const whole = structuredClone(config);
  for (const { keys, token } of found) putBack(whole, keys, token);
  return whole;
}

function withoutTokens(value: unknown, keys: readonly string[], found: Found[]): unknown {
  if (typeof value === "string") {
    if (!Token.isUnresolved(value)) return value;
    found.push({ keys, token: value });
    const name = keys.findLast((key) => Object.hasOwn(standIns, key));
    return name === undefined ? "unknown" : standIns[name];
  }
  if (Array.isArray(value)) {
    return value.map((item, at) => withoutTokens(item, [...keys, String(at)], found));
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, child]) => [key, withoutTokens(child, [...keys, key], found)]),
  );
}

function putBack(config: Config, keys: readonly string[], token: string): void {
  const last = keys.at(-1) ?? "";
  const parent = keys.slice(0, -1).reduce<unknown>((at, key) => {
    return (at as Record<string, unknown>)[key];
  }, config);
  (parent as Record<string, unknown>)[last] = token;
}
