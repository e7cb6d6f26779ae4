/** Whose a deployment is: what another one made must not be changed, and not be removed. */
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { UserError } from "../../config/errors.ts";
import { appTag, deploymentNames } from "../../core/deployment.ts";
import { isNamed } from "../aws/errors.ts";
import { clientOf, type Session } from "../aws/session.ts";
import type { StackFacts } from "../aws/stacks.ts";

/**
 * Throws UserError NAME_TAKEN for a stack that somebody else made, and STACK_OF_CDK for one that a
 * CDK app of the user's holds together: our template knows nothing of what else is in it.
 */
export function requireOurs(stack: StackFacts, app: string): void {
  if (stack.tags[appTag] === app || isBlank(stack)) return;
  if (stack.outputs.ControllerName === deploymentNames(app).controllerFunction) {
    throw stackOfCdk(`stack ${stack.name} belongs to a CDK app with a FlexService for ${app}`);
  }
  const message = `a stack ${stack.name} exists that lambdaflex has not made for ${app}`;
  const hint =
    'Choose another "name" in the configuration, or another region. If it is a stack of your CDK ' +
    "app with a FlexService, use cdk deploy and cdk destroy.";
  throw new UserError("NAME_TAKEN", message, hint);
}

/** What an interruption leaves before anything is made: a name, and nothing behind it. */
function isBlank({ status, tags }: StackFacts): boolean {
  return status === "REVIEW_IN_PROGRESS" && Object.keys(tags).length === 0;
}

/**
 * Throws UserError STACK_OF_CDK if the application runs although its stack does not exist: then a
 * stack of another name has it, whose records and images are in use.
 */
export async function requireUnclaimed(session: Session, app: string): Promise<void> {
  const { baseStack, controllerFunction } = deploymentNames(app);
  if (!(await hasFunction(session, controllerFunction))) return;
  throw stackOfCdk(`${controllerFunction} exists, and not in a stack ${baseStack}`);
}

function stackOfCdk(message: string): UserError {
  const hint =
    "Use the app that made it: cdk deploy, cdk diff, cdk destroy; an older image is its property " +
    "image. status, history, logs, shift, pin and auto work as ever.";
  return new UserError("STACK_OF_CDK", message, hint);
}

/** Whether a function exists. */
export async function hasFunction(session: Session, name: string): Promise<boolean> {
  const client = new LambdaClient(clientOf(session));
  try {
    await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    return true;
  } catch (error) {
    if (isNamed(error, "ResourceNotFoundException")) return false;
    throw error;
  }
}
