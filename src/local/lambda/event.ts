/**
 * An HTTP request as API Gateway's HTTP API hands it to a function: payload format 2.0.
 *
 * Which bodies arrive as text was measured on the real service by others: `text/*`, JSON, XML and
 * JavaScript; everything else, forms and bodies without a type included, arrives as base64.
 */
import { isUtf8 } from "node:buffer";

/** A request as the front door received it. */
export interface HttpRequest {
  readonly method: string;
  /** The request target as it was sent, byte for byte. */
  readonly target: string;
  readonly httpVersion: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly sourceIp: string;
  /** The port that the client has connected to. */
  readonly port: number;
  /** `null` when the request has no body. */
  readonly body: Buffer | null;
}

/** What the front door adds to a request. */
export interface RequestStamp {
  readonly requestId: string;
  readonly traceId: string;
  readonly epochMs: number;
}

/** Headers that belong to one connection and never reach a function. */
export const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);

/** Headers that say who the client is: only the front door may set them. */
const ours = /^(?:x-forwarded-|forwarded$|x-amzn-trace-id$|content-length$)/;
const textual = /^(?:text\/|application\/(?:json|xml|javascript)(?:$|[;\s]))/i;

interface Parts {
  readonly path: string;
  readonly query: string;
}

/**
 * The event as JSON text; `null` when the request target makes no sense.
 *
 * The text is put together by hand: most of it is the same in every event, and to make an object
 * and have it serialised costs several times as much.
 */
export function eventOf(request: HttpRequest, stamp: RequestStamp): string | null {
  const parts = splitTarget(request.target);
  if (parts === null) return null;
  const { headers, cookies } = readHeaders(request.rawHeaders);
  const { body } = request;
  headers.set("x-amzn-trace-id", stamp.traceId);
  headers.set("x-forwarded-for", request.sourceIp);
  headers.set("x-forwarded-port", String(request.port));
  headers.set("x-forwarded-proto", "http");
  if (body !== null) headers.set("content-length", String(body.length));
  const path = quoted(parts.path);
  const query = parts.query === "" ? null : readQuery(parts.query);
  return (
    `{"version":"2.0","routeKey":"$default","rawPath":${path},` +
    `"rawQueryString":${quoted(parts.query)},` +
    (cookies === null ? "" : `"cookies":${JSON.stringify(cookies)},`) +
    `"headers":${membersOf(headers)},` +
    (query === null ? "" : `"queryStringParameters":${membersOf(query)},`) +
    contextOf(request, stamp, path, headers) +
    bodyMembers(body, headers.get("content-type"))
  );
}

function contextOf(
  request: HttpRequest,
  stamp: RequestStamp,
  path: string,
  headers: ReadonlyMap<string, string>,
): string {
  const host = headers.get("host") ?? "";
  const domainName = host.replace(/:\d+$/, "");
  const dot = domainName.indexOf(".");
  return (
    `"requestContext":{"accountId":"000000000000","apiId":"local",` +
    `"domainName":${quoted(domainName)},` +
    `"domainPrefix":${quoted(dot < 0 ? domainName : domainName.slice(0, dot))},` +
    `"http":{"method":${quoted(request.method)},"path":${path},` +
    `"protocol":"HTTP/${request.httpVersion}","sourceIp":"${request.sourceIp}",` +
    `"userAgent":${quoted(headers.get("user-agent") ?? "")}},` +
    `"requestId":"${stamp.requestId}","routeKey":"$default","stage":"$default",` +
    `"time":"${commonLogTime(stamp.epochMs)}","timeEpoch":${stamp.epochMs}}`
  );
}

/** A text as JSON. Plain ones are recognised by what they contain, which is much cheaper. */
function quoted(text: string): string {
  return text.length > 500 || /[^\x20\x21\x23-\x5b\x5d-\x7e]/.test(text)
    ? JSON.stringify(text)
    : `"${text}"`;
}

function membersOf(record: ReadonlyMap<string, string>): string {
  let text = "";
  for (const [name, value] of record) {
    text += `${text === "" ? "{" : ","}${quoted(name)}:${quoted(value)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

/** The last members of the event. Base64 needs no escaping, so the large thing is only appended. */
function bodyMembers(body: Buffer | null, contentType: string | undefined): string {
  if (body === null || body.length === 0) return ',"isBase64Encoded":false}';
  // Text in another encoding than UTF-8 would not survive the way through JSON.
  if (contentType !== undefined && textual.test(contentType) && isUtf8(body)) {
    return `,"body":${JSON.stringify(body.toString("utf8"))},"isBase64Encoded":false}`;
  }
  return `,"body":"${body.toString("base64")}","isBase64Encoded":true}`;
}

/**
 * Path and query of a request target. HTTP APIs hand the path over decoded (`/a%2Fb` arrives as
 * `/a/b`) and the query untouched. Only printable ASCII may appear in a target.
 */
function splitTarget(target: string): Parts | null {
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target)) return null;
  const origin = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = origin.indexOf("?");
  const encoded = mark < 0 ? origin : origin.slice(0, mark);
  const query = mark < 0 ? "" : origin.slice(mark + 1);
  if (!encoded.startsWith("/")) return encoded === "" ? { path: "/", query } : null;
  if (!encoded.includes("%")) return { path: encoded, query };
  try {
    // Seen on the real service: what follows an encoded question mark is lost.
    const [path = "/"] = decodeURIComponent(encoded).split("?");
    return { path, query };
  } catch {
    return null;
  }
}

/** Lower-case names, duplicates joined by commas, cookies apart, connection headers dropped. */
function readHeaders(raw: readonly string[]): {
  headers: Map<string, string>;
  cookies: string[] | null;
} {
  const headers = new Map<string, string>();
  let cookies: string[] | null = null;
  const dropped: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    const value = raw[index + 1] as string;
    if (hopByHop.has(name)) {
      if (name === "connection") dropped.push(...value.toLowerCase().split(","));
    } else if (name === "cookie") {
      cookies ??= [];
      for (const cookie of value.split(";")) {
        const trimmed = cookie.trim();
        if (trimmed !== "") cookies.push(trimmed);
      }
    } else if (!ours.test(name)) {
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before},${value}`);
    }
  }
  for (const name of dropped) {
    const listed = name.trim();
    // A client must not be able to remove what routing and authorisation rely on.
    if (listed !== "host" && listed !== "authorization") headers.delete(listed);
  }
  return { headers, cookies };
}

/** Decoded query parameters, duplicates joined by commas. */
function readQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decodeForm(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decodeForm(pair.slice(equals + 1));
    const before = parameters.get(name);
    parameters.set(name, before === undefined ? value : `${before},${value}`);
  }
  return parameters;
}

function decodeForm(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
let formatted = { second: -1, text: "" };

/** `12/Mar/2020:19:03:58 +0000`; the text is made once per second. */
function commonLogTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (formatted.second !== second) {
    const date = new Date(epochMs);
    const day = String(date.getUTCDate()).padStart(2, "0");
    const clock = date.toISOString().slice(11, 19);
    const text = `${day}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:${clock} +0000`;
    formatted = { second, text };
  }
  return formatted.text;
}
