/** Streamed answers leave Lambda as they come, and a broken one does not look whole. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask } from "../../src/local/ask.ts";
import { startThreeWays, type ThreeWays } from "../../src/local/three-ways.ts";
import { echoService } from "./service.ts";

/** Two events with a pause between them, and answers that end in other ways. */
const code = `
import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url === "/") { response.end("ready"); return; }
  if (request.url === "/empty") { response.writeHead(204); response.end(); return; }
  response.writeHead(200, { "content-type": "text/event-stream", "set-cookie": ["a=1", "b=2"] });
  if (request.method === "HEAD") { response.end(); return; }
  response.write("data: one\\n\\n");
  if (request.url === "/broken") { setTimeout(() => response.destroy(), 50); return; }
  if (request.url === "/large") { response.end(Buffer.alloc(20_000_000, "x")); return; }
  setTimeout(() => response.end("data: two\\n\\n"), 400);
}).listen(process.env.PORT, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;

const warnings: Error[] = [];
process.on("warning", (warning) => warnings.push(warning));

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-stream-"));
let ways: ThreeWays;

before(async () => {
  writeFileSync(join(folder, "server.mjs"), code);
  const env = { AWS_LWA_INVOKE_MODE: "response_stream" };
  const service = { ...echoService, command: ["node", "server.mjs"], cwd: folder, env };
  ways = await startThreeWays({ service, memoryMB: 512, vcpu: 0.5, timeoutMs: 10_000 });
});
after(async () => {
  await ways.stop();
  rmSync(folder, { recursive: true, force: true });
});

const request = (target: string, method = "GET"): Parameters<typeof ask>[1] => {
  return { method, target, headers: [], body: null, origin: "test" };
};

for (const tier of ["lambda", "fargate"] as const) {
  test(`events arrive one by one on ${tier}`, async () => {
    const sent = get({ ...ways[tier], path: "/events", agent: false });
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    assert.equal(response.headers["content-type"], "text/event-stream");
    assert.deepEqual(response.headers["set-cookie"], ["a=1", "b=2"]);
    let text = "";
    let firstMs = 0;
    let lastMs = 0;
    response.on("data", (piece) => {
      text += piece;
      lastMs = performance.now();
      firstMs ||= lastMs;
    });
    await once(response, "end");
    assert.equal(text, "data: one\n\ndata: two\n\n");
    assert.ok(lastMs - firstMs > 200, `${lastMs - firstMs} ms between the first and the last`);
  });

  test(`a stream that breaks off is cut off on ${tier}`, async () => {
    const answer = await ask(ways[tier], request("/broken"));
    assert.equal(answer.type, "none");
    assert.equal((await ask(ways[tier], request("/"))).type, "answer", "and the next is served");
  });

  test(`streams may be longer than an event on ${tier}`, async () => {
    const answer = await ask(ways[tier], request("/large"));
    assert(answer.type === "answer");
    assert.equal(answer.body.length, 20_000_011);
    assert.deepEqual(warnings, [], "each pause leaves nothing behind");
  });

  test(`answers without a body stay so on ${tier}`, async () => {
    const empty = await ask(ways[tier], request("/empty"));
    assert.equal(empty.type === "answer" && empty.status, 204);
    const head = await ask(ways[tier], request("/events", "HEAD"));
    assert.equal(head.type === "answer" && head.body.length, 0);
  });
}
