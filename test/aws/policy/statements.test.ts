/** Every statement of every role, in every variant of the templates: no more than it must allow. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConfigKeys, templatesOf } from "../base-stack.ts";
import { listOf, objectOf, textOf } from "../world/json.ts";
import { parseTemplate } from "../world/template.ts";
import { type Statement, statementsOf } from "./evaluate.ts";

const variants: Readonly<Record<string, ConfigKeys>> = {
  warm: {},
  cold: { standby: "cold" },
  rest: { frontDoor: "rest" },
  "no domain": { domain: null },
};

/** Why a statement speaks of all resources. The key is the action; all of a role's statements. */
const everywhere: Readonly<Record<string, string>> = {
  "cloudwatch:DescribeAlarms": "DescribeAlarms of several alarms knows no resource",
  "cloudwatch:GetMetricData": "GetMetricData knows no resource",
  "elasticloadbalancing:DescribeTargetHealth": "Describe calls of ELB know no resource",
  "elasticloadbalancing:DescribeLoadBalancers": "Describe calls of ELB know no resource",
  "elasticloadbalancing:DescribeTags": "Describe calls of ELB know no resource",
  "ecs:ListServices": "knows no resource; its cluster is a condition",
  "lambda:GetAccountSettings": "is about the account",
  "ecr:GetAuthorizationToken": "is about the account's registry",
  "elasticloadbalancing:Describe*": "reads of CloudFormation, which know no resource",
  "ec2:Describe*": "reads of CloudFormation, which know no resource",
  "application-autoscaling:Describe*": "reads of CloudFormation, which know no resource",
  "cloudwatch:PutMetricAlarm": "asked by Application Auto Scaling for an alarm without a name",
  "cloudwatch:DeleteAlarms": "asked by Application Auto Scaling for an alarm without a name",
  "ec2:GetSecurityGroupsForVpc": "asked by ELB for whichever VPC the balancer comes into",
  "ecs:DescribeTaskDefinition": "knows no resource",
};

/** What CloudFormation reads changes with its handlers: reads alone may be a pattern. */
const readPattern = /^[a-z0-9-]+:Describe\*$/;

interface RoleStatement extends Statement {
  readonly role: string;
}

function roleStatementsOf(config: ConfigKeys): readonly RoleStatement[] {
  const template = parseTemplate(templatesOf(config).base);
  return Object.entries(template.Resources).flatMap(([role, json]) => {
    const { Type, Properties } = objectOf(json);
    const properties = objectOf(Properties);
    const inline = Type === "AWS::IAM::Role" ? listOf(properties.Policies) : [];
    const own = Type === "AWS::IAM::Policy" ? [Properties ?? null] : [];
    return [...inline, ...own].flatMap((policy) => {
      const { PolicyName, PolicyDocument } = objectOf(policy);
      return statementsOf(textOf(PolicyName), PolicyDocument).map((one) => ({ ...one, role }));
    });
  });
}

describe("the roles of the base stack", () => {
  for (const [name, config] of Object.entries(variants)) {
    it(`${name}: say why where they speak of all resources`, () => {
      const statements = roleStatementsOf(config);
      assert.ok(statements.length > 5);
      const wide = statements.filter(({ resources }) => resources.includes("*"));
      const unexplained = wide.flatMap(({ role, sid, actions, conditions }) =>
        actions
          .filter((action) => everywhere[action] === undefined)
          .map((action) => `${role} ${sid} ${action} ${JSON.stringify(conditions)}`),
      );
      assert.deepEqual(unexplained, []);
    });

    it(`${name}: allow no changes by a pattern, and nothing of IAM but passing a role`, () => {
      for (const { role, sid, actions } of roleStatementsOf(config)) {
        for (const action of actions) {
          const named = !action.includes("*") || readPattern.test(action);
          assert.ok(named, `${role} ${sid}: ${action}`);
          const iam = action.startsWith("iam:") && action !== "iam:PassRole";
          assert.ok(!iam, `${role} ${sid}: ${action}`);
        }
      }
    });

    it(`${name}: pass a role only to the service that needs it`, () => {
      const passing = roleStatementsOf(config).filter(({ actions }) =>
        actions.includes("iam:PassRole"),
      );
      for (const { role, sid, resources, conditions } of passing) {
        assert.ok(!resources.includes("*"), `${role} ${sid}`);
        const services = conditions.StringEquals?.["iam:PassedToService"];
        assert.equal(services?.length, 1, `${role} ${sid}`);
      }
    });
  }
});
