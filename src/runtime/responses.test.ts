import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseCoding } from "./compression.ts";
import type { Headers } from "./http-answer.ts";
import { preludeOf, responseOf } from "./responses.ts";

function respond(
  kind: Parameters<typeof responseOf>[0],
  headers: Headers,
  body: Buffer | string = "",
  status = 200,
) {
  return JSON.parse(responseOf(kind, { status, headers, body: Buffer.from(body) }));
}

test("text goes as text when no byte is lost, all else as base64", () => {
  const encoded = (type: string | null, body: Buffer | string, more: Headers = []): boolean =>
    respond("http-2.0", [...(type ? [["Content-Type", type] as const] : []), ...more], body)
      .isBase64Encoded;
  for (const type of [
    null,
    "text/html; charset=utf-8",
    "application/json",
    "application/problem+json;x=y",
    "image/svg+xml",
    "application/x-www-form-urlencoded",
    "TEXT/CSS",
  ]) {
    assert.equal(encoded(type, "hällo\u2028\0\ufeff"), false, String(type));
    assert.equal(encoded(type, Buffer.from([0xff, 0xfe])), true, String(type));
  }
  for (const type of ["image/png", "application/octet-stream", "application/jsonx", "x/text/a"]) {
    assert.equal(encoded(type, "abc"), true, type);
    assert.equal(encoded(type, ""), false, type);
  }
  assert.equal(encoded("text/plain", "abc", [["Content-Encoding", "gzip"]]), true);
  assert.equal(encoded("text/plain", "abc", [["content-encoding", "identity"]]), false);
});

test("each sender gets its own shape", () => {
  const headers: Headers = [
    ["Set-Cookie", "a=1"],
    ["X-Many", "1"],
    ["x-many", "2"],
    ["set-cookie", "b=2, 3"],
    ["Connection", "keep-alive"],
    ["Transfer-Encoding", "chunked"],
  ];
  assert.deepEqual(respond("http-2.0", headers, "x", 404), {
    statusCode: 404,
    headers: { "x-many": "1, 2" },
    cookies: ["a=1", "b=2, 3"],
    body: "x",
    isBase64Encoded: false,
  });
  const multiValueHeaders = { "set-cookie": ["a=1", "b=2, 3"], "x-many": ["1", "2"] };
  const body = { body: "x", isBase64Encoded: false };
  assert.deepEqual(respond("http-1.0", headers, "x", 404), {
    statusCode: 404,
    multiValueHeaders,
    ...body,
  });
  assert.deepEqual(respond("balancer-multi", headers, "x", 404), {
    statusCode: 404,
    statusDescription: "404 Client Error",
    multiValueHeaders,
    ...body,
  });
  assert.deepEqual(respond("balancer", headers, "x"), {
    statusCode: 200,
    statusDescription: "200 OK",
    headers: { "x-many": "1, 2", "set-cookie": "b=2, 3" },
    ...body,
  });
});

test("no header name is special to JavaScript", () => {
  const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
  const headers = names.map((name) => [name, "1"] as const);
  const lower = names.map((name) => name.toLowerCase()).sort();
  assert.deepEqual(Object.keys(respond("http-2.0", headers).headers).sort(), lower);
  assert.deepEqual(Object.keys(respond("http-1.0", headers).multiValueHeaders).sort(), lower);
});

test("the answer to other events is their JSON, untouched", () => {
  const body = Buffer.from('{ "batchItemFailures": [] }');
  assert.equal(responseOf("other", { status: 200, headers: [], body }), body.toString());
  const text = Buffer.from("thanks");
  assert.equal(responseOf("other", { status: 200, headers: [], body: text }), "null");
});

test("the prelude ends in eight zeros", () => {
  const prelude = preludeOf({ status: 201, headers: [["Set-Cookie", "a=1"]] });
  assert.ok(prelude.endsWith("}\0\0\0\0\0\0\0\0"));
  assert.deepEqual(JSON.parse(prelude.replaceAll("\0", "")), {
    statusCode: 201,
    headers: { "content-type": "application/octet-stream" },
    cookies: ["a=1"],
  });
});

test("the client's weights choose the coding", () => {
  assert.equal(chooseCoding("gzip, deflate, br"), "br");
  assert.equal(chooseCoding("gzip;q=0.8, br;q=0.2"), "gzip");
  assert.equal(chooseCoding("br;q=0, gzip;q=0.1"), "gzip");
  assert.equal(chooseCoding("GZIP"), "gzip");
  assert.equal(chooseCoding("identity, zstd"), null);
  assert.equal(chooseCoding(""), null);
});
