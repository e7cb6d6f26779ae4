/** Secrets Manager: values of secrets. */
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

interface SecretInput {
  readonly SecretId?: string;
}

/** The service. */
export const secrets: Service = {
  scope: "secretsmanager",
  protocol: json,
  operations: {
    GetSecretValue: operation<SecretInput>(
      (input, world) => {
        const value = world.secrets.get(input.SecretId ?? "");
        if (value === undefined) {
          const message = "Secrets Manager can't find the specified secret.";
          throw new AwsError("ResourceNotFoundException", message);
        }
        return { ARN: input.SecretId, Name: input.SecretId, SecretString: value };
      },
      (input) => access("secretsmanager:GetSecretValue", input.SecretId ?? ""),
    ),
  },
};
