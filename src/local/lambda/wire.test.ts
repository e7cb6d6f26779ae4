import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { RequestReader, WireError, type WireRequest } from "./wire.ts";

const limits = { headBytesMax: 2048, bodyBytesMax: 5000 };

function read(pieces: readonly Buffer[]): { requests: WireRequest[]; continues: number } {
  const requests: WireRequest[] = [];
  let continues = 0;
  const reader = new RequestReader({
    ...limits,
    onRequest: (request) => requests.push(request),
    onContinue: () => {
      continues += 1;
    },
  });
  for (const piece of pieces) reader.feed(piece);
  return { requests, continues };
}

/** Cuts bytes at the given points; points repeat from the start where they run out. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? bytes.length;
    pieces.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}

interface Sent {
  readonly target: string;
  readonly body: Buffer;
  /** `null` = with a content length. */
  readonly chunk: number | null;
}

function serialise({ target, body, chunk }: Sent): Buffer {
  const start = `POST ${target} HTTP/1.1\r\nHost: h\r\nX-Note:  a: b \r\n`;
  if (chunk === null) {
    return Buffer.concat([Buffer.from(`${start}Content-Length: ${body.length}\r\n\r\n`), body]);
  }
  const parts: Buffer[] = [Buffer.from(`${start}Transfer-Encoding: chunked\r\n\r\n`)];
  for (let at = 0; at < body.length; at += chunk) {
    const piece = body.subarray(at, at + chunk);
    parts.push(Buffer.from(`${piece.length.toString(16)};x=y\r\n`), piece, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\nX-Trailer: t\r\n\r\n")]);
}

const sent: fc.Arbitrary<Sent> = fc.record({
  target: fc.constantFrom("/", "/a/b?c=d", "/x"),
  body: fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
  chunk: fc.option(fc.integer({ min: 1, max: 700 })),
});
const cuts = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 });

describe("the request reader", () => {
  test("reads any requests however their bytes arrive", () => {
    fc.assert(
      fc.property(fc.array(sent, { minLength: 1, maxLength: 4 }), cuts, (all, lengths) => {
        const { requests } = read(cut(Buffer.concat(all.map(serialise)), lengths));
        assert.equal(requests.length, all.length);
        for (const [index, request] of requests.entries()) {
          const expected = all[index];
          assert.equal(request.method, "POST");
          assert.equal(request.target, expected?.target);
          assert.equal(request.headers.get("x-note"), "a: b");
          assert.ok(!request.oversize);
          assert.deepEqual(Buffer.from(request.body), expected?.body);
          if (expected?.chunk) assert.equal(request.headers.get("x-trailer"), "t");
        }
      }),
      { numRuns: 150 },
    );
  });

  test("answers any bytes with requests or a WireError, never with another failure", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom("POST / HTTP/1.1\r\n", "Content-Length: ", "7", "\r\n", "\r\n\r\n", "ffffff")
        .map((text) => Buffer.from(text)),
      fc.constant(Buffer.from("Transfer-Encoding: chunked\r\n\r\n")),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          read(pieces);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  test("throws away a body that is too large and reads on", () => {
    const large = Buffer.alloc(limits.bodyBytesMax + 1, 120);
    for (const chunk of [null, 512]) {
      const bytes = Buffer.concat([
        serialise({ target: "/large", body: large, chunk }),
        serialise({ target: "/after", body: Buffer.from("ok"), chunk: null }),
      ]);
      for (const length of [1000, 20_000]) {
        const { requests } = read(cut(bytes, [length]));
        assert.deepEqual(
          requests.map(({ target, oversize, body }) => [target, oversize, body.length]),
          [
            ["/large", true, 0],
            ["/after", false, 2],
          ],
        );
      }
    }
  });

  test("refuses what is ambiguous or has no end", () => {
    const heads = [
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\n",
      "POST / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
      "POST /\r\n\r\n",
      "\r\n\r\n",
      `GET / HTTP/1.1\r\nX: ${"x".repeat(limits.headBytesMax)}`,
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ];
    for (const head of heads) assert.throws(() => read([Buffer.from(head)]), WireError, head);
  });

  test("asks for the body when the peer waits for permission", () => {
    const head = "POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    const { requests, continues } = read([Buffer.from(head), Buffer.from("ok")]);
    assert.equal(continues, 1);
    assert.equal(requests[0]?.body.toString(), "ok");
  });
});
