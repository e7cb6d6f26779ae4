/** CloudFormation stacks as the commands see them: state, outputs, and why something failed. */
import {
  type CloudFormationClient,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Stack,
  type StackEvent,
} from "@aws-sdk/client-cloudformation";
import { isNamed } from "./errors.ts";
import { type Pace, poll } from "./pace.ts";

/** A stack that exists. */
export interface StackFacts {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly reason: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** A resource that failed, with its own reason. */
export interface ResourceFailure {
  readonly resource: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

/** The stack of that name or id; `null` if there is none. */
export async function readStack(
  client: CloudFormationClient,
  nameOrId: string,
): Promise<StackFacts | null> {
  try {
    const answer = await client.send(new DescribeStacksCommand({ StackName: nameOrId }));
    const stack = answer.Stacks?.[0];
    if (stack === undefined || stack.StackStatus === "DELETE_COMPLETE") return null;
    return factsOf(stack);
  } catch (error) {
    if (isNamed(error, "ValidationError") && /does not exist/.test((error as Error).message)) {
      return null;
    }
    throw error;
  }
}

function factsOf(stack: Stack): StackFacts {
  const pairs = <T>(
    list: readonly T[] | undefined,
    key: (item: T) => string | undefined,
    value: (item: T) => string | undefined,
  ): Readonly<Record<string, string>> =>
    Object.fromEntries((list ?? []).map((item) => [key(item) ?? "", value(item) ?? ""]));
  return {
    id: stack.StackId ?? "",
    name: stack.StackName ?? "",
    status: stack.StackStatus ?? "",
    reason: stack.StackStatusReason ?? "",
    outputs: pairs(
      stack.Outputs,
      (one) => one.OutputKey,
      (one) => one.OutputValue,
    ),
    parameters: pairs(
      stack.Parameters,
      (one) => one.ParameterKey,
      (one) => one.ParameterValue,
    ),
    tags: pairs(
      stack.Tags,
      (one) => one.Key,
      (one) => one.Value,
    ),
  };
}

/** Whether CloudFormation is at work on it; a stack in review waits for a person, not for AWS. */
export function isBusy({ status }: Pick<StackFacts, "status">): boolean {
  return status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS";
}

/** Hears of every event of a stack once, in order. */
export type OnStackEvent = (event: StackEvent) => void;

/** Waits until CloudFormation has finished with a stack; `null` if it is gone then. */
export async function settled(
  client: CloudFormationClient,
  stack: StackFacts,
  pace: Pace,
  onEvent: OnStackEvent,
  sinceMs: number,
): Promise<StackFacts | null> {
  const seen = new Set<string>();
  const tell = async (): Promise<void> => {
    for (const event of await eventsSince(client, stack.id, sinceMs)) {
      const id = event.EventId ?? "";
      if (seen.has(id)) continue;
      seen.add(id);
      onEvent(event);
    }
  };
  const { last } = await poll(pace, async () => {
    // By id, since a stack that is gone still has events under its id.
    const now = await readStack(client, stack.id);
    await tell();
    return now !== null && isBusy(now) ? null : { last: now };
  });
  return last;
}

/** How many pages of events are read at most; one has a hundred. */
const eventPagesMax = 20;

/** Events of a stack since a time, oldest first. */
export async function eventsSince(
  client: CloudFormationClient,
  id: string,
  sinceMs: number,
): Promise<readonly StackEvent[]> {
  const events: StackEvent[] = [];
  let token: string | undefined;
  for (let page = 0; page < eventPagesMax; page += 1) {
    const command = new DescribeStackEventsCommand({ StackName: id, NextToken: token });
    const answer = await client.send(command).catch((error) => {
      if (isNamed(error, "ValidationError")) return { StackEvents: [], NextToken: undefined };
      throw error;
    });
    const recent = (answer.StackEvents ?? []).filter((event) => timeOf(event) >= sinceMs);
    events.push(...recent);
    token = answer.NextToken;
    if (token === undefined || recent.length < (answer.StackEvents ?? []).length) break;
  }
  return events.reverse();
}

function timeOf(event: StackEvent): number {
  return event.Timestamp?.getTime() ?? 0;
}

/** Failures that only follow from another one. */
const consequence = /cancelled|The following resource\(s\) failed/i;

/** What failed in a stack since a time, the cause first. */
export async function failuresSince(
  client: CloudFormationClient,
  id: string,
  sinceMs: number,
): Promise<readonly ResourceFailure[]> {
  const failed = (await eventsSince(client, id, sinceMs)).filter(({ ResourceStatus: status }) =>
    status?.endsWith("_FAILED"),
  );
  const failures = failed.map((event) => ({
    resource: event.LogicalResourceId ?? "",
    type: event.ResourceType ?? "",
    status: event.ResourceStatus ?? "",
    reason: event.ResourceStatusReason ?? "no reason given",
  }));
  const causes = failures.filter(({ reason, type }) => {
    return !consequence.test(reason) && type !== "AWS::CloudFormation::Stack";
  });
  return causes.length > 0 ? causes : failures;
}
