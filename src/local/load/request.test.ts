import assert from "node:assert/strict";
import { test } from "node:test";
import type { Arrival } from "./arrivals.ts";
import type { RequestTemplate } from "./load.ts";
import { createWriter, faultOf } from "./request.ts";
import type { Answer } from "./response.ts";

const arrival: Arrival = { index: 7, atMs: 0, template: 0, client: 0, n: 33 };
const post: RequestTemplate = {
  method: "POST",
  path: "/pets/{n}?mark={token}",
  body: '{"name":"{token}","kind":"kätzchen","n":{n}}',
  headers: { Accept: "application/json", "X-Request-Id": "not ours" },
  weight: 1,
  expect: [201],
  echo: true,
};

test("placeholders are filled, the length counts bytes, our own headers win", () => {
  const { wire, id, token, idempotent } = createWriter(post, "pets.test", 1)(arrival);
  const [head = "", body = ""] = wire.text.split("\r\n\r\n");
  assert.ok(head.startsWith(`POST /pets/33?mark=${token} HTTP/1.1\r\nhost: pets.test\r\n`));
  assert.equal(body, `{"name":"${token}","kind":"kätzchen","n":33}`);
  assert.ok(head.includes(`content-length: ${Buffer.byteLength(body)}`));
  assert.ok(head.includes("content-type: application/json"));
  assert.deepEqual(head.match(/x-request-id: .*/g), [`x-request-id: ${id}`]);
  assert.equal(idempotent, false);
});

test("no token and no id occurs in another one", () => {
  const write = createWriter(post, "pets.test", 1);
  const all = Array.from({ length: 2000 }, (_, index) => write({ ...arrival, index }));
  const tokens = all.map(({ token }) => token);
  assert.equal(new Set(tokens).size, tokens.length);
  assert.equal(new Set(all.map(({ id }) => id)).size, tokens.length);
  assert.equal(new Set(tokens.map(({ length }) => length)).size, 1);
});

test("an answer is judged by its id, its status and its content", () => {
  const request = createWriter(post, "pets.test", 1)(arrival);
  const good: Answer = {
    status: 201,
    requestId: request.id,
    body: `{"name":"${request.token}"}`,
    keepAlive: true,
    keepAliveSeconds: null,
  };
  assert.equal(faultOf(request, good), null);
  assert.equal(faultOf(request, { ...good, requestId: null }), null, "services need not echo ids");
  assert.match(faultOf(request, { ...good, requestId: "1-0" }) ?? "", /another request/);
  assert.equal(faultOf(request, { ...good, status: 500 }), "unexpected status");
  assert.equal(faultOf(request, { ...good, status: 200 }), "unexpected status");
  assert.match(faultOf(request, { ...good, body: '{"name":"other"}' }) ?? "", /token/);
});
