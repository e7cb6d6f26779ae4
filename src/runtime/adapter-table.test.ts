/** docs/adapter.md says which variables are read, and with which defaults: it must stay true. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { readSettings, type Settings } from "./variables.ts";

type Verdict = "same" | "different" | "not supported" | "ours";

interface Row {
  readonly name: string;
  readonly theirs: string;
  readonly default: string;
  readonly verdict: Verdict;
  readonly why: string;
}

const page = readFileSync(new URL("../../docs/adapter.md", import.meta.url), "utf8");
const bare = (cell: string): string => cell.replaceAll("`", "").trim();
const rows: readonly Row[] = (page.split(/<!-- variables: (?:begin|end) -->/)[1] ?? "")
  .trim()
  .split("\n")
  .slice(2)
  .map((line) => {
    const [name = "", theirs = "", ours = "", verdict = "", why = ""] = line
      .slice(1)
      .split("|")
      .map(bare);
    return { name, theirs, default: ours, verdict: verdict as Verdict, why };
  });
const supported = rows.filter(({ verdict }) => verdict !== "not supported");
const named = (some: readonly Row[]): readonly string[] => some.map(({ name }) => name).sort();

/** What the adapter's guide and the deprecation list in it name, 1.0.1 and the version after it. */
const documented = [
  ...["PORT", "HOST", "READINESS_CHECK_PORT", "READINESS_CHECK_PATH", "READINESS_CHECK_PROTOCOL"],
  ...["REMOVE_BASE_PATH", "ASYNC_INIT"],
  ...[
    ...["PORT", "HOST", "READINESS_CHECK_PORT", "READINESS_CHECK_PATH", "READINESS_CHECK_PROTOCOL"],
    ...["READINESS_CHECK_HEALTHY_STATUS", "READINESS_CHECK_MIN_UNHEALTHY_STATUS", "ASYNC_INIT"],
    ...["REMOVE_BASE_PATH", "ENABLE_COMPRESSION", "INVOKE_MODE", "PASS_THROUGH_PATH"],
    ...["AUTHORIZATION_SOURCE", "ERROR_STATUS_CODES", "LAMBDA_RUNTIME_API_PROXY"],
    ...["SNAPSTART_BEFORE_CHECKPOINT_PATH", "SNAPSTART_AFTER_RESTORE_PATH"],
    ...["POOL_IDLE_TIMEOUT_SECONDS", "READINESS_CHECK_TIMEOUT_SECONDS"],
  ].map((name) => `AWS_LWA_${name}`),
];

/** A value of each variable that is not its default. */
const others: Readonly<Record<string, string>> = {
  AWS_LWA_PORT: "3000",
  PORT: "3000",
  AWS_LWA_HOST: "127.0.0.2",
  AWS_LWA_READINESS_CHECK_PORT: "3001",
  AWS_LWA_READINESS_CHECK_PATH: "/up",
  AWS_LWA_READINESS_CHECK_PROTOCOL: "tcp",
  AWS_LWA_READINESS_CHECK_HEALTHY_STATUS: "200-299",
  AWS_LWA_READINESS_CHECK_MIN_UNHEALTHY_STATUS: "400",
  AWS_LWA_ASYNC_INIT: "true",
  AWS_LWA_REMOVE_BASE_PATH: "/shop",
  AWS_LWA_PASS_THROUGH_PATH: "/queue",
  AWS_LWA_INVOKE_MODE: "response_stream",
  AWS_LWA_ENABLE_COMPRESSION: "true",
  AWS_LWA_AUTHORIZATION_SOURCE: "x-auth",
  AWS_LWA_ERROR_STATUS_CODES: "500,502-504",
  AWS_LWA_LAMBDA_RUNTIME_API_PROXY: "http://127.0.0.1:9002",
  READINESS_CHECK_PORT: "3001",
  READINESS_CHECK_PATH: "/up",
  READINESS_CHECK_PROTOCOL: "tcp",
  REMOVE_BASE_PATH: "/shop",
  ASYNC_INIT: "true",
  AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9009",
  LAMBDAFLEX_TRUSTED_PROXIES: "1",
  LAMBDAFLEX_ENVELOPE: "strict",
  LAMBDAFLEX_TIMEOUT_SECONDS: "5",
  LAMBDAFLEX_STOP_SECONDS: "5",
};

/** On Lambda, so that a proxy of the Runtime API has something to stand before. */
const base: Readonly<Record<string, string>> = { AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001" };

function read(env: Readonly<Record<string, string>>): Settings {
  return readSettings({ ...base, ...env }, () => undefined);
}

function namesRead(): readonly string[] {
  const names = new Set<string>();
  const env = new Proxy<Record<string, string | undefined>>(
    {},
    { get: (_, name) => void names.add(String(name)) },
  );
  readSettings(env, () => undefined);
  return [...names].sort();
}

describe("the table of docs/adapter.md", () => {
  test("has one row of each variable, with a verdict and, where it is due, a reason", () => {
    assert.equal(new Set(named(rows)).size, rows.length);
    for (const { name, verdict, why } of rows) {
      assert.match(name, /^[A-Z_]+$/);
      assert.match(verdict, /^(same|different|not supported|ours)$/, name);
      assert.ok(verdict === "same" || why !== "", `${name} has no reason`);
    }
  });

  test("names every variable that the adapter documents", () => {
    const missing = documented.filter((name) => !named(rows).includes(name));
    assert.deepEqual(missing, []);
  });

  test("supports exactly what is read", () => {
    assert.deepEqual(named(supported), namesRead());
  });

  test("has the defaults that hold", () => {
    for (const row of supported) {
      if (row.default === "none") continue;
      const value = row.default === "AWS_LWA_PORT" ? "8080" : row.default;
      assert.deepEqual(read({ [row.name]: value }), read({}), row.name);
      if (row.verdict === "same") assert.equal(row.theirs, row.default, row.name);
    }
  });

  test("supports nothing that has no effect, and nothing that it says it does not", () => {
    for (const { name, verdict } of rows) {
      const value = others[name] ?? "1";
      const changed = JSON.stringify(read({ [name]: value })) !== JSON.stringify(read({}));
      assert.equal(changed, verdict !== "not supported", name);
    }
  });

  test("is on a page that names every variable of ours", () => {
    const folder = new URL(".", import.meta.url);
    const sources = readdirSync(folder).filter((file) => /(?<!\.test)\.(ts|sh)$/.test(file));
    for (const file of sources) {
      const text = readFileSync(new URL(file, folder), "utf8");
      for (const [name] of text.matchAll(/\bLAMBDAFLEX_[A-Z_]+\b/g)) {
        assert.ok(page.includes(`\`${name}\``), `${name} of ${file}`);
      }
    }
  });
});
