/**
 * Which requests the balancer takes, and the head with which it hands them on.
 *
 * Node's parser in its strict mode has refused most malformed requests already; what it lets pass
 * although two servers could read it in two ways is refused here.
 */
import type { IncomingMessage } from "node:http";
import { fieldKind, hasToken, isTraceId, namedByConnection, withoutFields } from "./fields.ts";

/** What every request of one balancer has in common. */
export interface AdmissionRules {
  /** Accepted hosts in lower case, `null` for all. */
  readonly hosts: ReadonlySet<string> | null;
  /** The port that clients connect to. */
  readonly port: number;
  /** Makes a trace id for a request that has none. */
  readonly traceId: () => string;
}

/** A request that is handed on. */
export interface Admitted {
  readonly head: string;
  /** How its body is framed, `null` if it has none. */
  readonly body: "length" | "chunked" | null;
}

/** A request that is answered by the balancer itself. */
export interface Refused {
  readonly status: 400 | 404 | 501;
  readonly reason: string;
}

/** Decides about a request from its head alone. */
export function admit(
  request: IncomingMessage,
  rules: AdmissionRules,
  upgrade: boolean,
): Admitted | Refused {
  const { headers, rawHeaders, httpVersion } = request;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && httpVersion !== "1.1") {
    return { status: 400, reason: "Transfer-Encoding in HTTP/1.0" };
  }
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    return { status: 501, reason: "a Transfer-Encoding other than chunked" };
  }
  const target = splitTarget(request.url ?? "/");
  if (!target) return { status: 400, reason: "malformed request target" };
  const host = headers.host ?? target.host ?? "";
  if (target.host !== null && target.host !== host) {
    return { status: 400, reason: "Host differs from the request target" };
  }
  if (rules.hosts && !rules.hosts.has(withoutPort(host))) {
    return { status: 404, reason: "a host that is not served here" };
  }

  let fields = `${request.method} ${target.path} HTTP/1.1\r\n`;
  let hosts = 0;
  let traced = false;
  const named = namedFields(headers.connection);
  const all = named.length > 0 ? withoutFields(rawHeaders, named) : rawHeaders;
  for (let i = 0; i < all.length; i += 2) {
    const name = all[i] ?? "";
    const kind = fieldKind(name);
    if (kind === "host") hosts += 1;
    const goesOn = kind === "trace" && !traced && isTraceId(all[i + 1] ?? "");
    if (goesOn) traced = true;
    if (kind === "pass" || kind === "host" || kind === "content-length" || goesOn) {
      fields += `${name}: ${all[i + 1]}\r\n`;
    } else if (upgrade && kind === "upgrade") {
      fields += `Connection: Upgrade\r\n${name}: ${all[i + 1]}\r\n`;
    }
  }
  if (hosts > 1) return { status: 400, reason: "more than one Host" };
  if (hosts === 0) fields += `Host: ${host || "localhost"}\r\n`;
  if (coding !== undefined) fields += "Transfer-Encoding: chunked\r\n";
  if (!traced) fields += `X-Amzn-Trace-Id: ${rules.traceId()}\r\n`;
  fields += forwarded(request, rules.port);
  const length = headers["content-length"];
  const body = coding !== undefined ? "chunked" : length !== undefined && length !== "0";
  return { head: `${fields}\r\n`, body: body === true ? "length" : body || null };
}

/**
 * The client's address as the connection shows it, and nothing that the client says about itself:
 * whoever could write these fields could pretend to be anyone.
 */
function forwarded(request: IncomingMessage, port: number): string {
  const address = request.socket.remoteAddress ?? "";
  return (
    `X-Forwarded-For: ${address}\r\n` + `X-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\n`
  );
}

/**
 * Fields that the client declares hop-by-hop. Those that frame the message or name its host stay:
 * to take them away on demand would be a way to smuggle.
 */
function namedFields(connection: string | undefined): readonly string[] {
  if (connection === undefined) return [];
  const vital = ["host", "content-length", "transfer-encoding"];
  return namedByConnection(connection).filter((name) => !vital.includes(name));
}

/** Origin form as it is; absolute form in its two parts; `null` for anything else. */
function splitTarget(url: string): { host: string | null; path: string } | null {
  if (url.startsWith("/") || url === "*") return { host: null, path: url };
  const absolute = /^https?:\/\/([^/?#@]+)([/?].*)?$/i.exec(url);
  if (!absolute) return null;
  const rest = absolute[2] ?? "/";
  return { host: absolute[1] ?? "", path: rest.startsWith("/") ? rest : `/${rest}` };
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, "").toLowerCase();
}

/** Whether a request asks for a tunnel that we pass on. HTTP/2 is not ours to promise. */
export function wantsTunnel(request: IncomingMessage): boolean {
  const { headers } = request;
  if (headers.upgrade === undefined || hasToken(headers.upgrade, "h2c")) return false;
  return headers["content-length"] === undefined && headers["transfer-encoding"] === undefined;
}
