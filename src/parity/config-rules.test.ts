import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigFacts, configHits } from "./config-rules.ts";

const plain: ConfigFacts = {
  text: '{\n  "command": "x",\n  "readiness": {\n    "timeoutSeconds": 30\n  }\n}',
  env: {},
  frontDoor: "http",
  startSeconds: 30,
  requests: [{ path: "/a?b=%2F", body: null }],
};
const found = (more: Partial<ConfigFacts>): readonly string[] =>
  configHits({ ...plain, ...more }).map(({ rule, line }) => `${rule} ${line}`);

test("a plain configuration has no finding", () => {
  assert.deepEqual(found({}), []);
});

test("streamed answers need the REST front door", () => {
  const env = { AWS_LWA_INVOKE_MODE: "response_stream" };
  assert.deepEqual(found({ env }), ["stream-needs-rest 1"]);
  assert.deepEqual(found({ env, frontDoor: "rest" }), []);
  assert.deepEqual(found({ env: { AWS_LWA_INVOKE_MODE: "buffered" } }), []);
});

test("a start that may outlast the init phase", () => {
  assert.deepEqual(found({ startSeconds: 90 }), ["start-slow 4"]);
  assert.deepEqual(found({ startSeconds: 90, env: { AWS_LWA_ASYNC_INIT: "true" } }), []);
});

test("requests that Lambda cannot take", () => {
  assert.deepEqual(found({ requests: [{ path: "/a%2Fb", body: null }] }), ["encoded-path 1"]);
  assert.deepEqual(found({ requests: [{ path: "/a%2Fb", body: null }], frontDoor: "rest" }), []);
  const body = "x".repeat(7 * 1024 * 1024);
  assert.deepEqual(found({ requests: [{ path: "/a", body }] }), ["payload-over-limit 1"]);
});
