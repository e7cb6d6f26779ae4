/** Change sets: how the CDK creates and updates stacks. */
import {
  beginCreation,
  newStack,
  sameRequest,
  updateStack,
} from "../../../world/stacks/lifecycle.ts";
import {
  type ChangeSet,
  findStack,
  type StackRecord,
  type StackRequest,
} from "../../../world/stacks/stack.ts";
import { arnOf, type World } from "../../../world/world.ts";
import { type Operation, operation } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { accepted } from "./accepted.ts";
import { requireStack, type StackInput, stackAccess, stackRequest } from "./request.ts";

interface ChangeSetInput extends StackInput {
  readonly ChangeSetName: string;
  readonly ChangeSetType?: string;
  readonly OnStackFailure?: string;
}

function find(input: ChangeSetInput, world: World): { stack: StackRecord; changeSet: ChangeSet } {
  const wanted = input.ChangeSetName;
  for (const stack of world.stacks) {
    if (input.StackName && stack !== findStack(world, input.StackName)) continue;
    const changeSet = stack.changeSets.find(({ id, name }) => id === wanted || name === wanted);
    if (changeSet) return { stack, changeSet };
  }
  throw new AwsError("ChangeSetNotFound", `ChangeSet [${wanted}] does not exist`, 404);
}

function create(input: ChangeSetInput, world: World): object {
  const existing = findStack(world, input.StackName);
  const type = input.ChangeSetType === "CREATE" ? "CREATE" : "UPDATE";
  const fresh = existing === null || existing.status === "REVIEW_IN_PROGRESS";
  if (type === "CREATE" && !fresh) {
    const message = `Stack [${input.StackName}] already exists and cannot be created again`;
    throw new AwsError("ValidationError", message);
  }
  if (type === "UPDATE" && existing === null) requireStack(world, input.StackName);
  const request = stackRequest(world, input, existing);
  const stack = existing ?? newStack(world, input.StackName, request);
  const unchanged = type === "UPDATE" && sameRequest(stack.request, request);
  const id = arnOf(
    world,
    "cloudformation",
    `changeSet/${input.ChangeSetName}/${world.uniqueId(36)}`,
  );
  stack.changeSets.push({
    id,
    name: input.ChangeSetName,
    type,
    request,
    changes: unchanged ? [] : changesOf(stack, request),
    createdMs: world.nowMs,
    reason: unchanged ? "The submitted information didn't contain changes." : "",
    status: unchanged ? "FAILED" : "CREATE_COMPLETE",
    execution: unchanged ? "UNAVAILABLE" : "AVAILABLE",
  });
  return { Id: id, StackId: stack.id };
}

function changesOf(stack: StackRecord, request: StackRequest): ChangeSet["changes"] {
  const before = stack.resources;
  const wanted = Object.keys(request.template.Resources);
  const added = wanted.filter((name) => !before.has(name));
  const gone = [...before.keys()].filter((name) => !wanted.includes(name));
  const kept = wanted.filter((name) => before.has(name));
  const as = (action: string) => (logicalId: string) => ({ action, logicalId });
  return [...added.map(as("Add")), ...kept.map(as("Modify")), ...gone.map(as("Remove"))];
}

function describe(input: ChangeSetInput, world: World): object {
  const { stack, changeSet } = find(input, world);
  return {
    ChangeSetName: changeSet.name,
    ChangeSetId: changeSet.id,
    StackId: stack.id,
    StackName: stack.name,
    Status: changeSet.status,
    StatusReason: changeSet.reason || undefined,
    ExecutionStatus: changeSet.execution,
    CreationTime: new Date(changeSet.createdMs),
    Changes: changeSet.changes.map(({ action, logicalId }) => ({
      Type: "Resource",
      ResourceChange: { Action: action, LogicalResourceId: logicalId, ResourceType: "AWS::Any" },
    })),
    Tags: [],
    Capabilities: changeSet.request.capabilities,
  };
}

function execute(input: ChangeSetInput, world: World): object {
  const { stack, changeSet } = find(input, world);
  if (changeSet.execution !== "AVAILABLE") {
    const message = `ChangeSet [${changeSet.id}] cannot be executed in its current status`;
    throw new AwsError("InvalidChangeSetStatus", message);
  }
  changeSet.execution = "EXECUTE_COMPLETE";
  const onFailure = input.DisableRollback === "true" ? "DO_NOTHING" : changeSet.request.onFailure;
  const token = input.ClientRequestToken ?? changeSet.request.token;
  const request = { ...changeSet.request, onFailure, token } as const;
  accepted(() => {
    if (changeSet.type === "UPDATE") {
      updateStack(world, stack, request);
    } else {
      stack.request = request;
      beginCreation(world, stack);
    }
  });
  return {};
}

/** The operations. */
export const changeSets: Readonly<Record<string, Operation>> = {
  CreateChangeSet: operation<ChangeSetInput>(
    (input, world) => accepted(() => create(input, world)),
    stackAccess("CreateChangeSet"),
  ),
  DescribeChangeSet: operation<ChangeSetInput>(describe, stackAccess("DescribeChangeSet")),
  ExecuteChangeSet: operation<ChangeSetInput>(execute, stackAccess("ExecuteChangeSet")),
  DeleteChangeSet: operation<ChangeSetInput>((input, world) => {
    const stack = findStack(world, input.StackName);
    const at = stack?.changeSets.findIndex(
      ({ id, name }) => id === input.ChangeSetName || name === input.ChangeSetName,
    );
    if (stack && at !== undefined && at >= 0) stack.changeSets.splice(at, 1);
    return {};
  }, stackAccess("DeleteChangeSet")),
};
