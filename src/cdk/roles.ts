/** Who the service is on each tier: two roles that may do the same. */
import { CfnManagedPolicy, CfnRole } from "aws-cdk-lib/aws-iam";
import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import { Aws, Fn } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import type { Config } from "../config/index.ts";
import { allowWildcards } from "./findings.ts";
import { arn, type Plan, type Statement } from "./plan.ts";
import {
  anyKey,
  decryptsOnly,
  keyUnknown,
  type SecretKind,
  secretBase,
  secretKinds,
} from "./secrets.ts";

/** What a role is for. */
export interface RoleSpec {
  /** The service that takes the role, such as `lambda.amazonaws.com`. */
  readonly principal: string;
  /** Against confused deputies: conditions on who the service acts for. */
  readonly trust?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly policies: Readonly<Record<string, readonly Statement[]>>;
  readonly managedPolicyArns?: string[];
}

/** Only this account may make the service take the role. */
export const ownAccount: NonNullable<RoleSpec["trust"]> = {
  StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID },
};

/** Makes a role; policies without a statement are left out. */
export function addRole(scope: Construct, id: string, spec: RoleSpec): CfnRole {
  const { principal, trust, policies, managedPolicyArns } = spec;
  const role = new CfnRole(scope, id, {
    assumeRolePolicyDocument: policyDocument([
      {
        Effect: "Allow",
        Principal: { Service: principal },
        Action: "sts:AssumeRole",
        ...(trust && { Condition: trust }),
      },
    ]),
    policies: Object.entries(policies)
      .filter(([, statements]) => statements.length > 0)
      .map(([policyName, statements]) => ({
        policyName,
        policyDocument: policyDocument(statements.map(({ why: _, ...statement }) => statement)),
      })),
    ...(managedPolicyArns && { managedPolicyArns }),
  });
  allowWildcards(role, Object.values(policies).flat());
  return role;
}

function policyDocument(statements: readonly object[]): object {
  return { Version: "2012-10-17", Statement: statements };
}

/** The service's identities. */
export interface ServiceRoles {
  readonly functionRole: CfnRole;
  readonly taskRole: CfnRole;
  /** What Fargate itself does before the service starts: image, secrets, log. */
  readonly executionRole: CfnRole;
}

/** Makes the roles of both tiers. What the service may do is one policy on both. */
export function addServiceRoles(
  scope: Construct,
  plan: Plan,
  logs: CfnLogGroup,
  managedPolicyArns: string[],
): ServiceRoles {
  const { config } = plan;
  const secrets = secretStatements(config);
  const functionRole = addRole(scope, "FunctionRole", {
    principal: "lambda.amazonaws.com",
    policies: {
      logs: [writeLogs(logs)],
      secrets: config.secretsAt === "start" ? secrets : [],
      network: config.network.vpcId === null ? [] : [joinNetwork],
    },
    managedPolicyArns,
  });
  const taskRole = addRole(scope, "TaskRole", {
    principal: "ecs-tasks.amazonaws.com",
    trust: ownAccount,
    policies: {},
    managedPolicyArns,
  });
  const executionRole = addRole(scope, "ExecutionRole", {
    principal: "ecs-tasks.amazonaws.com",
    trust: ownAccount,
    policies: { "pull-and-log": [...pullImage(plan.image), writeLogs(logs)], secrets },
  });
  return { functionRole, taskRole, executionRole };
}

/** The one policy of what the service may do, made from the configuration. */
export function addServicePolicy(
  scope: Construct,
  statements: readonly object[],
): CfnManagedPolicy {
  return new CfnManagedPolicy(scope, "ServicePolicy", {
    description: "What the service may do, on both tiers.",
    policyDocument: policyDocument(statements),
  });
}

/** The configuration's permissions as statements. */
export function permissionStatements({ permissions }: Config): readonly Statement[] {
  return permissions.map(({ actions, resources, conditions }) => ({
    Effect: "Allow",
    Action: actions,
    Resource: resources,
    ...(Object.keys(conditions).length > 0 && { Condition: conditions }),
  }));
}

/** A statement that lets a function or task write to one log group. */
export function writeLogs(logs: CfnLogGroup): Statement {
  return {
    Sid: "Logs",
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: logs.attrArn,
  };
}

/** What Lambda itself does in a VPC of the user's. */
const joinNetwork: Statement = {
  Sid: "Interfaces",
  Effect: "Allow",
  Action: [
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ],
  Resource: "*",
  why: "EC2 knows no narrower resource for the interfaces of a function.",
};

/** Whoever starts the service reads its secrets: the bootstrap on Lambda, ECS on Fargate. */
function secretStatements({ secrets }: Config): readonly Statement[] {
  const bases = [...new Set(Object.values(secrets).map(secretBase))];
  const actions = { secretsmanager: "GetSecretValue", ssm: "GetParameters" } as const;
  return (["secretsmanager", "ssm"] as const).flatMap((kind): Statement[] => {
    const Resource = bases.filter((base) => secretKinds(base).includes(kind));
    if (Resource.length === 0) return [];
    return [
      { Effect: "Allow", Action: `${kind}:${actions[kind]}`, Resource },
      decrypt(kind, Resource),
    ];
  });
}

/** The service asks KMS as its caller, unless the key is AWS's own. */
function decrypt(kind: SecretKind, secrets: readonly string[]): Statement {
  return {
    Effect: "Allow",
    Action: "kms:Decrypt",
    Resource: anyKey,
    Condition: { StringEquals: decryptsOnly(kind, secrets) },
    why: keyUnknown,
  };
}

function pullImage(image: string): readonly Statement[] {
  return [
    {
      Sid: "Login",
      Effect: "Allow",
      Action: "ecr:GetAuthorizationToken",
      Resource: "*",
      why: "A login to ECR is for a registry, which is no resource.",
    },
    {
      Sid: "Pull",
      Effect: "Allow",
      Action: [
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
      ],
      Resource: repositoryArn(image),
    },
  ];
}

const ecrImage = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^@]+)@/;

/** The repository of `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@DIGEST`. */
function repositoryArn(image: string): string {
  const [, account, region, name] = ecrImage.exec(image) ?? [];
  if (name !== undefined) {
    return `arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${name}`;
  }
  const path = Fn.select(0, Fn.split("@", image));
  return arn("ecr", `repository/${Fn.select(1, Fn.split(".amazonaws.com/", path))}`);
}
