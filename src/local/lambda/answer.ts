/**
 * What a function returned, as HTTP: payload format 2.0 with its format inference, and the
 * prelude of streamed answers.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { hopByHop } from "./event.ts";
import type { InvocationResult } from "./invocation.ts";

/** An HTTP answer. `headers` are names and values in turn, without a content length. */
export interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer | string;
  /** The content length that the function named: the only one a HEAD answer has. */
  readonly contentLength: string | null;
}

/** The eight NUL bytes between the prelude and the body of a streamed answer. */
const preludeEnd = Buffer.alloc(8);
/** A prelude is a status and headers, which HTTP clients take 64 KB of at most. */
const preludeBytesMax = 256 * 1024;

/** The answer of a function; `null` when it is not one, which clients see as a status 500. */
export function answerOf(result: InvocationResult): Answer | null {
  if (result.type === "error") return null;
  try {
    return result.streaming ? streamed(result.body) : buffered(result.body);
  } catch {
    // Not JSON, or headers that HTTP cannot carry.
    return null;
  }
}

/** Whether it is what our bootstrap says when the service has not answered in time. */
export function isTimeout({ status, body }: Answer): boolean {
  return status === 504 && body.toString() === '{"message":"Gateway Timeout"}';
}

function buffered(payload: Buffer): Answer | null {
  const returned: unknown = JSON.parse(payload.toString("utf8"));
  if (typeof returned === "string") return inferred(returned);
  if (typeof returned !== "object" || returned === null || !("statusCode" in returned)) {
    return inferred(payload);
  }
  const { body, isBase64Encoded } = returned as Record<string, unknown>;
  if (body === undefined || body === null) return structured(returned, "");
  if (typeof body !== "string") return null;
  return structured(returned, isBase64Encoded === true ? Buffer.from(body, "base64") : body);
}

/** Valid JSON without a status code is the body of a 200. */
function inferred(body: Buffer | string): Answer {
  return { status: 200, headers: ["content-type", "application/json"], body, contentLength: null };
}

/** The head of a streamed answer and the first bytes of its body, once the prelude is complete. */
export function streamHeadOf(begun: Buffer): Answer | "more" | null {
  if (begun.indexOf(preludeEnd) < 0) return begun.length > preludeBytesMax ? null : "more";
  try {
    return streamed(begun);
  } catch {
    return null;
  }
}

function streamed(payload: Buffer): Answer | null {
  const end = payload.indexOf(preludeEnd);
  if (end < 0) {
    const headers = ["content-type", "application/octet-stream"];
    return { status: 200, headers, body: payload, contentLength: null };
  }
  const prelude: unknown = JSON.parse(payload.toString("utf8", 0, end));
  if (typeof prelude !== "object" || prelude === null) return null;
  return structured({ statusCode: 200, ...prelude }, payload.subarray(end + preludeEnd.length));
}

function structured(returned: object, body: Buffer | string): Answer | null {
  const { statusCode, headers: named, cookies } = returned as Record<string, unknown>;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return null;
  const headers: string[] = [];
  let typed = false;
  let contentLength: string | null = null;
  for (const [name, value] of Object.entries(named ?? {})) {
    if (value === null || typeof value === "object") return null;
    const lower = name.toLowerCase();
    if (lower === "content-length") {
      if (/^\d{1,15}$/.test(String(value))) contentLength = String(value);
    } else if (!hopByHop.has(lower)) {
      typed ||= lower === "content-type";
      pushHeader(headers, name, String(value));
    }
  }
  if (Array.isArray(cookies)) {
    for (const cookie of cookies) pushHeader(headers, "set-cookie", String(cookie));
  }
  if (!typed && body.length > 0) headers.push("content-type", "text/plain;charset=utf-8");
  // Node would write the head of a text body in the encoding of the body.
  const sent = headers.some(isForeign) ? Buffer.from(body as string) : body;
  return { status, headers, body: sent, contentLength };
}

function isForeign(text: string): boolean {
  return /[^\0-\x7f]/.test(text);
}

function pushHeader(headers: string[], name: string, value: string): void {
  validateHeaderName(name);
  validateHeaderValue(name, value);
  headers.push(name, value);
}
