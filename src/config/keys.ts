/** The keys of the configuration, read from its JSON schema: for error messages and the guide. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

/** The parts of a JSON schema that the configuration's schema uses. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly propertyNames?: SchemaNode;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** A place in the configuration: keys and list indices. */
export type KeyPath = readonly PropertyKey[];

let made: SchemaNode | null = null;

/** The JSON schema of what a user may write; made once, which takes some milliseconds. */
export function jsonSchema(): SchemaNode {
  made ??= z.toJSONSchema(configSchema, { io: "input", target: "draft-07" }) as SchemaNode;
  return made;
}

/** The part of the schema that describes `path`; `null` where the schema knows no such place. */
export function nodeAt(root: SchemaNode, path: KeyPath): SchemaNode | null {
  let node: SchemaNode | undefined = root;
  for (const key of path) {
    if (typeof key === "number") node = node.items;
    else node = node.properties?.[String(key)] ?? recordValue(node);
    if (node === undefined) return null;
  }
  return node;
}

function recordValue(node: SchemaNode): SchemaNode | undefined {
  return typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
}

/** `load.requests[2].path`, as a user would write it. */
export function pathText(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const part = String(key).slice(0, 80);
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** One leaf of the schema with the path that the guide shows. */
export interface Leaf {
  readonly path: string;
  readonly node: SchemaNode;
  readonly required: boolean;
}

/** All leaves, in the schema's order; entries of a list have `[]` in their path. */
export function leaves(node: SchemaNode, path = "", required = false): readonly Leaf[] {
  const own = path === "" || node.properties ? [] : [{ path, node, required }];
  const inside = Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    leaves(child, path === "" ? key : `${path}.${key}`, node.required?.includes(key) ?? false),
  );
  const entries = node.items?.properties ? leaves(node.items, `${path}[]`) : [];
  return [...own, ...inside, ...entries];
}
