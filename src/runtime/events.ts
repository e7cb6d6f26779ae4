/**
 * Lambda events → HTTP requests.
 *
 * Four shapes are known: API Gateway payload 2.0 (also function URLs), payload 1.0 (REST APIs) and
 * load balancer targets with single or multi value headers. Everything else is posted as it is.
 */
import { hasControl } from "./http-answer.ts";
import type { HttpRequest } from "./http-client.ts";
import type { Settings } from "./variables.ts";

/** Which answer the sender of the event expects. */
export type EventKind = "http-2.0" | "http-1.0" | "balancer" | "balancer-multi" | "other";

/** What the Runtime API says about an invocation beside its event. */
export interface InvocationFacts {
  readonly requestId: string;
  /** End of the invocation, Unix milliseconds; `null` if not stated. */
  readonly deadlineMs: number | null;
  readonly traceId: string | null;
  /** Set for functions with tenant isolation. */
  readonly tenantId: string | null;
  /** JSON for the header `x-amzn-lambda-context`. */
  readonly contextJson: string;
}

/** A request for the service and the shape of its answer. */
export interface ServiceRequest extends HttpRequest {
  readonly body: Buffer;
  readonly kind: EventKind;
}

/** An event that claims to be an HTTP request and can not be one. */
export class EventError extends Error {
  override readonly name = "EventError";
}

type Json = Readonly<Record<string, unknown>>;

/** An empty body is stated for these, as RFC 9110 section 8.6 asks. */
const sendsBody = new Set(["POST", "PUT", "PATCH"]);

/** Makes the request. `raw` is the event as it came, for events that are passed through. */
export function requestOf(raw: Buffer, facts: InvocationFacts, settings: Settings): ServiceRequest {
  const event = parseEvent(raw);
  const kind = kindOf(event);
  if (kind === "other") return passThrough(raw, facts, settings);
  const context = event.requestContext as Json;
  const http = kind === "http-2.0" ? (context.http as Json) : null;
  const method = text(http ? http.method : event.httpMethod);
  if (!isToken(method)) throw new EventError("the method is no HTTP method");
  const path = text(http ? event.rawPath : event.path) || "/";
  const query = http ? text(event.rawQueryString) : queryOf(event, kind);
  const body = bodyOf(event);
  const sent = senderHeaders(event, kind);
  const headers = sent.filter(([name]) => name !== "content-length");
  const explicitLength = headers.length < sent.length;
  if (!headers.some(([name]) => name === "host")) {
    headers.unshift(["host", text(context.domainName) || `${settings.host}:${settings.port}`]);
  }
  addClientAddress(headers, sourceOf(context, kind), settings.trustedProxies);
  addContext(headers, JSON.stringify(context), facts);
  replaceAuthorization(headers, settings.authorizationSource);
  if (body.length > 0 || explicitLength || sendsBody.has(method)) {
    headers.push(["content-length", String(body.length)]);
  }
  const illegal = isDecoded(context, kind) ? /[^\x21-\x7e]|[?#%]/gu : /[^\x21-\x7e]|[?#]/gu;
  const target = escapeTarget(withoutBase(path, settings.basePath), illegal);
  const search = escapeTarget(query, /[^\x21-\x7e]/gu);
  return { kind, method, target: search ? `${target}?${search}` : target, headers, body };
}

function parseEvent(raw: Buffer): Json {
  try {
    const event: unknown = JSON.parse(raw.toString());
    return typeof event === "object" && event !== null ? (event as Json) : {};
  } catch {
    throw new EventError("the event is not JSON");
  }
}

function kindOf(event: Json): EventKind {
  const context = event.requestContext;
  if (typeof context !== "object" || context === null) return "other";
  const http = (context as Json).http;
  if (event.version === "2.0" && typeof http === "object" && http !== null) return "http-2.0";
  if (typeof event.httpMethod !== "string" || typeof event.path !== "string") return "other";
  if (!("elb" in context)) return "http-1.0";
  return event.multiValueHeaders ? "balancer-multi" : "balancer";
}

function passThrough(raw: Buffer, facts: InvocationFacts, settings: Settings): ServiceRequest {
  const headers: [string, string][] = [
    ["host", `${settings.host}:${settings.port}`],
    ["content-type", "application/json"],
    ["content-length", String(raw.length)],
  ];
  addContext(headers, "null", facts);
  return { kind: "other", method: "POST", target: settings.passThroughPath, headers, body: raw };
}

/**
 * Headers that concern one connection only (RFC 9110 section 7.6.1), and those that the bridge
 * itself writes, which a client must not be able to forge.
 */
const notForwarded: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "x-amzn-request-context",
  "x-amzn-lambda-context",
  "x-amz-tenant-id",
]);

/**
 * Headers by which a client could pretend to be another one: nobody in front of the bridge writes
 * them, and what the front writes itself (X-Forwarded-For, -Proto and -Port) is treated apart.
 */
const spoofable: ReadonlySet<string> = new Set([
  "forwarded",
  "x-real-ip",
  "x-forwarded-host",
  "x-forwarded-prefix",
  "x-forwarded-server",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
]);

/**
 * The balancer of the other tier drops names with other characters. One with an underscore would
 * also reach many frameworks as if it were spelled with a hyphen.
 */
const validName = /^[-a-z0-9]+$/;

/** Whether a header goes on to the service, by its lower-case name. */
export function passesHeader(name: string): boolean {
  return validName.test(name) && !notForwarded.has(name) && !spoofable.has(name);
}

function senderHeaders(event: Json, kind: EventKind): [string, string][] {
  const multi = kind === "http-2.0" ? null : (event.multiValueHeaders as Json | null);
  const headers: [string, string][] = [];
  let cookies: string[] = [];
  let dropped: Set<string> | null = null;
  const add = (rawName: string, value: unknown): void => {
    const name = rawName.toLowerCase();
    if (value === null || value === undefined) return;
    const clean = headerText(name, String(value));
    if (name === "cookie") cookies.push(clean);
    else if (passesHeader(name)) headers.push([name, clean]);
    if (name !== "connection") return;
    dropped ??= new Set();
    for (const token of clean.toLowerCase().split(",")) dropped.add(token.trim());
  };
  const named = multi ?? (event.headers as Json | null) ?? {};
  for (const name of Object.keys(named)) {
    const value = named[name];
    if (multi && Array.isArray(value)) for (const one of value) add(name, one);
    else add(name, value);
  }
  if (kind === "http-2.0" && Array.isArray(event.cookies)) {
    cookies = [];
    for (const cookie of event.cookies) add("cookie", cookie);
  }
  // HTTP/1.1 allows a single cookie header.
  if (cookies.length > 0) headers.push(["cookie", cookies.join("; ")]);
  const unwanted = dropped as Set<string> | null;
  return unwanted === null ? headers : headers.filter(([name]) => !unwanted.has(name));
}

/** One character per byte; what is no single byte goes as UTF-8. */
function headerText(name: string, value: string): string {
  // Nearly every value is plain, and one look tells.
  if (isToken(name) && !/[^\x20-\x7e]/.test(value)) return value;
  if (!isToken(name) || hasControl(value)) {
    throw new EventError(`the header ${JSON.stringify(name)} is no valid HTTP header`);
  }
  return /[^\0-\xff]/.test(value) ? Buffer.from(value).toString("latin1") : value;
}

/** Names that were found to be tokens; the same few come with every event. */
const tokens = new Set<string>();
const tokensMax = 256;

function isToken(name: string): boolean {
  if (tokens.has(name)) return true;
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return false;
  if (tokens.size < tokensMax && name.length < 64) tokens.add(name);
  return true;
}

/** The address that the front door saw; a balancer says it in X-Forwarded-For alone. */
function sourceOf(context: Json, kind: EventKind): string {
  const holder = kind === "http-2.0" ? context.http : context.identity;
  return typeof holder === "object" && holder !== null ? text((holder as Json).sourceIp) : "";
}

/**
 * X-Forwarded-For without the entries that the client may have invented: the front door's own, and
 * before it one for each proxy that is ours.
 */
export function addClientAddress(
  headers: [string, string][],
  source: string,
  proxies: number,
): void {
  const chain: string[] = [];
  for (let at = headers.length - 1; at >= 0; at -= 1) {
    const [name, value] = headers[at] ?? ["", ""];
    if (name !== "x-forwarded-for") continue;
    chain.unshift(...value.split(",").map((entry) => entry.trim()));
    headers.splice(at, 1);
  }
  if (source !== "" && chain.at(-1) !== source) chain.push(source);
  const trusted = chain.slice(-(proxies + 1)).join(", ");
  if (trusted !== "") headers.push(["x-forwarded-for", trusted]);
}

/** HTTP APIs decode the path: a per cent sign in it is one that the client had encoded. */
function isDecoded(context: Json, kind: EventKind): boolean {
  return kind === "http-2.0" && !/\.lambda-url\.[\w-]+\.on\.aws$/.test(text(context.domainName));
}

function addContext(headers: [string, string][], context: string, facts: InvocationFacts): void {
  if (facts.traceId !== null) {
    const at = headers.findIndex(([name]) => name === "x-amzn-trace-id");
    if (at >= 0) headers.splice(at, 1);
    headers.push(["x-amzn-trace-id", facts.traceId]);
  }
  headers.push(["x-amzn-request-context", asciiJson(context)]);
  headers.push(["x-amzn-lambda-context", asciiJson(facts.contextJson)]);
  if (facts.tenantId !== null) headers.push(["x-amz-tenant-id", facts.tenantId]);
}

/** Header values are ASCII; JSON can say the same with escapes. */
function asciiJson(json: string): string {
  return json.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function replaceAuthorization(headers: [string, string][], source: string | null): void {
  const at = source === null ? -1 : headers.findIndex(([name]) => name === source);
  const found = headers[at];
  if (!found) return;
  headers.splice(at, 1);
  const old = headers.findIndex(([name]) => name === "authorization");
  if (old >= 0) headers.splice(old, 1);
  headers.push(["authorization", found[1]]);
}

function bodyOf(event: Json): Buffer {
  const body = event.body;
  if (typeof body !== "string") return Buffer.alloc(0);
  return Buffer.from(body, event.isBase64Encoded === true ? "base64" : "utf8");
}

/** REST APIs send parameters decoded, balancers send them as the client wrote them. */
function queryOf(event: Json, kind: EventKind): string {
  const encode = kind === "http-1.0" ? encodeURIComponent : (part: string) => part;
  const pairs: string[] = [];
  const parameters =
    (event.multiValueQueryStringParameters as Json | null | undefined) ??
    (event.queryStringParameters as Json | null | undefined) ??
    {};
  for (const [name, values] of Object.entries(parameters)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      pairs.push(`${encode(name.toWellFormed())}=${encode(text(value).toWellFormed())}`);
    }
  }
  return pairs.join("&");
}

/** Only whole segments, and only once: `/shop` is no base of `/shopping`. */
function withoutBase(path: string, base: string | null): string {
  if (base === null || !path.startsWith(base)) return path;
  const rest = path.slice(base.length);
  if (rest === "") return "/";
  return rest.startsWith("/") ? rest : path;
}

/**
 * HTTP APIs decode the path before they send it: what can not stand in a request line is encoded
 * again, everything else stays byte for byte.
 */
function escapeTarget(part: string, illegal: RegExp): string {
  return part
    .toWellFormed()
    .replace(illegal, (char) => (char < "\x7f" ? hexOf(char) : encodeURIComponent(char)));
}

function hexOf(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
