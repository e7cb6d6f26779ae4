/** What the templates promise, in behaviour: each test is something that would hurt if it broke. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UserError } from "../../src/config/index.ts";
import { alarmDefinitions } from "../../src/core/alarms.ts";
import { deploymentNames } from "../../src/core/deployment.ts";
import {
  bothTemplates,
  corners,
  image,
  named,
  ofType,
  oneOf,
  ownNetwork,
  secrets,
  type Template,
  templatesOf,
  variants,
} from "./variants.ts";

const names = deploymentNames("shop");
const app = (template: Template) => named(template, { FunctionName: names.appFunction });
const container = (template: Template) =>
  oneOf(template, "AWS::ECS::TaskDefinition").Properties.ContainerDefinitions[0];
const variablesOf = (template: Template, functionName: string) =>
  named(template, { FunctionName: functionName }).Properties.Environment.Variables;

describe("one image", () => {
  test("both tiers get the same reference, known or a parameter", () => {
    const known = bothTemplates().base;
    assert.equal(app(known).Properties.Code.ImageUri, image);
    assert.equal(container(known).Image, image);
    assert.equal(known.Outputs.ImageUri?.Value, image);
    const asked = templatesOf({ domain: "api.example.com" }).base;
    const parameter = { Ref: "ImageUri" };
    assert.deepEqual(app(asked).Properties.Code.ImageUri, parameter);
    assert.deepEqual(container(asked).Image, parameter);
    const pattern = new RegExp(String(asked.Parameters?.ImageUri?.AllowedPattern));
    assert.match(image, pattern);
    assert.doesNotMatch("repository:latest", pattern);
    assert.doesNotMatch(`repository@sha256:${"0".repeat(63)}`, pattern);
  });

  test("another digest or another setting makes another version, the same makes the same", () => {
    const versionId = (input: object, of: string = image): string => {
      const { Resources } = templatesOf(input, { image: of }).base;
      const ids = Object.keys(Resources).filter((id) => {
        return Resources[id]?.Type === "AWS::Lambda::Version";
      });
      assert.equal(ids.length, 1);
      return ids[0] ?? "";
    };
    const other = image.replace("4f4f", "5a5a");
    const id = versionId({});
    assert.ok(id.includes("4f4f4f4f4f4f"), id);
    assert.equal(versionId({}), id);
    assert.notEqual(versionId({}, other), id);
    assert.notEqual(versionId({ lambda: { memoryMB: 1024 } }), id);
    assert.notEqual(versionId({ env: { A: "b" } }), id);
  });

  test("an image that may move is refused", () => {
    for (const tag of ["shop:latest", "shop", "shop@sha256:abc", ""]) {
      assert.throws(
        () => templatesOf({}, { image: tag }),
        (error: UserError) => error.code === "IMAGE_INVALID",
        tag,
      );
    }
  });

  test("a task of the old image stays valid until the service has been updated", () => {
    const task = oneOf(bothTemplates().base, "AWS::ECS::TaskDefinition");
    assert.equal(task.UpdateReplacePolicy, "Retain");
    assert.equal(task.DeletionPolicy, "Delete");
  });
});

describe("the same service on both tiers", () => {
  test("variables, but for what tells the tiers apart", () => {
    const { base } = bothTemplates({ env: { GREETING: "hello" }, port: 3000 });
    const lambda = app(base).Properties.Environment.Variables;
    const pairs: { Name: string; Value: string }[] = container(base).Environment;
    const fargate = Object.fromEntries(pairs.map(({ Name, Value }) => [Name, Value]));
    const { LAMBDAFLEX_TIER: a, HOST: c, ...onLambda } = lambda;
    const { LAMBDAFLEX_TIER: b, HOST: d, LAMBDAFLEX_VCPU: vcpu, ...onFargate } = fargate;
    assert.equal(vcpu, "0.5");
    assert.deepEqual([a, b, c, d], ["lambda", "fargate", "127.0.0.1", "0.0.0.0"]);
    assert.deepEqual(onLambda, onFargate);
    assert.equal(onLambda.GREETING, "hello");
    assert.equal(onLambda.PORT, "3000");
  });

  test("secrets by reference, readable by whoever starts the service and by nobody else", () => {
    const { base, baseText } = bothTemplates({ secrets });
    const references: { Name: string; ValueFrom: string }[] = container(base).Secrets;
    const onFargate = Object.fromEntries(references.map((one) => [one.Name, one.ValueFrom]));
    assert.equal(onFargate.DB_PASSWORD, `${secrets.DB_PASSWORD}::`);
    assert.equal(onFargate.TOKEN, secrets.TOKEN);
    const variables = app(base).Properties.Environment.Variables;
    assert.deepEqual(JSON.parse(variables.LAMBDAFLEX_SECRETS), secrets);
    assert.doesNotMatch(baseText, /resolve:/);
    const readers = ofType(base, "AWS::IAM::Role").filter((role) =>
      JSON.stringify(role.Properties.Policies ?? []).includes("GetSecretValue"),
    );
    const services = readers.map((role) => {
      return role.Properties.AssumeRolePolicyDocument.Statement[0].Principal.Service;
    });
    assert.deepEqual(services.sort(), ["ecs-tasks.amazonaws.com", "lambda.amazonaws.com"]);
    const text = JSON.stringify(readers);
    assert.ok(text.includes('"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"'));
  });

  test("a secret under a key of the account's own can be read on both tiers", () => {
    const { base } = bothTemplates({ secrets });
    const statements = ofType(base, "AWS::IAM::Role").flatMap((role) =>
      (role.Properties.Policies ?? []).flatMap(
        ({ PolicyDocument }: { PolicyDocument: { Statement: { Action: string }[] } }) =>
          PolicyDocument.Statement,
      ),
    );
    const decrypting = statements.filter(({ Action }) => Action === "kms:Decrypt");
    assert.equal(decrypting.length, 4, "two services, two readers");
    for (const { Condition } of decrypting) {
      const { "kms:ViaService": via, ...context } = Condition.StringEquals;
      const [name] = Object.keys(context);
      const parameter = JSON.stringify(via).includes('"ssm."');
      assert.equal(name, `kms:EncryptionContext:${parameter ? "PARAMETER_ARN" : "SecretARN"}`);
      const named: string[] = context[name ?? ""];
      assert.ok(named.length > 0 && named.every((one) => /:(secret:|parameter\/)/.test(one)));
    }
  });

  test("secrets of images without the bootstrap are written by CloudFormation", () => {
    const { base } = bothTemplates({
      secrets: { DB: secrets.DB_PASSWORD ?? "" },
      secretsAt: "deploy",
    });
    const arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
    const variables = app(base).Properties.Environment.Variables;
    assert.equal(variables.DB, `{{resolve:secretsmanager:${arn}:SecretString:password::}}`);
    assert.equal(variables.LAMBDAFLEX_SECRETS, undefined);
    assert.deepEqual(container(base).Secrets, [{ Name: "DB", ValueFrom: `${arn}:password::` }]);
    assert.throws(
      () => bothTemplates({ secrets: { DB: secrets.TOKEN ?? "" }, secretsAt: "deploy" }),
      (error: UserError) => error.code === "SECRET_INVALID",
    );
  });

  test("permissions are one policy on both roles", () => {
    const permissions = [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::pets/*"] }];
    const { base } = bothTemplates({ permissions });
    const [id] = Object.entries(base.Resources).find(([, { Type }]) => {
      return Type === "AWS::IAM::ManagedPolicy";
    }) ?? [""];
    const holders = ofType(base, "AWS::IAM::Role").filter(({ Properties }) => {
      return JSON.stringify(Properties.ManagedPolicyArns ?? []) === JSON.stringify([{ Ref: id }]);
    });
    assert.equal(holders.length, 2);
    assert.equal(ofType(bothTemplates().base, "AWS::IAM::ManagedPolicy").length, 0);
  });

  test("subnets and security groups of the user's network", () => {
    const { base, burst } = bothTemplates({ network: ownNetwork });
    const vpc = app(base).Properties.VpcConfig;
    const tasks = oneOf(burst, "AWS::ECS::Service").Properties.NetworkConfiguration
      .AwsvpcConfiguration;
    assert.deepEqual(vpc.SubnetIds, ownNetwork.subnetIds);
    assert.deepEqual(tasks.Subnets, ownNetwork.subnetIds);
    assert.deepEqual(vpc.SecurityGroupIds, ownNetwork.securityGroupIds);
    assert.deepEqual(tasks.SecurityGroups, [{ Ref: "TaskGroupId" }, "sg-0123456789abcdef0"]);
    assert.equal(tasks.AssignPublicIp, "DISABLED");
    const balancer = oneOf(burst, "AWS::ElasticLoadBalancingV2::LoadBalancer");
    assert.deepEqual(balancer.Properties.Subnets, ownNetwork.balancerSubnetIds);
    assert.equal(ofType(base, "AWS::EC2::VPC").length + ofType(burst, "AWS::EC2::VPC").length, 0);
  });
});

describe("the burst template", () => {
  test("holds no identity and no asset, and its balancer answers our Host alone", () => {
    for (const { input } of corners.filter(({ input: { domain } }) => domain)) {
      const { burst } = bothTemplates(input);
      const types = Object.values(burst.Resources).map(({ Type }) => Type);
      assert.ok(!types.some((type) => /IAM|Lambda|S3|Custom/.test(type)), types.join());
      const listeners = ofType(burst, "AWS::ElasticLoadBalancingV2::Listener");
      assert.equal(listeners.length, 2);
      for (const { Properties } of listeners) {
        assert.deepEqual(Properties.DefaultActions[0].FixedResponseConfig.StatusCode, "404");
      }
      const https = listeners.find(({ Properties }) => Properties.Protocol === "HTTPS");
      assert.match(https?.Properties.SslPolicy, /TLS13-1-2/);
      const rules = ofType(burst, "AWS::ElasticLoadBalancingV2::ListenerRule");
      assert.deepEqual(rules.map(({ Properties }) => Properties.Actions[0].Type).sort(), [
        "forward",
        "redirect",
      ]);
      for (const { Properties } of rules) {
        assert.deepEqual(Properties.Conditions[0].HostHeaderConfig.Values, ["api.example.com"]);
      }
    }
  });

  test("starts its service after a listener uses the group, and its way out exists", () => {
    const { burst } = bothTemplates({ standby: "cold", network: { tasks: "private" } });
    const service = oneOf(burst, "AWS::ECS::Service");
    for (const part of ["Forward", "NatRoute1", "NatRoute2", "PrivateARoutes"]) {
      assert.ok(service.DependsOn?.includes(part), part);
    }
    const balancer = oneOf(burst, "AWS::ElasticLoadBalancingV2::LoadBalancer");
    assert.ok(balancer.DependsOn?.includes("PublicRoute"));
  });

  test("an update leaves the number of tasks alone", () => {
    const { burst } = bothTemplates({ fargate: { minTasks: 3 } });
    assert.deepEqual(oneOf(burst, "AWS::ECS::Service").Properties.DesiredCount, {
      "Fn::If": ["Creating", { Ref: "InitialTasks" }, { Ref: "AWS::NoValue" }],
    });
    assert.equal(burst.Parameters?.InitialTasks?.Default, 3);
  });

  test("gets every parameter that it asks for, and no other", () => {
    for (const { input, name } of corners.filter(({ input: { domain } }) => domain)) {
      const { base, burst } = bothTemplates(input);
      const given = variablesOf(base, names.controllerFunction).LAMBDAFLEX_BURST_PARAMETERS;
      const text = typeof given === "string" ? given : given["Fn::Join"][1].map(literal).join("");
      const handed = [
        ...Object.keys(JSON.parse(text)),
        "InitialTasks",
        "Operation",
        "Blueprint",
        "TaskDefinitionArn",
      ];
      assert.deepEqual(handed.sort(), Object.keys(burst.Parameters ?? {}).sort(), name);
    }
  });

  test("pays for a NAT gateway only while it lasts", () => {
    const { base, burst } = bothTemplates({ network: { tasks: "private", natGateways: 2 } });
    assert.equal(ofType(burst, "AWS::EC2::NatGateway").length, 2);
    const types = new Set(Object.values(base.Resources).map(({ Type }) => Type));
    for (const paid of ["NatGateway", "EIP", "VPCEndpointService"]) {
      assert.ok(!types.has(`AWS::EC2::${paid}`));
    }
    assert.ok(![...types].some((type) => type.startsWith("AWS::ElasticLoadBalancing")));
  });

  test("brings the network of cold standby, which warm standby keeps in the base stack", () => {
    const cold = bothTemplates({ standby: "cold" });
    assert.deepEqual([ofType(cold.base, "AWS::EC2::VPC").length, vpcs(cold.burst)], [0, 1]);
    const warm = bothTemplates({ standby: "warm" });
    assert.deepEqual([vpcs(warm.base), vpcs(warm.burst)], [1, 0]);
  });
});

const vpcs = (template: Template): number => ofType(template, "AWS::EC2::VPC").length;
const literal = (part: unknown): string => (typeof part === "string" ? part : "token");

describe("the alarms", () => {
  test("are those of the engine, in both stacks, with the configured thresholds", () => {
    const thresholds = {
      up: { requestsPerMinute: 777, concurrency: 33, periods: 3, of: 5 },
      down: { requestsPerMinute: 55, minutes: 7 },
    };
    for (const frontDoor of ["http", "rest"] as const) {
      const { base, burst } = bothTemplates({ thresholds, frontDoor });
      for (const definition of alarmDefinitions(thresholds)) {
        const stack = definition.stack === "base" ? base : burst;
        const { Properties } = named(stack, { AlarmName: `shop-${definition.name}` });
        assert.equal(Properties.Threshold, definition.threshold);
        assert.equal(Properties.EvaluationPeriods, definition.evaluationPeriods);
        assert.equal(Properties.DatapointsToAlarm, definition.datapointsToAlarm);
        assert.equal(Properties.TreatMissingData, definition.treatMissingData);
        assert.equal(Properties.ComparisonOperator, definition.comparison);
      }
      const dimension = frontDoor === "http" ? "ApiId" : "ApiName";
      const busy = named(base, { AlarmName: "shop-busy-requests" });
      assert.equal(busy.Properties.Dimensions[0].Name, dimension);
      const quiet = named(burst, { AlarmName: "shop-quiet" }).Properties.Metrics;
      assert.equal(quiet[0].Expression, "SUM([FILL(lambda,0),FILL(fargate,0)])");
      assert.equal(quiet[1].MetricStat.Metric.Dimensions[0].Name, dimension);
    }
  });

  test("a failing controller is not asked to tell of it, and CloudWatch may not publish", () => {
    const { base } = bothTemplates();
    const alarm = named(base, { AlarmName: "shop-controller-errors" });
    const target: string = alarm.Properties.AlarmActions[0]["Fn::GetAtt"][0];
    assert.equal(base.Resources[target]?.Properties.FunctionName, names.guardFunction);
    assert.equal(oneOf(base, "AWS::SNS::Topic").Properties.KmsMasterKeyId, "alias/aws/sns");
  });
});

describe("without a domain", () => {
  test("there is no burst template, and the controller may not make a stack", () => {
    const { base, burst, baseText } = templatesOf({}, { image });
    assert.equal(burst, null);
    assert.doesNotMatch(baseText, /cloudformation:CreateStack|route53/);
    const variables = variablesOf(base, names.controllerFunction);
    assert.equal(variables.LAMBDAFLEX_BURST_TEMPLATE_URL, "");
    assert.equal(variables.LAMBDAFLEX_DOMAIN, "");
    assert.equal(named(base, { Name: names.api }).Properties.DisableExecuteApiEndpoint, false);
  });

  test("with one nobody goes around it", () => {
    for (const frontDoor of ["http", "rest"] as const) {
      const { base } = bothTemplates({ frontDoor });
      assert.equal(named(base, { Name: names.api }).Properties.DisableExecuteApiEndpoint, true);
    }
  });
});

describe("removing the base stack", () => {
  test("nothing that a burst stands on goes before the guard, and what wakes goes first", () => {
    const { base } = bothTemplates({ network: { tasks: "private" } });
    const [id, guard] = Object.entries(base.Resources).find(([, { Type }]) => {
      return Type === "AWS::CloudFormation::CustomResource";
    }) ?? [""];
    const outlive = new Set([...(guard?.DependsOn ?? []), ...referred(guard?.Properties)]);
    const after = Object.entries(base.Resources).filter(([, resource]) => {
      return resource.DependsOn?.includes(id);
    });
    const types = after.map(([, { Type }]) => Type).sort();
    const alarms = Array.from({ length: 4 }, () => "AWS::CloudWatch::Alarm");
    const permissions = ["AWS::Lambda::Permission", "AWS::Lambda::Permission"];
    assert.deepEqual(types, [...alarms, ...permissions, "AWS::Scheduler::Schedule"]);
    const rest = Object.entries(base.Resources).filter(([other, { Type }]) => {
      const free = other === id || after.some(([one]) => one === other);
      return !free && !outlive.has(other) && !/Dashboard$|IAM::Role$/.test(Type);
    });
    assert.deepEqual(
      rest.map(([other]) => other),
      [],
    );
  });
});

function referred(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const { Ref, "Fn::GetAtt": attribute } = value as { Ref?: string; "Fn::GetAtt"?: string[] };
  if (Ref !== undefined) return [Ref];
  if (attribute !== undefined) return [attribute[0] ?? ""];
  return Object.values(value).flatMap(referred);
}

describe("changes of the configuration", () => {
  test("none gives a resource that exists another type, which CloudFormation refuses", () => {
    const types = new Map<string, string>();
    for (const { input, image: of } of variants) {
      const { base, burst } = templatesOf(input, of === undefined ? {} : { image: of });
      for (const [stack, template] of Object.entries({ base, burst })) {
        for (const [id, { Type }] of Object.entries(template?.Resources ?? {})) {
          const key = `${stack} ${id}`;
          assert.equal(Type, types.get(key) ?? Type, key);
          types.set(key, Type);
        }
      }
    }
  });

  test("a REST API that gets a domain is deployed anew, or its old door stays open", () => {
    const deploymentOf = (domain: string | null): string | undefined => {
      const { Resources } = templatesOf({ frontDoor: "rest", domain }, { image }).base;
      const found = Object.entries(Resources);
      return found.find(([, { Type }]) => Type === "AWS::ApiGateway::Deployment")?.[0];
    };
    assert.notEqual(deploymentOf("api.example.com"), deploymentOf(null));
  });

  test("scaling takes no role, which the burst role could not hand over", () => {
    const target = oneOf(bothTemplates().burst, "AWS::ApplicationAutoScaling::ScalableTarget");
    assert.equal(target.Properties.RoleARN, undefined);
  });
});
