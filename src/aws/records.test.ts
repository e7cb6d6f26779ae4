/** Routes and records stand for each other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceRecordSet, Route53Client } from "@aws-sdk/client-route-53";
import fc from "fast-check";
import { lambdaOnly, routeOf } from "../core/index.ts";
import { toRoute53Weights } from "../core/route.ts";
import { type OwnRecords, otherRegion, readRoute, routeOfRecords } from "./records.ts";

const domain = { name: "a.example.com", zoneId: "Z1", apiTarget: "d-1.aws", apiTargetZone: "ZA" };
const balancer = { name: "Alb-1.elb.aws", zoneId: "ZB" };

function records(lambda: number, fargate: number | null): OwnRecords {
  const record = (name: string, HostedZoneId: string, Weight: number): OwnRecords["lambda"] => ({
    Name: "a.example.com.",
    Type: "A",
    Weight,
    AliasTarget: { DNSName: name, HostedZoneId, EvaluateTargetHealth: true },
  });
  return {
    lambda: record("d-1.aws.", "ZA", lambda),
    fargate: fargate === null ? null : record("dualstack.alb-1.elb.aws.", "ZB", fargate),
  };
}

test("every route is read back as it was written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (percent) => {
      const route = routeOf(percent);
      const weights = toRoute53Weights(route);
      const read = routeOfRecords(records(weights.lambda, weights.fargate), domain, balancer);
      assert.deepEqual(read, route);
    }),
  );
  assert.deepEqual(routeOfRecords(records(255, null), domain, null), lambdaOnly);
});

test("weights that nobody commanded and targets that are not ours are seen as different", () => {
  const none = routeOfRecords(records(0, 0), domain, balancer);
  assert.equal(none.lambda + none.fargate, 0);
  const other = { name: "other.elb.aws", zoneId: "ZB" };
  assert.deepEqual(routeOfRecords(records(50, 50), domain, other), lambdaOnly);
  const strange = { ...domain, apiTarget: "d-2.aws" };
  assert.deepEqual(routeOfRecords(records(255, null), strange, null).lambda, 0);
});

test("a record that leads into another region is another deployment's", () => {
  const leadingTo = (DNSName: string): ResourceRecordSet => ({
    Name: "a.example.com.",
    Type: "A",
    AliasTarget: { DNSName, HostedZoneId: "Z1", EvaluateTargetHealth: true },
  });
  const api = (region: string): string => `d-1a2.execute-api.${region}.amazonaws.com.`;
  const alb = (region: string): string => `dualstack.a-1.${region}.elb.amazonaws.com.`;
  const seen = (region: string, ...targets: readonly string[]): string | null =>
    otherRegion([...targets.map(leadingTo), null], region);
  assert.equal(seen("us-east-1", api("us-east-1"), alb("us-east-1")), null);
  assert.equal(seen("us-east-1", api("eu-west-1")), "eu-west-1");
  assert.equal(seen("us-east-1", api("us-east-1"), alb("us-gov-west-1")), "us-gov-west-1");
  assert.equal(seen("us-east-1"), null);
  assert.equal(seen("us-east-1", "d-1.aws."), null, "a name without a region tells nothing");
});

test("a name that somebody else's record answers is not ours to move", async () => {
  const routeAmong = (...sets: readonly ResourceRecordSet[]) => {
    const client = { send: async () => ({ ResourceRecordSets: sets }) };
    return readRoute(client as unknown as Route53Client, domain, null);
  };
  const simple = (Name: string, Type: "A" | "AAAA" | "CNAME"): ResourceRecordSet => ({
    Name,
    Type,
    TTL: 60,
    ResourceRecords: [{ Value: "old" }],
  });
  const nothing = await routeAmong();
  assert.notDeepEqual(nothing, lambdaOnly, "a free name gets its record");
  for (const type of ["A", "CNAME"] as const) {
    assert.deepEqual(await routeAmong(simple("a.example.com.", type)), lambdaOnly);
    assert.deepEqual(await routeAmong(simple("b.example.com.", type)), nothing);
  }
  assert.deepEqual(await routeAmong(simple("a.example.com.", "AAAA")), nothing);
});
