/** What CloudFormation makes of a template: conditions, intrinsic functions, dependencies. */
import { isObject, type Json, type JsonObject, listOf, objectOf, textOf } from "./json.ts";

/** A parsed template. */
export interface Template extends JsonObject {
  readonly Resources: JsonObject;
}

/** Where intrinsic functions find their values. */
export interface Scope {
  readonly template: Template;
  /** Parameters and pseudo parameters by name; lists are lists. */
  readonly parameters: Readonly<Record<string, Json>>;
  /** `Ref` of a resource; `undefined` if it does not exist yet. */
  readonly refOf: (logicalId: string) => string | undefined;
  readonly attributeOf: (logicalId: string, attribute: string) => Json | undefined;
}

/** Thrown for a template that CloudFormation would refuse. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** Stands for `AWS::NoValue`: whoever holds it drops the property. */
const noValue = Symbol("AWS::NoValue");

type Value = Json | typeof noValue;

/** Reads a template from its text. Only JSON: that is what the CDK writes. */
export function parseTemplate(body: string): Template {
  let parsed: Json;
  try {
    parsed = JSON.parse(body) as Json;
  } catch {
    throw new TemplateError("Template format error: JSON not well-formed.");
  }
  const template = objectOf(parsed);
  if (!isObject(template.Resources)) {
    throw new TemplateError(
      "Template format error: At least one Resources member must be defined.",
    );
  }
  return template as Template;
}

/** Parameters as given, with defaults, lists split; refuses what is missing or not allowed. */
export function resolveParameters(
  template: Template,
  given: Readonly<Record<string, string>>,
  pseudo: Readonly<Record<string, Json>>,
  ssm: (name: string) => string | undefined,
): Record<string, Json> {
  const declared = objectOf(template.Parameters);
  const unknown = Object.keys(given).filter((name) => declared[name] === undefined);
  if (unknown.length > 0) {
    throw new TemplateError(`Parameters: [${unknown.join(", ")}] do not exist in the template`);
  }
  const values: Record<string, Json> = { ...pseudo };
  for (const [name, json] of Object.entries(declared)) {
    const parameter = objectOf(json);
    const type = textOf(parameter.Type);
    const value = given[name] ?? parameter.Default;
    if (value === undefined) throw new TemplateError(`Parameters: [${name}] must have values`);
    const text = type.startsWith("AWS::SSM::Parameter") ? ssm(textOf(value)) : textOf(value);
    if (text === undefined) {
      throw new TemplateError(`Unable to fetch parameters [${textOf(value)}] from parameter store`);
    }
    checkParameter(name, parameter, text);
    const isList = type === "CommaDelimitedList" || type.startsWith("List<");
    values[name] = isList ? text.split(",").filter((item) => item !== "") : text;
  }
  return values;
}

function checkParameter(name: string, parameter: JsonObject, text: string): void {
  const allowed = listOf(parameter.AllowedValues).map(textOf);
  if (allowed.length > 0 && !allowed.includes(text)) {
    throw new TemplateError(
      `Parameter '${name}' must be one of AllowedValues: [${allowed.join(", ")}]`,
    );
  }
  const pattern = parameter.AllowedPattern;
  if (typeof pattern === "string" && !new RegExp(`^(?:${pattern})$`).test(text)) {
    throw new TemplateError(`Parameter ${name} failed to satisfy constraint: ${pattern}`);
  }
  if (parameter.Type === "Number" && !Number.isFinite(Number(text || "x"))) {
    throw new TemplateError(`Parameter ${name} must be a number.`);
  }
}

/** The logical ids whose condition holds. */
export function activeResources(scope: Scope): readonly string[] {
  return Object.entries(scope.template.Resources)
    .filter(([, json]) => {
      const condition = objectOf(json).Condition;
      return condition === undefined || conditionHolds(scope, textOf(condition));
    })
    .map(([logicalId]) => logicalId);
}

/** Whether a named condition of the template holds. */
export function conditionHolds(scope: Scope, name: string): boolean {
  const body = objectOf(scope.template.Conditions)[name];
  if (body === undefined) throw new TemplateError(`Unresolved condition ${name}`);
  return truth(scope, body);
}

function truth(scope: Scope, json: Json): boolean {
  const body = objectOf(json);
  if (body.Condition !== undefined) return conditionHolds(scope, textOf(body.Condition));
  const [name = "", argument] = Object.entries(body)[0] ?? [];
  const all = listOf(argument);
  if (name === "Fn::Equals") {
    const [left, right] = all.map((side) => textOf(resolve(scope, side)));
    return left === right;
  }
  if (name === "Fn::Not") return !truth(scope, all[0] ?? null);
  if (name === "Fn::And") return all.every((part) => truth(scope, part));
  if (name === "Fn::Or") return all.some((part) => truth(scope, part));
  throw new TemplateError(`Unsupported condition ${name}`);
}

/** A property tree with every intrinsic function replaced by its value. */
export function resolve(scope: Scope, json: Json | undefined): Json {
  const value = evaluate(scope, json ?? null);
  return value === noValue ? null : value;
}

function evaluate(scope: Scope, json: Json): Value {
  if (Array.isArray(json)) {
    return (json as readonly Json[]).flatMap((item) => {
      const value = evaluate(scope, item);
      return value === noValue ? [] : [value];
    });
  }
  if (!isObject(json)) return json;
  const entries = Object.entries(json);
  const [name, argument] = entries.length === 1 ? (entries[0] ?? []) : [];
  if (name === "Ref") return reference(scope, textOf(argument));
  if (name?.startsWith("Fn::")) return callFunction(scope, name, argument ?? null);
  const resolved: Record<string, Json> = {};
  for (const [key, child] of entries) {
    const value = evaluate(scope, child ?? null);
    if (value !== noValue) resolved[key] = value;
  }
  return resolved;
}

function reference(scope: Scope, name: string): Value {
  if (name === "AWS::NoValue") return noValue;
  const value = scope.parameters[name] ?? scope.refOf(name);
  if (value === undefined) throw new TemplateError(`Unresolved resource dependency [${name}]`);
  return value;
}

function attribute(scope: Scope, logicalId: string, name: string): Json {
  const value = scope.attributeOf(logicalId, name);
  if (value === undefined) throw new TemplateError(`Unresolved attribute ${logicalId}.${name}`);
  return value;
}

function callFunction(scope: Scope, name: string, argument: Json): Value {
  const list = (): readonly Json[] => listOf(resolve(scope, argument));
  switch (name) {
    case "Fn::If": {
      const [condition, yes = null, no = null] = listOf(argument);
      return evaluate(scope, conditionHolds(scope, textOf(condition)) ? yes : no);
    }
    case "Fn::GetAtt": {
      const [logicalId = "", ...path] =
        typeof argument === "string" ? argument.split(".") : listOf(argument).map(textOf);
      return attribute(scope, logicalId, path.join("."));
    }
    case "Fn::Sub":
      return substitute(scope, argument);
    case "Fn::Join": {
      const [separator, parts] = list();
      return listOf(parts).map(textOf).join(textOf(separator));
    }
    case "Fn::Select": {
      const [index, items] = list();
      return listOf(items)[Number(index)] ?? "";
    }
    case "Fn::Split": {
      const [separator, text] = list();
      return textOf(text).split(textOf(separator));
    }
    case "Fn::FindInMap": {
      const [map, first, second] = list().map(textOf);
      const table = objectOf(objectOf(scope.template.Mappings)[map ?? ""]);
      return objectOf(table[first ?? ""])[second ?? ""] ?? "";
    }
    case "Fn::GetAZs": {
      const region = textOf(scope.parameters["AWS::Region"]);
      return [`${region}a`, `${region}b`, `${region}c`];
    }
    case "Fn::Base64":
      return Buffer.from(textOf(resolve(scope, argument))).toString("base64");
    default:
      throw new TemplateError(`Unsupported function ${name}`);
  }
}

function substitute(scope: Scope, argument: Json): string {
  const [text, variables] = typeof argument === "string" ? [argument, {}] : listOf(argument);
  const given = objectOf(resolve(scope, variables));
  return textOf(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (_, escaped: string, name: string) => {
    if (escaped) return `\${${name}}`;
    if (given[name] !== undefined) return textOf(given[name]);
    const [logicalId = "", ...path] = name.split(".");
    if (path.length > 0) return textOf(attribute(scope, logicalId, path.join(".")));
    return textOf(resolve(scope, { Ref: name }));
  });
}

/** The logical ids that a resource needs first: references anywhere in it, and `DependsOn`. */
export function dependenciesOf(template: Template, logicalId: string): ReadonlySet<string> {
  const resource = objectOf(template.Resources[logicalId]);
  const found = new Set<string>();
  const needs = (name: string): void => {
    if (name !== logicalId && template.Resources[name] !== undefined) found.add(name);
  };
  for (const name of [resource.DependsOn ?? []].flat()) needs(textOf(name as Json));
  walk({ properties: resource.Properties ?? {}, metadata: resource.Metadata ?? {} }, needs);
  return found;
}

function walk(json: Json | undefined, needs: (name: string) => void): void {
  if (Array.isArray(json)) {
    for (const item of json as readonly Json[]) walk(item, needs);
    return;
  }
  if (!isObject(json)) return;
  for (const [key, value] of Object.entries(json)) {
    if (key === "Ref") needs(textOf(value));
    if (key === "Fn::GetAtt") {
      needs(typeof value === "string" ? (value.split(".")[0] ?? "") : textOf(listOf(value)[0]));
    }
    if (key === "Fn::Sub") {
      const text = typeof value === "string" ? value : textOf(listOf(value)[0]);
      for (const [, name = ""] of text.matchAll(/\$\{([^!}][^}]*)\}/g)) {
        needs(name.split(".")[0] ?? "");
      }
    }
    walk(value, needs);
  }
}
