/** `lambdaflex check` as its users run it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lambdaflex-check-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function check(...words: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, "check", "--config", folder, ...words],
    { encoding: "utf8" },
  );
  return { code: status, out: stdout, err: stderr };
}

const server = (extra: string): string => `
import { createServer } from "node:http";
let count = 0;
const server = createServer((request, response) => {
  ${extra}
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ ok: true }));
});
server.keepAliveTimeout = 75_000;
server.listen(process.env.PORT, process.env.HOST);
process.on("SIGTERM", () => server.close());
`;

const image = `FROM node:24-slim@sha256:${"0".repeat(64)}
COPY bootstrap.mjs /lambdaflex/bootstrap.mjs
USER node
ENTRYPOINT ["node", "/lambdaflex/bootstrap.mjs", "--"]
CMD ["node", "server.js"]
`;

function service(code: string, dockerfile = image, more: object = {}): void {
  writeFileSync(join(folder, "server.js"), server(code));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  writeFileSync(join(folder, "Dockerfile"), dockerfile);
  const config = { name: "checked", command: "node server.js", ...more };
  writeFileSync(join(folder, "lambdaflex.json"), JSON.stringify(config));
}

test("a good service has no finding", () => {
  service("");
  const { code, out } = check();
  assert.equal(code, 0, out);
  assert.match(
    out,
    /^no errors, no warnings, no notes in 1 source file and the Dockerfile, and in/,
  );
});

test("an answer that depends on the tier is an error, unless it is accepted", () => {
  const tells = 'response.setHeader("x-tier", process.env.AWS_LAMBDA_RUNTIME_API ? "l" : "f");';
  service(tells);
  const sarif = join(folder, "out.sarif");
  const { code, out } = check("--dynamic", "--json", "--sarif", sarif);
  assert.equal(code, 1);
  const { ok, findings } = JSON.parse(out);
  assert.equal(ok, false);
  assert.equal(findings[0].rule, "differs-headers");
  assert.equal(findings[0].tier, "lambda");
  const log = JSON.parse(readFileSync(sarif, "utf8"));
  assert.equal(log.version, "2.1.0");
  assert.equal(log.runs[0].results.length, findings.length);
  service(`// lambdaflex-ignore differs-headers / it tells the tier\n${tells}`);
  assert.equal(check("--dynamic").code, 0);
});

test("what varies by itself is no difference between the tiers", () => {
  service('response.setHeader("x-random", String(performance.now() + process.pid));');
  const { code, out } = check("--dynamic", "--json");
  assert.equal(code, 0, out);
  assert.deepEqual(
    [...new Set(JSON.parse(out).findings.map((one: { rule: string }) => one.rule))],
    ["answers-vary"],
  );
});

test("unsafe methods of a document are sent only on request, the mix always", () => {
  const api = {
    openapi: "3.0.0",
    paths: { "/a": { get: {}, post: {}, delete: {} } },
  };
  const more = { load: { requests: [{ method: "PUT", path: "/mix" }] } };
  service("", image, more);
  const document = join(folder, "api.json");
  writeFileSync(document, JSON.stringify(api));
  const careful = check("--dynamic", "--openapi", document);
  assert.match(careful.out, /^2 requests could change something: --unsafe sends them too\./);
  const all = JSON.parse(check("--dynamic", "--openapi", document, "--unsafe", "--json").out);
  const some = JSON.parse(check("--dynamic", "--openapi", document, "--json").out);
  assert.equal(all.requests - some.requests, 2);
});

test("what a recorded rehearsal sent is replayed", () => {
  service("");
  const recording = join(folder, "run.ndjson");
  const head = { type: "run", version: 1, atMs: 0, service: "s", command: "rehearse", speed: 60 };
  const requests = [
    { method: "GET", path: "/pets/{n}", headers: {}, body: null },
    { method: "POST", path: "/pets", headers: {}, body: { name: "{token}" } },
  ];
  writeFileSync(recording, `${JSON.stringify({ ...head, requests })}\n`);
  const careful = check("--dynamic", "--recording", recording);
  assert.equal(careful.code, 0, careful.out + careful.err);
  assert.match(careful.out, /^1 requests could change something/);
  assert.match(careful.out, /2 of the recording/);
  writeFileSync(recording, `${JSON.stringify(head)}\n`);
  assert.match(check("--recording", recording).err, /^error RECORD_FOREIGN: .* no request\nhint: /);
  assert.match(check("--recording", join(folder, "no")).err, /^error RECORD_NOT_FOUND: /);
});

test("mistakes have a code and a hint, and nothing is left running", () => {
  service("", "FROM\n");
  const broken = check("--static");
  assert.equal(broken.code, 2);
  assert.match(
    broken.err,
    /^error DOCKERFILE_INVALID: .*Dockerfile:1: FROM has no argument\nhint: /,
  );
  service("process.exit(3);");
  const crashed = check("--dynamic");
  assert.equal(crashed.code, 2);
  assert.match(crashed.err, /error SERVICE_/);
  const readiness = { path: "/nope", timeoutSeconds: 1 };
  service('if (request.url === "/nope") response.statusCode = 404;', image, { readiness });
  const begunMs = performance.now();
  assert.match(check("--dynamic").err, /error SERVICE_NOT_READY: on Lambda: .* within 1 s/);
  assert(performance.now() - begunMs < 20_000, "a failed start was waited for");
  service("");
  writeFileSync(join(folder, "x.har"), "{}");
  assert.match(check("--dynamic", "--har", join(folder, "x.har")).err, /error HAR_INVALID: /);
  assert.match(check("--openapi", join(folder, "none")).err, /^error OPENAPI_INVALID: /);
  writeFileSync(join(folder, "page.har"), "<html>\n<body>");
  assert.match(check("--har", join(folder, "page.har")).err, /^error HAR_INVALID: .*\nhint: .*\n$/);
  writeFileSync(join(folder, "empty.har"), '{"log":{"entries":[{"request":{}}]}}');
  assert.match(check("--har", join(folder, "empty.har")).err, /empty.har holds no request/);
});
