/** Brings the base stack into a state that can be deployed, or says why it cannot be. */
import {
  type CloudFormationClient,
  ContinueUpdateRollbackCommand,
  DeleteStackCommand,
} from "@aws-sdk/client-cloudformation";
import { UserError } from "../../config/errors.ts";
import type { Pace } from "../aws/pace.ts";
import {
  failuresSince,
  isBusy,
  type OnStackEvent,
  type ResourceFailure,
  readStack,
  type StackFacts,
  settled,
} from "../aws/stacks.ts";
import { requireOurs } from "./ownership.ts";

/** What recovering needs. */
export interface Recovery {
  readonly client: CloudFormationClient;
  readonly app: string;
  readonly stack: string;
  readonly pace: Pace;
  readonly say: (line: string) => void;
  readonly onEvent: OnStackEvent;
}

/** A first creation that failed left nothing that could be updated. */
const neverCreated = new Set(["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"]);

/**
 * Waits for what is under way, continues a rollback that stopped, and removes what a failed first
 * creation left. Resolves with the stack as it can be updated, `null` if it is to be created.
 * Throws UserError NAME_TAKEN, STACK_OF_CDK or STACK_STUCK.
 */
export async function recovered(recovery: Recovery): Promise<StackFacts | null> {
  let tried = "";
  for (;;) {
    const stack = await readStack(recovery.client, recovery.stack);
    if (stack === null) return null;
    requireOurs(stack, recovery.app);
    if (isBusy(stack)) {
      recovery.say(`stack ${stack.name} is ${stack.status}: waiting for it`);
      await waitFor(stack, recovery);
      continue;
    }
    const mend = mending(stack);
    if (mend === null) return stack;
    // The same cure twice would go on for ever.
    if (tried === stack.status) throw await stuck(stack, recovery);
    tried = stack.status;
    recovery.say(`stack ${stack.name} is ${stack.status}: ${mend.sentence}`);
    const sinceMs = recovery.pace.nowMs();
    await mend.start(recovery.client, stack);
    await settled(recovery.client, stack, recovery.pace, recovery.onEvent, sinceMs);
  }
}

async function waitFor(stack: StackFacts, { client, pace, onEvent }: Recovery): Promise<void> {
  await settled(client, stack, pace, onEvent, pace.nowMs());
}

interface Mending {
  readonly sentence: string;
  readonly start: (client: CloudFormationClient, stack: StackFacts) => Promise<unknown>;
}

function mending({ status }: StackFacts): Mending | null {
  if (neverCreated.has(status)) {
    return {
      sentence: "its first creation failed, so it is removed and made anew",
      start: (client, { id }) => client.send(new DeleteStackCommand({ StackName: id })),
    };
  }
  if (status === "UPDATE_ROLLBACK_FAILED") {
    return {
      sentence: "continuing the rollback, then updating",
      start: (client, { id }) => client.send(new ContinueUpdateRollbackCommand({ StackName: id })),
    };
  }
  if (status === "DELETE_FAILED") {
    return {
      sentence: "its removal stopped, so it is tried again, then the stack is made anew",
      start: (client, { id }) => client.send(new DeleteStackCommand({ StackName: id })),
    };
  }
  return null;
}

async function stuck(stack: StackFacts, { client, pace }: Recovery): Promise<UserError> {
  const failures = await failuresSince(client, stack.id, pace.nowMs() - 60 * 60_000);
  const why = failures.length === 0 ? stack.reason : failures.slice(0, 3).map(sentence).join("; ");
  return new UserError(
    "STACK_STUCK",
    `stack ${stack.name} stays ${stack.status}: ${why || "no reason given"}`,
    "Repair what the reason names, then run the command again. Traffic is served as before.",
  );
}

/** A failure in one line. */
export function sentence({ resource, type, reason }: ResourceFailure): string {
  return `${resource} (${type}): ${reason}`;
}
