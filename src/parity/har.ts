/** Requests out of an HTTP archive, as browsers and proxies save it. */
import type { ReplayRequest } from "./observed.ts";
import { isMethod, isTarget, sendableFields } from "./sendable.ts";

/** Requests that are taken from one archive. */
const requestsMax = 1000;

type Json = Readonly<Record<string, unknown>>;

/** Whether a parsed file looks like an HTTP archive. */
export function isHar(document: unknown): boolean {
  return isObject(document) && isObject(document.log) && Array.isArray(document.log.entries);
}

/** The requests of an archive, each once; what is no HTTP request is passed over. */
export function harRequests(document: unknown): readonly ReplayRequest[] {
  const log = isObject(document) && isObject(document.log) ? document.log : {};
  const found = new Map<string, ReplayRequest>();
  for (const entry of list(log.entries)) {
    const request = isObject(entry) ? requestOf(entry.request) : null;
    if (request && found.size < requestsMax) {
      const { method, target, headers, body } = request;
      found.set(JSON.stringify([method, target, headers, body && [...body]]), request);
    }
  }
  return [...found.values()];
}

function requestOf(raw: unknown): ReplayRequest | null {
  if (!isObject(raw) || typeof raw.method !== "string" || typeof raw.url !== "string") return null;
  if (!isMethod(raw.method)) return null;
  const parts = /^https?:\/\/[^/?#]*([^?#]*)(\?[^#]*)?/i.exec(raw.url);
  if (!parts) return null;
  const [, path = "", query = ""] = parts;
  const target = `${path || "/"}${query}`;
  if (!isTarget(target)) return null;
  const named = list(raw.headers).flatMap((one): [string, string][] => {
    const isField = isObject(one) && typeof one.name === "string" && typeof one.value === "string";
    return isField ? [[String(one.name), String(one.value)]] : [];
  });
  const headers = sendableFields(named);
  return { method: raw.method, target, headers, body: bodyOf(raw.postData), origin: "har" };
}

function bodyOf(data: unknown): Uint8Array | null {
  if (!isObject(data) || typeof data.text !== "string") return null;
  if (data.encoding !== "base64") return new TextEncoder().encode(data.text);
  try {
    return Uint8Array.from(atob(data.text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
