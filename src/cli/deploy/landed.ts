/**
 * What a deployment has come to, looked at. The toolkit skips a stack whose template is the wanted
 * one already, also while another deployment is still making it.
 */
import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { UserError } from "../../config/errors.ts";
import type { Pace } from "../aws/pace.ts";
import { isBusy, type OnStackEvent, readStack, type StackFacts, settled } from "../aws/stacks.ts";

/** Where it is looked at, and what for. */
export interface Landing {
  readonly client: CloudFormationClient;
  readonly stack: string;
  readonly image: string;
  readonly pace: Pace;
  readonly say: (line: string) => void;
  readonly onEvent: OnStackEvent;
}

/**
 * The stack as it runs the image; throws an Error with its state if it does not, and UserError
 * DEPLOYMENT_LOCKED if somebody else has deployed another image meanwhile.
 */
export async function landed(landing: Landing): Promise<StackFacts> {
  const { client, stack: name, image, pace, say, onEvent } = landing;
  let stack = await readStack(client, name);
  if (stack !== null && isBusy(stack)) {
    say(`stack ${name} is ${stack.status} by another deployment: waiting for it`);
    stack = await settled(client, stack, pace, onEvent, pace.nowMs());
    // Only then: a rollback of before has left the stack as this deployment wants it.
    if (stack !== null && /ROLLBACK|FAILED/.test(stack.status)) {
      throw new Error(`stack ${name} is ${stack.status}: ${stack.reason || "no reason given"}`);
    }
  }
  if (stack === null) throw new Error(`stack ${name} is gone: somebody has removed it`);
  const runs = stack.outputs.ImageUri ?? "no image";
  if (runs === image) return stack;
  const message = `another deployment was faster: ${name} runs ${runs}`;
  const hint = "Agree on the image, then run the command again.";
  throw new UserError("DEPLOYMENT_LOCKED", message, hint);
}
