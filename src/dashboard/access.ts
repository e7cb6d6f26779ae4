/** Who may ask the dashboard, and for what: pure, so that each rule can be read and tested. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import type { Control } from "../core/record.ts";

/** Where the server listens, and what it asks of whoever comes. */
export interface Door {
  /** The address that it is bound to. */
  readonly host: string;
  /** Names under which it is reached besides its address, through a tunnel or a proxy. */
  readonly names: readonly string[];
  /** `null` where the loopback is protection enough. */
  readonly token: string | null;
}

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether others can reach it: bound elsewhere, or at the end of a tunnel with a name. */
export function isOpen({ host, names }: Pick<Door, "host" | "names">): boolean {
  return !isLoopback(host) || names.length > 0;
}

/**
 * Whether the Host header names us. A page of a foreign name that was made to resolve to this
 * machine (DNS rebinding) sends its own name, so a name is only believed if it is ours.
 */
export function hostAllowed(header: string | undefined, { host, names }: Door): boolean {
  const name = nameOf(header);
  if (name === null) return false;
  if (isLoopback(name)) return true;
  if ([host, ...names].some((one) => one.toLowerCase() === name)) return true;
  // An address is no name that could be made to resolve to us, and there may be one in between.
  return !isLoopback(host) && isIP(name) !== 0;
}

/** The name in a Host header, without port and brackets. */
function nameOf(header: string | undefined): string | null {
  const found = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(header ?? "");
  return (found?.[1] ?? found?.[2] ?? null)?.toLowerCase() ?? null;
}

/** Whether a request brings the token, or the cookie that the token was changed for. */
export function admitted(headers: IncomingHttpHeaders, { token }: Door, cookie: string): boolean {
  if (token === null) return true;
  if (sameSecret(headers.authorization ?? "", `Bearer ${token}`)) return true;
  const pairs = (headers.cookie ?? "").split(/;\s*/);
  return pairs.some((pair) => sameSecret(pair, `${cookie}=${passOf(token)}`));
}

/** The cookie that stands for the token, readable by no script and sent by no other site. */
export function passCookie(headers: IncomingHttpHeaders, token: string, cookie: string): string {
  const secure = headers.origin?.startsWith("https:") === true ? "; Secure" : "";
  return `${cookie}=${passOf(token)}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}

/** Browsers send cookies to every port of a host: the token itself should not be in one. */
function passOf(token: string): string {
  return createHmac("sha256", token).update("page").digest("base64url");
}

/**
 * Whether another site's page asks. It could not read the answer, but a stream that it opens takes
 * a reader's place.
 */
export function isCrossSite(headers: IncomingHttpHeaders): boolean {
  const { "sec-fetch-site": site = "none" } = headers;
  const foreign = headers.origin !== undefined && !isOurs(headers);
  return foreign || (site !== "none" && site !== "same-origin");
}

function isOurs({ origin, host }: IncomingHttpHeaders): boolean {
  // A tunnel or a proxy may speak TLS in front of us.
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** Why a request to control is refused, or `null`. Only our own page may send one. */
export function controlRefusal(headers: IncomingHttpHeaders): string | null {
  if (!isOurs(headers)) return "only the page itself may control";
  return /^application\/json\b/.test(headers["content-type"] ?? "") ? null : "send JSON";
}

function sameSecret(given: string, secret: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(secret);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A wish in a request's body, `null` if it is none. */
export function parseControl(text: string): Control | null {
  const { type, tier, factor } = Object(jsonOf(text)) as Record<string, unknown>;
  if (type === "auto") return { type };
  if (type === "load") {
    const fits = typeof factor === "number" && factor >= 0 && factor <= 4;
    return fits ? { type, factor } : null;
  }
  if (type !== "shift" && type !== "pin") return null;
  return tier === "lambda" || tier === "fargate" ? { type, tier } : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
