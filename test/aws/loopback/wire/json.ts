/** AWS JSON 1.0 and 1.1: the operation in a header, one object each way; times in seconds. */
import type { Protocol } from "./protocol.ts";

/** JSON as AWS writes it: a `Date` is a number of seconds. */
export function awsJson(value: unknown): string {
  const inSeconds = (one: unknown): unknown => {
    if (one instanceof Date) return one.getTime() / 1000;
    if (Array.isArray(one)) return one.map(inSeconds);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, child]) => [key, inSeconds(child)]));
  };
  return JSON.stringify(inSeconds(value));
}

/** The protocol. */
export const json: Protocol = {
  parse({ headers, body }) {
    const target = headers["x-amz-target"];
    if (target === undefined) return null;
    const input = JSON.parse(body.length > 0 ? body.toString() : "{}") as Record<string, unknown>;
    return { action: target.slice(target.lastIndexOf(".") + 1), input };
  },
  answer(_action, output) {
    const headers = { "content-type": "application/x-amz-json-1.1" };
    return { status: 200, headers, body: awsJson(output ?? {}) };
  },
  fail({ code, message, status, members }) {
    const headers = {
      "content-type": "application/x-amz-json-1.1",
      "x-amzn-errortype": code,
      "x-amzn-query-error": `${code};${status >= 500 ? "Receiver" : "Sender"}`,
    };
    return { status, headers, body: awsJson({ __type: code, message, ...members }) };
  },
};
