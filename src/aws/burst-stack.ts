/** The burst stack as CloudFormation describes it, and what that means for the tier. */
import {
  type CloudFormationClient,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Stack,
  type StackEvent,
} from "@aws-sdk/client-cloudformation";
import { type BurstOutputs, type BurstParameters, stackTag } from "../core/deployment.ts";
import type { CloudMemory } from "./memory.ts";
import { isUpdateToken, updateTokenStart, type Wanted } from "./request-tokens.ts";

/** What `readBurst` looks at. */
export interface BurstQuestion {
  readonly client: CloudFormationClient;
  readonly stackName: string;
  readonly memory: CloudMemory;
  /** What should run, from which template. */
  readonly wanted: Wanted;
  readonly nowMs: number;
}

/** A described stack with what the controller needs of it. */
export interface BurstStack {
  readonly id: string;
  readonly status: string;
  readonly changedAtMs: number;
  readonly taskDefinition: string | null;
  /** What it was made or last updated from; `null` if whoever made it wrote nothing down. */
  readonly blueprint: string | null;
  /** `null` until the stack has all of them. */
  readonly outputs: BurstOutputs | null;
}

/** What the stack is; whether a standing one serves is for its targets to say. */
export type BurstReading =
  | { readonly kind: "absent"; readonly stack: BurstStack | null }
  | { readonly kind: "creating"; readonly stack: BurstStack | null }
  | {
      readonly kind: "standing";
      readonly stack: BurstStack;
      /** It runs the wanted task definition by another template, and may be updated now. */
      readonly outdated: boolean;
      /** Why the update that is wanted was rolled back, so that it serves on as it was. */
      readonly refusal: string | null;
    }
  | { readonly kind: "removing"; readonly stack: BurstStack | null }
  | { readonly kind: "failed"; readonly stack: BurstStack; readonly failure: string };

/** How long what was just accepted may not be visible yet. */
const visibleAfterMs = 60_000;

/** Pages of events at most; a burst stack fills one or two. */
const eventPagesMax = 5;

/** Reads the stack that is meant, and why it failed if it did. */
export async function readBurst(question: BurstQuestion): Promise<BurstReading> {
  const { memory, stackName, nowMs } = question;
  const known = memory.stack;
  const stack = await describeBurst(question.client, known?.id ?? stackName);
  if (stack === null || stack.status === "DELETE_COMPLETE") {
    if (known !== null && known.removedAtMs === null) {
      if (stack !== null) return deletedUnasked(question, stack);
      const fresh = nowMs - known.createdAtMs < visibleAfterMs;
      return { kind: fresh ? "creating" : "absent", stack: null };
    }
    return { kind: "absent", stack };
  }
  return standing(question, stack);
}

async function standing(question: BurstQuestion, stack: BurstStack): Promise<BurstReading> {
  const { memory, nowMs } = question;
  const { status } = stack;
  const removedAtMs = memory.stack?.removedAtMs ?? null;
  if (status === "DELETE_FAILED") return failedIn(question, stack, "DELETE");
  if (status === "DELETE_IN_PROGRESS") {
    return removedAtMs === null ? deletedUnasked(question, stack) : { kind: "removing", stack };
  }
  // Between the request and its effect the stack still looks as before.
  if (removedAtMs !== null && nowMs - removedAtMs < visibleAfterMs) {
    return { kind: "removing", stack };
  }
  if (status === "CREATE_FAILED" || status.startsWith("ROLLBACK_")) {
    return failedIn(question, stack, "CREATE");
  }
  if (status === "CREATE_IN_PROGRESS" || status === "REVIEW_IN_PROGRESS") {
    return { kind: "creating", stack };
  }
  return standingAs(question, stack);
}

/** Statuses in which an update may begin, or a rollback must be continued first. */
const updatable = /^(CREATE_COMPLETE|UPDATE_COMPLETE|UPDATE_ROLLBACK_(COMPLETE|FAILED))$/;

/** Whether it is what is wanted, and if not, whether bringing it there was tried in vain. */
async function standingAs(question: BurstQuestion, stack: BurstStack): Promise<BurstReading> {
  const { wanted, client } = question;
  const { status } = stack;
  const runs = stack.taskDefinition === wanted.taskDefinition;
  const current = runs && stack.blueprint === wanted.blueprint;
  if (!current && status === "UPDATE_ROLLBACK_COMPLETE") {
    const events = await eventsOf(client, stack.id);
    const tried = events.findLast((event) => isUpdateToken(event.ClientRequestToken ?? ""));
    // An update to something else may still succeed; the same one would only fail again.
    if (tried?.ClientRequestToken?.startsWith(updateTokenStart(wanted))) {
      const failure = failureIn(events, "UPDATE") ?? status;
      // What serves the wanted image is no failed tier, whatever else it was to become.
      if (runs) return { kind: "standing", stack, outdated: false, refusal: failure };
      return { kind: "failed", stack, failure };
    }
  }
  const outdated = runs && !current && updatable.test(status);
  return { kind: "standing", stack, outdated, refusal: null };
}

/** A stack that goes although nobody here asked: its creation failed, or somebody deleted it. */
async function deletedUnasked(question: BurstQuestion, stack: BurstStack): Promise<BurstReading> {
  const events = await eventsOf(question.client, stack.id);
  const complete = events.some(
    (event) => isStack(event) && event.ResourceStatus === createComplete,
  );
  const failure = complete ? null : failureIn(events, "CREATE");
  if (failure !== null) return { kind: "failed", stack, failure };
  if (stack.status === "DELETE_COMPLETE") return { kind: "absent", stack };
  return { kind: "removing", stack };
}

async function failedIn(
  question: BurstQuestion,
  stack: BurstStack,
  operation: "CREATE" | "DELETE",
): Promise<BurstReading> {
  const events = await eventsOf(question.client, stack.id);
  return { kind: "failed", stack, failure: failureIn(events, operation) ?? stack.status };
}

/** Describes our stack by name or id; a deleted one is only found by its id. */
export async function describeBurst(
  client: CloudFormationClient,
  name: string,
): Promise<BurstStack | null> {
  try {
    const { Stacks: stacks = [] } = await client.send(
      new DescribeStacksCommand({ StackName: name }),
    );
    const [stack] = stacks;
    // What somebody else has given the name is none of ours to judge, and least to remove.
    return stack === undefined || !isOurs(stack) ? null : factsOf(stack);
  } catch (error) {
    if (saysNothingThere(error)) return null;
    throw error;
  }
}

function isOurs({ Tags: tags = [] }: Stack): boolean {
  return tags.some(({ Key: key, Value: value }) => key === stackTag && value === "burst");
}

/** Whether CloudFormation knows no such stack. */
export function saysNothingThere(error: unknown): boolean {
  return error instanceof Error && /does not exist/i.test(error.message);
}

function factsOf(stack: Stack): BurstStack {
  const { StackId: id = "", StackStatus: status = "", Outputs: outputs = [] } = stack;
  const parameter = (name: keyof BurstParameters): string | null =>
    stack.Parameters?.find(({ ParameterKey: key }) => key === name)?.ParameterValue ?? null;
  const changed = stack.LastUpdatedTime ?? stack.CreationTime;
  return {
    id,
    status,
    changedAtMs: changed?.getTime() ?? 0,
    taskDefinition: parameter("TaskDefinitionArn"),
    blueprint: parameter("Blueprint"),
    outputs: outputsOf(
      Object.fromEntries(outputs.map(({ OutputKey: key = "", OutputValue }) => [key, OutputValue])),
    ),
  };
}

function outputsOf(found: Readonly<Record<string, string | undefined>>): BurstOutputs | null {
  const { AlbDnsName, AlbZoneId, AlbFullName, AlbArn, TargetGroupArn, ServiceName } = found;
  if (!AlbDnsName || !AlbZoneId || !AlbFullName || !AlbArn) return null;
  if (!TargetGroupArn || !ServiceName) return null;
  return { AlbDnsName, AlbZoneId, AlbFullName, AlbArn, TargetGroupArn, ServiceName };
}

const stackType = "AWS::CloudFormation::Stack";
const createComplete = "CREATE_COMPLETE";

function isStack({ ResourceType: type }: StackEvent): boolean {
  return type === stackType;
}

/** The stack's events, oldest first. */
async function eventsOf(client: CloudFormationClient, id: string): Promise<readonly StackEvent[]> {
  const events: StackEvent[] = [];
  let next: string | undefined;
  for (let page = 0; page < eventPagesMax; page += 1) {
    const answer = await client.send(
      new DescribeStackEventsCommand({ StackName: id, ...(next ? { NextToken: next } : {}) }),
    );
    events.push(...(answer.StackEvents ?? []));
    next = answer.NextToken;
    if (next === undefined) break;
  }
  return events.reverse();
}

/**
 * The first failure of the last such operation in the resource's own words. What CloudFormation
 * cancels because of it is no reason.
 */
export function failureIn(
  events: readonly StackEvent[],
  operation: "CREATE" | "UPDATE" | "DELETE",
): string | null {
  const begun = events.findLastIndex((event) => {
    return isStack(event) && event.ResourceStatus === `${operation}_IN_PROGRESS`;
  });
  const failed = events.slice(Math.max(0, begun)).find((event) => {
    const { ResourceStatus: status = "", ResourceStatusReason: reason = "" } = event;
    const ofDelete = status === "DELETE_FAILED";
    if (!status.endsWith("_FAILED") || ofDelete !== (operation === "DELETE")) return false;
    return !isStack(event) && !/cancell?ed/i.test(reason);
  });
  if (failed === undefined) return null;
  const { LogicalResourceId: name, ResourceType: type, ResourceStatusReason: reason } = failed;
  return `${name} (${type}): ${reason ?? failed.ResourceStatus}`.slice(0, 1000);
}
