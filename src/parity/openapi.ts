/**
 * Requests out of an OpenAPI 3 or Swagger 2 document: one for each operation, made of its examples
 * and, where it has none, of the simplest values that its schemas allow.
 */
import type { ReplayRequest } from "./observed.ts";
import { isTarget, sendableFields } from "./sendable.ts";

/** Operations that are taken; a document can describe more than anybody wants to send. */
const requestsMax = 500;
const depthMax = 8;
/** Values made for one schema: one that has itself as a property several times explodes. */
const valuesMax = 2000;

type Json = Readonly<Record<string, unknown>>;

const methods = ["get", "head", "options", "post", "put", "patch", "delete"] as const;

/** Whether a parsed file looks like an OpenAPI document. */
export function isOpenApi(document: unknown): boolean {
  if (!isObject(document)) return false;
  const version = document.openapi ?? document.swagger;
  return typeof version === "string" && isObject(document.paths);
}

/** The requests that a document describes; unreadable parts of it are passed over. */
export function openApiRequests(document: unknown): readonly ReplayRequest[] {
  if (!isObject(document) || !isObject(document.paths)) return [];
  const requests: ReplayRequest[] = [];
  const base = basePath(document);
  for (const [path, item] of Object.entries(document.paths)) {
    const operations = resolved(document, item);
    if (!isObject(operations) || !path.startsWith("/")) continue;
    for (const method of methods) {
      const operation = resolved(document, operations[method]);
      if (!isObject(operation)) continue;
      const shared = list(operations.parameters);
      const made = requestsOf(document, method, base + path, operation, shared);
      requests.push(...made.filter(({ target }) => isTarget(target)));
      if (requests.length >= requestsMax) return requests.slice(0, requestsMax);
    }
  }
  return requests;
}

function basePath(document: Json): string {
  if (typeof document.basePath === "string") return document.basePath.replace(/\/$/, "");
  const [server] = list(document.servers);
  const url = isObject(server) && typeof server.url === "string" ? server.url : "";
  if (url.includes("{")) return "";
  return url.replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/\/$/, "");
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly value: string;
  readonly isText: boolean;
}

function requestsOf(
  document: Json,
  method: string,
  template: string,
  operation: Json,
  shared: readonly unknown[],
): readonly ReplayRequest[] {
  const named = new Map<string, Parameter>();
  for (const raw of [...shared, ...list(operation.parameters)]) {
    const parameter = parameterOf(document, raw);
    if (parameter) named.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  const parameters = [...named.values()];
  const fill = (value: (parameter: Parameter) => string): string =>
    template.replace(/\{([^}/]+)\}/g, (_, name: string) => {
      const found = named.get(`path ${name}`);
      return found ? value(found) : "1";
    });
  const query = parameters
    .filter((parameter) => parameter.in === "query" && parameter.required)
    .map(({ name, value }) => `${encoded(name)}=${encoded(value)}`);
  const search = query.length > 0 ? `?${query.join("&")}` : "";
  const sent = bodyOf(document, operation);
  const headers: [string, string][] = [["accept", "*/*"]];
  for (const { name, value, in: place, required } of parameters) {
    if (place === "header" && required) headers.push([name.toLowerCase(), value]);
  }
  if (sent) headers.push(["content-type", sent.type]);
  const body = sent ? new TextEncoder().encode(sent.text) : null;
  const make = (path: string, origin: string): ReplayRequest => {
    const fields = sendableFields(headers);
    return { method: method.toUpperCase(), target: path + search, headers: fields, body, origin };
  };
  const plain = make(
    fill(({ value }) => encoded(value)),
    "openapi",
  );
  const texts = parameters.some((parameter) => parameter.in === "path" && parameter.isText);
  if (method !== "get") return [plain];
  const head = { ...plain, method: "HEAD", body: null };
  // A value with a slash in it shows whether the service relies on an encoded path.
  const slashed = fill(({ value, isText }) => (isText ? `${encoded(value)}%2Fx` : encoded(value)));
  return texts ? [plain, head, make(slashed, "openapi, encoded path")] : [plain, head];
}

/** Half a character cannot be encoded: it becomes U+FFFD. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function parameterOf(document: Json, raw: unknown): Parameter | null {
  const given = resolved(document, raw);
  if (!isObject(given) || typeof given.name !== "string" || typeof given.in !== "string") {
    return null;
  }
  const schema = resolved(document, given.schema ?? given);
  const example = given.example ?? firstExample(document, given.examples);
  const value = example ?? sampleOf(document, schema);
  const isText = isObject(schema) && schema.type === "string" && !schema.format && !schema.enum;
  return {
    name: given.name,
    in: given.in,
    required: given.required === true,
    value: textOf(value),
    isText,
  };
}

function bodyOf(document: Json, operation: Json): { type: string; text: string } | null {
  const declared = resolved(document, operation.requestBody);
  if (isObject(declared) && isObject(declared.content)) {
    const types = Object.keys(declared.content);
    const type = types.find((name) => /json/i.test(name)) ?? types[0];
    const media = type === undefined ? null : resolved(document, declared.content[type]);
    if (type === undefined || !isObject(media)) return null;
    const example = media.example ?? firstExample(document, media.examples);
    const value = example ?? sampleOf(document, resolved(document, media.schema));
    return { type, text: encode(type, value) };
  }
  // Swagger 2 has the body among the parameters.
  const body = list(operation.parameters)
    .map((raw) => resolved(document, raw))
    .find((parameter) => isObject(parameter) && parameter.in === "body");
  if (!isObject(body)) return null;
  const value = sampleOf(document, resolved(document, body.schema));
  return { type: "application/json", text: JSON.stringify(value) };
}

function encode(type: string, value: unknown): string {
  if (/x-www-form-urlencoded/i.test(type) && isObject(value)) {
    const pairs = Object.entries(value).map(
      ([name, one]) => `${encoded(name)}=${encoded(textOf(one))}`,
    );
    return pairs.join("&");
  }
  return typeof value === "string" && !/json/i.test(type) ? value : JSON.stringify(value);
}

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function firstExample(document: Json, examples: unknown): unknown {
  if (!isObject(examples)) return undefined;
  const first = resolved(document, Object.values(examples)[0]);
  return isObject(first) ? first.value : undefined;
}

/** How many values were made for one schema so far. */
interface Made {
  values: number;
}

/** The simplest value of a schema. */
function sampleOf(document: Json, raw: unknown, depth = 0, made: Made = { values: 0 }): unknown {
  const schema = resolved(document, raw);
  made.values += 1;
  if (!isObject(schema) || depth > depthMax || made.values > valuesMax) return "x";
  if (schema.example !== undefined) return schema.example;
  const [example] = list(schema.examples);
  if (example !== undefined) return example;
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  if (schema.const !== undefined) return schema.const;
  const [choice] = list(schema.enum);
  if (choice !== undefined) return choice;
  const [part] = [...list(schema.oneOf), ...list(schema.anyOf)];
  if (part !== undefined) return sampleOf(document, part, depth + 1, made);
  if (schema.allOf) return mergedSample(document, schema, depth, made);
  return simplest(document, schema, depth, made);
}

function mergedSample(document: Json, schema: Json, depth: number, made: Made): unknown {
  const samples = list(schema.allOf).map((part) => sampleOf(document, part, depth + 1, made));
  return Object.assign({}, ...samples.filter(isObject));
}

const texts: Readonly<Record<string, string>> = {
  date: "2020-02-02",
  "date-time": "2020-02-02T02:02:02Z",
  email: "a@example.com",
  uuid: "00000000-0000-4000-8000-000000000001",
  uri: "https://example.com/",
  byte: "eA==",
};

function simplest(document: Json, schema: Json, depth: number, made: Made): unknown {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "integer" || type === "number") return numberOr(schema.minimum, 1);
  if (type === "boolean") return true;
  if (type === "null") return null;
  if (type === "array") {
    const count = Math.min(numberOr(schema.minItems, 1), 3);
    return Array.from({ length: count }, () => sampleOf(document, schema.items, depth + 1, made));
  }
  if (type === "object" || isObject(schema.properties)) {
    const required = list(schema.required);
    const properties = isObject(schema.properties) ? schema.properties : {};
    const names = Object.keys(properties).filter((name) => required.includes(name));
    return Object.fromEntries(
      names.map((name) => [name, sampleOf(document, properties[name], depth + 1, made)]),
    );
  }
  const { format } = schema;
  const known = typeof format === "string" && Object.hasOwn(texts, format) ? texts[format] : null;
  return (known ?? "x").padEnd(Math.min(numberOr(schema.minLength, 0), 200), "x");
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

/** Follows references inside the document, a few at most: they may lead in a circle. */
function resolved(document: Json, value: unknown): unknown {
  let found = value;
  for (let hops = 0; hops < 5; hops += 1) {
    if (!isObject(found) || typeof found.$ref !== "string") return found;
    if (!found.$ref.startsWith("#/")) return null;
    const names = found.$ref.slice(2).split("/");
    let at: unknown = document;
    for (const name of names) {
      const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
      at = isObject(at) && Object.hasOwn(at, key) ? at[key] : null;
    }
    found = at;
  }
  return null;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
