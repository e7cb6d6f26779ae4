/** Refusals of the account as the errors that CloudFormation answers. */
import { StackError } from "../../../world/stacks/lifecycle.ts";
import { TemplateError } from "../../../world/template.ts";
import { AwsError } from "../../wire/protocol.ts";

/** Runs an operation; what the account refuses becomes an error on the wire. */
export function accepted<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof StackError) throw new AwsError(error.name, error.message);
    if (error instanceof TemplateError) throw new AwsError("ValidationError", error.message);
    throw error;
  }
}
