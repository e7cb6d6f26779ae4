/** What an emulated service is: a protocol, its operations, and what IAM asks about each. */
import type { World } from "../world/world.ts";
import type { Protocol } from "./wire/protocol.ts";

/** What IAM decides on: an action on a resource under conditions. */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  /** Condition keys with their values. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** One operation. Its input has the members that the API documents. */
export interface Operation {
  readonly run: (input: never, world: World) => unknown;
  /** Several when one call needs several rights, as CreateStack with a role does. */
  readonly access: (input: never, world: World) => readonly AccessRequest[];
}

/** One service. */
export interface Service {
  /** Its name in the credential scope of a signature. */
  readonly scope: string;
  readonly protocol: Protocol;
  readonly operations: Readonly<Record<string, Operation>>;
}

/** An operation on resources that IAM names. */
export function operation<Input>(
  run: (input: Input, world: World) => unknown,
  access: (input: Input, world: World) => readonly AccessRequest[],
): Operation {
  return { run, access };
}

/** Access to one resource. */
export function access(
  action: string,
  resource: string,
  context: AccessRequest["context"] = {},
): readonly AccessRequest[] {
  return [{ action, resource, context }];
}
