import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createRuntimeApi, type RuntimeApi } from "./runtime-api.ts";

const env = {
  AWS_LAMBDA_FUNCTION_NAME: "pets",
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "512",
  AWS_LAMBDA_FUNCTION_VERSION: "7",
};

async function against(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly runtime: RuntimeApi; readonly said: readonly string[] }> {
  const said: string[] = [];
  const server = createServer(handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const runtime = createRuntimeApi(`127.0.0.1:${port}`, env, (message) => said.push(message));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { runtime, said };
}

test("an invocation comes with its context in the adapter's words", async (t) => {
  const { runtime } = await against(t, (_, response) => {
    response.writeHead(200, {
      "Lambda-Runtime-Aws-Request-Id": "id-1",
      "Lambda-Runtime-Deadline-Ms": "1542409706888",
      "Lambda-Runtime-Invoked-Function-Arn": "arn:1",
      "Lambda-Runtime-Trace-Id": "Root=1",
      "Lambda-Runtime-Client-Context": '{"custom":{}}',
      "Lambda-Runtime-Cognito-Identity": "{",
    });
    response.end("{}");
  });
  const invocation = await runtime.next();
  assert.equal(invocation?.requestId, "id-1");
  assert.equal(invocation?.deadlineMs, 1542409706888);
  assert.equal(invocation?.event.toString(), "{}");
  assert.deepEqual(JSON.parse(invocation?.contextJson ?? ""), {
    request_id: "id-1",
    deadline: 1542409706888,
    invoked_function_arn: "arn:1",
    xray_trace_id: "Root=1",
    client_context: { custom: {} },
    identity: null,
    tenant_id: null,
    env_config: { function_name: "pets", memory: 512, version: "7", log_stream: "", log_group: "" },
  });
  runtime.close();
});

test("closing ends the poll but not a response under way", async (t) => {
  let received = 0;
  const { runtime } = await against(t, async (request, response) => {
    assert.equal(request.method, "POST");
    runtime.close();
    for await (const chunk of request) received += chunk.length;
    response.writeHead(202).end();
  });
  await runtime.respond("id-1", "x".repeat(6_000_000));
  assert.equal(received, 6_000_000);
  assert.equal(await runtime.next(), null);
});

test("a closed poll is the end", async (t) => {
  const { runtime, said } = await against(t, () => runtime.close());
  assert.equal(await runtime.next(), null);
  assert.deepEqual(said, []);
});

test("what Lambda refuses or drops is said, and shows in the next poll", async (t) => {
  const { runtime, said } = await against(t, (request, response) => {
    if (request.url?.includes("gone")) request.socket.destroy();
    else response.writeHead(403).end("no");
  });
  await runtime.respond("id-1", "{}");
  await runtime.fail("gone", { type: "A.B", message: "c" });
  assert.equal(await runtime.next(), null);
  assert.match(said[0] ?? "", /answered 403 to \/invocation\/id-1\/response: no/);
  assert.match(said[1] ?? "", /did not take \/invocation\/gone\/error/);
  assert.match(said[2] ?? "", /answered 403 instead of an invocation/);
  assert.equal(said.length, 3);
  runtime.close();
});
