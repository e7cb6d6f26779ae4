import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type InvocationResult, responsePayloadBytesMax } from "./invocation.ts";
import { RuntimeApi } from "./runtime-api.ts";

const base = "/2018-06-01/runtime";
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:demo";

let api: RuntimeApi;
let url: string;
let port: number;
let told: string[];
let results: InvocationResult[];
/** Resolves at the next event of the given kind. */
let waiters: Map<string, () => void>;

function tell(what: string): void {
  told.push(what);
  waiters.get(what)?.();
}

function heard(what: string): Promise<void> {
  return new Promise((resolve) => {
    waiters.set(what, resolve);
  });
}

function deliver(requestId: string, payload = "{}"): void {
  api.deliver({ requestId, traceId: "Root=1-2-3", payload, done: () => undefined });
}

async function post(path: string, body: string | Buffer, headers = {}): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: "POST",
    body: new Uint8Array(Buffer.from(body)),
    headers,
  });
}

/** Polls for work and hands out an invocation with the given id. */
async function invoke(requestId: string, payload?: string): Promise<Response> {
  const idle = heard("next");
  const polled = fetch(`${url}/invocation/next`);
  await idle;
  deliver(requestId, payload);
  return polled;
}

async function open(text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

beforeEach(async () => {
  told = [];
  results = [];
  waiters = new Map();
  api = new RuntimeApi(
    { functionArn, timeoutMs: 3000 },
    {
      onNext: () => tell("next"),
      onNextLost: () => tell("lost"),
      onResult: (result) => {
        results.push(result);
        tell("result");
      },
      onInitError: (reason) => tell(`init ${reason}`),
    },
  );
  port = await api.listen();
  url = `http://127.0.0.1:${port}${base}`;
});

afterEach(() => api.close());

describe("the Runtime API", () => {
  test("hands out an invocation with what a runtime must know, takes its answer", async () => {
    const before = Date.now();
    const next = await invoke("id-1", '{"text":"é"}');
    assert.equal(next.status, 200);
    assert.equal(next.headers.get("lambda-runtime-aws-request-id"), "id-1");
    assert.equal(next.headers.get("lambda-runtime-invoked-function-arn"), functionArn);
    assert.equal(next.headers.get("lambda-runtime-trace-id"), "Root=1-2-3");
    const deadline = Number(next.headers.get("lambda-runtime-deadline-ms"));
    assert.ok(deadline >= before + 3000 && deadline <= Date.now() + 3000);
    assert.deepEqual(await next.json(), { text: "é" });
    const taken = await post("/invocation/id-1/response", "answer");
    assert.equal(taken.status, 202);
    assert.deepEqual(results, [
      { type: "response", body: Buffer.from("answer"), streaming: false },
    ]);
  });

  test("refuses answers to other invocations, twice given answers and unknown paths", async () => {
    await (await invoke("id-1")).text();
    const statuses = async (...paths: string[]): Promise<number[]> =>
      Promise.all(paths.map(async (path) => (await post(path, "x")).status));
    assert.deepEqual(
      await statuses("/invocation/id-0/response", "/invocation/id-0/error"),
      [400, 400],
    );
    assert.deepEqual(results, []);
    const unknown = ["/", "/invocation/next", "/invocation/id-1/other", "/invocation/id-1"];
    assert.deepEqual(await statuses(...unknown), [404, 404, 404, 404]);
    assert.deepEqual(await statuses("/invocation/id-1/response"), [202]);
    assert.deepEqual(await statuses("/invocation/id-1/response"), [400]);
    assert.equal(results.length, 1);
  });

  test("gives no second invocation before the first is answered", async () => {
    await (await invoke("id-1")).text();
    const again = await fetch(`${url}/invocation/next`);
    assert.equal(again.status, 403);
    assert.match(await again.text(), /InvalidStateTransition/);
  });

  test("passes errors on in the standard format or none", async () => {
    await (await invoke("id-1")).text();
    const report = JSON.stringify({ errorType: "Boom", errorMessage: "why" });
    assert.equal((await post("/invocation/id-1/error", report)).status, 202);
    await (await invoke("id-2")).text();
    const headers = { "Lambda-Runtime-Function-Error-Type": "Named" };
    await post("/invocation/id-2/error", "no json", headers);
    assert.deepEqual(results, [
      { type: "error", errorType: "Boom", message: "why" },
      { type: "error", errorType: "Named", message: "" },
    ]);
  });

  test("takes an init error only before the first poll", async () => {
    const report = JSON.stringify({ errorType: "Init", errorMessage: "no secret" });
    assert.equal((await post("/init/error", report)).status, 202);
    assert.deepEqual(told, ["init no secret"]);
    await (await invoke("id-1")).text();
    assert.equal((await post("/init/error", report)).status, 403);
  });

  test("refuses an answer that is too large and goes on", async () => {
    await (await invoke("id-1")).text();
    const refused = await post(
      "/invocation/id-1/response",
      Buffer.alloc(responsePayloadBytesMax + 1),
    );
    assert.equal(refused.status, 413);
    assert.match(await refused.text(), /RequestEntityTooLarge/);
    assert.equal((results[0] as { errorType: string }).errorType, "Function.ResponseSizeTooLarge");
    await (await invoke("id-2")).text();
    const largest = Buffer.alloc(responsePayloadBytesMax);
    assert.equal((await post("/invocation/id-2/response", largest)).status, 202);
  });

  test("takes a streamed answer, and a stream that broke off as an error", async () => {
    const mode = "Lambda-Runtime-Function-Response-Mode: streaming\r\n";
    const head = (id: string): string =>
      `POST ${base}/invocation/${id}/response HTTP/1.1\r\nHost: x\r\n${mode}` +
      "Transfer-Encoding: chunked\r\n\r\n3\r\n{}\0\r\n";
    await (await invoke("id-1")).text();
    const first = await open(`${head("id-1")}2\r\nab\r\n0\r\n\r\n`);
    assert.match(String((await once(first, "data"))[0]), /^HTTP\/1.1 202 /);
    await (await invoke("id-2")).text();
    const second = await open(
      `${head("id-2")}0\r\nLambda-Runtime-Function-Error-Type: Cut\r\n\r\n`,
    );
    await once(second, "data");
    assert.deepEqual(results[0], {
      type: "response",
      body: Buffer.from("{}\0ab"),
      streaming: true,
    });
    assert.equal((results[1] as { errorType: string }).errorType, "Cut");
    first.destroy();
    second.destroy();
  });

  test("lets a runtime send an answer and its next poll in one go", async () => {
    const next = `GET ${base}/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answer = (id: string): string =>
      `POST ${base}/invocation/${id}/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok`;
    const idle = heard("next");
    const socket = await open(next);
    await idle;
    deliver("id-1");
    await once(socket, "data");
    const idleAgain = heard("next");
    socket.write(answer("id-1") + next);
    await idleAgain;
    assert.equal(results.length, 1);
    deliver("id-2");
    const [both] = await once(socket, "data");
    assert.match(String(both), /^HTTP\/1.1 202 .*HTTP\/1.1 200 .*id-2/s);
    socket.destroy();
  });

  test("hears of a runtime that hangs up while it waits, and serves the next one", async () => {
    const idle = heard("next");
    const socket = await open(`GET ${base}/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n`);
    await idle;
    const lost = heard("lost");
    socket.destroy();
    await lost;
    assert.equal((await invoke("id-1")).status, 200);
  });

  test("survives bytes that are not HTTP", async () => {
    const socket = await open("\0\0garbage\r\n\r\n");
    const [text] = await once(socket, "data");
    assert.match(String(text), /^HTTP\/1.1 400 /);
    await once(socket, "close");
    assert.equal((await invoke("id-1")).status, 200);
  });

  test("lets an extension register and wait", async () => {
    const extension = `http://127.0.0.1:${port}/2020-01-01/extension`;
    const registered = await fetch(`${extension}/register`, { method: "POST", body: "{}" });
    assert.equal(registered.status, 200);
    assert.ok(registered.headers.get("lambda-extension-identifier"));
    const unknown = await fetch(`${extension}/init/error`, { method: "POST" });
    assert.equal(unknown.status, 404);
  });
});
