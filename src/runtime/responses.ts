/** HTTP answers → the JSON that each sender of events expects. */
import { isUtf8 } from "node:buffer";
import type { EventKind } from "./events.ts";
import type { AnswerHead, Headers } from "./http-answer.ts";
import type { HttpAnswer } from "./http-client.ts";

/** Lambda refuses a buffered response whose JSON is longer than this. */
export const responseBytesMax = 6_291_556;

/** The response for `kind`, as it goes to the Runtime API. */
export function responseOf(kind: EventKind, answer: HttpAnswer): string {
  if (kind === "other") return passedThrough(answer.body);
  if (kind === "http-2.0") {
    const { head, textual } = headOf(answer.headers);
    const { body, isBase64Encoded } = encodeBody(textual, answer.body);
    return (
      `{"statusCode":${answer.status},${head},"body":${JSON.stringify(body)},` +
      `"isBase64Encoded":${isBase64Encoded}}`
    );
  }
  const headers = forwarded(answer.headers);
  const body = encodeBody(isTextual(headers), answer.body);
  const shape = kind === "balancer" ? singleValues(headers) : multiValues(headers);
  const description =
    kind === "http-1.0" ? {} : { statusDescription: `${answer.status} ${phraseOf(answer.status)}` };
  return JSON.stringify({ statusCode: answer.status, ...description, ...shape, ...body });
}

interface KnownHead {
  readonly headers: Headers;
  /** The members of the response that the headers make. */
  readonly head: string;
  readonly textual: boolean;
}

let latest: KnownHead | null = null;

/** The parser gives the same object for the same head, which saves writing it anew. */
function headOf(headers: Headers): KnownHead {
  if (latest?.headers === headers) return latest;
  const kept = forwarded(headers);
  const { single, cookies } = joined(kept);
  const cookieField = cookies.length > 0 ? `,"cookies":${JSON.stringify(cookies)}` : "";
  const head = `"headers":${JSON.stringify(single)}${cookieField}`;
  latest = { headers, head, textual: isTextual(kept) };
  return latest;
}

/** What goes before the body of a streamed response. */
export function preludeOf(head: AnswerHead): string {
  const { single, cookies } = joined(forwarded(head.headers));
  single["content-type"] ??= "application/octet-stream";
  const prelude = JSON.stringify({ statusCode: head.status, headers: single, cookies });
  return prelude + "\0".repeat(8);
}

const connectionHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Whether a header of an answer goes on to the client, by its lower-case name. */
export function isEndToEnd(name: string): boolean {
  return !connectionHeaders.has(name);
}

/** Lower-case names, without the headers that concern the connection to the service. */
function forwarded(headers: Headers): Headers {
  const kept: [string, string][] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!connectionHeaders.has(lower)) kept.push([lower, value]);
  }
  return kept;
}

/** Without a prototype, so that a header may be called `constructor`. */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function joined(headers: Headers): { single: Record<string, string>; cookies: string[] } {
  const single = emptyRecord<string>();
  const cookies: string[] = [];
  for (const [name, value] of headers) {
    if (name === "set-cookie") cookies.push(value);
    else single[name] = single[name] === undefined ? value : `${single[name]}, ${value}`;
  }
  return { single, cookies };
}

/** A balancer without multi value headers can carry one cookie only: the last one. */
function singleValues(headers: Headers): { headers: Record<string, string> } {
  const { single, cookies } = joined(headers);
  const last = cookies.at(-1);
  if (last !== undefined) single["set-cookie"] = last;
  return { headers: single };
}

function multiValues(headers: Headers): { multiValueHeaders: Record<string, string[]> } {
  const multi = emptyRecord<string[]>();
  for (const [name, value] of headers) {
    const values = multi[name];
    if (values) values.push(value);
    else multi[name] = [value];
  }
  return { multiValueHeaders: multi };
}

const textType = /^(?:text\/|application\/(?:json|javascript|xml|yaml|x-www-form-urlencoded)\b)/i;
const textSuffix = /^[^;]+\+(?:json|xml|yaml)\s*(?:;|$)/i;

function isTextual(headers: Headers): boolean {
  let type: string | undefined;
  let encoded = false;
  for (const [name, value] of headers) {
    if (name === "content-type") type = value;
    else if (name === "content-encoding" && value.toLowerCase() !== "identity") encoded = true;
  }
  return !encoded && (type === undefined || textType.test(type) || textSuffix.test(type));
}

/** Text goes as it is if that loses no byte; all else as base64. */
function encodeBody(
  textual: boolean,
  body: Buffer,
): { readonly body: string; readonly isBase64Encoded: boolean } {
  if (body.length === 0 || (textual && isUtf8(body))) {
    return { body: body.toString(), isBase64Encoded: false };
  }
  return { body: body.toString("base64"), isBase64Encoded: true };
}

/** The answer to an event that is no HTTP request is its body, if that is JSON. */
function passedThrough(body: Buffer): string {
  const text = body.toString();
  try {
    JSON.parse(text);
    return text;
  } catch {
    return "null";
  }
}

/** The balancer wants a phrase, no client reads it: the classes are enough. */
function phraseOf(status: number): string {
  if (status < 300) return "OK";
  if (status < 400) return "Redirect";
  return status < 500 ? "Client Error" : "Server Error";
}
