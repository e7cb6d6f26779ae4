/** Who may do what: nothing without a bound, and the controller exactly what it calls. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { controllerCalls } from "../../src/aws/calls.ts";
import {
  bothTemplates,
  ofType,
  ownNetwork,
  secrets,
  type Template,
  templatesOf,
  variants,
} from "./variants.ts";

interface Allowed {
  readonly policy: string;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
  readonly condition: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Every statement of every role. */
function statements(template: Template): readonly Allowed[] {
  return ofType(template, "AWS::IAM::Role").flatMap(({ Properties }) =>
    (Properties.Policies ?? []).flatMap(
      (policy: { PolicyName: string; PolicyDocument: { Statement: RawStatement[] } }) =>
        policy.PolicyDocument.Statement.map((one) => ({
          policy: policy.PolicyName,
          actions: [one.Action].flat(),
          resources: [one.Resource].flat(),
          condition: one.Condition ?? {},
        })),
    ),
  );
}

interface RawStatement {
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Allowed["condition"];
}

const all = variants.map(({ input, image }) => {
  return templatesOf(input, image === undefined ? {} : { image }).base;
});
const region = { Ref: "AWS::Region" };
const largest = bothTemplates({ notifications: { webhook: secrets.API_KEY ?? null } }).base;

describe("every role", () => {
  test("may do no action of all, and nothing with identities but hand one on", () => {
    for (const { actions } of all.flatMap(statements)) {
      for (const action of actions) {
        assert.match(action, /^[a-z0-9-]+:[A-Z][A-Za-z]+\*?$/);
        if (action.endsWith("*")) assert.match(action, /:Describe\*$/);
        if (action.startsWith("iam:")) assert.equal(action, "iam:PassRole");
      }
    }
  });

  test("hands on the burst role to CloudFormation, and the task's roles to ECS alone", () => {
    const handed = all.flatMap(statements).flatMap(({ actions, resources, condition }) => {
      if (!actions.includes("iam:PassRole")) return [];
      assert.deepEqual(Object.keys(condition.StringEquals ?? {}), ["iam:PassedToService"]);
      const roles = resources.map((one) =>
        JSON.stringify(one).replace(/^.*"Service([A-Za-z]+Role).*$/, "$1"),
      );
      return `${roles.join(" ")} to ${condition.StringEquals?.["iam:PassedToService"]}`;
    });
    assert.deepEqual([...new Set(handed)].sort(), [
      "BurstRole to cloudformation.amazonaws.com",
      "TaskRole ExecutionRole to ecs-tasks.amazonaws.com",
    ]);
  });

  test("names its resources, but for these calls", () => {
    const unbounded = new Set(
      all.flatMap(statements).flatMap(({ policy, actions, resources, condition }) => {
        if (!resources.includes("*")) return [];
        const bounded = Object.keys(condition).length > 0 ? " (with a condition)" : "";
        return actions.map((action) => `${policy}: ${action}${bounded}`);
      }),
    );
    // The controller's are in src/aws/calls.ts with a reason each; the rest reads, logs in, or is
    // asked for by a service that names no resource.
    const others = [...unbounded].filter((line) => !line.startsWith("controller: "));
    assert.deepEqual(others.sort(), [
      "burst: application-autoscaling:Describe*",
      "burst: cloudwatch:DeleteAlarms (with a condition)",
      "burst: cloudwatch:DescribeAlarms",
      "burst: cloudwatch:GetMetricData",
      "burst: cloudwatch:PutMetricAlarm (with a condition)",
      "burst: ec2:Describe*",
      "burst: ec2:GetSecurityGroupsForVpc",
      "burst: ecs:DescribeTaskDefinition",
      "burst: elasticloadbalancing:Describe*",
      "network: ec2:AssignPrivateIpAddresses",
      "network: ec2:CreateNetworkInterface",
      "network: ec2:DeleteNetworkInterface",
      "network: ec2:DescribeNetworkInterfaces",
      "network: ec2:DescribeSubnets",
      "network: ec2:UnassignPrivateIpAddresses",
      "pull-and-log: ecr:GetAuthorizationToken",
    ]);
    const known = controllerCalls.filter(({ on }) => on === "any" || on === "cluster");
    const calls = new Set<string>(known.map(({ action }) => action));
    for (const line of [...unbounded].filter((one) => one.startsWith("controller: "))) {
      assert.ok(calls.has(line.replace(/^controller: | \(.*$/g, "")), line);
    }
  });
});

describe("the controller", () => {
  const own = (template: Template): readonly Allowed[] =>
    statements(template).filter(({ policy }) => policy === "controller");

  test("may make every call that it makes, and no other", () => {
    const actions = own(largest).flatMap((one) => one.actions);
    const calls = new Set<string>(controllerCalls.map(({ action }) => action));
    assert.deepEqual([...new Set(actions)].sort(), [...calls].sort());
    const without = own(templatesOf({}).base).flatMap((one) => one.actions);
    const needed = controllerCalls.filter(({ need }) => need === "always");
    assert.deepEqual(without.sort(), needed.map(({ action }) => action as string).sort());
  });

  test("makes a stack from the one template, with the one role", () => {
    const { base } = bothTemplates();
    const create = own(base).find(({ actions }) => actions.includes("cloudformation:CreateStack"));
    const url = create?.condition.StringEquals?.["cloudformation:TemplateUrl"];
    const variables = Object.values(base.Resources).flatMap(({ Properties }) => {
      return Properties?.Environment?.Variables?.LAMBDAFLEX_BURST_TEMPLATE_URL ?? [];
    });
    assert.deepEqual(variables, [url]);
    assert.match(JSON.stringify(create?.condition.ArnEquals), /BurstRole/);
    const read = own(base).find(({ actions }) => actions.includes("s3:GetObject"));
    assert.match(JSON.stringify(read?.resources), /[0-9a-f]{64}\.json/);
  });

  test("decrypts the webhook's address and nothing else", () => {
    const address = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hook-AbCdEf";
    const parameter = "arn:aws:ssm:eu-west-1:111122223333:parameter/hook";
    const cases = [
      [address, "secretsmanager.", "SecretARN"],
      [parameter, "ssm.", "PARAMETER_ARN"],
    ] as const;
    for (const [webhook, service, context] of cases) {
      const { base } = bothTemplates({ notifications: { webhook } });
      const found = own(base).find(({ actions }) => actions.includes("kms:Decrypt"));
      const equal = found?.condition.StringEquals ?? {};
      const { "kms:ViaService": via, ...rest } = equal;
      assert.ok(JSON.stringify(via).includes(`"${service}"`), JSON.stringify(via));
      assert.deepEqual(rest, { [`kms:EncryptionContext:${context}`]: [webhook] });
    }
  });

  test("changes the A records of the domain alone", () => {
    const change = statements(largest).filter(({ actions }) => {
      return actions.includes("route53:ChangeResourceRecordSets");
    });
    assert.equal(change.length, 2, "controller and guard");
    for (const { condition } of change) {
      assert.deepEqual(condition["ForAllValues:StringEquals"], {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["api.example.com"],
        "route53:ChangeResourceRecordSetsRecordTypes": ["A"],
      });
    }
  });
});

describe("CloudFormation's role", () => {
  const own = (template: Template): readonly Allowed[] =>
    statements(template).filter(({ policy }) => policy === "burst");

  test("can be taken for the burst stack alone", () => {
    const { base } = bothTemplates();
    const role = ofType(base, "AWS::IAM::Role").find(({ Properties }) => {
      const [trust] = Properties.AssumeRolePolicyDocument.Statement;
      return trust.Principal.Service === "cloudformation.amazonaws.com";
    });
    const [trust] = role?.Properties.AssumeRolePolicyDocument.Statement ?? [];
    assert.match(JSON.stringify(trust.Condition), /stack\/shop-burst\/\*/);
    assert.match(JSON.stringify(trust.Condition), /aws:SourceAccount/);
  });

  test("is allowed what other services ask of whoever calls them", () => {
    // Both are documented refusals: PutScalingPolicy asks for an alarm without a name first, and
    // CreateLoadBalancer for the VPC's security groups. Without them no burst ever comes up.
    const asked = ["PutMetricAlarm", "DeleteAlarms", "DescribeAlarms"].map((one) => {
      return `cloudwatch:${one}`;
    });
    for (const input of [{}, { standby: "cold" }, { network: ownNetwork }] as const) {
      const anywhere = own(bothTemplates(input).base).filter(({ resources }) => {
        return resources.includes("*");
      });
      const actions = anywhere.flatMap((one) => one.actions);
      for (const action of [...asked, "ec2:GetSecurityGroupsForVpc"]) {
        assert.ok(actions.includes(action), action);
      }
    }
    for (const { actions, resources, condition } of own(bothTemplates().base)) {
      if (!resources.includes("*")) continue;
      if (actions.every((action) => /:(Describe|List|Get)/.test(action))) continue;
      assert.deepEqual(actions, ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"]);
      assert.deepEqual(condition, { StringEquals: { "aws:RequestedRegion": region } });
    }
  });

  test("touches the network only where it comes and goes, and only what has our tag", () => {
    const changes = (input: object): readonly Allowed[] =>
      own(bothTemplates(input).base).filter(({ actions }) => {
        return actions.some((action) => /^ec2:(?!Describe|Get)/.test(action));
      });
    assert.deepEqual(changes({}), []);
    for (const input of [{ standby: "cold" }, { network: { tasks: "private" } }]) {
      const found = changes(input);
      assert.ok(found.length > 0);
      for (const { condition } of found) {
        const [key] = Object.entries(condition.StringEquals ?? {});
        assert.match(key?.[0] ?? "", /^aws:(Request|Resource)Tag\/lambdaflex:app$/);
        assert.equal(key?.[1], "shop");
      }
    }
  });
});
