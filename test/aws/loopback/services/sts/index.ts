/** STS: who am I, and other roles that nobody may take here. */
import type { AssumeRoleCommandInput } from "@aws-sdk/client-sts";
import { access, operation, type Service } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { query } from "../../wire/query.ts";

/** The service. */
export const sts: Service = {
  scope: "sts",
  protocol: query,
  operations: {
    GetCallerIdentity: operation<object>(
      (_input, world) => ({
        Account: world.account,
        Arn: `arn:aws:iam::${world.account}:user/tester`,
        UserId: "AIDATESTER",
      }),
      () => access("sts:GetCallerIdentity", "*"),
    ),
    AssumeRole: operation<AssumeRoleCommandInput>(
      (input, world) => {
        const role = [...world.roles.values()].find(({ arn }) => arn === input.RoleArn);
        if (!role) {
          throw new AwsError("AccessDenied", `not authorized to assume ${input.RoleArn}`, 403);
        }
        return {
          AssumedRoleUser: { Arn: role.arn, AssumedRoleId: `AROA:${input.RoleSessionName}` },
          Credentials: {
            AccessKeyId: "ASIAASSUMED",
            SecretAccessKey: "secret",
            SessionToken: role.name,
            Expiration: new Date(world.nowMs + 3_600_000),
          },
        };
      },
      (input) => access("sts:AssumeRole", input.RoleArn ?? ""),
    ),
  },
};
