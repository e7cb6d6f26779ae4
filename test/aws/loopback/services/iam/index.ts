/** IAM: roles, and the service-linked ones that the account may lack. */
import type { CreateServiceLinkedRoleCommandInput, GetRoleCommandInput } from "@aws-sdk/client-iam";
import { arnOf, type World } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { query } from "../../wire/query.ts";

const linkedNames: Readonly<Record<string, string>> = {
  "ecs.amazonaws.com": "AWSServiceRoleForECS",
  "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
  "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
};

function describe(world: World, name: string): object {
  const role = world.roles.get(name);
  if (!role) {
    throw new AwsError("NoSuchEntity", `The role with name ${name} cannot be found.`, 404);
  }
  return {
    Role: {
      Path: "/",
      RoleName: role.name,
      RoleId: "AROATEST",
      Arn: role.arn,
      CreateDate: new Date(world.nowMs),
      AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(role.trust)),
    },
  };
}

/** The service. */
export const iam: Service = {
  scope: "iam",
  protocol: query,
  operations: {
    GetRole: operation<GetRoleCommandInput>(
      (input, world) => describe(world, input.RoleName ?? ""),
      (input, world) => access("iam:GetRole", arnOf(world, "iam", `role/${input.RoleName}`)),
    ),
    CreateServiceLinkedRole: operation<CreateServiceLinkedRoleCommandInput>(
      (input, world) => {
        const service = input.AWSServiceName ?? "";
        const name = linkedNames[service];
        if (name === undefined) throw new AwsError("InvalidInput", `unknown service ${service}`);
        if (world.roles.has(name)) {
          throw new AwsError("InvalidInput", `Service role name ${name} has been taken`);
        }
        const arn = arnOf(world, "iam", `role/aws-service-role/${service}/${name}`);
        world.roles.set(name, { name, arn, trust: {}, policies: new Map() });
        return describe(world, name);
      },
      (input, world) =>
        access(
          "iam:CreateServiceLinkedRole",
          arnOf(world, "iam", `role/aws-service-role/${input.AWSServiceName}/*`),
          { "iam:AWSServiceName": input.AWSServiceName ?? "" },
        ),
    ),
  },
};
