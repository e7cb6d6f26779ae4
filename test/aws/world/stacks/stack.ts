/** What CloudFormation knows of a stack, and its events. */
import type { Json } from "../json.ts";
import { isObject, objectOf, textOf } from "../json.ts";
import {
  activeResources,
  conditionHolds,
  resolve,
  type Scope,
  type Template,
} from "../template.ts";
import type { World } from "../world.ts";

/** One resource of a stack. */
export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  physicalId: string;
  /** What GetAtt can read. */
  attributes: Record<string, Json>;
  properties: Readonly<Record<string, Json>>;
  status: string;
  reason: string;
  updatedMs: number;
  retain: boolean;
}

/** One line of a stack's history. */
export interface StackEvent {
  readonly id: string;
  readonly atMs: number;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly token: string;
  readonly operationId: string;
}

/** A change that was planned and not executed yet. */
export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly type: "CREATE" | "UPDATE";
  readonly request: StackRequest;
  readonly changes: readonly { readonly action: string; readonly logicalId: string }[];
  readonly createdMs: number;
  readonly reason: string;
  status: "CREATE_COMPLETE" | "FAILED";
  execution: "AVAILABLE" | "EXECUTE_COMPLETE" | "UNAVAILABLE";
}

/** What a stack is asked to become. */
export interface StackRequest {
  readonly templateBody: string;
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly roleArn: string;
  readonly token: string;
  readonly capabilities: readonly string[];
  readonly onFailure: "DELETE" | "ROLLBACK" | "DO_NOTHING";
}

/** A stack. */
export interface StackRecord {
  readonly id: string;
  readonly name: string;
  readonly createdMs: number;
  readonly resources: Map<string, StackResource>;
  readonly events: StackEvent[];
  readonly changeSets: ChangeSet[];
  status: string;
  reason: string;
  request: StackRequest;
  /** Resolved parameters, pseudo parameters among them. */
  values: Readonly<Record<string, Json>>;
  outputs: readonly { readonly key: string; readonly value: string; readonly exportName: string }[];
  updatedMs: number | null;
  deletedMs: number | null;
  protected: boolean;
  /** What readers see for a moment after an operation was accepted; `null` = no such stack yet. */
  shown: { readonly status: string | null; readonly untilMs: number };
  /** Grows with each operation: what an older one still had planned is void. */
  generation: number;
  operationId: string;
}

/** The living stack of a name, or any stack by its id. */
export function findStack(world: World, nameOrId: string): StackRecord | null {
  const byId = world.stacks.find(({ id }) => id === nameOrId);
  if (byId) return byId;
  return (
    world.stacks.find(({ name, status }) => name === nameOrId && status !== "DELETE_COMPLETE") ??
    null
  );
}

/** Whether readers can see the stack already: what was accepted takes a moment to show. */
export function isVisible(world: World, { shown }: StackRecord): boolean {
  return shown.status !== null || shown.untilMs <= world.nowMs;
}

/** The status that readers see. */
export function shownStatus(world: World, { shown, status }: StackRecord): string {
  return shown.status !== null && shown.untilMs > world.nowMs ? shown.status : status;
}

/** Where the stack's template finds its values. */
export function scopeOf(stack: StackRecord): Scope {
  return {
    template: stack.request.template,
    parameters: stack.values,
    refOf: (logicalId) => stack.resources.get(logicalId)?.physicalId || undefined,
    attributeOf: (logicalId, name) => stack.resources.get(logicalId)?.attributes[name],
  };
}

/** Notes what happened to a resource. */
export function resourceEvent(
  world: World,
  stack: StackRecord,
  resource: StackResource,
  status: string,
  reason = "",
): void {
  resource.status = status;
  resource.reason = reason;
  resource.updatedMs = world.nowMs;
  addEvent(world, stack, resource.logicalId, resource.physicalId, resource.type, status, reason);
}

/** Notes what happened to the stack itself. */
export function stackEvent(world: World, stack: StackRecord, status: string, reason = ""): void {
  stack.status = status;
  stack.reason = reason;
  addEvent(world, stack, stack.name, stack.id, "AWS::CloudFormation::Stack", status, reason);
}

function addEvent(
  world: World,
  stack: StackRecord,
  logicalId: string,
  physicalId: string,
  type: string,
  status: string,
  reason: string,
): void {
  stack.events.push({
    id: `${logicalId}-${status}-${world.uniqueId(8)}`,
    atMs: world.nowMs,
    logicalId,
    physicalId,
    type,
    status,
    reason,
    token: stack.request.token,
    operationId: stack.operationId,
  });
}

/** A resource as its template declares it, not yet created. */
export function declaredResource(stack: StackRecord, logicalId: string): StackResource {
  const declared = objectOf(stack.request.template.Resources[logicalId]);
  return {
    logicalId,
    type: textOf(declared.Type),
    physicalId: "",
    attributes: {},
    properties: {},
    status: "",
    reason: "",
    updatedMs: 0,
    retain: textOf(declared.DeletionPolicy).startsWith("Retain"),
  };
}

/** The resource's properties with all references resolved; possible once these exist. */
export function resolvedProperties(
  stack: StackRecord,
  logicalId: string,
): Readonly<Record<string, Json>> {
  const declared = objectOf(stack.request.template.Resources[logicalId]);
  const resolved = resolve(scopeOf(stack), declared.Properties ?? {});
  return isObject(resolved) ? (resolved as Readonly<Record<string, Json>>) : {};
}

/** Evaluates the outputs whose conditions hold. */
export function takeOutputs(stack: StackRecord): void {
  const scope = scopeOf(stack);
  stack.outputs = Object.entries(objectOf(stack.request.template.Outputs)).flatMap(
    ([key, json]) => {
      const { Condition, Value, Export } = objectOf(json);
      if (Condition !== undefined && !conditionHolds(scope, textOf(Condition))) return [];
      const exportName = textOf(resolve(scope, objectOf(Export).Name ?? ""));
      return [{ key, value: textOf(resolve(scope, Value)), exportName }];
    },
  );
}

/** Logical ids that the stack should have now. */
export function wantedResources(stack: StackRecord): readonly string[] {
  return activeResources(scopeOf(stack));
}

/** Takes one planned failure of this resource, if there is one. */
export function plannedFailure(
  world: World,
  resource: StackResource,
  operation: "create" | "update" | "delete",
): string | null {
  const plan = world.plannedFailures.find(
    (one) =>
      one.times > 0 &&
      one.operation === operation &&
      (one.resource === resource.logicalId || one.resource === resource.type),
  );
  if (!plan) return null;
  plan.times -= 1;
  return plan.reason;
}
