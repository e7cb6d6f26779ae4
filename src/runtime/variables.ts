/**
 * The environment variables of the AWS Lambda Web Adapter, read once and strictly.
 *
 * The adapter replaces a value that it cannot parse by its default; here it ends the start, since
 * a mistyped readiness status would otherwise show as an outage. docs/adapter.md has the table.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Inclusive ranges of HTTP statuses. */
export type StatusRanges = readonly (readonly [from: number, to: number])[];

/** How to find out that the service can take requests. */
export interface Readiness {
  readonly protocol: "http" | "tcp";
  readonly port: number;
  readonly path: string;
  readonly healthy: StatusRanges;
}

/** Everything that the environment decides. */
export interface Settings {
  readonly host: string;
  /** Where the service listens; it is told by PORT. */
  readonly port: number;
  readonly readiness: Readiness;
  /** Let Lambda's initialisation end before the service is ready. */
  readonly asyncInit: boolean;
  /** Removed from the start of request paths, without a slash at its end. */
  readonly basePath: string | null;
  /** Where events that are no HTTP requests are posted. */
  readonly passThroughPath: string;
  readonly invokeMode: "buffered" | "response_stream";
  readonly compression: boolean;
  /** Lower-case name of the header that becomes `authorization`. */
  readonly authorizationSource: string | null;
  /** Statuses that make the invocation fail. */
  readonly errorStatuses: StatusRanges;
  /** Proxies of our own in front of the front door: so many more addresses are believed. */
  readonly trustedProxies: number;
  /** Whether a container is held to what Lambda allows. */
  readonly envelope: "native" | "strict";
  /** Longest time for one answer in strict mode, real milliseconds. */
  readonly timeoutMs: number;
  /** `host:port` of the Runtime API, empty in a container. */
  readonly runtimeApi: string;
  /** Longest wait for the service after SIGTERM, real milliseconds. */
  readonly stopMs: number;
}

/** A variable whose value makes no sense; its message says what would. */
export class VariableError extends Error {
  override readonly name = "VariableError";
}

/** Reads all variables. Throws VariableError; `onLog` hears of old names. */
export function readSettings(env: Environment, onLog: (message: string) => void): Settings {
  const value = (name: string, oldName?: string): string | undefined => {
    const current = env[name];
    if (current) return current;
    const old = oldName ? env[oldName] : undefined;
    if (old) onLog(`${oldName} is an old name, use ${name}`);
    return old || undefined;
  };
  const lwa = (name: string): string | undefined => value(`AWS_LWA_${name}`, name);
  const own = (name: string): string | undefined => value(`AWS_LWA_${name}`);

  const portText = own("PORT") ?? env.PORT;
  const port = parsePort(own("PORT") ? "AWS_LWA_PORT" : "PORT", portText || "8080");
  const source = own("AUTHORIZATION_SOURCE");
  if (source && !/^[\w!#$%&'*+.^`|~-]+$/.test(source)) {
    reject("AWS_LWA_AUTHORIZATION_SOURCE", source, "the name of a header, such as x-auth");
  }
  return {
    host: own("HOST") ?? "127.0.0.1",
    port,
    readiness: readReadiness(lwa, own, port),
    asyncInit: parseFlag("AWS_LWA_ASYNC_INIT", lwa("ASYNC_INIT")),
    basePath: parseBasePath(lwa("REMOVE_BASE_PATH")),
    passThroughPath: parsePath("AWS_LWA_PASS_THROUGH_PATH", own("PASS_THROUGH_PATH") ?? "/events"),
    invokeMode: parseChoice("AWS_LWA_INVOKE_MODE", own("INVOKE_MODE"), [
      "buffered",
      "response_stream",
    ] as const),
    compression: parseFlag("AWS_LWA_ENABLE_COMPRESSION", own("ENABLE_COMPRESSION")),
    authorizationSource: source?.toLowerCase() ?? null,
    errorStatuses: parseStatuses("AWS_LWA_ERROR_STATUS_CODES", own("ERROR_STATUS_CODES") ?? ""),
    trustedProxies: parseCount("LAMBDAFLEX_TRUSTED_PROXIES", env.LAMBDAFLEX_TRUSTED_PROXIES || "0"),
    envelope: parseChoice("LAMBDAFLEX_ENVELOPE", env.LAMBDAFLEX_ENVELOPE || undefined, [
      "native",
      "strict",
    ] as const),
    timeoutMs: parseSeconds("LAMBDAFLEX_TIMEOUT_SECONDS", env.LAMBDAFLEX_TIMEOUT_SECONDS || "29"),
    runtimeApi: readRuntimeApi(env, own("LAMBDA_RUNTIME_API_PROXY")),
    stopMs: parseSeconds("LAMBDAFLEX_STOP_SECONDS", env.LAMBDAFLEX_STOP_SECONDS || "60"),
  };
}

/** Whether `status` lies in one of the ranges. */
export function includesStatus(ranges: StatusRanges, status: number): boolean {
  return ranges.some(([from, to]) => status >= from && status <= to);
}

/** Parses the adapter's syntax, for example `200-399,404`. Throws VariableError. */
export function parseStatuses(name: string, text: string): StatusRanges {
  const parts = text.split(",").map((part) => part.trim());
  return parts
    .filter((part) => part !== "")
    .map((part) => {
      const match = /^(\d{3})(?:\s*-\s*(\d{3}))?$/.exec(part);
      const from = Number(match?.[1]);
      const to = Number(match?.[2] ?? match?.[1]);
      if (!match || from < 100 || to < from) {
        reject(name, text, "HTTP statuses and ranges from low to high, such as 200-399,404");
      }
      return [from, to] as const;
    });
}

type Lookup = (name: string) => string | undefined;

function readReadiness(lwa: Lookup, own: Lookup, port: number): Readiness {
  const portText = lwa("READINESS_CHECK_PORT");
  return {
    protocol: parseChoice("AWS_LWA_READINESS_CHECK_PROTOCOL", lwa("READINESS_CHECK_PROTOCOL"), [
      "http",
      "tcp",
    ] as const),
    port: portText ? parsePort("AWS_LWA_READINESS_CHECK_PORT", portText) : port,
    path: parsePath("AWS_LWA_READINESS_CHECK_PATH", lwa("READINESS_CHECK_PATH") ?? "/"),
    healthy: readHealthy(own),
  };
}

/** The adapter dropped MIN_UNHEALTHY_STATUS in 1.0; images that still set it mean the same. */
function readHealthy(own: Lookup): StatusRanges {
  const healthy = own("READINESS_CHECK_HEALTHY_STATUS");
  const name = "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS";
  if (healthy) {
    const ranges = parseStatuses(name, healthy);
    if (ranges.length === 0) reject(name, healthy, "at least one status, such as 200-399");
    return ranges;
  }
  const unhealthy = own("READINESS_CHECK_MIN_UNHEALTHY_STATUS");
  if (!unhealthy) return [[100, 499]];
  const first = Number(unhealthy);
  if (!/^\d{3}$/.test(unhealthy) || first <= 100) {
    const oldName = "AWS_LWA_READINESS_CHECK_MIN_UNHEALTHY_STATUS";
    reject(oldName, unhealthy, "an HTTP status above 100, such as 400");
  }
  return [[100, first - 1]];
}

/** The proxy is written as a URL in the adapter's guide and as `host:port` in its code. */
function readRuntimeApi(env: Environment, proxy: string | undefined): string {
  const api = env.AWS_LAMBDA_RUNTIME_API ?? "";
  if (!api) return "";
  const name = proxy ? "AWS_LWA_LAMBDA_RUNTIME_API_PROXY" : "AWS_LAMBDA_RUNTIME_API";
  const address = (proxy ?? api).replace(/^http:\/\//, "").replace(/\/$/, "");
  const port = /^[^\s:/]+:(\d+)$/.exec(address)?.[1];
  if (!port) reject(name, proxy ?? api, "host:port, such as 127.0.0.1:9001");
  parsePort(name, port);
  return address;
}

function parsePort(name: string, text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) {
    reject(name, text, "a port from 1 to 65535");
  }
  return port;
}

function parseFlag(name: string, text: string | undefined): boolean {
  return parseChoice(name, text, ["false", "true"] as const) === "true";
}

/** The first choice is the default. */
function parseChoice<T extends string>(
  name: string,
  text: string | undefined,
  choices: readonly [T, ...T[]],
): T {
  if (text === undefined) return choices[0];
  const found = choices.find((choice) => choice === text.trim().toLowerCase());
  if (found === undefined) reject(name, text, choices.join(" or "));
  return found;
}

function parsePath(name: string, text: string): string {
  if (!/^\/[\x21-\x7e]*$/.test(text)) {
    reject(name, text, "a path that starts with / and has no spaces");
  }
  return text;
}

function parseBasePath(text: string | undefined): string | null {
  if (text === undefined) return null;
  const path = parsePath("AWS_LWA_REMOVE_BASE_PATH", text).replace(/\/+$/, "");
  return path === "" ? null : path;
}

function parseCount(name: string, text: string): number {
  if (!/^\d$/.test(text)) reject(name, text, "a number from 0 to 9");
  return Number(text);
}

function parseSeconds(name: string, text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,5}(\.\d+)?$/.test(text)) reject(name, text, "seconds, such as 60");
  return seconds * 1000;
}

function reject(name: string, value: string, expected: string): never {
  throw new VariableError(`${name} is ${JSON.stringify(value)}, expected ${expected}`);
}
