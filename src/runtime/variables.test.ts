import assert from "node:assert/strict";
import { test } from "node:test";
import { detectSurroundings } from "./detect.ts";
import { includesStatus, readSettings, type Settings, VariableError } from "./variables.ts";

function read(env: Record<string, string>): Settings {
  return readSettings(env, () => undefined);
}

test("the defaults are the adapter's", () => {
  assert.deepEqual(read({}), {
    host: "127.0.0.1",
    port: 8080,
    readiness: { protocol: "http", port: 8080, path: "/", healthy: [[100, 499]] },
    asyncInit: false,
    basePath: null,
    passThroughPath: "/events",
    invokeMode: "buffered",
    compression: false,
    authorizationSource: null,
    errorStatuses: [],
    trustedProxies: 0,
    envelope: "native",
    timeoutMs: 29_000,
    runtimeApi: "",
    stopMs: 60_000,
  });
});

test("an empty value is no value", () => {
  const names = ["AWS_LWA_PORT", "PORT", "AWS_LWA_READINESS_CHECK_PATH", "AWS_LWA_INVOKE_MODE"];
  assert.deepEqual(read(Object.fromEntries(names.map((name) => [name, ""]))), read({}));
});

test("the port comes from AWS_LWA_PORT, then PORT", () => {
  assert.equal(read({ PORT: "3000" }).port, 3000);
  assert.equal(read({ PORT: "3000", AWS_LWA_PORT: "4000" }).port, 4000);
  assert.equal(read({ PORT: "3000" }).readiness.port, 3000);
  assert.equal(read({ PORT: "3000", AWS_LWA_READINESS_CHECK_PORT: "9" }).readiness.port, 9);
});

test("statuses are lists of codes and ranges", () => {
  const { healthy } = read({
    AWS_LWA_READINESS_CHECK_HEALTHY_STATUS: "200-399, 404,",
  }).readiness;
  for (const status of [200, 399, 404]) assert.equal(includesStatus(healthy, status), true);
  for (const status of [199, 400, 403, 405]) assert.equal(includesStatus(healthy, status), false);
  const old = read({ AWS_LWA_READINESS_CHECK_MIN_UNHEALTHY_STATUS: "400" });
  assert.deepEqual(old.readiness.healthy, [[100, 399]]);
});

test("old names work and are mentioned", () => {
  const said: string[] = [];
  const env = { READINESS_CHECK_PATH: "/up", ASYNC_INIT: "TRUE", REMOVE_BASE_PATH: "/a" };
  const settings = readSettings(env, (message) => said.push(message));
  assert.equal(settings.readiness.path, "/up");
  assert.equal(settings.asyncInit, true);
  assert.equal(settings.basePath, "/a");
  assert.equal(said.length, 3);
  assert.ok(said.includes("ASYNC_INIT is an old name, use AWS_LWA_ASYNC_INIT"));
});

test("Lambda is where its Runtime API is, and a proxy may stand before it", () => {
  assert.equal(detectSurroundings({}), "container");
  assert.equal(detectSurroundings({ AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001" }), "lambda");
  const api = { AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001" };
  assert.equal(read(api).runtimeApi, "127.0.0.1:9001");
  const proxy = { ...api, AWS_LWA_LAMBDA_RUNTIME_API_PROXY: "http://localhost:9002/" };
  assert.equal(read(proxy).runtimeApi, "localhost:9002");
  assert.equal(read({ AWS_LWA_LAMBDA_RUNTIME_API_PROXY: "localhost:9002" }).runtimeApi, "");
});

test("a value that makes no sense is refused by name", () => {
  const senseless: readonly (readonly [name: string, value: string])[] = [
    ["AWS_LWA_PORT", "0"],
    ["PORT", "tcp://10.0.0.1:80"],
    ["PORT", "70000"],
    ["AWS_LWA_READINESS_CHECK_PORT", "http"],
    ["AWS_LWA_READINESS_CHECK_PATH", "health"],
    ["AWS_LWA_READINESS_CHECK_PATH", "/a b"],
    ["AWS_LWA_READINESS_CHECK_PROTOCOL", "https"],
    ["AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "2xx"],
    ["AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "399-200"],
    ["AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", "200-300-400"],
    ["AWS_LWA_READINESS_CHECK_HEALTHY_STATUS", ","],
    ["AWS_LWA_READINESS_CHECK_MIN_UNHEALTHY_STATUS", "100"],
    ["AWS_LWA_ASYNC_INIT", "1"],
    ["AWS_LWA_ENABLE_COMPRESSION", "gzip"],
    ["AWS_LWA_INVOKE_MODE", "streaming"],
    ["AWS_LWA_PASS_THROUGH_PATH", "events"],
    ["AWS_LWA_REMOVE_BASE_PATH", "shop"],
    ["AWS_LWA_AUTHORIZATION_SOURCE", "x auth"],
    ["AWS_LWA_ERROR_STATUS_CODES", "5"],
    ["AWS_LAMBDA_RUNTIME_API", "localhost"],
    ["LAMBDAFLEX_STOP_SECONDS", "-1"],
  ];
  for (const [name, value] of senseless) {
    assert.throws(
      () => read({ [name]: value }),
      (error: unknown) =>
        error instanceof VariableError && error.message.startsWith(`${name} is "${value}"`),
      `${name}=${value}`,
    );
  }
});
