/** One resource coming, changing and going, with the events that CloudFormation writes. */
import { missingRight, type Operation } from "../handlers.ts";
import { textOf } from "../json.ts";
import { tagsOf } from "../kinds/balancing.ts";
import { kindOf } from "../kinds/index.ts";
import type { ResourceAt } from "../kinds/kind.ts";
import type { World } from "../world.ts";
import {
  plannedFailure,
  resolvedProperties,
  resourceEvent,
  type StackRecord,
  type StackResource,
} from "./stack.ts";

/** How often CloudFormation looks whether a resource has stabilised. */
const pollMs = 5_000;
const stepMs = 1_000;

/** Told when a resource is done: the reason why it failed, or `null`. */
export type Done = (failure: string | null) => void;

function place(world: World, stack: StackRecord, resource: StackResource): ResourceAt {
  const tags = { ...stack.request.tags, ...tagsOf(resource.properties.Tags) };
  return { world, stack, resource, properties: resource.properties, tags };
}

/** Runs `step` later, unless the stack has begun something else by then. */
function later(world: World, stack: StackRecord, ms: number, step: () => void): void {
  const { generation } = stack;
  world.after(ms, () => {
    if (stack.generation === generation) step();
  });
}

/** Throws what AWS answers a stack's role that lacks a right. */
function requireRights(at: ResourceAt, operation: Operation): void {
  const missing = missingRight(at, operation);
  if (missing !== "") throw new Error(missing);
}

const attempt = (step: () => void): string | null => {
  try {
    step();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** Creates a resource whose dependencies exist. */
export function createResource(
  world: World,
  stack: StackRecord,
  resource: StackResource,
  done: Done,
): void {
  const kind = kindOf(resource.type);
  resourceEvent(world, stack, resource, "CREATE_IN_PROGRESS");
  const failed = (reason: string): void => {
    resourceEvent(world, stack, resource, "CREATE_FAILED", reason);
    done(reason);
  };
  const failure = attempt(() => {
    resource.properties = resolvedProperties(stack, resource.logicalId);
    const at = place(world, stack, resource);
    const planned = plannedFailure(world, resource, "create");
    if (planned !== null) throw new Error(planned);
    requireRights(at, "create");
    const created = kind.create(at);
    resource.physicalId = created.physicalId;
    resource.attributes = { ...created.attributes };
    if (created.arn !== undefined) {
      world.tagged.set(created.arn, { type: resource.type, tags: withStackTags(at) });
      resource.attributes.$arn = created.arn;
    }
  });
  if (failure !== null) {
    later(world, stack, stepMs, () => failed(failure));
    return;
  }
  resourceEvent(world, stack, resource, "CREATE_IN_PROGRESS", "Resource creation Initiated");
  const created = (): void => {
    resourceEvent(world, stack, resource, "CREATE_COMPLETE");
    done(null);
  };
  const createMs = kind.createMs?.(world) ?? stepMs;
  later(world, stack, createMs, () => stabilise(world, stack, resource, created, failed));
}

function withStackTags(at: ResourceAt): Record<string, string> {
  return {
    ...at.tags,
    "aws:cloudformation:stack-name": at.stack.name,
    "aws:cloudformation:stack-id": at.stack.id,
    "aws:cloudformation:logical-id": at.resource.logicalId,
  };
}

function stabilise(
  world: World,
  stack: StackRecord,
  resource: StackResource,
  done: () => void,
  failed: (reason: string) => void,
): void {
  const kind = kindOf(resource.type);
  const look = (): void => {
    let verdict: boolean | string = true;
    const broken = attempt(() => {
      verdict = kind.ready?.(place(world, stack, resource)) ?? true;
    });
    if (broken !== null) {
      failed(broken);
      return;
    }
    if (typeof verdict === "string") {
      failed(verdict);
      return;
    }
    if (verdict) {
      done();
      return;
    }
    later(world, stack, pollMs, look);
  };
  look();
}

/** Changes a resource to its new properties; without a change nothing happens. */
export function updateResource(
  world: World,
  stack: StackRecord,
  resource: StackResource,
  done: Done,
): void {
  const kind = kindOf(resource.type);
  let properties: StackResource["properties"] = {};
  const failed = (reason: string): void => {
    resourceEvent(world, stack, resource, "UPDATE_FAILED", reason);
    done(reason);
  };
  const unresolved = attempt(() => {
    properties = resolvedProperties(stack, resource.logicalId);
  });
  if (unresolved !== null) {
    failed(unresolved);
    return;
  }
  if (JSON.stringify(properties) === JSON.stringify(resource.properties)) {
    done(null);
    return;
  }
  resourceEvent(world, stack, resource, "UPDATE_IN_PROGRESS");
  resource.properties = properties;
  const failure = attempt(() => {
    const planned = plannedFailure(world, resource, "update");
    if (planned !== null) throw new Error(planned);
    requireRights(place(world, stack, resource), "update");
    if (kind.update) return kind.update(place(world, stack, resource));
    const created = kind.create(place(world, stack, resource));
    resource.physicalId = created.physicalId;
    resource.attributes = { ...created.attributes };
  });
  if (failure !== null) {
    later(world, stack, stepMs, () => failed(failure));
    return;
  }
  const updated = (): void => {
    resourceEvent(world, stack, resource, "UPDATE_COMPLETE");
    done(null);
  };
  later(world, stack, stepMs, () => stabilise(world, stack, resource, updated, failed));
}

/** Removes a resource that nothing depends on any more. */
export function removeResource(
  world: World,
  stack: StackRecord,
  resource: StackResource,
  done: Done,
): void {
  if (resource.physicalId === "") {
    resource.status = "DELETE_COMPLETE";
    done(null);
    return;
  }
  const kind = kindOf(resource.type);
  resourceEvent(world, stack, resource, "DELETE_IN_PROGRESS");
  const failed = (reason: string): void => {
    resourceEvent(world, stack, resource, "DELETE_FAILED", reason);
    done(reason);
  };
  const planned = plannedFailure(world, resource, "delete");
  if (planned !== null) {
    later(world, stack, stepMs, () => failed(planned));
    return;
  }
  const removing = attempt(() => {
    requireRights(place(world, stack, resource), "delete");
    kind.remove?.(place(world, stack, resource));
  });
  if (removing !== null) {
    later(world, stack, stepMs, () => failed(removing));
    return;
  }
  const look = (): void => {
    if (kind.gone?.(place(world, stack, resource)) === false) {
      later(world, stack, pollMs, look);
      return;
    }
    world.tagged.delete(textOf(resource.attributes.$arn));
    resourceEvent(world, stack, resource, "DELETE_COMPLETE");
    done(null);
  };
  later(world, stack, kind.deleteMs?.(world) ?? stepMs, look);
}

/** Leaves a resource where it is and forgets it. */
export function keepResource(world: World, stack: StackRecord, resource: StackResource): void {
  resourceEvent(world, stack, resource, "DELETE_SKIPPED");
}
