import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { LogError, type LogTrace, logCounter } from "./logs.ts";

const count = (text: string, pieceChars = 17): LogTrace => {
  const counter = logCounter("access.log");
  for (let at = 0; at < text.length; at += pieceChars) counter.add(text.slice(at, at + pieceChars));
  return counter.end();
};

const common = (stamp: string): string =>
  `10.0.0.1 - - [${stamp}] "GET /pets?x=[1] HTTP/1.1" 200 23`;
const combined = (stamp: string): string =>
  `www.test:443 ::1 - jo "x" [${stamp}] "GET / HTTP/1.1" 200 23 "https://a.test/" "curl/8 \\"q\\""`;
const balancer = (stamp: string): string =>
  `h2 ${stamp} app/shop/50dc6c495c0c9188 10.0.1.2:2817 10.0.0.66:9000 0.000 0.002 0.000 200 200 ` +
  `34 366 "GET https://shop.test:443/ HTTP/2.0" "curl/7.46.0" - - arn:aws:x "Root=1-58337" "-"`;
const classic = (stamp: string): string =>
  `${stamp} shop 10.0.1.2:2817 - -1 -1 -1 503 0 0 0 "GET http://shop.test:80/ HTTP/1.1"`;
const fields = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip sc-status\n";
const edge = (date: string, time: string): string => `${date}\t${time}\tFRA6\t2390\t192.0.2.7\t200`;

const minutesOf = ({ trace }: LogTrace): readonly number[] => [...trace.rps].map((rps) => rps * 60);

describe("access logs", () => {
  it("count a common log by minute, zones and order aside", () => {
    const log = count(
      [
        common("02/Mar/2024:00:01:59 +0530"), // 18:31 UTC
        common("01/Mar/2024:10:30:00 -0800"), // 18:30 UTC
        common("01/Mar/2024:18:33:10 +0000"),
        common("01/Mar/2024:18:30:10 +0000"),
      ].join("\r\n"),
    );
    assert.equal(log.format, "clf");
    assert.equal(log.trace.startSeconds, Date.UTC(2024, 2, 1, 18, 30) / 1000);
    assert.deepEqual(minutesOf(log), [2, 1, 0, 1]);
    assert.deepEqual([log.requests, log.brokenLines, log.emptyMinutes], [4, 0, 1]);
  });

  it("read combined logs with virtual hosts and escaped quotes", () => {
    const log = count(`${combined("29/Feb/2024:23:59:59 +0000")}\n`);
    assert.equal(log.trace.startSeconds, Date.UTC(2024, 1, 29, 23, 59) / 1000);
  });

  it("read balancer logs of both kinds", () => {
    const stamp = "2024-03-01T18:30:00.186641Z";
    const log = count(`${balancer(stamp)}\n${classic("2024-03-01T18:31:59.9Z")}\n`);
    assert.deepEqual([log.format, ...minutesOf(log)], ["alb", 1, 1]);
  });

  it("read CloudFront's logs, their lists of fields between them", () => {
    const [one, two] = [edge("2024-03-01", "18:30:00"), edge("2024-03-01", "18:29:59")];
    const log = count(`${fields}${one}\n${fields}${two}\n`);
    assert.deepEqual([log.format, log.brokenLines, ...minutesOf(log)], ["cloudfront", 0, 1, 1]);
    const other = "#Fields: sc-status time date\n200\t18:30:00\t2024-03-01\n";
    assert.deepEqual(minutesOf(count(other)), [1]);
  });

  it("count broken lines and keep the first without its control characters", () => {
    const good = common("01/Mar/2024:18:30:00 +0000");
    const bad = common("31/Feb/2024:18:30:00 +0000");
    const log = count([good, "\u001b[2J what", good, bad, "", good].join("\n"));
    assert.deepEqual([log.requests, log.brokenLines, log.lines], [3, 2, 6]);
    assert.deepEqual(log.firstBroken, { line: 2, text: "·[2J what" });
  });

  it("give the same counts however the log is cut", () => {
    const minute = fc.integer({ min: 0, max: 59 }).map((m) => String(m).padStart(2, "0"));
    const line = minute.map((m) => common(`01/Mar/2024:18:${m}:07 +0000`));
    const lines = fc.array(fc.oneof(line, line, line, fc.constant("?")), { minLength: 20 });
    const law = fc.property(lines, fc.integer({ min: 1, max: 300 }), (all, pieceChars) => {
      const good = all.filter((one) => one !== "?").length;
      fc.pre(2 * good >= all.length);
      const log = count(all.join("\n"), pieceChars);
      assert.deepEqual([log.requests, log.brokenLines], [good, all.length - good]);
      assert.equal(Math.round(minutesOf(log).reduce((a, b) => a + b)), good);
      assert.deepEqual(log, count(all.join("\n"), 1e6));
    });
    fc.assert(law, { seed: 1, numRuns: 100 });
  });

  it("bound the length of a line", () => {
    const good = `${common("01/Mar/2024:18:30:00 +0000")}\n`;
    const log = count(`${good}${"x".repeat(2_000_000)}\n${good}`, 65_536);
    assert.deepEqual([log.requests, log.brokenLines, log.lines], [2, 1, 3]);
  });

  const good = common("01/Mar/2024:18:30:00 +0000");
  const faults: readonly (readonly [string, string, string, number | null, RegExp])[] = [
    ["nothing", "", "TRACE_EMPTY", null, /no request/],
    ["comments alone", fields, "TRACE_EMPTY", null, /no request in 2 lines/],
    ["no known format", "\nhello\nworld\n", "TRACE_FORMAT", 2, /"hello"/],
    ["many lines of no format", "hello\n".repeat(5000), "TRACE_FORMAT", 1, /"hello"/],
    [
      "two formats",
      `${good}\n${good}\n${balancer("2024-03-01T18:30:00.1Z")}\n`,
      "LOG_MIXED",
      3,
      /Elastic Load Balancing line in a common/,
    ],
    ["a broken majority", `${good}\nx\n${"y".repeat(99)}\n`, "LOG_BROKEN", 2, /2 of 3 .* "x"/],
    [
      "a clock far away",
      `${good}\n${common("01/Jan/1970:00:00:00 +0000")}\n`,
      "TRACE_TOO_LARGE",
      2,
      /1970-01-01T.* to 2024/,
    ],
  ];
  for (const [what, text, code, line, words] of faults) {
    it(`refuse ${what}`, () => {
      assert.throws(
        () => count(text),
        (error) => {
          assert.ok(error instanceof LogError);
          assert.deepEqual([error.code, error.line], [code, line], error.message);
          assert.match(error.message, words);
          assert.ok(error.hint.length > 10);
          return true;
        },
      );
    });
  }
});
