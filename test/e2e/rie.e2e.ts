/**
 * Our bootstrap behind AWS's own Runtime Interface Emulator, which speaks the Runtime API as Lambda
 * does. LAMBDAFLEX_RIE names its program (docs/adapter.md says where to get it).
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { invokeAt, payloadOf } from "./invocation.ts";
import { freePorts } from "./ports.ts";
import { eventually, makeFolder, nothingLeft, patienceMs, type Run, start } from "./rig.ts";

const rie = process.env.LAMBDAFLEX_RIE ?? "";
const skip = existsSync(rie) ? false : "LAMBDAFLEX_RIE names no Runtime Interface Emulator";
const bootstrap = fileURLToPath(new URL("../../src/runtime/bootstrap.ts", import.meta.url));
const hello = fileURLToPath(new URL("../../examples/hello-node/server.js", import.meta.url));

const mirror = fileURLToPath(new URL("./mirror.mjs", import.meta.url));

interface Emulator {
  readonly run: Run;
  readonly folder: string;
  readonly port: number;
  invoke(event: unknown): ReturnType<typeof invokeAt>;
}

async function emulate(
  program: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Emulator> {
  const folder = makeFolder({});
  const [port = 0, apiPort = 0, servicePort = 0] = await freePorts(3);
  const addresses = [
    ...["--runtime-interface-emulator-address", `127.0.0.1:${port}`],
    ...["--runtime-api-address", `127.0.0.1:${apiPort}`],
  ];
  const run = start(
    folder,
    [...addresses, process.execPath, bootstrap, process.execPath, program],
    {
      command: [rie],
      env: { AWS_LWA_PORT: String(servicePort), AWS_LAMBDA_FUNCTION_TIMEOUT: "20", ...env },
    },
  );
  return { run, folder, port, invoke: (event) => invokeAt(port, event) };
}

async function end({ run, folder }: Emulator): Promise<void> {
  run.kill("SIGTERM");
  await run.ended;
  await nothingLeft(folder, patienceMs);
}

describe("behind the Runtime Interface Emulator", { skip }, () => {
  let emulator: Emulator;
  before(async () => {
    emulator = await emulate(mirror, { AWS_LWA_ERROR_STATUS_CODES: "503" });
  });
  after(() => end(emulator));

  test("a request arrives and its answer goes back, payload 2.0", async () => {
    const body = Buffer.from('{"name":"Rex"}');
    const event = payloadOf("POST", "/pets", { query: "a=1&a=2", cookies: ["x=1", "y=2"], body });
    const answer = await emulator.invoke(event);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.cookies, ["a=1; Path=/", "b=2"]);
    assert.equal(answer.headers["content-type"], "application/json");
    const seen = JSON.parse(answer.body.toString());
    assert.deepEqual([seen.method, seen.target], ["POST", "/pets?a=1&a=2"]);
    assert.equal(Buffer.from(seen.body, "base64").toString(), '{"name":"Rex"}');
    assert.equal(seen.headers.cookie, "x=1; y=2");
    assert.equal(seen.headers["x-forwarded-for"], "203.0.113.9");
    assert.match(seen.headers["x-amzn-lambda-context"], /arn:aws:lambda:[^"]+:test_function/);
  });

  test("binary goes both ways, byte for byte", async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    const echoed = await emulator.invoke(payloadOf("PUT", "/photo", { body: every }));
    assert.deepEqual(Buffer.from(JSON.parse(echoed.body.toString()).body, "base64"), every);
    for (const length of [0, 1, 256, 300_000, 3_000_000]) {
      const { body } = await emulator.invoke(
        payloadOf("GET", "/bytes", { query: `length=${length}` }),
      );
      const sent = Buffer.from(Array.from({ length }, (_, at) => (at * 31) & 0xff));
      assert.equal(body.length, length);
      assert.equal(hashOf(body), hashOf(sent), `${length} bytes`);
    }
  });

  test("one environment answers many invocations in turn", async () => {
    for (let round = 1; round <= 50; round += 1) {
      const answer = await emulator.invoke(payloadOf("GET", "/count"));
      assert.equal(JSON.parse(answer.body.toString()).served, round);
    }
  });

  test("a status is an answer, one of the list a failed invocation", async () => {
    const refused = await emulator.invoke(payloadOf("GET", "/", { query: "status=404" }));
    assert.equal(refused.status, 404);
    const failed = await emulator.invoke(payloadOf("GET", "/", { query: "status=503" }));
    assert.equal(failed.error?.errorType, "Service.ErrorStatus");
    const next = await emulator.invoke(payloadOf("GET", "/"));
    assert.equal(next.status, 200);
  });

  test("an event that is no HTTP request reaches the pass-through path", async () => {
    const answer = await emulator.invoke({ Records: [{ eventSource: "aws:sqs", body: "one" }] });
    assert.equal(answer.returned.target, "/events");
    const received = Buffer.from(String(answer.returned.body), "base64").toString();
    assert.equal(JSON.parse(received).Records[0].body, "one");
  });
});

describe("the emulator and what goes wrong", { skip }, () => {
  test("a service that ends fails its invocation, and a new environment follows", async () => {
    const emulator = await emulate(mirror);
    const failed = await emulator.invoke(payloadOf("GET", "/exit"));
    assert.match(String(failed.error?.errorType), /Runtime\.ExitError/);
    await eventually(async () => {
      const { status, text } = await emulator.invoke(payloadOf("GET", "/"));
      return status === 200 || text;
    }, patienceMs);
    await end(emulator);
  });

  test("a service that is too slow gets its client a 504, and the environment lives", async () => {
    const emulator = await emulate(mirror, { AWS_LAMBDA_FUNCTION_TIMEOUT: "3" });
    await emulator.invoke(payloadOf("GET", "/count"));
    const late = await emulator.invoke(payloadOf("GET", "/never"));
    assert.equal(late.status, 504);
    const next = await emulator.invoke(payloadOf("GET", "/count"));
    assert.equal(JSON.parse(next.body.toString()).served, 2);
    await end(emulator);
  });

  test("a program that does not exist is reported as a failed start", async () => {
    const emulator = await emulate("absent.mjs");
    const failed = await emulator.invoke(payloadOf("GET", "/"));
    assert.equal(failed.error?.errorType, "Runtime.ExitError");
    assert.match(
      emulator.run.stdout + emulator.run.stderr,
      /the service ended before it was ready/,
    );
    await end(emulator);
  });

  test("the minimal example answers", async () => {
    const emulator = await emulate(hello, { GREETING: "hello from the emulator" });
    const answer = await emulator.invoke(payloadOf("GET", "/"));
    assert.equal(JSON.parse(answer.body.toString()).message, "hello from the emulator");
    await end(emulator);
  });
});

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
