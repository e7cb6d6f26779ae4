import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createResponseParser, type Expected, type Parsed } from "./response.ts";

/** Feeds the text in the given pieces, and the end of the connection if it is still wanted. */
function parse(pieces: readonly string[], ended = false, expected: Partial<Expected> = {}): Parsed {
  const parser = createResponseParser();
  parser.expect({ bodyless: false, keepBody: true, ...expected });
  for (const piece of pieces) {
    const parsed = parser.feed(piece);
    if (parsed.type !== "partial") return parsed;
  }
  return ended ? parser.end() : { type: "partial" };
}

const ok = "HTTP/1.1 200 OK\r\n";

test("every framing of a body is read", () => {
  const cases: readonly (readonly [text: string, body: string, keepAlive: boolean])[] = [
    [`${ok}Content-Length: 3\r\n\r\nabc`, "abc", true],
    [`${ok}content-length:0\r\n\r\n`, "", true],
    [`${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n02;x=y\r\nde\r\n0\r\n\r\n`, "abcde", true],
    [`${ok}transfer-encoding: chunked\r\n\r\n0\r\nx-sum: 1\r\n\r\n`, "", true],
    [`${ok}\r\nuntil the end`, "until the end", false],
    [`${ok}connection: close\r\ncontent-length: 1\r\n\r\nx`, "x", false],
    ["HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", "x", false],
    ["HTTP/1.0 200\r\nconnection: Keep-Alive\r\ncontent-length: 1\r\n\r\nx", "x", true],
    ["HTTP/1.1 204 No Content\r\n\r\n", "", true],
    ["HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n", "", true],
    [`HTTP/1.1 100 Continue\r\n\r\n${ok}content-length: 1\r\n\r\nx`, "x", true],
  ];
  for (const [text, body, keepAlive] of cases) {
    for (const pieces of [[text], [...text], text.split(/(?<=\n)/)]) {
      const parsed = parse(pieces, true);
      assert.ok(parsed.type === "answer", `${text}: ${JSON.stringify(parsed)}`);
      assert.deepEqual([parsed.answer.body, parsed.answer.keepAlive], [body, keepAlive], text);
    }
  }
});

test("the headers that matter are read in any case", () => {
  const parsed = parse([
    `HTTP/1.1 404 Not Found\r\nX-Request-ID:  r-7 \r\nKEEP-ALIVE: max=9, timeout=5\r\n`,
    "Content-LENGTH: 2\r\n\r\nno",
  ]);
  assert.ok(parsed.type === "answer");
  assert.deepEqual(parsed.answer, {
    status: 404,
    requestId: "r-7",
    keepAliveSeconds: 5,
    keepAlive: true,
    body: "no",
  });
});

test("HEAD has no body whatever its length says, and an unwanted body is not kept", () => {
  const head = parse([`${ok}content-length: 9\r\n\r\n`], false, { bodyless: true });
  assert.equal(head.type, "answer");
  const unwanted = parse([`${ok}content-length: 3\r\n\r\nabc`], false, { keepBody: false });
  assert.ok(unwanted.type === "answer" && unwanted.answer.body === "");
});

test("garbage is told as such", () => {
  for (const text of [
    "hello",
    "HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    `${ok}content-length: -1\r\n\r\n`,
    `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`,
    `${ok}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${ok}transfer-encoding: gzip\r\n\r\n`,
    `${ok}transfer-encoding: chunked\r\n\r\nzz\r\n`,
    `${ok}transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n`,
    `${ok}no colon\r\n\r\n`,
    `${ok}content-length: 1\r\n\r\nxy`,
    `${ok}content-length: 3\r\n\r\nx`,
    `${ok}transfer-encoding: chunked\r\n\r\n3\r\nx`,
    `${ok}x-long: ${"x".repeat(70_000)}`,
  ]) {
    assert.equal(parse([text], true).type, "garbage", text.slice(0, 80));
  }
  const parser = createResponseParser();
  assert.equal(parser.feed(`${ok}content-length: 0\r\n\r\n`).type, "garbage", "nobody asked");
});

test("a body beyond the bound ends the answer", () => {
  const parser = createResponseParser();
  parser.expect({ bodyless: false, keepBody: false });
  assert.equal(parser.feed(`${ok}\r\n`).type, "partial");
  const mebibyte = "x".repeat(1024 * 1024);
  const results = Array.from({ length: 33 }, () => parser.feed(mebibyte).type);
  assert.deepEqual(results.indexOf("garbage"), 32);
});

test("any chunks of any body, cut anywhere, give the body back", () => {
  const piece = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(400)), (parts, cuts) => {
      const chunks = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
      const text = `${ok}transfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
      const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
      const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
      const parsed = parse(pieces.filter((one) => one !== ""));
      assert.ok(parsed.type === "answer");
      assert.equal(parsed.answer.body, parts.join(""));
    }),
  );
});

test("any bytes give some verdict", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary-ascii" })), (pieces) => {
      parse([ok, ...pieces], true);
      parse(pieces, true);
    }),
  );
});
