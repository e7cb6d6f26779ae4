import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { EventError, type InvocationFacts, requestOf, type ServiceRequest } from "./events.ts";
import { readSettings } from "./variables.ts";

const facts: InvocationFacts = {
  requestId: "request-1",
  deadlineMs: null,
  traceId: null,
  tenantId: null,
  contextJson: "{}",
};

function request(
  event: unknown,
  env: Record<string, string> = {},
  more: Partial<InvocationFacts> = {},
): ServiceRequest {
  const raw = Buffer.from(JSON.stringify(event));
  return requestOf(
    raw,
    { ...facts, ...more },
    readSettings(env, () => undefined),
  );
}

function headersOf(made: ServiceRequest): Record<string, string> {
  return Object.fromEntries(made.headers);
}

/** Payload 2.0 for a path. */
function v2(rawPath: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const requestContext = { http: { method: "GET" }, domainName: "pets.example" };
  return { version: "2.0", rawPath, rawQueryString: "", requestContext, ...more };
}

function rest(more: Record<string, unknown>): Record<string, unknown> {
  return { httpMethod: "GET", path: "/", requestContext: { stage: "prod" }, ...more };
}

describe("targets", () => {
  test("a query goes byte for byte", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!"$-~]{1,40}$/), (query) => {
        assert.equal(request(v2("/", { rawQueryString: query })).target, `/?${query}`);
      }),
    );
  });

  test("a decoded path is made fit for a request line again", () => {
    const target = (path: string): string => request(v2(path)).target;
    assert.equal(target("/a b/ä?c#d"), "/a%20b/%C3%A4%3Fc%23d");
    assert.equal(target("/a%2Fb/%zz"), "/a%252Fb/%25zz", "the client had encoded the per cent");
    assert.equal(target("/x\r\nHost: evil"), "/x%0D%0AHost:%20evil");
    assert.equal(target("/\ud800"), "/%EF%BF%BD");
    assert.equal(target(""), "/");
    assert.equal(target("//double"), "//double");
  });

  test("a base is removed as whole segments, once", () => {
    const target = (path: string): string =>
      request(v2(path), { AWS_LWA_REMOVE_BASE_PATH: "/shop/" }).target;
    assert.equal(target("/shop/pets"), "/pets");
    assert.equal(target("/shop"), "/");
    assert.equal(target("/shop/shop/pets"), "/shop/pets");
    assert.equal(target("/shopping"), "/shopping");
    assert.equal(target("/a/shop"), "/a/shop");
  });

  test("a REST API's decoded parameters are encoded, a balancer's are left alone", () => {
    const multiValueQueryStringParameters = { "a b": ["1&2", "=", ""], ä: ["%20"] };
    const decoded = request(rest({ multiValueQueryStringParameters }));
    assert.equal(decoded.target, "/?a%20b=1%262&a%20b=%3D&a%20b=&%C3%A4=%2520");
    const queryStringParameters = { "a%20b": "1%262", plus: "a+b" };
    const raw = request(rest({ queryStringParameters, requestContext: { elb: {} } }));
    assert.equal(raw.target, "/?a%20b=1%262&plus=a+b");
    const nothing = request(rest({ queryStringParameters: null, headers: null, body: null }));
    assert.equal(nothing.target, "/");
  });
});

describe("headers", () => {
  test("what belongs to one connection stays behind, and so does what is forged", () => {
    const headers = {
      connection: "close, x-private",
      "x-private": "1",
      "transfer-encoding": "chunked",
      upgrade: "websocket",
      expect: "100-continue",
      "x-amzn-lambda-context": "forged",
      "x-amzn-request-context": "forged",
      "x-amz-tenant-id": "forged",
      "content-length": "99",
      kept: "yes",
    };
    const made = headersOf(request(v2("/", { headers })));
    assert.deepEqual(Object.keys(made).sort(), [
      "content-length",
      "host",
      "kept",
      "x-amzn-lambda-context",
      "x-amzn-request-context",
    ]);
    assert.equal(made["content-length"], "0");
    assert.equal(made.host, "pets.example");
    assert.equal(made["x-amzn-lambda-context"], "{}");
  });

  test("the trace id of the invocation wins, the tenant is told", () => {
    const event = v2("/", { headers: { "X-Amzn-Trace-Id": "Root=client" } });
    const made = request(event, {}, { traceId: "Root=lambda", tenantId: "t-1" });
    assert.equal(headersOf(made)["x-amzn-trace-id"], "Root=lambda");
    assert.equal(made.headers.filter(([name]) => name === "x-amzn-trace-id").length, 1);
    assert.equal(headersOf(made)["x-amz-tenant-id"], "t-1");
    assert.equal(headersOf(request(event))["x-amzn-trace-id"], "Root=client");
  });

  test("contexts are ASCII and mean the same", () => {
    const requestContext = { http: { method: "GET" }, name: "Zoë\u2028🐈" };
    const text = headersOf(request(v2("/", { requestContext })))["x-amzn-request-context"] ?? "";
    assert.match(text, /^[ -~]*$/);
    assert.deepEqual(JSON.parse(text), requestContext);
  });

  test("another header can take the place of authorization", () => {
    const headers = { "X-Auth": "Bearer 1", Authorization: "AWS4" };
    const env = { AWS_LWA_AUTHORIZATION_SOURCE: "X-AUTH" };
    const made = headersOf(request(v2("/", { headers }), env));
    assert.equal(made.authorization, "Bearer 1");
    assert.equal("x-auth" in made, false);
    const absent = headersOf(request(v2("/", { headers: { authorization: "kept" } }), env));
    assert.equal(absent.authorization, "kept");
  });

  test("a header that would become two is refused", () => {
    for (const headers of [{ a: "b\r\nc: d" }, { "a b": "c" }, { a: "\0" }, { "": "x" }]) {
      assert.throws(() => request(v2("/", { headers })), EventError);
    }
    const context = { http: { method: "GET / HTTP/1.1\r\nx:" } };
    assert.throws(() => request(v2("/", { requestContext: context })), EventError);
  });

  test("characters beyond one byte go as UTF-8", () => {
    const made = headersOf(request(v2("/", { headers: { a: "日本", b: "é" } })));
    assert.equal(Buffer.from(made.a ?? "", "latin1").toString(), "日本");
    assert.equal(made.b, "é");
  });
});

describe("kinds", () => {
  test("events are told apart", () => {
    assert.equal(request(v2("/")).kind, "http-2.0");
    assert.equal(request(rest({ version: "1.0" })).kind, "http-1.0");
    assert.equal(request(rest({ requestContext: { elb: {} } })).kind, "balancer");
    const multi = rest({ requestContext: { elb: {} }, multiValueHeaders: { a: ["b"] } });
    assert.equal(request(multi).kind, "balancer-multi");
    const others = [
      { Records: [] },
      { version: "2.0" },
      { requestContext: { connectionId: "1", eventType: "CONNECT" } },
      { requestContext: null, httpMethod: "GET", path: "/" },
      "text",
      [],
      null,
      1,
    ];
    for (const event of others) assert.equal(request(event).kind, "other");
  });

  test("an event that is no request is posted as it came", () => {
    const raw = Buffer.from('{ "n": 12345678901234567890 }');
    const settings = readSettings({ PORT: "3000" }, () => undefined);
    const made = requestOf(raw, facts, settings);
    assert.equal(made.method, "POST");
    assert.equal(made.target, "/events");
    assert.equal(made.body, raw);
    assert.equal(headersOf(made)["content-type"], "application/json");
    assert.equal(headersOf(made)["x-amzn-request-context"], "null");
    assert.equal(headersOf(made).host, "127.0.0.1:3000");
  });

  test("what is not JSON is no event", () => {
    const settings = readSettings({}, () => undefined);
    assert.throws(() => requestOf(Buffer.from("{"), facts, settings), EventError);
  });
});
