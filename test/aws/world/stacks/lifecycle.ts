/** A stack's operations: create, update, delete, and the ways in which they fail. */
import { trusts } from "../handlers.ts";
import { dependenciesOf, resolveParameters, TemplateError } from "../template.ts";
import type { World } from "../world.ts";
import { arnOf } from "../world.ts";
import { inOrder } from "./order.ts";
import { createResource, keepResource, removeResource, updateResource } from "./resource.ts";
import {
  declaredResource,
  findStack,
  resourceEvent,
  type StackRecord,
  type StackRequest,
  type StackResource,
  stackEvent,
  takeOutputs,
  wantedResources,
} from "./stack.ts";

/** Thrown for a request that CloudFormation refuses at once. */
export class StackError extends Error {
  override readonly name: string = "ValidationError";
}

/** Thrown by CreateStack when the name is taken. */
export class StackExistsError extends StackError {
  override readonly name: string = "AlreadyExistsException";
}

/** A stack without resources yet: what CreateStack and a first change set begin with. */
export function newStack(world: World, name: string, request: StackRequest): StackRecord {
  const hex = (length: number): string =>
    Array.from({ length }, () => Math.floor(world.random() * 16).toString(16)).join("");
  const id = [8, 4, 4, 4, 12].map(hex).join("-");
  const stack: StackRecord = {
    id: arnOf(world, "cloudformation", `stack/${name}/${id}`),
    name,
    createdMs: world.nowMs,
    resources: new Map(),
    events: [],
    changeSets: [],
    status: "REVIEW_IN_PROGRESS",
    reason: "",
    request,
    values: {},
    outputs: [],
    updatedMs: null,
    deletedMs: null,
    protected: false,
    shown: { status: null, untilMs: world.nowMs + world.stackLagMs() },
    generation: 0,
    operationId: world.uniqueId(36),
  };
  stack.values = parameterValues(world, stack, request);
  world.stacks.push(stack);
  return stack;
}

function parameterValues(
  world: World,
  stack: StackRecord,
  request: StackRequest,
): StackRecord["values"] {
  const pseudo = {
    "AWS::AccountId": world.account,
    "AWS::Region": world.region,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": stack.name,
    "AWS::StackId": stack.id,
    "AWS::NotificationARNs": [],
  };
  const { template, parameters } = request;
  return resolveParameters(template, parameters, pseudo, (name) => world.parameters.get(name));
}

/** Whether both ask for the same. */
export function sameRequest(a: StackRequest, b: StackRequest): boolean {
  const essence = ({ template, parameters, tags }: StackRequest): string =>
    JSON.stringify([template, parameters, tags]);
  return essence(a) === essence(b);
}

/** Accepts a new stack and begins to create it. */
export function createStack(world: World, name: string, request: StackRequest): StackRecord {
  const existing = findStack(world, name);
  if (existing) {
    // The same client token again is the same request again.
    if (request.token !== "" && existing.request.token === request.token) return existing;
    throw new StackExistsError(`Stack [${name}] already exists`);
  }
  requireRole(world, request.roleArn);
  const stack = newStack(world, name, request);
  beginCreation(world, stack);
  return stack;
}

/** Refuses a role that CloudFormation may not take: it does so before it begins. */
function requireRole(world: World, roleArn: string): void {
  const role = [...world.roles.values()].find(({ arn }) => arn === roleArn);
  if (!role || role.policies.size === 0 || trusts(role.trust, null, world.account)) return;
  throw new StackError(`Role ${roleArn} is invalid or cannot be assumed`);
}

/** Creates everything of a stack that has nothing yet. */
export function beginCreation(world: World, stack: StackRecord): void {
  begin(world, stack);
  stackEvent(world, stack, "CREATE_IN_PROGRESS", "User Initiated");
  const names = wantedResources(stack);
  for (const name of names) stack.resources.set(name, declaredResource(stack, name));
  inOrder(
    names,
    (name) => needed(stack, name),
    (name, done) => createResource(world, stack, resourceOf(stack, name), done),
    (failed, untouched) => {
      if (failed.length > 0) return giveUpCreation(world, stack, failed, untouched);
      takeOutputs(stack);
      stackEvent(world, stack, "CREATE_COMPLETE");
    },
    { stopAtFailure: true },
  );
}

function giveUpCreation(
  world: World,
  stack: StackRecord,
  failed: readonly string[],
  untouched: readonly string[],
): void {
  cancel(world, stack, untouched, "CREATE_FAILED", "Resource creation cancelled");
  const why = `The following resource(s) failed to create: [${failed.join(", ")}].`;
  const { onFailure } = stack.request;
  if (onFailure === "DO_NOTHING") {
    stackEvent(world, stack, "CREATE_FAILED", why);
    return;
  }
  if (onFailure === "DELETE") {
    removeAll(world, stack, `${why} Delete requested by user.`, [], "DELETE");
    return;
  }
  removeAll(world, stack, `${why} Rollback requested by user.`, [], "ROLLBACK");
}

function cancel(
  world: World,
  stack: StackRecord,
  names: readonly string[],
  status: string,
  reason: string,
): void {
  stack.generation += 1;
  for (const name of names) {
    const resource = resourceOf(stack, name);
    if (resource.status.endsWith("_IN_PROGRESS")) {
      resourceEvent(world, stack, resource, status, reason);
    }
  }
}

/** How a stack is deleted. */
export interface Deletion {
  readonly token: string;
  /** Resources that are left where they are; only for a stack whose deletion has failed. */
  readonly retain?: readonly string[];
  /** Whether what cannot be deleted is left behind. */
  readonly force?: boolean;
}

/** Begins to delete a stack; one that is gone or going is left alone. */
export function deleteStack(world: World, stack: StackRecord, deletion: Deletion): void {
  const { token, retain = [], force = false } = deletion;
  if (stack.status === "DELETE_COMPLETE" || stack.status === "DELETE_IN_PROGRESS") return;
  if (stack.protected) {
    throw new StackError(
      `Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`,
    );
  }
  if (/^UPDATE_.*IN_PROGRESS$|^ROLLBACK_IN_PROGRESS$/.test(stack.status)) {
    throw new StackError(`Stack [${stack.id}] cannot be deleted while in status ${stack.status}`);
  }
  if (retain.length > 0 && stack.status !== "DELETE_FAILED") {
    throw new StackError("Retained resources can only be specified for a stack in DELETE_FAILED");
  }
  stack.shown = { status: stack.status, untilMs: world.nowMs + world.stackLagMs() };
  if (force && stack.status !== "DELETE_FAILED") {
    throw new StackError("FORCE_DELETE_STACK is only for a stack in DELETE_FAILED");
  }
  stack.request = { ...stack.request, token };
  removeAll(world, stack, "User Initiated", retain, "DELETE", force);
}

function removeAll(
  world: World,
  stack: StackRecord,
  reason: string,
  retain: readonly string[],
  verb: "DELETE" | "ROLLBACK",
  force = false,
): void {
  begin(world, stack);
  stackEvent(world, stack, `${verb}_IN_PROGRESS`, reason);
  const names = [...stack.resources.values()]
    .filter(({ status }) => !status.startsWith("DELETE_COMPLETE") && status !== "DELETE_SKIPPED")
    .map(({ logicalId }) => logicalId);
  inOrder(
    names,
    (name) => names.filter((other) => needed(stack, other).includes(name)),
    (name, done) => {
      const resource = resourceOf(stack, name);
      const kept = retain.includes(name) || (resource.retain && verb === "DELETE");
      if (!kept) {
        removeResource(world, stack, resource, (failure) => {
          if (force && failure !== null) keepResource(world, stack, resource);
          done(force ? null : failure);
        });
        return;
      }
      keepResource(world, stack, resource);
      done(null);
    },
    (failed) => {
      if (failed.length > 0) {
        const why = `The following resource(s) failed to delete: [${failed.join(", ")}]. `;
        return stackEvent(world, stack, `${verb}_FAILED`, why);
      }
      stack.deletedMs = verb === "DELETE" ? world.nowMs : null;
      stackEvent(world, stack, `${verb}_COMPLETE`);
    },
    { stopAtFailure: false },
  );
}

/** Accepts an update and begins it. */
export function updateStack(world: World, stack: StackRecord, request: StackRequest): void {
  const { status } = stack;
  const token = stack.request.token;
  if (request.token !== "" && token === request.token && status.startsWith("UPDATE_")) return;
  if (!/^(CREATE_COMPLETE|UPDATE_COMPLETE|UPDATE_ROLLBACK_COMPLETE)$/.test(status)) {
    throw new StackError(`Stack:${stack.id} is in ${status} state and can not be updated.`);
  }
  if (sameRequest(stack.request, request)) throw new StackError("No updates are to be performed.");
  const before = { request: stack.request, values: stack.values };
  const values = parameterValues(world, stack, request);
  begin(world, stack);
  stack.request = request;
  stack.values = values;
  stack.updatedMs = world.nowMs;
  stackEvent(world, stack, "UPDATE_IN_PROGRESS", "User Initiated");
  applyChanges(world, stack, (failed, untouched) => {
    if (failed.length > 0) return rollBackUpdate(world, stack, before, failed, untouched);
    cleanUp(world, stack, "UPDATE");
  });
}

type Before = Pick<StackRecord, "request" | "values">;

/** Brings every wanted resource to what the request says, creating what is new. */
function applyChanges(
  world: World,
  stack: StackRecord,
  finished: (failed: readonly string[], untouched: readonly string[]) => void,
): void {
  const names = wantedResources(stack);
  inOrder(
    names,
    (name) => needed(stack, name).filter((other) => names.includes(other)),
    (name, done) => {
      const existing = stack.resources.get(name);
      if (existing && existing.physicalId !== "" && !existing.status.startsWith("DELETE_")) {
        return updateResource(world, stack, existing, done);
      }
      const fresh = declaredResource(stack, name);
      stack.resources.set(name, fresh);
      createResource(world, stack, fresh, done);
    },
    finished,
    { stopAtFailure: true },
  );
}

function rollBackUpdate(
  world: World,
  stack: StackRecord,
  before: Before,
  failed: readonly string[],
  untouched: readonly string[],
): void {
  cancel(world, stack, untouched, "UPDATE_FAILED", "Resource update cancelled");
  const why = `The following resource(s) failed to update: [${failed.join(", ")}]. `;
  begin(world, stack);
  stack.request = { ...before.request, token: stack.request.token };
  stack.values = before.values;
  stackEvent(world, stack, "UPDATE_ROLLBACK_IN_PROGRESS", why);
  restore(world, stack);
}

function restore(world: World, stack: StackRecord): void {
  applyChanges(world, stack, (failed) => {
    if (failed.length > 0) {
      const why = `The following resource(s) failed to update: [${failed.join(", ")}]. `;
      return stackEvent(world, stack, "UPDATE_ROLLBACK_FAILED", why);
    }
    cleanUp(world, stack, "UPDATE_ROLLBACK");
  });
}

/** Tries again to get back to what was before a failed update. */
export function continueRollback(world: World, stack: StackRecord): void {
  if (stack.status !== "UPDATE_ROLLBACK_FAILED") {
    throw new StackError(`Stack [${stack.id}] is in ${stack.status} state and can not be rolled`);
  }
  begin(world, stack);
  stackEvent(world, stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated");
  restore(world, stack);
}

/** Removes what the new template does not have; what cannot be removed is left behind. */
function cleanUp(world: World, stack: StackRecord, verb: "UPDATE" | "UPDATE_ROLLBACK"): void {
  stackEvent(world, stack, `${verb}_COMPLETE_CLEANUP_IN_PROGRESS`);
  const wanted = new Set(wantedResources(stack));
  const surplus = [...stack.resources.values()].filter(
    ({ logicalId, status }) => !wanted.has(logicalId) && !status.startsWith("DELETE_"),
  );
  const names = surplus.map(({ logicalId }) => logicalId);
  inOrder(
    names,
    (name) => names.filter((other) => needed(stack, other).includes(name)),
    (name, done) => removeResource(world, stack, resourceOf(stack, name), done),
    () => {
      takeOutputs(stack);
      stackEvent(world, stack, `${verb}_COMPLETE`);
    },
    { stopAtFailure: false },
  );
}

function begin(world: World, stack: StackRecord): void {
  stack.generation += 1;
  stack.operationId = world.uniqueId(36);
}

function needed(stack: StackRecord, name: string): readonly string[] {
  const { template } = stack.request;
  if (template.Resources[name] === undefined) return [];
  return [...dependenciesOf(template, name)].filter((other) => stack.resources.has(other));
}

function resourceOf(stack: StackRecord, name: string): StackResource {
  const resource = stack.resources.get(name);
  if (!resource) throw new TemplateError(`no resource ${name}`);
  return resource;
}
