/** Requests from templates, and the verdict on their answers. */
import type { Arrival } from "./arrivals.ts";
import type { Wire } from "./connection.ts";
import type { RequestTemplate } from "./load.ts";
import type { Answer } from "./response.ts";

/** A request that is ready to go. */
export interface LoadRequest {
  readonly template: RequestTemplate;
  /** Value of `x-request-id`: no other request of this load has it. */
  readonly id: string;
  /** Value of `{token}`. */
  readonly token: string;
  /** Whether it may be sent twice (RFC 9110, 9.2.2). */
  readonly idempotent: boolean;
  readonly wire: Wire;
}

const idempotentMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** Headers that the generator writes itself. */
const ownHeaders = new Set(["host", "x-request-id", "content-length", "connection"]);

/** Prepares a template: what all its requests have in common is written once. */
export function createWriter(
  template: RequestTemplate,
  host: string,
  seed: number,
): (arrival: Arrival) => LoadRequest {
  const { method, path, body, echo = false } = template;
  const idempotent = idempotentMethods.has(method);
  const expected = { bodyless: method === "HEAD", keepBody: echo };
  const headers = Object.entries(template.headers ?? {})
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !ownHeaders.has(name));
  const typed = headers.some(([name]) => name === "content-type");
  if (body !== undefined && !typed) headers.push(["content-type", "application/json"]);
  const common = [
    ` HTTP/1.1\r\nhost: ${host}\r\naccept: */*\r\nuser-agent: lambdaflex-load\r\n`,
    ...headers.map(([name, value]) => `${name}: ${value}\r\n`),
    "x-request-id: ",
  ].join("");
  const run = (seed >>> 0).toString(36);

  return ({ index, n }) => {
    // Of one length, so that no token occurs in another one.
    const serial = index.toString(36).padStart(8, "0");
    const id = `${run}-${serial}`;
    const token = `t${run}x${serial}`;
    const fill = (text: string): string =>
      text.replaceAll("{n}", String(n)).replaceAll("{token}", token);
    const start = `${method} ${fill(path)}${common}${id}\r\n`;
    const filled = body === undefined ? undefined : fill(body);
    const text =
      filled === undefined
        ? `${start}\r\n`
        : `${start}content-length: ${Buffer.byteLength(filled)}\r\n\r\n${filled}`;
    return { template, id, token, idempotent, wire: { ...expected, text } };
  };
}

/** What is wrong with an answer, `null` if it is the one that the request asked for. */
export function faultOf(request: LoadRequest, answer: Answer): string | null {
  const { template, id, token } = request;
  if (answer.requestId !== null && answer.requestId !== id) {
    return "the answer belongs to another request";
  }
  if (!template.expect.includes(answer.status)) return "unexpected status";
  const success = answer.status >= 200 && answer.status < 300;
  if (template.echo && success && !answer.body.includes(token)) {
    return "the answer does not contain the request's token";
  }
  return null;
}
