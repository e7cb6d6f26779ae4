import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Answer, answerOf } from "./answer.ts";

function answer(payload: unknown): Answer | null {
  return answerOf({
    type: "response",
    body: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
    streaming: false,
  });
}

function streamed(prelude: string, body: Buffer): Answer | null {
  const payload = Buffer.concat([Buffer.from(prelude), Buffer.alloc(8), body]);
  return answerOf({ type: "response", body: payload, streaming: true });
}

describe("what a function returned", () => {
  test("is taken as it says", () => {
    const headers = { "Content-Type": "text/html", "X-Count": 3, "Transfer-Encoding": "chunked" };
    const cookies = ["a=1; Path=/", "b=2"];
    const more = { Connection: "close", "content-length": "999" };
    assert.deepEqual(
      answer({ statusCode: 404, headers: { ...headers, ...more }, cookies, body: "hé" }),
      {
        status: 404,
        headers: [
          ...["Content-Type", "text/html", "X-Count", "3"],
          ...["set-cookie", "a=1; Path=/", "set-cookie", "b=2"],
        ],
        body: "hé",
        contentLength: "999",
      },
    );
  });

  test("is decoded when it is base64", () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    const body = bytes.toString("base64");
    assert.deepEqual(answer({ statusCode: 200, body, isBase64Encoded: true })?.body, bytes);
  });

  test("gets a type when it has none, and none without a body", () => {
    const typed = ["content-type", "text/plain;charset=utf-8"];
    assert.deepEqual(answer({ statusCode: 200, body: "x" })?.headers, typed);
    assert.deepEqual(answer({ statusCode: "204" })?.headers, []);
  });

  test("is the body of a 200 when it is other JSON", () => {
    const inferred = answer({ pets: [] });
    assert.equal(inferred?.status, 200);
    assert.equal(String(inferred?.body), '{"pets":[]}');
    assert.deepEqual(inferred?.headers, ["content-type", "application/json"]);
    assert.equal(answer('"Hello from Lambda!"')?.body, "Hello from Lambda!");
    assert.equal(String(answer("[1]")?.body), "[1]");
  });

  test("is no answer when HTTP cannot carry it", () => {
    const bad = [
      "",
      "{not json",
      { statusCode: 99 },
      { statusCode: 101 },
      { statusCode: "abc" },
      { statusCode: null },
      { statusCode: 200, body: { a: 1 } },
      { statusCode: 200, headers: { "x y": "z" } },
      { statusCode: 200, headers: { x: "a\r\nb: c" } },
      { statusCode: 200, headers: { x: ["a"] } },
      { statusCode: 200, cookies: ["a\nb"] },
    ];
    for (const payload of bad) assert.equal(answer(payload), null, JSON.stringify(payload));
    assert.equal(answerOf({ type: "error", errorType: "X", message: "" }), null);
  });

  test("has a prelude when it is streamed", () => {
    const body = Buffer.from([1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    const prelude = JSON.stringify({ statusCode: 201, headers: { a: "b" }, cookies: ["c=d"] });
    const result = streamed(prelude, body);
    assert.equal(result?.status, 201);
    assert.deepEqual(result?.body, body);
    const typed = ["content-type", "text/plain;charset=utf-8"];
    assert.deepEqual(result?.headers, ["a", "b", "set-cookie", "c=d", ...typed]);
    assert.equal(streamed("{", body), null);
    assert.equal(streamed("{}", body)?.status, 200);
  });
});
