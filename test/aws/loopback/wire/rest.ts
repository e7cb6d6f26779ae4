/** REST protocols: the operation is method and path. Routes are tables, tried in their order. */

import { awsJson } from "./json.ts";
import type { Answer, Arrived, AwsError, Parsed, Protocol } from "./protocol.ts";
import { escapeXml, readXml, writeXml } from "./xml.ts";

/** One operation's method and path: `{Name}` matches a segment, `{Name+}` several. */
export interface RestRoute {
  readonly action: string;
  readonly method: string;
  readonly path: string;
  /** A query parameter that must be there. */
  readonly query?: string;
}

function match(route: RestRoute, request: Arrived): Record<string, string> | null {
  if (route.method !== request.method) return null;
  if (route.query !== undefined && !request.url.searchParams.has(route.query)) return null;
  const names: string[] = [];
  const pattern = route.path.replaceAll(/\{(\w+)(\+?)\}/g, (_, name: string, many: string) => {
    names.push(name);
    return many ? "(.+)" : "([^/]+)";
  });
  const found = new RegExp(`^${pattern}/?$`).exec(request.url.pathname);
  if (!found) return null;
  const labels = names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? "")]);
  return { ...Object.fromEntries(request.url.searchParams), ...Object.fromEntries(labels) };
}

function find(
  routes: readonly RestRoute[],
  request: Arrived,
  bodyOf: (request: Arrived) => Readonly<Record<string, unknown>>,
): Parsed | null {
  for (const route of routes) {
    const labels = match(route, request);
    if (labels) return { action: route.action, input: { ...bodyOf(request), ...labels } };
  }
  return null;
}

/** REST with JSON bodies: Lambda and Scheduler. */
export function restJson(routes: readonly RestRoute[]): Protocol {
  const jsonOf = ({ body }: Arrived): Readonly<Record<string, unknown>> =>
    body.length > 0 ? (JSON.parse(body.toString()) as Record<string, unknown>) : {};
  return {
    parse: (request) => find(routes, request, jsonOf),
    answer(_action, output): Answer {
      const headers = { "content-type": "application/json" };
      return { status: 200, headers, body: awsJson(output ?? {}) };
    },
    fail({ code, message, status, members }: AwsError): Answer {
      const headers = { "content-type": "application/json", "x-amzn-errortype": code };
      return { status, headers, body: awsJson({ Message: message, message, ...members }) };
    },
  };
}

/** REST with XML bodies. `itemName` names the items of lists. */
export function restXml(
  routes: readonly RestRoute[],
  itemName: (list: string) => string | null,
): Protocol {
  const xmlOf = ({ body, headers }: Arrived): Readonly<Record<string, unknown>> => {
    if (!body.toString("latin1", 0, 5).startsWith("<")) return { Body: body, headers };
    const tree = readXml(body.toString());
    return typeof tree === "string" ? {} : tree;
  };
  return {
    parse: (request) => find(routes, request, xmlOf),
    answer(action, output): Answer {
      if (output instanceof Buffer) return { status: 200, headers: {}, body: output };
      const body = writeXml(`${action}Response`, output ?? {}, itemName);
      return { status: 200, headers: { "content-type": "text/xml" }, body };
    },
    fail({ code, message, status }: AwsError, requestId): Answer {
      const error = `<Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
      const id = `<RequestId>${requestId}</RequestId>`;
      const body = `<ErrorResponse><Error><Type>Sender</Type>${error}</Error>${id}</ErrorResponse>`;
      return { status, headers: { "content-type": "text/xml" }, body };
    },
  };
}
