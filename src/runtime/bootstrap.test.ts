/** The bootstrap as a process: a fake Runtime API before it, real services behind it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type FakeRuntimeApi, startFakeRuntimeApi } from "../../test/fake-runtime-api.ts";

const bootstrap = fileURLToPath(new URL("./bootstrap.ts", import.meta.url));

/** Answers by path; what it does on SIGTERM is told by the environment. */
const service = `
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const { pathname, searchParams } = new URL(request.url, "http://x");
    const [, verb, value] = pathname.split("/");
    if (verb === "exit") process.exit(Number(value));
    if (verb === "kill") process.kill(process.pid, "SIGKILL");
    if (verb === "garbage") return request.socket.end("SSH-2.0-OpenSSH\\r\\n\\r\\n");
    if (verb === "hang") return;
    if (verb === "big") return response.end("x".repeat(Number(value)));
    if (verb === "status") { response.statusCode = Number(value); return response.end("as asked"); }
    if (verb === "wait") {
      process.stdout.write("waiting\\n");
      return setTimeout(() => response.end("waited"), Number(value));
    }
    if (verb === "break") {
      response.write("begin");
      return setTimeout(() => request.socket.destroy(), 20);
    }
    if (verb === "stream") {
      response.setHeader("content-type", "text/event-stream");
      response.setHeader("set-cookie", ["a=1", "b=2"]);
      response.write("data: 1\\n\\n");
      return process.once("SIGUSR2", () => response.end("data: 2\\n\\n"));
    }
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({
      method: request.method, url: request.url, headers: request.headers,
      body: Buffer.concat(chunks).toString(), pid: process.pid, port: process.env.PORT,
    }));
  });
});
const begin = () => server.listen(Number(process.env.PORT), "127.0.0.1");
setTimeout(begin, Number(process.env.START_MS || 0));
process.on("SIGTERM", () => {
  process.stdout.write("draining\\n");
  if (process.env.ON_TERM !== "ignore") process.exit(Number(process.env.ON_TERM || 0));
});
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  assert(typeof address === "object" && address);
  return address.port;
}

/** Stripping the types of the bootstrap anew for each test would take most of its time. */
const compileCache = fileURLToPath(
  new URL("../../node_modules/.cache/lambdaflex", import.meta.url),
);

interface Started {
  readonly pid: number;
  readonly port: number;
  readonly output: () => string;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly exited: Promise<number>;
}

async function start(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  command: readonly string[] = [process.execPath, "-e", service],
): Promise<Started> {
  const port = await freePort();
  const child = spawn(process.execPath, [bootstrap, "--", ...command], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: compileCache,
      AWS_LWA_PORT: String(port),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = child;
  assert(pid);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exited = once(child, "close").then(([code]) => code as number);
  t.after(async () => {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Nothing of it is left.
    }
    await exited;
  });
  const signal = (name: NodeJS.Signals): void => {
    child.kill(name);
  };
  return { pid, port, output: () => output, signal, exited };
}

async function lambda(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
  command?: readonly string[],
): Promise<Started & { readonly api: FakeRuntimeApi }> {
  const api = await startFakeRuntimeApi();
  t.after(() => api.close());
  const started = await start(t, { AWS_LAMBDA_RUNTIME_API: api.address, ...env }, command);
  return { api, ...started };
}

function get(path: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  const [rawPath, rawQueryString = ""] = path.split("?");
  const requestContext = { http: { method: "GET" }, domainName: "pets.example" };
  return { version: "2.0", rawPath, rawQueryString, headers: {}, requestContext, ...more };
}

function parse(body: Buffer): Record<string, unknown> {
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`never: ${what}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("on Lambda", { concurrency: 3 }, () => {
  test("requests reach the service with their context, and SIGTERM drains", async (t) => {
    const { api, port, signal, exited, output } = await lambda(t, { ON_TERM: "7" });
    const event = get("/pets?a=%20b&a=2", { cookies: ["a=1", "b=2"] });
    const outcome = await api.invoke(event, {
      headers: { "lambda-runtime-aws-tenant-id": "tenant-1" },
    });
    assert.equal(outcome.kind, "response");
    const response = parse(outcome.body);
    assert.equal(response.statusCode, 200);
    assert.equal(response.isBase64Encoded, false);
    const seen = JSON.parse(String(response.body));
    assert.equal(seen.url, "/pets?a=%20b&a=2");
    assert.equal(seen.port, String(port));
    assert.equal(seen.headers.cookie, "a=1; b=2");
    assert.equal(seen.headers.host, "pets.example");
    assert.equal(seen.headers["x-amzn-trace-id"], "Root=1-request-1");
    assert.equal(seen.headers["x-amz-tenant-id"], "tenant-1");
    assert.equal(JSON.parse(seen.headers["x-amzn-lambda-context"]).request_id, "request-1");
    assert.equal(JSON.parse(seen.headers["x-amzn-request-context"]).domainName, "pets.example");
    assert.deepEqual(api.extensions, ["lambdaflex"]);

    await api.polled();
    signal("SIGTERM");
    assert.equal(await exited, 7);
    assert.match(output(), /draining/);
    assert.equal(alive(seen.pid), false);
  });

  test("connections are kept", async (t) => {
    const { api } = await lambda(t);
    for (let index = 0; index < 20; index += 1) await api.invoke(get("/pets"));
    await api.polled();
    // Two of them belong to the extension.
    assert.ok(api.connections <= 3, `${api.connections} connections`);
  });

  test("an event that is no request is posted", async (t) => {
    const { api } = await lambda(t, { AWS_LWA_PASS_THROUGH_PATH: "/queue" });
    const event = '{"Records":[{"body":"ä", "big": 12345678901234567890}]}';
    const seen = parse((await api.invoke(event)).body);
    assert.equal(seen.method, "POST");
    assert.equal(seen.url, "/queue");
    assert.equal(seen.body, event);
  });

  test("SIGTERM lets the invocation in flight finish first", async (t) => {
    const { api, signal, exited, output } = await lambda(t);
    const outcome = api.invoke(get("/wait/200"));
    await until(() => output().includes("waiting"), "the service has the request");
    signal("SIGTERM");
    assert.equal(parse((await outcome).body).body, "waited");
    assert.equal(await exited, 0);
  });

  test("a service that ends during a request fails it and ends the environment", async (t) => {
    const { api, exited } = await lambda(t);
    const outcome = await api.invoke(get("/exit/3"));
    assert.equal(outcome.kind, "error");
    assert.equal(outcome.headers["lambda-runtime-function-error-type"], "Runtime.ExitError");
    const report = parse(outcome.body);
    assert.equal(report.errorType, "Runtime.ExitError");
    assert.match(String(report.errorMessage), /exit status 3/);
    assert.equal(await exited, 3);
  });

  test("a service that ends while nothing runs ends the environment", async (t) => {
    const { api, exited } = await lambda(t);
    const seen = JSON.parse(String(parse((await api.invoke(get("/pets"))).body).body));
    await api.polled();
    process.kill(seen.pid, "SIGKILL");
    assert.equal(await exited, 137);
  });

  test("what the service can not answer is an error, and the next request works", async (t) => {
    const { api } = await lambda(t, { AWS_LWA_ERROR_STATUS_CODES: "500-599" });
    const type = async (path: string, deadlineMs?: number): Promise<unknown> => {
      const options = deadlineMs === undefined ? {} : { deadlineMs };
      const outcome = await api.invoke(get(path), options);
      return outcome.kind === "error" ? parse(outcome.body).errorType : outcome.kind;
    };
    assert.equal(await type("/garbage"), "Service.MalformedAnswer");
    assert.equal(await type("/break"), "Service.ConnectionReset");
    assert.equal(await type("/big/6291556"), "Function.ResponseSizeTooLarge");
    assert.equal(await type("/big/9000000"), "Function.ResponseSizeTooLarge");
    assert.equal(await type("/big/6000000"), "response");
    assert.equal(await type("/hang", Date.now() + 100), "Sandbox.Timedout");
    assert.equal(await type("/status/503"), "Service.ErrorStatus");
    assert.equal(await type("/status/404"), "response");
    const outcome = await api.invoke("[1");
    assert.equal(parse(outcome.body).errorType, "Runtime.InvalidEvent");
    assert.equal(await type("/pets"), "response");
  });

  test("answers are streamed, and a broken stream says so in its trailers", async (t) => {
    const { api } = await lambda(t, { AWS_LWA_INVOKE_MODE: "response_stream" });
    const { pid } = parse((await api.invoke('{"no":"request"}')).body);
    let early = "";
    const outcome = await api.invoke(get("/stream"), {
      onData(chunk) {
        early += chunk;
        if (early.endsWith("data: 1\n\n")) process.kill(Number(pid), "SIGUSR2");
      },
    });
    assert.equal(outcome.headers["lambda-runtime-function-response-mode"], "streaming");
    const contentType = "application/vnd.awslambda.http-integration-response";
    assert.equal(outcome.headers["content-type"], contentType);
    const [prelude = "", body] = outcome.body.toString().split("\0".repeat(8));
    assert.equal(body, "data: 1\n\ndata: 2\n\n");
    const head = JSON.parse(prelude);
    assert.equal(head.statusCode, 200);
    assert.equal(head.headers["content-type"], "text/event-stream");
    assert.deepEqual(head.cookies, ["a=1", "b=2"]);

    const broken = await api.invoke(get("/break"));
    assert.equal(broken.kind, "response");
    assert.equal(broken.trailers["lambda-runtime-function-error-type"], "Service.ConnectionReset");
    const big = await api.invoke(get("/big/9000000"));
    assert.equal(big.body.length - big.body.lastIndexOf(0) - 1, 9_000_000);
    assert.equal((await api.invoke(get("/garbage"))).kind, "error");
  });

  test("answers are compressed if asked", async (t) => {
    const { api } = await lambda(t, { AWS_LWA_ENABLE_COMPRESSION: "true" });
    const headers = { "accept-encoding": "gzip;q=0.5, br" };
    const response = parse((await api.invoke(get("/big/9000000", { headers }))).body);
    assert.equal(response.isBase64Encoded, true);
    assert.equal((response.headers as Record<string, string>)["content-encoding"], "br");
    assert.ok(String(response.body).length < 10_000);
  });

  test("a failed start is reported", async (t) => {
    const { api, exited } = await lambda(t, {}, ["/nowhere/at-all"]);
    const report = await api.initError;
    assert.equal(report.errorType, "Runtime.ExitError");
    assert.match(String(report.errorMessage), /cannot start "\/nowhere\/at-all": no such program/);
    assert.equal(await exited, 127);
  });

  test("a service that ends before it is ready is reported", async (t) => {
    const { api, exited } = await lambda(t, {}, ["sh", "-c", "exit 0"]);
    assert.match(String((await api.initError).errorMessage), /exit status 0/);
    assert.equal(await exited, 1);
  });

  test("a variable that makes no sense ends the start", async (t) => {
    const { api, exited, output } = await lambda(t, { AWS_LWA_ASYNC_INIT: "yes please" });
    assert.equal(await exited, 2);
    assert.match(output(), /AWS_LWA_ASYNC_INIT is "yes please", expected false or true/);
    assert.equal((await api.initError).errorType, "Runtime.InvalidVariable");
  });

  test("no invocation is taken before the service is ready", async (t) => {
    const { api, port } = await lambda(t, { START_MS: "300" });
    await api.polled();
    assert.equal(await accepts(port), true);
    assert.equal((await api.invoke(get("/pets"))).kind, "response");
  });

  test("readiness can be a TCP connection or a status", async (t) => {
    const tcp = await lambda(t, { AWS_LWA_READINESS_CHECK_PROTOCOL: "tcp" });
    await tcp.api.polled();
    const status = await lambda(t, {
      AWS_LWA_READINESS_CHECK_PATH: "/status/503",
      AWS_LWA_READINESS_CHECK_HEALTHY_STATUS: "503",
    });
    await status.api.polled();
  });

  test("when the sandbox is gone, so is the service", async (t) => {
    const { api, exited } = await lambda(t, { ON_TERM: "9" });
    const seen = JSON.parse(String(parse((await api.invoke(get("/pets"))).body).body));
    await api.polled();
    api.close();
    assert.equal(await exited, 0);
    assert.equal(alive(seen.pid), false);
  });
});

describe("in a container", { concurrency: 3 }, () => {
  test("the service listens itself, gets SIGTERM and gives the exit code", async (t) => {
    const { port, signal, exited, output } = await start(t, { ON_TERM: "5" });
    await until(() => accepts(port), "the service listens");
    const answer = (await (await fetch(`http://127.0.0.1:${port}/pets`)).json()) as {
      headers: Record<string, string>;
    };
    assert.equal(answer.headers["x-amzn-lambda-context"], undefined);
    signal("SIGTERM");
    assert.equal(await exited, 5);
    assert.match(output(), /draining/);
  });

  test("a service that does not drain is killed", async (t) => {
    const env = { ON_TERM: "ignore", LAMBDAFLEX_STOP_SECONDS: "0.2" };
    const { port, signal, exited } = await start(t, env);
    await until(() => accepts(port), "the service listens");
    signal("SIGTERM");
    assert.equal(await exited, 137);
  });

  test("exit codes come through", async (t) => {
    const codes = async (...command: string[]): Promise<number> =>
      (await start(t, {}, command)).exited;
    assert.equal(await codes("sh", "-c", "exit 41"), 41);
    assert.equal(await codes("sh", "-c", "kill -TERM $$"), 143);
    assert.equal(await codes("/etc"), 126);
  });

  test("arguments reach the service untouched", async (t) => {
    const args = ["a b", "$HOME", "", "--", "*"];
    const print = "console.log(JSON.stringify(process.argv.slice(1)))";
    const { exited, output } = await start(t, {}, [process.execPath, "-e", print, "--", ...args]);
    assert.equal(await exited, 0);
    assert.deepEqual(JSON.parse(output()), args);
  });

  test("without a command there is a usage line", async (t) => {
    const { exited, output } = await start(t, {}, []);
    assert.equal(await exited, 2);
    assert.match(output(), /usage: bootstrap/);
  });
});
