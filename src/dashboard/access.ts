/** Who may ask the dashboard, and for what: pure, so that each rule can be read and tested. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import type { Control } from "../core/record.ts";

/** Where the server listens, and what it asks of whoever controls. */
export interface Door {
  /** The address that it is bound to. */
  readonly host: string;
  /** `null` where the loopback is protection enough. */
  readonly token: string | null;
}

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Whether the Host header names us. A page of a foreign name that was made to resolve to this
 * machine (DNS rebinding) sends its own name, so a name is only believed if it is ours.
 */
export function hostAllowed(header: string | undefined, { host }: Door): boolean {
  const name = nameOf(header);
  if (name === null) return false;
  if (isLoopback(host)) return isLoopback(name);
  return isIP(name) !== 0 || name === "localhost" || name === host.toLowerCase();
}

/** The name in a Host header, without port and brackets. */
function nameOf(header: string | undefined): string | null {
  const found = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(header ?? "");
  return (found?.[1] ?? found?.[2] ?? null)?.toLowerCase() ?? null;
}

/** Why a request to control is refused, or `null`. Only our own page may send one. */
export function controlRefusal(headers: IncomingHttpHeaders, door: Door): string | null {
  const { origin, host, authorization = "" } = headers;
  if (origin !== `http://${host}`) return "only the page itself may control";
  if (!/^application\/json\b/.test(headers["content-type"] ?? "")) return "send JSON";
  if (door.token !== null && !sameSecret(authorization, `Bearer ${door.token}`)) {
    return "the token is missing: open the whole address that lambdaflex printed";
  }
  return null;
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
