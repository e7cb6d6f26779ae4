/** Everything that reads bytes or texts of others, without a socket in between. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { UserError } from "../../src/config/errors.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { readQuery, writeReply } from "../../src/local/dns/wire.ts";
import { BadAnswerError, createAnswerReader } from "../../src/local/fargate/answer-reader.ts";
import { answerOf } from "../../src/local/lambda/answer.ts";
import { eventOf } from "../../src/local/lambda/event.ts";
import { RequestReader, WireError } from "../../src/local/lambda/wire.ts";
import { parseTrace, TraceError } from "../../src/local/load/shape.ts";
import { EventError, requestOf } from "../../src/runtime/events.ts";
import { AnswerError, createAnswerParser } from "../../src/runtime/http-answer.ts";
import { responseOf } from "../../src/runtime/responses.ts";
import { readSettings } from "../../src/runtime/variables.ts";
import { LogError, logCounter } from "../../src/sim/logs.ts";
import { CloudWatchError, cloudWatchTrace } from "../../src/sim/trace-files-cloudwatch.ts";
import { parseTraceCsv, TraceFormatError } from "../../src/sim/traces.ts";
import { answerBytes, cuts, pieces, requestBytes } from "./bytes.ts";
import { onlyThrows, type Target, target } from "./target.ts";

const cut = <T>(text: fc.Arbitrary<T>): fc.Arbitrary<readonly [T, readonly number[]]> =>
  fc.tuple(text, cuts);

/** What a reader makes of pieces; an error is an outcome like any other. */
function outcome(
  read: (told: (fact: unknown) => void) => void,
  kind: abstract new (...a: never[]) => Error,
): unknown[] {
  const facts: unknown[] = [];
  try {
    read((fact) => facts.push(fact));
  } catch (error) {
    if (!(error instanceof kind)) throw error;
    facts.push(error.name);
  }
  return facts;
}

/** However the network cuts the bytes, the reader must read the same. */
function sameHoweverCut(
  read: (parts: readonly Buffer[]) => unknown[],
  text: string,
  at: readonly number[],
): void {
  const whole = read(pieces(text, []));
  const cutUp = read(pieces(text, at));
  const message = `${JSON.stringify(whole)} ≠ ${JSON.stringify(cutUp)}`;
  assert.ok(isDeepStrictEqual(cutUp, whole), message);
}

function readWire(parts: readonly Buffer[]): unknown[] {
  return outcome((told) => {
    const reader = new RequestReader({
      headBytesMax: 2048,
      bodyBytesMax: 4096,
      onContinue: () => undefined,
      onRequest: ({ method, target, headers, body, oversize }) =>
        told([method, target, [...headers], body.toString("latin1"), oversize]),
    });
    for (const part of parts) reader.feed(part);
  }, WireError);
}

function readAnswer(parts: readonly Buffer[]): unknown[] {
  let body = "";
  const facts = outcome((told) => {
    const parser = createAnswerParser("GET", {
      onHead: ({ status, headers }) => told([status, headers]),
      onData: (chunk) => {
        body += chunk.toString("latin1");
      },
    });
    let done = false;
    for (const part of parts) {
      done ||= parser.push(part);
      if (done) break;
    }
    told(done || parser.end());
  }, AnswerError);
  return facts.includes("AnswerError") ? ["AnswerError"] : [...facts, body];
}

function readTask(parts: readonly Buffer[]): unknown[] {
  let body = "";
  const facts = outcome((told) => {
    const reader = createAnswerReader();
    reader.expect("GET", {
      onInterim: ({ status }) => told(["interim", status]),
      onHead: ({ status, fields, framing }) => told([status, fields, framing]),
      onData: (piece) => {
        body += piece.toString("latin1");
      },
      onEnd(last, trailers) {
        body += last?.toString("latin1") ?? "";
        told(["end", trailers]);
      },
      onTunnel: ({ status }) => told(["tunnel", status]),
    });
    for (const part of parts) reader.push(part);
    told(reader.close());
  }, BadAnswerError);
  return facts.includes("BadAnswerError") ? ["BadAnswerError"] : [...facts, body];
}

const header = fc.tuple(
  fc.oneof(fc.constantFrom("host", "cookie", "X-Forwarded-For", "connection", "a_b"), fc.string()),
  fc.oneof(fc.string(), fc.constantFrom("a=1; b", "close, x", "6.6.6.6, 7.7.7.7")),
);
const anyJson = fc.jsonValue({ maxDepth: 4 });
const event = fc.record(
  {
    version: fc.constantFrom("2.0", "1.0", "3", null),
    rawPath: fc.oneof(fc.string({ unit: "binary" }), fc.constant("/a%2Fb"), anyJson),
    rawQueryString: fc.oneof(fc.string({ unit: "binary" }), anyJson),
    path: fc.string(),
    httpMethod: fc.constantFrom("GET", "get it", "", "POST"),
    headers: fc.oneof(fc.dictionary(fc.string(), fc.string({ unit: "binary" })), anyJson),
    multiValueHeaders: fc.oneof(fc.dictionary(fc.string(), fc.array(fc.string())), anyJson),
    queryStringParameters: anyJson,
    cookies: fc.oneof(fc.array(fc.string()), anyJson),
    body: fc.oneof(fc.string(), anyJson),
    isBase64Encoded: fc.boolean(),
    requestContext: fc.oneof(
      fc.record({
        http: fc.record({ method: fc.constantFrom("GET", "P OST"), sourceIp: fc.string() }),
      }),
      fc.record({ elb: fc.constant({}) }),
      anyJson,
    ),
  },
  { requiredKeys: [] },
);
const settings = readSettings({}, () => undefined);
const facts = {
  requestId: "r",
  deadlineMs: null,
  traceId: null,
  tenantId: null,
  contextJson: "{}",
};

function checkBridgeRequest(given: unknown): void {
  onlyThrows(() => {
    const {
      method,
      target: asked,
      headers,
    } = requestOf(Buffer.from(JSON.stringify(given)), facts, settings);
    // Whatever an event holds, it must not end the request line or a header early.
    assert.match(method, /^[\w!#$%&'*+.^`|~-]+$/);
    assert.match(asked, /^[\x21-\x7e]*$/);
    for (const [name, value] of headers) {
      assert.match(name, /^[\w!#$%&'*+.^`|~-]+$/);
      assert.doesNotMatch(value, /[\r\n\0]|[^\0-\xff]/);
    }
  }, EventError);
}

function checkDoor([line, headers, bytes]: readonly [
  string,
  readonly (readonly [string, string])[],
  readonly number[],
]): void {
  const made = eventOf(
    {
      method: "POST",
      target: line,
      httpVersion: "1.1",
      rawHeaders: headers.flat(),
      sourceIp: "9.9.9.9",
      port: 80,
      body: Buffer.from(bytes),
    },
    { requestId: "r", traceId: "Root=1-2", epochMs: 0 },
  );
  if (made === null) return;
  const parsed = JSON.parse(made) as {
    headers: Record<string, string>;
    body?: string;
    isBase64Encoded: boolean;
  };
  assert.equal(parsed.headers["x-forwarded-for"], "9.9.9.9");
  const carried = Buffer.from(parsed.body ?? "", parsed.isBase64Encoded ? "base64" : "utf8");
  assert.deepEqual([...carried], [...bytes]);
}

const digits = fc.constantFrom("0", "1", "60", "120", "1e9", "-5", "x", "", "NaN", "0x10", "3.5");
const row = fc.oneof(
  fc.tuple(digits, digits).map((pair) => pair.join(",")),
  fc.string(),
);
const csv = fc.array(row, { maxLength: 8 }).map((rows) => rows.join("\n"));
const albLine =
  "http 2026-01-01T00:00:01.000000Z app/x/y 1.2.3.4:5 6.7.8.9:80 0 0 0 200 200 1 1 " +
  '"GET http://a/ HTTP/1.1"';
const log = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '1.2.3.4 - - [01/Jan/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 5',
        '1.2.3.4 - - [99/Foo/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 5',
        albLine,
        "#Version: 1.0",
        "2026-01-01\t00:00:01\tX\t1\t1.2.3.4\tGET",
      ),
      fc.string(),
    ),
    { maxLength: 8 },
  )
  .map((lines) => lines.join("\n"));
const config = fc.record(
  {
    command: fc.oneof(fc.string(), anyJson),
    name: fc.oneof(fc.string(), anyJson),
    env: fc.oneof(fc.dictionary(fc.string(), fc.string()), anyJson),
    lambda: fc.oneof(fc.record({ memoryMB: anyJson }), anyJson),
    load: fc.oneof(fc.record({ requests: fc.array(anyJson) }), anyJson),
    thresholds: anyJson,
    constructor: anyJson,
  },
  { requiredKeys: [] },
);
const packet = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.tuple(fc.uint8Array({ minLength: 2, maxLength: 2 }), fc.uint8Array({ maxLength: 60 })).map(
    // A header that asks one question makes the rest matter.
    ([id, rest]) => new Uint8Array([...id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...rest]),
  ),
);
const none = { authoritative: true, answers: [], authorities: [], additionals: [] };

function checkPacket(bytes: readonly number[]): void {
  const query = readQuery(Buffer.from(bytes));
  if (query === null) return;
  const reply = writeReply(query, { rcode: 0, ...none });
  assert.equal(reply.readUInt16BE(0), query.id);
  assert.ok(reply.length <= 1232);
}

/** The targets. */
export const parserTargets: readonly Target[] = [
  target("runtime-api-requests", cut(requestBytes), ([text, at]) =>
    sameHoweverCut(readWire, text, at),
  ),
  target("bridge-answers", cut(answerBytes), ([text, at]) => sameHoweverCut(readAnswer, text, at)),
  target("balancer-answers", cut(answerBytes), ([text, at]) => sameHoweverCut(readTask, text, at)),
  target("bridge-events", fc.oneof(event, anyJson), checkBridgeRequest),
  target(
    "front-door-requests",
    fc.tuple(fc.oneof(fc.string(), fc.constant("/a?b")), fc.array(header), fc.array(fc.nat(255))),
    checkDoor,
  ),
  target(
    "front-door-answers",
    fc.tuple(
      fc.oneof(
        anyJson.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      fc.boolean(),
    ),
    ([text, streaming]) => void answerOf({ type: "response", body: Buffer.from(text), streaming }),
  ),
  target(
    "bridge-responses",
    fc.tuple(fc.array(fc.tuple(fc.string(), fc.string())), fc.array(fc.nat(255))),
    ([headers, bytes]) => {
      const answer = { status: 200, headers, body: Buffer.from(bytes) };
      for (const kind of ["http-2.0", "http-1.0", "balancer", "other"] as const) {
        JSON.parse(responseOf(kind, answer));
      }
    },
  ),
  target(
    "dns-packets",
    packet.map((bytes) => [...bytes]),
    checkPacket,
  ),
  target("config", fc.oneof(config, anyJson), (raw) => {
    onlyThrows(() => void parseConfig(raw, "/folder", "file"), UserError);
  }),
  target("traces", csv, (text) => {
    onlyThrows(() => void parseTraceCsv(text, "x"), TraceFormatError);
    onlyThrows(() => void parseTrace(text, "x"), TraceError);
  }),
  target("logs", cut(log), ([text, at]) => {
    onlyThrows(() => {
      const counter = logCounter("x");
      for (const piece of pieces(text, at)) counter.add(piece.toString("latin1"));
      counter.end();
    }, LogError);
  }),
  target("cloudwatch", anyJson, (raw) => {
    onlyThrows(() => void cloudWatchTrace(raw, "x"), CloudWatchError);
  }),
];
