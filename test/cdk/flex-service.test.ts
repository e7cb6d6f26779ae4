/** The construct in somebody's own app. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { AttributeType, Table } from "aws-cdk-lib/aws-dynamodb";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { App, Stack } from "aws-cdk-lib/core";
import fc from "fast-check";
import { controllerBundle } from "../../src/cdk/bundle.ts";
import { FlexService, type FlexServiceProps } from "../../src/cdk/index.ts";
import { quietApp } from "../../src/cdk/plan.ts";
import { secretBase, secretForTask } from "../../src/cdk/secrets.ts";
import { parseConfig, UserError } from "../../src/config/index.ts";
import { deployedProps, inputFromProps, propsFromConfig } from "../../src/config/props.ts";
import { configOf, corners, fakeBundle, image, ofType, oneOf, type Template } from "./variants.ts";

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-app-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A stack of the user's own with a service in it. */
function templateWith(props: (stack: Stack) => Partial<FlexServiceProps>): Template {
  const app = new App({ ...quietApp, outdir: join(folder, "out") });
  const stack = new Stack(app, "Mine");
  const given = props(stack);
  new FlexService(stack, "Shop", { image, controllerFolder: fakeBundle(folder), ...given });
  return app.synth().getStackByName("Mine").template as Template;
}

describe("properties", () => {
  test("are the keys of the configuration without their dots", () => {
    const names = deployedProps().map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.includes("thresholdsUpRequestsPerMinute") && names.includes("domain"));
    assert.ok(!names.some((name) => /^(command|setup|load|watch)/.test(name)));
  });

  test("make the configuration that they are made of", () => {
    for (const { input, name } of corners) {
      const config = configOf(input);
      const again = parseConfig(inputFromProps(propsFromConfig(config)), "x", "test");
      assert.deepEqual(propsFromConfig(again), propsFromConfig(config), name);
    }
  });

  test("are checked as the file is: unknown ones, wrong ones, contradictions", () => {
    const code = (props: object): string => {
      try {
        templateWith(() => props);
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        return error.code;
      }
      return "none";
    };
    assert.equal(code({ lambdaMemory: 512 }), "CONFIG_KEY_UNKNOWN");
    assert.equal(code({ lambdaMemoryMB: 1 }), "CONFIG_VALUE_INVALID");
    assert.equal(code({ domain: "api.example.com" }), "HOSTED_ZONE_MISSING");
    assert.equal(code({ networkVpcId: "vpc-12345678" }), "CONFIG_INVALID");
    assert.equal(code({ hostedZoneId: "Z1" }), "DOMAIN_MISSING");
    assert.equal(
      code({ secrets: { PORT: "arn:aws:ssm:a:111122223333:parameter/x" } }),
      "SECRET_INVALID",
    );
    assert.equal(
      code({ permissions: [{ actions: ["*"], resources: ["*"] }] }),
      "CONFIG_VALUE_INVALID",
    );
    assert.equal(
      code({ permissions: [{ actions: ["iam:PassRole"], resources: ["*"] }] }),
      "PERMISSION_REFUSED",
    );
    assert.equal(code({ frontDoor: "rest", lambdaTimeoutSeconds: 30 }), "CONFIG_VALUE_INVALID");
    assert.equal(code({ image: "shop:latest" }), "IMAGE_INVALID");
    assert.equal(code({ name: "shop", lambdaMemoryMB: 1024 }), "none");
  });

  test("take values that only CloudFormation knows", () => {
    const template = templateWith((stack) => {
      const zone = new HostedZone(stack, "Zone", { zoneName: "example.com" });
      const secret = new Secret(stack, "Secret");
      return {
        domain: "api.example.com",
        hostedZoneId: zone.hostedZoneId,
        secrets: { KEY: secret.secretArn, PART: `${secret.secretArn}:part` },
        env: { ZONE: zone.hostedZoneId },
      };
    });
    const { DomainValidationOptions } = oneOf(
      template,
      "AWS::CertificateManager::Certificate",
    ).Properties;
    assert.match(DomainValidationOptions[0].HostedZoneId.Ref, /^Zone/);
    const [container] = oneOf(template, "AWS::ECS::TaskDefinition").Properties.ContainerDefinitions;
    assert.match(JSON.stringify(container.Secrets[1].ValueFrom), /":part::"/);
    assert.match(JSON.stringify(container.Environment), /\{"Name":"ZONE","Value":\{"Ref":"Zone/);
  });
});

test("image and certificate must be in the region of the stack, where that is known", () => {
  const code = (region: string, props: Partial<FlexServiceProps>): string => {
    const app = new App({ ...quietApp, outdir: join(folder, "region") });
    const stack = new Stack(app, "Mine", { env: { region } });
    const given = { image, controllerFolder: fakeBundle(folder), ...props };
    try {
      new FlexService(stack, "Shop", given);
    } catch (error) {
      return (error as UserError).code;
    }
    return "none";
  };
  const certificateArn = `arn:aws:acm:us-east-1:111122223333:certificate/${"0".repeat(36)}`;
  const domain = { domain: "api.example.com", hostedZoneId: "Z1", certificateArn };
  assert.equal(code("eu-west-1", {}), "none");
  assert.equal(code("us-east-1", {}), "IMAGE_INVALID");
  assert.equal(code("eu-west-1", domain), "CERTIFICATE_REGION");
});

describe("grants", () => {
  test("reach both tiers with one policy", () => {
    const app = new App({ ...quietApp, outdir: join(folder, "grants") });
    const stack = new Stack(app, "Mine");
    const table = new Table(stack, "Pets", {
      partitionKey: { name: "id", type: AttributeType.STRING },
    });
    const controllerFolder = fakeBundle(folder);
    const service = new FlexService(stack, "Shop", { image, controllerFolder });
    table.grantReadData(service);
    const made = app.synth().getStackByName("Mine").template as Template;
    const policy = oneOf(made, "AWS::IAM::ManagedPolicy");
    assert.match(JSON.stringify(policy.Properties.PolicyDocument), /dynamodb:GetItem/);
    const holders = ofType(made, "AWS::IAM::Role").filter(({ Properties }) => {
      return Properties.ManagedPolicyArns !== undefined;
    });
    assert.equal(holders.length, 2);
  });
});

describe("references to secrets", () => {
  const name = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";

  test("have the form that ECS asks for, and the ARN that a permission needs", () => {
    assert.equal(secretForTask(name), name);
    assert.equal(secretForTask(`${name}:key`), `${name}:key::`);
    assert.equal(secretForTask(`${name}:key:stage:version`), `${name}:key:stage:version`);
    assert.equal(secretForTask(`${name}::stage`), `${name}::stage:`);
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{0,5}$/), { maxLength: 3 }), (parts) => {
        const reference = [name, ...parts].join(":");
        assert.equal(secretBase(reference), name);
        assert.equal(secretBase(secretForTask(reference)), name);
        const colons = secretForTask(reference).split(":").length;
        assert.equal(colons, parts.length === 0 ? 7 : 10);
      }),
    );
  });
});

test("a package without the controller says how to get it", () => {
  assert.throws(
    () => controllerBundle(join(folder, "nowhere")),
    (error: UserError) => error.code === "CONTROLLER_MISSING" && /npm run build/.test(error.hint),
  );
});
