/** What a type of resource is in this account: how it comes, changes and goes. */
import type { Json } from "../json.ts";
import type { StackRecord, StackResource } from "../stacks/stack.ts";
import type { World } from "../world.ts";

/** A resource in its stack, with its resolved properties. */
export interface ResourceAt {
  readonly world: World;
  readonly stack: StackRecord;
  readonly resource: StackResource;
  readonly properties: Readonly<Record<string, Json>>;
  /** Tags of the stack and of the resource. */
  readonly tags: Readonly<Record<string, string>>;
}

/** What came into being. */
export interface Created {
  readonly physicalId: string;
  readonly attributes?: Readonly<Record<string, Json>>;
  /** ARN under which the sweep finds it, if it can. */
  readonly arn?: string;
}

/** A type of resource. Whatever throws fails the resource with the error's message. */
export interface Kind {
  /** How long creation takes at least. */
  readonly createMs?: (world: World) => number;
  readonly deleteMs?: (world: World) => number;
  readonly create: (at: ResourceAt) => Created;
  /** Whether it has stabilised; a text is the reason why it never will. */
  readonly ready?: (at: ResourceAt) => boolean | string;
  /** Changes it in place; without it, a change replaces the resource. */
  readonly update?: (at: ResourceAt) => void;
  readonly remove?: (at: ResourceAt) => void;
  /** Whether its removal is over; without it, at once. */
  readonly gone?: (at: ResourceAt) => boolean;
}
