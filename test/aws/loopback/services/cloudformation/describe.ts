/** What CloudFormation tells about stacks, their resources and their events. */
import {
  type StackEvent,
  type StackRecord,
  type StackResource,
  shownStatus,
} from "../../../world/stacks/stack.ts";
import type { World } from "../../../world/world.ts";

/** A stack as DescribeStacks answers. */
export function describeStack(world: World, stack: StackRecord): object {
  return {
    StackId: stack.id,
    StackName: stack.name,
    StackStatus: shownStatus(world, stack),
    StackStatusReason: stack.reason || undefined,
    CreationTime: new Date(stack.createdMs),
    LastUpdatedTime: stack.updatedMs === null ? undefined : new Date(stack.updatedMs),
    DeletionTime: stack.deletedMs === null ? undefined : new Date(stack.deletedMs),
    RoleARN: stack.request.roleArn || undefined,
    EnableTerminationProtection: stack.protected,
    DisableRollback: stack.request.onFailure === "DO_NOTHING",
    Capabilities: stack.request.capabilities,
    Parameters: parametersOf(stack),
    Outputs: stack.outputs.map(({ key, value, exportName }) => ({
      OutputKey: key,
      OutputValue: value,
      ExportName: exportName || undefined,
    })),
    Tags: Object.entries(stack.request.tags).map(([Key, Value]) => ({ Key, Value })),
    NotificationARNs: [],
    RollbackConfiguration: {},
    DriftInformation: { StackDriftStatus: "NOT_CHECKED" },
  };
}

function parametersOf(stack: StackRecord): readonly object[] {
  return Object.entries(stack.values)
    .filter(([name]) => !name.startsWith("AWS::"))
    .map(([name, value]) => ({
      ParameterKey: name,
      ParameterValue:
        stack.request.parameters[name] ?? (Array.isArray(value) ? value.join(",") : String(value)),
    }));
}

/** A resource as DescribeStackResources and ListStackResources answer. */
export function describeResource(stack: StackRecord, resource: StackResource): object {
  return {
    StackId: stack.id,
    StackName: stack.name,
    LogicalResourceId: resource.logicalId,
    PhysicalResourceId: resource.physicalId || undefined,
    ResourceType: resource.type,
    ResourceStatus: resource.status,
    ResourceStatusReason: resource.reason || undefined,
    Timestamp: new Date(resource.updatedMs),
    LastUpdatedTimestamp: new Date(resource.updatedMs),
  };
}

/** An event as DescribeStackEvents answers. */
export function describeEvent(stack: StackRecord, event: StackEvent): object {
  return {
    EventId: event.id,
    OperationId: event.operationId,
    StackId: stack.id,
    StackName: stack.name,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId || undefined,
    ResourceType: event.type,
    ResourceStatus: event.status,
    ResourceStatusReason: event.reason || undefined,
    Timestamp: new Date(event.atMs),
    ClientRequestToken: event.token || undefined,
  };
}
