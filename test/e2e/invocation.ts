/** Events of an HTTP API, and what a function behind Lambda's Invoke call made of them. */

/** The call that the emulator serves, as Lambda does. */
const invokePath = "/2015-03-31/functions/function/invocations";

/** What belongs to a request besides method and path. */
export interface RequestParts {
  readonly query?: string;
  readonly cookies?: readonly string[];
  readonly body?: Buffer;
}

/** An answer, or an error, of a function. */
export interface Answered {
  readonly text: string;
  /** The JSON that was returned; empty when it was none. */
  readonly returned: Readonly<Record<string, unknown>>;
  readonly status: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly cookies: unknown;
  readonly body: Buffer;
  readonly error: { readonly errorType: unknown; readonly errorMessage: unknown } | null;
}

/** An event in payload format 2.0. */
export function payloadOf(method: string, path: string, parts: RequestParts = {}): object {
  const { query = "", cookies, body } = parts;
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: query,
    headers: { host: "pets.example.com", "x-forwarded-for": "203.0.113.9", accept: "*/*" },
    ...(cookies && { cookies }),
    requestContext: {
      stage: "$default",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "203.0.113.9" },
    },
    ...(body && { body: body.toString("base64") }),
    isBase64Encoded: body !== undefined,
  };
}

/** Invokes the function that listens on a port of loopback. */
export async function invokeAt(port: number, event: unknown): Promise<Answered> {
  const text = await post(port, JSON.stringify(event));
  let returned: Record<string, unknown> = {};
  try {
    returned = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // The emulator's own messages are text.
  }
  const { statusCode: status, headers, cookies, body, isBase64Encoded, errorType } = returned;
  return {
    text,
    returned,
    status,
    headers: (headers ?? {}) as Record<string, unknown>,
    cookies,
    body: Buffer.from(String(body ?? ""), isBase64Encoded === true ? "base64" : "utf8"),
    error: errorType === undefined ? null : { errorType, errorMessage: returned.errorMessage },
  };
}

/** It listens a moment after it was started. */
async function post(port: number, body: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const url = `http://127.0.0.1:${port}${invokePath}`;
      return await (await fetch(url, { method: "POST", body })).text();
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
      if (code !== "ECONNREFUSED" || attempt === attemptsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const attemptsMax = 1000;
