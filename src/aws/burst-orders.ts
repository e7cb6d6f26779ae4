/** What is asked of CloudFormation: to bring the burst stack up, to update it, to remove it. */
import {
  type CloudFormationClient,
  ContinueUpdateRollbackCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import { appTag, type BurstParameters, stackTag } from "../core/deployment.ts";
import {
  type BurstReading,
  type BurstStack,
  describeBurst,
  readBurst,
  saysNothingThere,
} from "./burst-stack.ts";
import type { Deployment } from "./deployment.ts";
import { type CloudMemory, type RememberedStack, remember } from "./memory.ts";
import { createToken, removeToken, updateToken } from "./request-tokens.ts";
import type { StateTable } from "./table.ts";

/** What an order needs. */
export interface OrderParts {
  readonly client: CloudFormationClient;
  readonly table: StateTable;
  readonly deployment: Deployment;
  readonly memory: CloudMemory;
  readonly nowMs: number;
}

/** CloudFormation gives up by itself after this, should the controller be gone. */
const timeoutMinutes = 60;

/** Removals that fail before the failing resources are left to the sweep, then to force. */
const plainRemovals = 2;

/** These are billed and nobody would sweep them: a stack that keeps them is only tried again. */
const neverLeft = new Set(["AWS::EC2::NatGateway", "AWS::EC2::EIP"]);

/** Brings the burst tier up, or to the wanted image and template, unless that is under way. */
export async function provision(parts: OrderParts, tasks: number): Promise<void> {
  const { deployment, nowMs, client } = parts;
  const reading = await burst(parts);
  if (reading.kind === "absent") return create(parts, tasks);
  if (reading.kind !== "standing") return;
  const { stack } = reading;
  if (stack.status === "UPDATE_ROLLBACK_FAILED") {
    await client.send(
      new ContinueUpdateRollbackCommand({
        StackName: stack.id,
        RoleARN: deployment.burstRoleArn,
        ClientRequestToken: removeToken(stack.id, nowMs),
      }),
    );
    return;
  }
  const busy = stack.status.endsWith("_IN_PROGRESS");
  const runs = stack.taskDefinition === deployment.taskDefinition;
  if (busy || (runs && !reading.outdated)) return;
  await update(parts, stack, tasks);
}

/** Removes the burst tier; each removal that failed is followed by a stronger one. */
export async function deprovision(parts: OrderParts): Promise<BurstReading> {
  const { memory, nowMs, table } = parts;
  const reading = await burst(parts);
  const { kind, stack } = reading;
  const gone = stack === null || stack.status === "DELETE_COMPLETE";
  if (gone && kind !== "creating") {
    if (memory.stack !== null) await remember(table, { ...memory, stack: null });
    return reading;
  }
  const before: RememberedStack = memory.stack ?? {
    id: stack?.id ?? null,
    createdAtMs: nowMs,
    removedAtMs: null,
    removals: 0,
  };
  const note = (removals: number): Promise<void> => {
    const marked = { ...before, id: stack?.id ?? before.id, removedAtMs: nowMs, removals };
    return remember(table, { ...memory, stack: marked });
  };
  // What was just accepted may not be visible yet; the next tick sees it.
  if (stack === null) throw new Error("the burst stack that was asked for is not visible yet");
  if (stack.status === "DELETE_IN_PROGRESS") {
    if (before.removedAtMs === null) await note(before.removals);
    return reading;
  }
  if (kind === "removing") return reading;
  // CloudFormation refuses to delete a stack in the middle of an update.
  if (/^UPDATE_.*IN_PROGRESS$/.test(stack.status)) return reading;
  const removals = before.removals + 1;
  await remove(parts, stack, removals);
  await note(removals);
  return reading;
}

function burst({ client, deployment, memory, nowMs }: OrderParts): Promise<BurstReading> {
  const { names } = deployment;
  return readBurst({ client, stackName: names.burstStack, memory, wanted: deployment, nowMs });
}

async function create(parts: OrderParts, tasks: number): Promise<void> {
  const { client, deployment, memory, nowMs, table } = parts;
  const asked = { id: null, createdAtMs: nowMs, removedAtMs: null, removals: 0 };
  const before: CloudMemory = { ...memory, stack: asked };
  await remember(table, before);
  try {
    const { StackId: id } = await client.send(
      new CreateStackCommand({
        StackName: deployment.names.burstStack,
        TemplateURL: deployment.templateUrl,
        RoleARN: deployment.burstRoleArn,
        OnFailure: "DELETE",
        TimeoutInMinutes: timeoutMinutes,
        Parameters: parametersOf(deployment, "create", tasks),
        Tags: [
          { Key: appTag, Value: deployment.app },
          { Key: stackTag, Value: "burst" },
        ],
        ClientRequestToken: createToken(deployment.names.burstStack, nowMs),
      }),
    );
    await remember(table, { ...before, stack: { ...asked, id: id ?? null } });
  } catch (error) {
    if (error instanceof Error && error.name === "AlreadyExistsException") {
      const { burstStack } = deployment.names;
      if ((await describeBurst(client, burstStack)) !== null) return;
      await remember(table, { ...before, stack: null });
      throw new Error(`a stack ${burstStack} exists that is not this application's`);
    }
    // A refusal leaves nothing behind; after a lost answer the stack may well be there.
    if (isRefusal(error)) await remember(table, { ...before, stack: null });
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && "$fault" in error && error.$fault === "client";
}

async function update(parts: OrderParts, stack: BurstStack, tasks: number): Promise<void> {
  const { client, deployment } = parts;
  try {
    await client.send(
      new UpdateStackCommand({
        StackName: stack.id,
        TemplateURL: deployment.templateUrl,
        RoleARN: deployment.burstRoleArn,
        Parameters: parametersOf(deployment, "update", tasks),
        ClientRequestToken: updateToken(deployment, stack.changedAtMs),
      }),
    );
  } catch (error) {
    if (error instanceof Error && /no updates are to be performed/i.test(error.message)) return;
    throw error;
  }
}

function parametersOf(
  deployment: Deployment,
  operation: BurstParameters["Operation"],
  tasks: number,
): { readonly ParameterKey: string; readonly ParameterValue: string }[] {
  const own: BurstParameters = {
    TaskDefinitionArn: deployment.taskDefinition,
    Blueprint: deployment.blueprint,
    Operation: operation,
    InitialTasks: String(tasks),
  };
  return Object.entries({ ...deployment.burstParameters, ...own }).map(([key, value]) => {
    return { ParameterKey: key, ParameterValue: value };
  });
}

/** A stack is named by its id, so that a newer one of the same name is never meant. */
async function remove(parts: OrderParts, stack: BurstStack, removals: number): Promise<void> {
  const { client, deployment } = parts;
  const stuck = removals > plainRemovals && stack.status === "DELETE_FAILED";
  const left = stuck ? await failedResources(client, stack.id) : [];
  const force = removals > plainRemovals + 1 && left.length > 0;
  const retain = left.length > 0 && !force;
  try {
    await client.send(
      new DeleteStackCommand({
        StackName: stack.id,
        RoleARN: deployment.burstRoleArn,
        ClientRequestToken: removeToken(stack.id, removals),
        ...(force ? { DeletionMode: "FORCE_DELETE_STACK" as const } : {}),
        ...(retain ? { RetainResources: left } : {}),
      }),
    );
  } catch (error) {
    if (!saysNothingThere(error)) throw error;
  }
}

/** What could not be deleted; nothing if something of it must not be left behind. */
async function failedResources(client: CloudFormationClient, id: string): Promise<string[]> {
  const { StackResources: resources = [] } = await client.send(
    new DescribeStackResourcesCommand({ StackName: id }),
  );
  const failed = resources.filter(({ ResourceStatus: status }) => status === "DELETE_FAILED");
  if (failed.some(({ ResourceType: type = "" }) => neverLeft.has(type))) return [];
  return failed.flatMap(({ LogicalResourceId: name }) => name ?? []);
}
