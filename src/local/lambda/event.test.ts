import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { eventOf, type HttpRequest } from "./event.ts";

const stamp = {
  requestId: "6bc28136-0000-4000-8000-000000000001",
  traceId: "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
  epochMs: Date.UTC(2020, 2, 9, 7, 3, 58, 120),
};

function request(part: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: "GET",
    target: "/",
    httpVersion: "1.1",
    rawHeaders: ["Host", "api.example:8080"],
    sourceIp: "127.0.0.1",
    port: 8080,
    body: null,
    ...part,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: an event is JSON of many shapes
function event(part: Partial<HttpRequest> = {}): any {
  const text = eventOf(request(part), stamp);
  assert.ok(text !== null);
  return JSON.parse(text);
}

function bodyOf(decoded: { body?: string; isBase64Encoded: boolean }): Buffer {
  return Buffer.from(decoded.body ?? "", decoded.isBase64Encoded ? "base64" : "utf8");
}

describe("payload 2.0", () => {
  test("is complete", () => {
    const rawHeaders = ["Host", "api.example:8080", "User-Agent", "curl/8", "Cookie", "a=1; b=2"];
    const target = "/pets/7?tag=a&tag=b%20c&empty";
    assert.deepEqual(event({ target, rawHeaders }), {
      version: "2.0",
      routeKey: "$default",
      rawPath: "/pets/7",
      rawQueryString: "tag=a&tag=b%20c&empty",
      cookies: ["a=1", "b=2"],
      headers: {
        host: "api.example:8080",
        "user-agent": "curl/8",
        "x-amzn-trace-id": stamp.traceId,
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": "8080",
        "x-forwarded-proto": "http",
      },
      queryStringParameters: { tag: "a,b c", empty: "" },
      requestContext: {
        accountId: "000000000000",
        apiId: "local",
        domainName: "api.example",
        domainPrefix: "api",
        http: {
          method: "GET",
          path: "/pets/7",
          protocol: "HTTP/1.1",
          sourceIp: "127.0.0.1",
          userAgent: "curl/8",
        },
        requestId: stamp.requestId,
        routeKey: "$default",
        stage: "$default",
        time: "09/Mar/2020:07:03:58 +0000",
        timeEpoch: stamp.epochMs,
      },
      isBase64Encoded: false,
    });
  });

  test("joins duplicate headers by commas and drops what belongs to the connection", () => {
    const { headers } = event({
      rawHeaders: [
        ...["Host", "h", "X-Tag", "one", "x-tag", "two", "Connection", "close, X-Secret, host"],
        ...["X-Secret", "s", "Keep-Alive", "5", "TE", "trailers", "Upgrade", "websocket"],
        ...["Transfer-Encoding", "chunked", "__proto__", "polluted"],
      ],
    });
    assert.equal(headers["x-tag"], "one,two");
    assert.equal(headers.host, "h");
    assert.equal(Object.getOwnPropertyDescriptor(headers, "__proto__")?.value, "polluted");
    for (const name of ["connection", "keep-alive", "te", "upgrade", "x-secret"]) {
      assert.ok(!(name in headers), name);
    }
    assert.ok(!("transfer-encoding" in headers));
  });

  test("replaces what a client claims to be", () => {
    const { headers } = event({
      rawHeaders: [
        ...["Host", "h", "X-Forwarded-For", "6.6.6.6", "x-forwarded-proto", "https"],
        ...["X-Forwarded-Host", "evil", "Forwarded", "for=6.6.6.6", "X-Amzn-Trace-Id", "Root=1"],
      ],
    });
    assert.equal(headers["x-forwarded-for"], "127.0.0.1");
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers["x-amzn-trace-id"], stamp.traceId);
    assert.ok(!("x-forwarded-host" in headers) && !("forwarded" in headers));
  });

  test("hands the path over decoded and the query byte for byte", () => {
    const decoded = event({ target: "/a%2Fb/%C3%A9?q=%2F%zz&&x=+1" });
    assert.equal(decoded.rawPath, "/a/b/é");
    assert.equal(decoded.requestContext.http.path, "/a/b/é");
    assert.equal(decoded.rawQueryString, "q=%2F%zz&&x=+1");
    assert.deepEqual(decoded.queryStringParameters, { q: "%2F%zz", x: " 1" });
    assert.equal(event({ target: "http://other/x?y" }).rawPath, "/x");
    for (const target of ["/%zz", "/%ff", "*", "/a#b", "/é", "/a b", ""]) {
      assert.equal(eventOf(request({ target }), stamp), null, target);
    }
  });

  test("keeps any query", () => {
    const character = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    const query = fc.string({ unit: character.filter((one) => one !== "#"), maxLength: 60 });
    fc.assert(
      fc.property(query, (text) => {
        assert.equal(event({ target: `/?${text}` }).rawQueryString, text);
      }),
    );
  });

  test("carries any body unchanged, whatever type it claims", () => {
    const types = [undefined, "text/plain", "application/json; charset=utf-8", "image/png"];
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom(...types), (bytes, type) => {
        const body = Buffer.from(bytes);
        const rawHeaders = ["Host", "h", ...(type ? ["Content-Type", type] : [])];
        const decoded = event({ method: "POST", rawHeaders, body });
        assert.deepEqual(bodyOf(decoded), body);
        assert.equal(decoded.headers["content-length"], String(body.length));
      }),
    );
  });

  test("takes text, JSON, XML and JavaScript as text and everything else as base64", () => {
    const base64 = (type: string | null): boolean =>
      event({ rawHeaders: type ? ["Content-Type", type] : [], body: Buffer.from("{}") })
        .isBase64Encoded;
    const text = ["text/csv", "application/json", "Application/JSON;charset=utf-8"];
    for (const type of [...text, "application/xml", "application/javascript"]) {
      assert.equal(base64(type), false, type);
    }
    const binary = [null, "application/x-www-form-urlencoded", "application/json5", "image/png"];
    for (const type of binary) assert.equal(base64(type), true, String(type));
  });
});
