import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AnswerHead, BadAnswerError, createAnswerReader } from "./answer-reader.ts";

interface Read {
  readonly heads: AnswerHead[];
  readonly interim: number[];
  body: string;
  trailers: readonly string[];
  ended: boolean;
  tunnel: string | null;
}

/** Reads `pieces` as the answer to one request. */
function read(pieces: readonly Buffer[], method = "GET", close = false) {
  const reader = createAnswerReader();
  const seen: Read = {
    heads: [],
    interim: [],
    body: "",
    trailers: [],
    ended: false,
    tunnel: null,
  };
  reader.expect(method, {
    onInterim: ({ status }) => seen.interim.push(status),
    onHead: (head) => seen.heads.push(head),
    onData: (piece) => {
      seen.body += piece.toString("latin1");
    },
    onEnd: (last, trailers) => {
      seen.body += last?.toString("latin1") ?? "";
      seen.trailers = trailers;
      seen.ended = true;
    },
    onTunnel: (head, rest) => {
      seen.heads.push(head);
      seen.tunnel = rest.toString("latin1");
    },
  });
  for (const piece of pieces) reader.push(piece);
  const whole = close ? reader.close() : true;
  return { seen, whole, surplus: reader.surplus, started: reader.started };
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** Cuts a buffer into pieces at the given places. */
function cut(all: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % all.length))].sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const end of [...ends, all.length]) {
    if (end > from) pieces.push(all.subarray(from, end));
    from = Math.max(from, end);
  }
  return pieces;
}

const body = fc.string({ unit: "binary-ascii", maxLength: 300 });
const places = fc.array(fc.nat(2_000), { maxLength: 30 });

test("law: an answer with a length reads the same however its bytes arrive", () => {
  fc.assert(
    fc.property(body, places, (text, at) => {
      const all = bytes(
        `HTTP/1.1 200 Fine\r\nA: 1\r\na: 2\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      );
      const { seen, surplus } = read(cut(all, at));
      assert.ok(seen.ended);
      assert.equal(seen.body, text);
      assert.equal(surplus, false);
      assert.deepEqual(seen.heads[0]?.fields.slice(0, 4), ["A", "1", "a", "2"]);
      assert.equal(seen.heads[0]?.reason, "Fine");
    }),
  );
});

test("law: chunks are joined, and trailers kept, however the bytes arrive", () => {
  const chunks = fc.array(fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 60 }));
  fc.assert(
    fc.property(chunks, places, (texts, at) => {
      const coded = texts.map((text) => `${text.length.toString(16)};x=y\r\n${text}\r\n`).join("");
      const all = bytes(`${chunked}${coded}0\r\nSum: 7\r\nHost: x\r\n\r\n`);
      const { seen, surplus } = read(cut(all, at));
      assert.ok(seen.ended);
      assert.equal(seen.body, texts.join(""));
      assert.deepEqual(seen.trailers, ["Sum", "7"]);
      assert.equal(surplus, false);
    }),
  );
});

test("law: garbage is refused or read, never passed by in silence or crashed on", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), places, (raw, at) => {
      try {
        read(cut(Buffer.from(raw), at));
      } catch (error) {
        assert.ok(error instanceof BadAnswerError);
      }
    }),
  );
});

test("a body without length ends with the connection, and is not taken for reusable", () => {
  const { seen, whole } = read([bytes("HTTP/1.1 200 OK\r\n\r\nab"), bytes("cd")], "GET", true);
  assert.deepEqual([seen.body, seen.ended, whole], ["abcd", true, true]);
  assert.equal(seen.heads[0]?.keepAlive, false);
});

test("a body that is cut off is noticed", () => {
  for (const head of ["Content-Length: 9", "Transfer-Encoding: chunked"]) {
    const { seen, whole } = read([bytes(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nab`)], "GET", true);
    assert.deepEqual([seen.ended, whole], [false, false]);
  }
});

test("HEAD, 204 and 304 have no body whatever they announce", () => {
  const cases = [
    ["HEAD", "200 OK"],
    ["GET", "204 No Content"],
    ["GET", "304 Not Modified"],
  ] as const;
  for (const [method, status] of cases) {
    const { seen, surplus } = read(
      [bytes(`HTTP/1.1 ${status}\r\nContent-Length: 9\r\n\r\n`)],
      method,
    );
    assert.deepEqual([seen.ended, seen.body, surplus], [true, "", false]);
  }
});

test("interim answers come before the answer; 101 makes a tunnel", () => {
  const text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const { seen } = read([bytes(`${text}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`)]);
  assert.deepEqual([seen.interim, seen.ended], [[100, 103], true]);
  const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";
  const tunnel = read([bytes(`${head}first words`)]).seen;
  assert.equal(tunnel.tunnel, "first words");
  assert.equal(tunnel.heads[0]?.upgrade, "chat");
});

test("hop-by-hop fields end here, those named by Connection included", () => {
  const text =
    "HTTP/1.1 200 OK\r\nX-Own: 1\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\n" +
    "Keep-Alive: timeout=5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n";
  const [head] = read([bytes(text)]).seen.heads;
  const fields = ["X-Own", "1", "Set-Cookie", "a", "Set-Cookie", "b", "Content-Length", "0"];
  assert.deepEqual(head?.fields, fields);
  assert.deepEqual([head?.keepAlive, head?.keepAliveMs], [true, 5000]);
});

test("bytes after an answer are noticed, since they belong to nobody", () => {
  const { seen, surplus } = read([bytes("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab")]);
  assert.deepEqual([seen.body, seen.ended, surplus], ["a", true, true]);
});

const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const ambiguous: Readonly<Record<string, string>> = {
  "no status line": "hello\r\n\r\n",
  "HTTP/2 in words": "HTTP/2 200 OK\r\n\r\n",
  "status 099": "HTTP/1.1 099 X\r\n\r\n",
  "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  "a list of lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
  "a signed length": "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
  "length and coding": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  "coding in HTTP/1.0": "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  "an unknown coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
  "a folded line": "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
  "a blank before the colon": "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n",
  "a bare line feed": "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
  "a bare carriage return": "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
  "a null byte": "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
  "a field without colon": "HTTP/1.1 200 OK\r\nhello\r\n\r\n",
  "a chunk without size": `${chunked}zz\r\n`,
  "a negative chunk": `${chunked}-1\r\n`,
  "a chunk that is too long": `${chunked}1\r\nab\r\n`,
  "a head without end": `HTTP/1.1 200 OK\r\nA: ${"b".repeat(40_000)}`,
  "a size line without end": `${chunked}${"1;".repeat(900)}`,
};

for (const [name, text] of Object.entries(ambiguous)) {
  test(`refuses ${name}`, () => {
    assert.throws(() => read([bytes(text)]), BadAnswerError);
  });
}
