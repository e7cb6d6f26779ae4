/** Bytes that look like HTTP, more or less. */
import fc from "fast-check";

/** Texts of one character per byte: they can be saved and read. */
export type Bytes = string;

const line = "\r\n";
const oddEnds = fc.constantFrom(line, "\n", "\r", "\r\r\n", " \r\n", "\t\r\n", "\0\r\n");
const end = fc.oneof({ weight: 12, arbitrary: fc.constant(line) }, oddEnds);
const junk = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const number = fc.oneof(
  fc.constantFrom("0", "1", "5", "00", "+5", "-1", "5,5", "5, 6", "0x5", "5 5", "", "1e1"),
  fc.constantFrom("99999999999999999999", "2147483648", "4294967296", "18446744073709551616"),
  fc.integer({ min: 0, max: 40 }).map(String),
);
const coding = fc.constantFrom(
  "chunked",
  "Chunked",
  "chunked, chunked",
  "gzip, chunked",
  "chunked, identity",
  "identity",
  "xchunked",
  " chunked",
  "chunked\x0b",
  "",
);
const name = fc.constantFrom(
  "Host",
  "X-A",
  "x_a",
  "Cookie",
  "Connection",
  "Keep-Alive",
  "Expect",
  "Trailer",
  "TE",
  "Upgrade",
  "X-Forwarded-For",
  "X-Amzn-Trace-Id",
  "constructor",
  "__proto__",
  "Content-Type",
);
const value = fc.oneof(
  fc.constantFrom("a", "close", "keep-alive", "100-continue", "a; b", "a,b", "text/plain", ""),
  fc.constantFrom("application/json", "Content-Length", "content-length, host", "websocket"),
  junk,
);
const space = fc.oneof(
  { weight: 12, arbitrary: fc.constant(": ") },
  fc.constantFrom(":", " : ", ":\t", "", ":\r\n ", "\0:"),
);
const field = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(name, space, value, end).map((parts) => parts.join("")) },
  fc
    .tuple(
      fc.constantFrom("Content-Length", "content-length", "Content_Length"),
      space,
      number,
      end,
    )
    .map((parts) => parts.join("")),
  fc
    .tuple(fc.constantFrom("Transfer-Encoding", "transfer-encoding"), space, coding, end)
    .map((parts) => parts.join("")),
  fc.tuple(junk, end).map((parts) => parts.join("")),
);
const chunk = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, number, fc.constantFrom("5;x=y", "g")),
    junk,
    end,
    end,
  )
  .map(([size, data, one, two]) => `${size ?? data.length.toString(16)}${one}${data}${two}`);
const body = fc.oneof(
  fc.constant(""),
  junk,
  fc
    .tuple(
      fc.array(chunk, { maxLength: 3 }),
      fc.constantFrom("0\r\n\r\n", "0\r\nX: y\r\n\r\n", "", "0\r\n"),
    )
    .map(([chunks, last]) => chunks.join("") + last),
  fc.constantFrom("hello", "GET /smuggled HTTP/1.1\r\nHost: a\r\nX-Id: smuggled\r\n\r\n"),
);

/** Header lines with the empty line behind them. */
export const headerBlock: fc.Arbitrary<Bytes> = fc
  .tuple(fc.array(field, { maxLength: 6 }), end)
  .map(([fields, last]) => fields.join("") + last);

const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE") },
  fc.constantFrom("get", "PRI", "CONNECT", "TRACE", "M-SEARCH", "", "GET\t"),
);
const path = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("/", "/a?b=c", "/a%2Fb", "/%ff", "*", "http://a/b") },
  junk,
  fc.constant(`/${"x".repeat(9000)}`),
);
const version = fc.oneof(
  { weight: 12, arbitrary: fc.constant("HTTP/1.1") },
  fc.constantFrom("HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "http/1.1", "HTTP/11", ""),
);

const plainField = fc
  .tuple(fc.constantFrom("X-A", "Accept", "Cookie"), fc.constantFrom("a", "b; c", ""))
  .map(([key, text]) => `${key}: ${text}\r\n`);
/** A body that says rightly where it ends: half of the bugs need one to show. */
const framed = fc
  .tuple(fc.array(plainField, { maxLength: 3 }), fc.array(junk, { maxLength: 4 }), fc.boolean())
  .map(([fields, parts, chunked]) => {
    const all = parts.join("");
    if (!chunked) return `${fields.join("")}Content-Length: ${all.length}\r\n\r\n${all}`;
    const chunks = parts.filter((part) => part !== "");
    const text = chunks.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
    return `${fields.join("")}Transfer-Encoding: chunked\r\n\r\n${text}0\r\n\r\n`;
  });
const goodRequests = fc
  .array(fc.tuple(fc.constantFrom("POST /", "PUT /a?b", "DELETE /x"), framed), {
    minLength: 1,
    maxLength: 3,
  })
  .map((all) => all.map(([start, rest]) => `${start} HTTP/1.1\r\nHost: a\r\n${rest}`).join(""));

/** Requests, one or a few of them, broken in the ways that people smuggle by. */
export const requestBytes: fc.Arbitrary<Bytes> = fc.oneof(goodRequests, brokenRequest());

function brokenRequest(): fc.Arbitrary<Bytes> {
  return fc
    .tuple(method, path, version, end, headerBlock, body)
    .map(
      ([verb, target, kind, last, block, rest]) =>
        `${verb} ${target} ${kind}${last}${block}${rest}`,
    );
}

const status = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("200 OK", "204 No Content", "304 x", "404 Not Found") },
  fc.constantFrom("100 Continue", "101 Switching", "103 Hints", "200", "20 OK", "999 x", "099 x"),
);

/** Answers, broken likewise. */
export const answerBytes: fc.Arbitrary<Bytes> = fc.oneof(
  framed.map((rest) => `HTTP/1.1 200 OK\r\n${rest}`),
  brokenAnswer(),
);

function brokenAnswer(): fc.Arbitrary<Bytes> {
  return fc
    .tuple(version, status, end, headerBlock, body)
    .map(([kind, code, last, block, rest]) => `${kind} ${code}${last}${block}${rest}`);
}

/** Where a text is cut, as fractions: any text can be cut so. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.array(fc.integer({ min: 0, max: 1000 }), {
  maxLength: 5,
});

/** The pieces that a text falls into. */
export function pieces(text: Bytes, at: readonly number[]): readonly Buffer[] {
  const marks = [...new Set(at.map((share) => Math.floor((share * text.length) / 1000)))];
  const sorted = [0, ...marks.toSorted((a, b) => a - b), text.length];
  return sorted.slice(1).flatMap((to, index) => {
    const piece = text.slice(sorted[index], to);
    return piece === "" ? [] : [Buffer.from(piece, "latin1")];
  });
}
