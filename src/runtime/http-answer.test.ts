import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AnswerError, type AnswerHead, createAnswerParser } from "./http-answer.ts";

interface Parsed {
  readonly complete: boolean;
  readonly reusable: boolean;
  readonly head: AnswerHead | null;
  readonly body: Buffer;
}

/** Feeds `bytes` in pieces that end at `cuts`. */
function parse(method: string, bytes: Buffer, cuts: readonly number[] = [], close = false): Parsed {
  let head: AnswerHead | null = null;
  const chunks: Buffer[] = [];
  const parser = createAnswerParser(method, {
    onHead: (received) => {
      assert.equal(head, null);
      head = received;
    },
    onData: (chunk) => chunks.push(chunk),
  });
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let complete = false;
  let from = 0;
  for (const end of ends.sort((a, b) => a - b)) {
    if (end > from) complete = parser.push(bytes.subarray(from, end));
    from = end;
  }
  if (close) complete = parser.end();
  return { complete, reusable: parser.reusable, head, body: Buffer.concat(chunks) };
}

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/).map((name) => `x-${name}`);
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[ -~\x80-\xff]{0,10}[!-~\x80-\xff])?)?$/);
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const cuts = fc.array(fc.nat(), { maxLength: 12 });

function chunksOf(bytes: Buffer, sizes: readonly number[], trailer: string): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const size of [...sizes, bytes.length]) {
    const piece = bytes.subarray(from, from + size);
    if (piece.length === 0) continue;
    parts.push(Buffer.from(`${piece.length.toString(16)};n=v\r\n`), piece, Buffer.from("\r\n"));
    from += size;
  }
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

test("an answer is the same however it is framed and cut", () => {
  const framing = fc.constantFrom("length", "chunked", "close");
  const headers = fc.array(fc.tuple(token, value), { maxLength: 5 });
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
  const status = fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304);
  fc.assert(
    fc.property(
      framing,
      status,
      headers,
      body,
      sizes,
      cuts,
      (kind, code, extra, bytes, pieces, at) => {
        const interim = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
        const lines = extra.map(([name, text]) => `${name}: ${text}\r\n`).join("");
        const length = kind === "length" ? `Content-Length: ${bytes.length}\r\n` : "";
        const coding = kind === "chunked" ? "Transfer-Encoding: Chunked\r\n" : "";
        const text = `${interim}HTTP/1.1 ${code} Fine\r\n${lines}${length}${coding}\r\n`;
        const payload = kind === "chunked" ? chunksOf(bytes, pieces, "x-sum: 1\r\n") : bytes;
        const wire = Buffer.concat([Buffer.from(text, "latin1"), payload]);
        const parsed = parse("GET", wire, at, kind === "close");
        assert.equal(parsed.complete, true);
        assert.equal(parsed.reusable, kind !== "close");
        assert.equal(parsed.head?.status, code);
        assert.deepEqual(parsed.head?.headers.slice(0, extra.length), extra);
        assert.deepEqual(parsed.body, bytes);
        if (bytes.length > 0 && kind !== "close") {
          assert.equal(parse("GET", wire.subarray(0, -1)).complete, false);
        }
      },
    ),
  );
});

test("garbage is refused or waited for, never taken for an answer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), cuts, (bytes, at) => {
      if (Buffer.from(bytes).toString("latin1").startsWith("HTTP/1.")) return;
      try {
        assert.equal(parse("GET", Buffer.from(bytes), at).complete, false);
      } catch (error) {
        assert(error instanceof AnswerError);
      }
    }),
  );
});

test("no body where none is allowed", () => {
  const wire = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  assert.equal(parse("HEAD", wire).complete, true);
  assert.equal(parse("GET", wire).complete, false);
  for (const status of [204, 304]) {
    const bare = Buffer.from(`HTTP/1.1 ${status} X\r\nTransfer-Encoding: chunked\r\n\r\n`);
    assert.equal(parse("GET", bare).complete, true);
  }
});

test("a connection that the peer ends or misuses is not used again", () => {
  const reusable = (text: string): boolean => parse("GET", Buffer.from(text)).reusable;
  assert.equal(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), true);
  assert.equal(
    reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"),
    false,
  );
  assert.equal(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1"), false);
  assert.equal(reusable("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"), false);
  assert.equal(
    reusable("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"),
    true,
  );
});

test("ambiguous and endless answers are refused", () => {
  const head = (lines: string): string => `HTTP/1.1 200 OK\r\n${lines}\r\n`;
  const refused = [
    "SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 099 X\r\n\r\n",
    "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    head("Content-Length: 1\r\nContent-Length: 2\r\n"),
    head("Content-Length: -1\r\n"),
    head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    head("Transfer-Encoding: gzip, chunked\r\n"),
    head("bad name: x\r\n"),
    head(" folded\r\n"),
    head("x: a\0b\r\n"),
    `${head("Transfer-Encoding: chunked\r\n")}0x10\r\n`,
    `${head("Transfer-Encoding: chunked\r\n")}fffffffff\r\n`,
    `${head("Transfer-Encoding: chunked\r\n")}2\r\nabc\r\n`,
    `${head("Transfer-Encoding: chunked\r\n")}${"1".repeat(2000)}`,
    `${head("Transfer-Encoding: chunked\r\n")}0\r\n${"a: b\r\n".repeat(20_000)}`,
    "H".repeat(70_000),
  ];
  for (const text of refused) {
    const label = text.slice(0, 60);
    assert.throws(() => parse("GET", Buffer.from(text, "latin1")), AnswerError, label);
  }
});
