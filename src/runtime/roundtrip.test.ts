/** Whatever a client sends reaches the service, and whatever the service answers reaches it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { type EventKind, type InvocationFacts, requestOf } from "./events.ts";
import { createHttpClient, type HttpClient } from "./http-client.ts";
import { responseOf } from "./responses.ts";
import { readSettings } from "./variables.ts";

/** A request as the client wrote it. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly (readonly [name: string, values: readonly string[]])[];
  readonly cookies: readonly string[];
  readonly body: Buffer;
}

/** An answer as the service gives it. */
interface Given {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, values: readonly string[]])[];
  readonly cookies: readonly string[];
  readonly type: string | null;
  readonly body: Buffer;
}

interface Seen {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

const settings = readSettings({}, () => undefined);
const facts: InvocationFacts = {
  requestId: "request-1",
  deadlineMs: null,
  traceId: "Root=1-2",
  tenantId: null,
  contextJson: '{"function":"pets"}',
};

function grouped(pairs: Sent["query"]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value]);
  return groups;
}

/** Body fields as a gateway makes them: text when it can, else base64. */
function bodyFields(body: Buffer, type: "text" | "binary"): Record<string, unknown> {
  if (body.length === 0) return { body: null, isBase64Encoded: false };
  const text = body.toString();
  return type === "text" && Buffer.from(text).equals(body)
    ? { body: text, isBase64Encoded: false }
    : { body: body.toString("base64"), isBase64Encoded: true };
}

/** What API Gateway or the balancer makes of a request. */
function eventOf(kind: EventKind, sent: Sent): Record<string, unknown> {
  const body = bodyFields(sent.body, sent.path.length % 2 === 0 ? "text" : "binary");
  const single = Object.fromEntries(
    sent.headers.map(([name, values]) => [name, values.join(", ")]),
  );
  const cookie: [string, string[]][] =
    sent.cookies.length > 0 ? [["Cookie", [sent.cookies.join("; ")]]] : [];
  if (kind === "http-2.0") {
    const query = sent.query.map(([name, value]) => `${encodeURI(name)}=${encodeURI(value)}`);
    return {
      version: "2.0",
      rawPath: sent.path,
      rawQueryString: query.join("&"),
      ...(sent.cookies.length > 0 ? { cookies: sent.cookies } : {}),
      headers: single,
      requestContext: {
        domainName: "x.lambda-url.eu-west-1.on.aws",
        http: { method: sent.method },
      },
      ...body,
    };
  }
  const encode = kind === "http-1.0" ? (text: string) => text : encodeURIComponent;
  const query = grouped(sent.query.map(([name, value]) => [encode(name), encode(value)]));
  const common = { httpMethod: sent.method, path: sent.path, ...body };
  if (kind === "balancer") {
    return {
      ...common,
      requestContext: { elb: {} },
      headers: { ...single, ...Object.fromEntries(cookie.map(([name, [value]]) => [name, value])) },
      queryStringParameters: Object.fromEntries(
        [...query].map(([name, all]) => [name, all.at(-1)]),
      ),
    };
  }
  return {
    ...common,
    requestContext: kind === "http-1.0" ? { stage: "prod" } : { elb: {} },
    multiValueHeaders: Object.fromEntries([...sent.headers, ...cookie]),
    multiValueQueryStringParameters: query.size > 0 ? Object.fromEntries(query) : null,
  };
}

/** What a client gets to see of a response, by lower-case name. */
function delivered(
  kind: EventKind,
  response: string,
): Omit<Given, "type" | "headers"> & {
  readonly headers: ReadonlyMap<string, readonly string[]>;
} {
  const value = JSON.parse(response);
  const multi: Record<string, string[]> = value.multiValueHeaders ?? {};
  const single: Record<string, string> = value.headers ?? {};
  const headers = new Map(Object.entries(multi));
  for (const [name, text] of Object.entries(single)) headers.set(name, text.split(", "));
  const cookies: string[] = value.cookies ?? headers.get("set-cookie") ?? [];
  headers.delete("set-cookie");
  const body = Buffer.from(value.body, value.isBase64Encoded ? "base64" : "utf8");
  assert.equal(kind === "http-2.0" || kind === "balancer", value.multiValueHeaders === undefined);
  return { status: value.statusCode, headers, cookies, body };
}

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/).map((text) => `x-${text}`);
const visible = fc.stringMatching(
  /^[!-+\--~\xa1-\xff](?:[!-+\--~\xa1-\xff ]{0,8}[!-+\--~\xa1-\xff])?$/,
);
const headers = fc.uniqueArray(fc.tuple(name, fc.array(visible, { minLength: 1, maxLength: 3 })), {
  maxLength: 5,
  selector: ([key]) => key,
});
const cookies = fc.array(fc.stringMatching(/^[a-z]{1,5}=[a-zA-Z0-9%]{0,9}$/), { maxLength: 3 });
const segment = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }).map((text) => encodeURIComponent(text)),
  fc.constantFrom("a%2Fb", "%25", "a+b", "a:b@c", "~!$&'()*,;=", "..", "%e4"),
);
const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const part = fc.string({ unit: "grapheme", maxLength: 8 }).map((text) => text.toWellFormed());
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc.string({ unit: "grapheme", maxLength: 100 }).map((text) => Buffer.from(text)),
);
const sentBy: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"),
  path,
  query: fc.array(fc.tuple(part, part), { maxLength: 5 }),
  headers,
  cookies,
  body: bytes,
});
const givenBy: fc.Arbitrary<Given> = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  headers,
  cookies,
  type: fc.constantFrom(null, "text/plain", "application/json", "image/png", "a/b+xml; charset=x"),
  body: bytes,
});

describe("round trips", () => {
  let given: Given;
  let seen: Seen | null = null;
  let client: HttpClient;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      seen = { request, body: Buffer.concat(chunks) };
      const flat = given.headers.flatMap(([key, values]) => values.flatMap((text) => [key, text]));
      for (const cookie of given.cookies) flat.push("Set-Cookie", cookie);
      if (given.type !== null) flat.push("Content-Type", given.type);
      response.writeHead(given.status, flat).end(given.body);
    });
  });

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    client = createHttpClient({ host: "127.0.0.1", port, bodyBytesMax: 1_000_000 });
  });
  after(() => {
    client.abort("test over");
    server.close();
  });

  const checkRequest = (kind: EventKind, sent: Sent): void => {
    assert(seen);
    const { request, body } = seen;
    assert.equal(request.method, sent.method);
    const [target = "", ...search] = (request.url ?? "").split("?");
    assert.equal(target, sent.path);
    const query = new URLSearchParams(search.join("?"));
    const expected = grouped(sent.query);
    for (const [key, values] of expected) {
      assert.deepEqual(query.getAll(key), kind === "balancer" ? values.slice(-1) : values);
    }
    assert.equal(new Set(query.keys()).size, expected.size);
    const joined = kind === "http-2.0" || kind === "balancer";
    for (const [key, values] of sent.headers) {
      assert.deepEqual(request.headersDistinct[key], joined ? [values.join(", ")] : values);
    }
    const cookie = sent.cookies.length > 0 ? sent.cookies.join("; ") : undefined;
    assert.equal(request.headers.cookie, cookie);
    assert.equal(request.headers["x-amzn-trace-id"], "Root=1-2");
    assert.deepEqual(body, sent.body);
  };

  const checkResponse = (kind: EventKind, sent: Sent, response: string): void => {
    const got = delivered(kind, response);
    assert.equal(got.status, given.status);
    for (const [key, values] of given.headers) {
      assert.equal(got.headers.get(key)?.join(", "), values.join(", "));
    }
    assert.equal(got.headers.get("content-type")?.[0] ?? null, given.type);
    assert.deepEqual(got.cookies, kind === "balancer" ? given.cookies.slice(-1) : given.cookies);
    assert.equal(got.headers.has("connection") || got.headers.has("keep-alive"), false);
    const empty = sent.method === "HEAD" || given.status === 204 || given.status === 304;
    assert.deepEqual(got.body, empty ? Buffer.alloc(0) : given.body);
  };

  for (const kind of ["http-2.0", "http-1.0", "balancer-multi", "balancer"] as const) {
    test(kind, async () => {
      const property = fc.asyncProperty(sentBy, givenBy, async (sent, answer) => {
        fc.pre(kind !== "http-2.0" || !sent.query.some((pair) => /[&=+#;]/.test(pair.join(""))));
        given = answer;
        seen = null;
        const event = Buffer.from(JSON.stringify(eventOf(kind, sent)));
        const request = requestOf(event, facts, settings);
        assert.equal(request.kind, kind);
        const response = responseOf(kind, await client.exchange(request));
        checkRequest(kind, sent);
        checkResponse(kind, sent, response);
      });
      await fc.assert(property, { numRuns: 150 });
    });
  }
});
