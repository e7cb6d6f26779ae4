/** Which address a service believes, and what a client can not pretend. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type InvocationFacts, requestOf } from "./events.ts";
import { readSettings } from "./variables.ts";

const facts: InvocationFacts = {
  requestId: "request-1",
  deadlineMs: null,
  traceId: null,
  tenantId: null,
  contextJson: "{}",
};

type Event = Readonly<Record<string, unknown>>;

function headersOf(event: Event, env: Record<string, string> = {}): Map<string, string> {
  const raw = Buffer.from(JSON.stringify(event));
  return new Map(
    requestOf(
      raw,
      facts,
      readSettings(env, () => undefined),
    ).headers,
  );
}

function v2(headers: Record<string, string>, sourceIp = "9.9.9.9"): Event {
  const http = { method: "GET", sourceIp };
  return { version: "2.0", rawPath: "/", headers, requestContext: { http } };
}

test("the address is the one that the front door saw, whatever the client says", () => {
  const entry = fc.stringMatching(/^[\w.: ]{0,20}$/);
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
      const made = headersOf(v2({ "x-forwarded-for": entries.join(",") }));
      assert.equal(made.get("x-forwarded-for"), "9.9.9.9");
    }),
  );
  const rest = {
    httpMethod: "GET",
    path: "/",
    headers: { "X-Forwarded-For": "6.6.6.6" },
    requestContext: { stage: "prod", identity: { sourceIp: "9.9.9.9" } },
  };
  assert.equal(headersOf(rest).get("x-forwarded-for"), "9.9.9.9");
});

test("a balancer appends: the last entry is its own", () => {
  const event = { httpMethod: "GET", path: "/", requestContext: { elb: {} } };
  const headers = { "x-forwarded-for": "6.6.6.6, 9.9.9.9" };
  assert.equal(headersOf({ ...event, headers }).get("x-forwarded-for"), "9.9.9.9");
});

test("proxies of our own are believed as far as they are counted", () => {
  const event = v2({ "x-forwarded-for": "6.6.6.6, 8.8.8.8, 9.9.9.9" });
  const believed = (count: string): string | undefined =>
    headersOf(event, { LAMBDAFLEX_TRUSTED_PROXIES: count }).get("x-forwarded-for");
  assert.equal(believed("0"), "9.9.9.9");
  assert.equal(believed("1"), "8.8.8.8, 9.9.9.9");
  assert.equal(believed("9"), "6.6.6.6, 8.8.8.8, 9.9.9.9");
});

test("spoofed copies end at the bridge, also in disguise", () => {
  const made = headersOf(
    v2({
      forwarded: "for=6.6.6.6",
      "x-real-ip": "6.6.6.6",
      "x-forwarded-host": "evil.example",
      x_forwarded_for: "6.6.6.6",
      "x.real.ip": "6.6.6.6",
      "x-forwarded-proto": "https",
      "x-stays": "1",
    }),
  );
  assert.doesNotMatch([...made].join("\n"), /6\.6\.6\.6|evil/);
  assert.equal(made.get("x-forwarded-proto"), "https", "the front door's own word");
  assert.equal(made.get("x-stays"), "1");
});

test("a function URL keeps the path as it was sent", () => {
  const requestContext = {
    domainName: "abc.lambda-url.eu-west-1.on.aws",
    http: { method: "GET" },
  };
  const event = { version: "2.0", rawPath: "/a%2Fb/%zz", requestContext };
  const raw = Buffer.from(JSON.stringify(event));
  const settings = readSettings({}, () => undefined);
  assert.equal(requestOf(raw, facts, settings).target, "/a%2Fb/%zz");
});
