import assert from "node:assert/strict";
import { test } from "node:test";
import { alarmDefinitions } from "../core/alarms.ts";
import { parseConfig } from "./parse.ts";
import { argvOf, engineSettings, loadMix, serviceFields } from "./settings.ts";
import type { Config } from "./types.ts";

function config(raw: object = {}): Config {
  return parseConfig({ command: "node server.js", ...raw }, "/srv/shop", "lambdaflex.json");
}

test("the engine gets every setting in milliseconds and shares", () => {
  assert.deepEqual(engineSettings(config()), {
    ttlMs: 60_000,
    stepPercents: [10, 50, 100],
    stepPercentsDown: [50, 0],
    bakeMs: 60_000,
    healthyMs: 30_000,
    probesMin: 5,
    tasksMin: 2,
    tasksMax: 10,
    drainQuietMs: 600_000,
    drainMaxMs: 3_600_000,
    dwellFargateMs: 3_000_000,
    dwellLambdaMs: 600_000,
    errorMargin: 0.02,
    errorRequestsMin: 50,
    deadlineMs: {
      provisioning: 900_000,
      shifting: 1_800_000,
      deprovisioning: 1_800_000,
    },
    backoffMs: 300_000,
    backoffMaxMs: 3_600_000,
    pollMs: 5000,
    idleMs: 60_000,
  });
});

test("the thresholds are those of the alarms", () => {
  const definitions = alarmDefinitions(
    config({ thresholds: { up: { concurrency: 7 } } }).thresholds,
  );
  assert.equal(definitions.find(({ name }) => name === "busy-concurrency")?.threshold, 7);
});

test("a line goes to the shell, replaced by the service where it is one plain command", () => {
  const line = (command: string): string | undefined => argvOf(command)[2];
  assert.deepEqual(argvOf("node server.js"), ["/bin/sh", "-c", "exec node server.js"]);
  assert.equal(line(" .venv/bin/uvicorn --port $PORT"), "exec .venv/bin/uvicorn --port $PORT");
  assert.equal(line("npm run build && node ."), "npm run build && node .");
  const withDefault = ["node . $", "{PORT:-80}"].join("");
  assert.equal(line(withDefault), `exec ${withDefault}`);
  assert.equal(line("{ node .; }"), "{ node .; }");
  assert.equal(line("DEBUG=1 node ."), "DEBUG=1 node .");
  assert.equal(line("exec node ."), "exec node .");
  assert.deepEqual(argvOf(["./a b", "$x"]), ["./a b", "$x"]);
});

test("the service's fields are those of the configuration", () => {
  const readiness = { path: "/up", timeoutSeconds: 2.5 };
  assert.deepEqual(serviceFields(config({ env: { A: "1" }, readiness }), "/srv/shop"), {
    name: "shop",
    command: ["/bin/sh", "-c", "exec node server.js"],
    cwd: "/srv/shop",
    env: { A: "1" },
    readiness: { path: "/up", timeoutMs: 2500 },
  });
});

test("without a mix the readiness path is requested", () => {
  const [only, second] = loadMix(config({ readiness: { path: "/up" } }));
  assert.equal(second, undefined);
  assert.deepEqual(only, {
    method: "GET",
    path: "/up",
    headers: {},
    weight: 1,
    expect: [200],
    echo: false,
  });
});

test("a body is sent as JSON, unless a content type is given", () => {
  const body = { name: "{token}" };
  const requests = [
    { method: "POST", path: "/pets", body, expect: [201], echo: true },
    { method: "POST", path: "/pets", body, headers: { "Content-Type": "application/pet+json" } },
    { method: "PUT", path: "/note", body: "[1]" },
    { path: "/" },
  ];
  const [first, second, third, fourth] = loadMix(config({ load: { requests } }));
  assert.equal(first?.body, '{"name":"{token}"}');
  assert.deepEqual(first?.headers, { "content-type": "application/json" });
  assert.deepEqual(second?.headers, { "content-type": "application/pet+json" });
  assert.deepEqual(third?.headers, { "content-type": "application/json" });
  assert.equal(third?.body, "[1]");
  assert.deepEqual(fourth, {
    method: "GET",
    path: "/",
    headers: {},
    weight: 1,
    expect: [200],
    echo: false,
  });
});
