/** Turns what the schema objects to into sentences that say what to write instead. */
import type { z } from "zod";
import { type ErrorCode, errorCodes } from "./errors.ts";
import { jsonSchema, type KeyPath, leaves, nodeAt, pathText, type SchemaNode } from "./keys.ts";
import { nearest } from "./nearest.ts";

/** One thing that is wrong with a configuration. */
export interface Problem {
  readonly code: ErrorCode;
  /** The key, as a user would write it; empty for the configuration as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** All problems of `raw`; unknown keys come first, because they often explain the others. */
export function problemsOf(raw: unknown, issues: readonly z.core.$ZodIssue[]): readonly Problem[] {
  const schema = jsonSchema();
  const isUnknown = (issue: z.core.$ZodIssue): boolean => issue.code === "unrecognized_keys";
  const ordered = [...issues.filter(isUnknown), ...issues.filter((issue) => !isUnknown(issue))];
  return ordered.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => unknownKey(schema, issue.path, key));
    }
    if (issue.path[0] === "command" && valueAt(raw, issue.path) === undefined) {
      return [commandMissing];
    }
    return [isOurs(issue) ? ownProblem(issue) : invalidValue(schema, raw, issue)];
  });
}

const commandMissing: Problem = {
  code: "COMMAND_MISSING",
  path: "command",
  message: "the configuration does not say how the service is started",
  hint: 'Add "command", for example "command": "node server.js".',
};

function unknownKey(schema: SchemaNode, path: KeyPath, key: string): Problem {
  const valid = Object.keys(nodeAt(schema, path)?.properties ?? {});
  const near = nearest(key, valid);
  const place = path.length === 0 ? "the configuration" : pathText(path);
  return {
    code: "CONFIG_KEY_UNKNOWN",
    path: pathText([...path, key]),
    message: near === null ? `there is no such key${elsewhere(schema, key)}` : didYouMean([near]),
    hint: `Valid keys of ${place}: ${valid.join(", ")}.`,
  };
}

function didYouMean(keys: readonly string[]): string {
  return `there is no such key, did you mean ${keys.map((key) => `"${key}"`).join(" or ")}?`;
}

/** Names the places where the same key exists, for keys that were put into the wrong section. */
function elsewhere(schema: SchemaNode, key: string): string {
  const places = leaves(schema)
    .map(({ path }) => path)
    .filter((path) => path.endsWith(`.${key}`));
  if (places.length === 0) return "";
  return ` here, did you mean ${places.map((path) => `"${path}"`).join(" or ")}?`;
}

interface OwnIssue extends z.core.$ZodIssueCustom {
  readonly params: { readonly code: ErrorCode; readonly hint: string };
}

/** Whether a check of ours made the issue: it carries a code and a hint. */
function isOurs(issue: z.core.$ZodIssue): issue is OwnIssue {
  return issue.code === "custom" && String(issue.params?.code) in errorCodes;
}

function ownProblem({ path, message, params }: OwnIssue): Problem {
  return { code: params.code, path: pathText(path), message, hint: params.hint };
}

function invalidValue(schema: SchemaNode, raw: unknown, issue: z.core.$ZodIssue): Problem {
  const node = nodeAt(schema, issue.path) ?? {};
  const isKey = issue.code === "invalid_key";
  const worded = isKey ? issue.issues[0]?.message : issue.message;
  const expected = isKey || issue.code === "invalid_format" ? worded : expectation(node);
  const found = isKey ? issue.path.at(-1) : valueAt(raw, issue.path);
  return {
    code: "CONFIG_VALUE_INVALID",
    path: pathText(issue.path),
    message: `expected ${expected}, found ${valueText(found)}`,
    hint: isKey ? "" : exampleOf(node),
  };
}

/** Shows a valid value, or the keys of a section. */
function exampleOf(node: SchemaNode): string {
  if (node.properties) return `Its keys: ${Object.keys(node.properties).join(", ")}.`;
  const example = node.examples?.[0] ?? node.default;
  return example === undefined ? (node.description ?? "") : `Example: ${JSON.stringify(example)}.`;
}

/** What a part of the schema accepts, in words. */
export function expectation(node: SchemaNode): string {
  if (node.anyOf) return node.anyOf.map(expectation).join(" or ");
  if (node.enum) return `one of ${node.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  if (node.type === "integer" || node.type === "number") {
    return `a ${node.type === "integer" ? "whole " : ""}number${range(node)}`;
  }
  if (node.type === "string") return node.minLength ? "a text that is not empty" : "a text";
  if (node.type === "array") return `a list${size(node)} of ${plural(node.items ?? {})}`;
  if (node.type === "object") return "an object";
  if (node.type === "boolean") return "true or false";
  return node.type ?? "any value";
}

function range({ minimum, maximum }: SchemaNode): string {
  return minimum === undefined || maximum === undefined ? "" : ` from ${minimum} to ${maximum}`;
}

function size({ minItems = 0, maxItems }: SchemaNode): string {
  if (maxItems === undefined) return minItems > 0 ? ` (at least ${minItems})` : "";
  return ` (${minItems} to ${maxItems})`;
}

function plural(node: SchemaNode): string {
  if (node.type === "integer") return `whole numbers${range(node)}`;
  if (node.type === "object") return "objects";
  if (node.type === "string") return "texts";
  return "values";
}

function valueAt(raw: unknown, path: KeyPath): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A value with its type, short enough for a message. */
export function valueText(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    return "a value that is not JSON";
  }
  const short = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return typeof value === "string" ? `the text ${short}` : short;
}
