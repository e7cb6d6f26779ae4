/** SSM: parameters, among them the version of the CDK's bootstrap. */
import type { GetParameterCommandInput } from "@aws-sdk/client-ssm";
import { arnOf } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

/** The service. */
export const ssm: Service = {
  scope: "ssm",
  protocol: json,
  operations: {
    GetParameter: operation<GetParameterCommandInput>(
      (input, world) => {
        const name = input.Name ?? "";
        const value = world.parameters.get(name);
        if (value === undefined) throw new AwsError("ParameterNotFound", `${name} not found`);
        return { Parameter: { Name: name, Type: "String", Value: value, Version: 1 } };
      },
      (input, world) =>
        access(
          "ssm:GetParameter",
          arnOf(world, "ssm", `parameter/${input.Name}`.replace("//", "/")),
        ),
    ),
  },
};
