/** What answers say about the tiers, and how it is written down. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Finding, findingOf, sortFindings } from "./finding.ts";
import type { Answered, Fields, Observed } from "./observed.ts";
import { ruleIds } from "./rules.ts";
import { sarifLog } from "./sarif.ts";
import { verdictOf } from "./verdict.ts";

const request = { method: "GET", target: "/a?b", headers: [], body: null, origin: "load" };

function answer(body: string, more: Partial<Answered> = {}): Answered {
  return {
    type: "answer",
    status: 200,
    reason: "OK",
    headers: [["content-type", "text/plain"]],
    body: Buffer.from(body),
    trailers: [],
    interim: [],
    ...more,
  };
}

function findings(
  lambda: Observed,
  fargate: Observed = answer("x"),
  direct: Observed = answer("x"),
  again: Observed = direct,
): readonly string[] {
  const found = verdictOf({ request, direct, again, lambda, fargate });
  return found.map(({ rule, tier, level }) => `${level} ${rule} ${tier}`);
}

test("the same answers are no finding, whatever the connection says", () => {
  const headers: Fields = [
    ["Content-Type", "text/plain"],
    ["Date", "now"],
    ["Connection", "close"],
  ];
  assert.deepEqual(findings(answer("x", { headers })), []);
});

test("status, headers and body are errors on the tier that differs", () => {
  assert.deepEqual(findings(answer("x", { status: 404 })), ["error differs-status lambda"]);
  assert.deepEqual(findings(answer("y")), ["error differs-body lambda"]);
  assert.deepEqual(findings(answer("x"), answer("x ")), ["error differs-body fargate"]);
  const headers: Fields = [["content-type", "text/html"]];
  assert.deepEqual(findings(answer("x", { headers })), ["error differs-headers lambda"]);
  const none: Observed = { type: "none", reason: "ECONNRESET" };
  assert.deepEqual(findings(none), ["error differs-status lambda"]);
});

test("what differs between two direct answers says nothing about a tier", () => {
  const found = findings(answer("c"), answer("d"), answer("a"), answer("b"));
  assert.deepEqual(found, ["note answers-vary both"]);
  const status = findings(answer("c", { status: 500 }), answer("d"), answer("a"), answer("b"));
  assert.deepEqual(status, ["note answers-vary both", "error differs-status lambda"]);
  const other = findings(answer("c", { status: 404 }), answer("d"), answer("a"), answer("b"));
  assert.ok(other.includes("error differs-status lambda"));
});

test("what the tiers make by themselves is a note", () => {
  const large = answer("x".repeat(7_000_000));
  const found = findings(answer("too long", { status: 500 }), large, large);
  assert.deepEqual(found, ["note differs-unavoidably lambda"]);
});

test("a refusal of what is small is the service's own, and an error", () => {
  for (const status of [400, 413, 431, 500]) {
    assert.ok(
      findings(answer("x", { status })).includes("error differs-status lambda"),
      `${status}`,
    );
  }
});

test("an encoded path that somebody wrote down is an error, one that was tried a warning", () => {
  const asked = (origin: string): readonly string[] =>
    verdictOf({
      request: { ...request, target: "/a%2Fb?c", origin },
      direct: answer("/a%2Fb"),
      again: answer("/a%2Fb"),
      lambda: answer("/a/b"),
      fargate: answer("/a%2Fb"),
    }).map(({ rule, level }) => `${level} ${rule}`);
  assert.deepEqual(asked("har"), ["error encoded-path"]);
  assert.deepEqual(asked("openapi, encoded"), ["warning encoded-path"]);
});

test("findings are sorted by weight, then by place", () => {
  const hits: readonly Finding[] = [
    findingOf("b.js", { rule: "state-in-memory", line: 2, message: "" }),
    findingOf("a.js", { rule: "state-in-memory", line: 9, message: "" }),
    findingOf("z.js", { rule: "websocket", line: 1, message: "" }),
    findingOf("a.js", { rule: "state-in-memory", line: 3, message: "" }),
  ];
  const places = sortFindings(hits).map(({ place }) => Object.values(place).slice(1).join(":"));
  assert.deepEqual(places, ["z.js:1", "a.js:3", "a.js:9", "b.js:2"]);
});

test("SARIF names every rule and points to a place for each result", () => {
  const hit = findingOf("src/a b.js", { rule: "websocket", line: 7, message: "found" });
  const [shown] = verdictOf({
    request,
    direct: answer("x"),
    again: answer("x"),
    lambda: answer("y"),
    fargate: answer("x"),
  });
  const log = sarifLog(shown ? [hit, shown] : [hit], {
    version: "1.2.3",
    configFile: "lambdaflex.json",
  }) as {
    version: string;
    runs: {
      tool: { driver: { rules: { id: string }[] } };
      results: {
        ruleId: string;
        ruleIndex: number;
        level: string;
        message: { text: string };
        locations: unknown[];
      }[];
    }[];
  };
  assert.equal(log.version, "2.1.0");
  const [run] = log.runs;
  assert.deepEqual(
    run?.tool.driver.rules.map(({ id }) => id),
    ruleIds,
  );
  const [first, second] = run?.results ?? [];
  assert.equal(first?.ruleIndex, ruleIds.indexOf("websocket"));
  assert.deepEqual(first?.locations, [
    {
      physicalLocation: {
        artifactLocation: { uri: "src/a%20b.js", uriBaseId: "SRCROOT" },
        region: { startLine: 7 },
      },
    },
  ]);
  assert.match(second?.message.text ?? "", /^GET \/a\?b: body on lambda/);
});
