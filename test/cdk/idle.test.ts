/** What the base stack costs while nothing happens: every kind of resource has its line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { idleBill } from "../../src/cli/cost-estimate.ts";
import { scenarioDefault } from "../../src/sim/model.ts";
import { corners, image, ofType, templatesOf } from "./variants.ts";

/** The line of `lambdaflex cost --idle` that a kind of resource belongs to; `null` is free. */
const lineOf: Readonly<Record<string, string | null>> = {
  "AWS::ApiGateway::Deployment": null,
  "AWS::ApiGateway::Method": null,
  "AWS::ApiGateway::Resource": null,
  "AWS::ApiGateway::RestApi": "Lambda tier",
  "AWS::ApiGateway::Stage": null,
  "AWS::ApiGatewayV2::Api": "Lambda tier",
  "AWS::ApiGatewayV2::ApiMapping": null,
  "AWS::ApiGatewayV2::DomainName": null,
  "AWS::ApiGatewayV2::Integration": null,
  "AWS::ApiGatewayV2::Route": null,
  "AWS::ApiGatewayV2::Stage": null,
  "AWS::CertificateManager::Certificate": null,
  "AWS::CloudFormation::CustomResource": null,
  "AWS::CloudWatch::Alarm": "alarms",
  "AWS::CloudWatch::Dashboard": "dashboard",
  "AWS::DynamoDB::Table": "state table",
  "AWS::EC2::InternetGateway": "network",
  "AWS::EC2::Route": "network",
  "AWS::EC2::RouteTable": "network",
  "AWS::EC2::SecurityGroup": "network",
  "AWS::EC2::Subnet": "network",
  "AWS::EC2::SubnetRouteTableAssociation": "network",
  "AWS::EC2::VPC": "network",
  "AWS::EC2::VPCEndpoint": "network",
  "AWS::EC2::VPCGatewayAttachment": "network",
  "AWS::ECS::Cluster": null,
  "AWS::ECS::TaskDefinition": "image",
  "AWS::IAM::ManagedPolicy": null,
  "AWS::IAM::Role": null,
  "AWS::Lambda::Alias": null,
  "AWS::Lambda::EventInvokeConfig": null,
  "AWS::Lambda::Function": "controller",
  "AWS::Lambda::Permission": null,
  "AWS::Lambda::Version": null,
  // Stored logs are fractions of a cent; an idle tick writes none.
  "AWS::Logs::LogGroup": null,
  "AWS::SNS::Subscription": null,
  "AWS::SNS::Topic": null,
  "AWS::Scheduler::Schedule": "schedule",
};

const bill = idleBill(scenarioDefault);
const bases = corners.map(({ input }) => templatesOf(input, { image }).base);

test("each kind of resource of every deployment is free at rest or has a line of the bill", () => {
  const lines = new Set(bill.map(({ what }) => what));
  for (const { Type } of bases.flatMap(({ Resources }) => Object.values(Resources))) {
    const line = lineOf[Type];
    assert.notEqual(line, undefined, `nobody knows what ${Type} costs`);
    if (line) assert.ok(lines.has(line), line);
  }
});

test("what would be billed by the hour is not there", () => {
  for (const base of bases) {
    for (const endpoint of ofType(base, "AWS::EC2::VPCEndpoint")) {
      assert.equal(endpoint.Properties.VpcEndpointType, "Gateway");
    }
    for (const { Properties } of ofType(base, "AWS::Lambda::Alias")) {
      assert.equal(Properties.ProvisionedConcurrencyConfig, undefined);
    }
    const [table] = ofType(base, "AWS::DynamoDB::Table");
    assert.equal(table?.Properties.BillingMode, "PAY_PER_REQUEST");
    // A key of KMS would be billed with each minute's read.
    assert.equal(table?.Properties.SSESpecification, undefined);
  }
});

test("the bill counts the alarms that there are", () => {
  const alarms = bill.find(({ what }) => what === "alarms");
  for (const base of bases) {
    const count = ofType(base, "AWS::CloudWatch::Alarm").length;
    assert.ok(Math.abs((alarms?.usd ?? 0) - count * 0.1) < 1e-9);
  }
});
