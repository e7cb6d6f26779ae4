import assert from "node:assert/strict";
import { Agent, createServer } from "node:http";
import { test } from "node:test";
import { answer, call, join, listen, serve, serveRaw, startRig } from "./rig.test.ts";

test("an idempotent request survives a target that closes its idle connection", async (t) => {
  const rig = await startRig(t);
  const heads: string[] = [];
  const target = await serveRaw(t, (socket, head, count) => {
    heads.push(head.split(" ")[0] ?? "");
    // The second request on a connection meets its end: what a keep-alive race looks like.
    if (count > 1) socket.destroy();
    else socket.write(answer("ok"));
  });
  await join(rig, target);
  for (let i = 0; i < 5; i++) {
    assert.equal((await call(rig.port, "/")).body, "ok");
    const reply = await call(rig.port, "/", { method: "PUT", body: "again" });
    assert.equal(reply.status, 200);
  }
  assert.ok(heads.length > 10, "some were sent twice");
});

test("what is not idempotent is never sent twice", async (t) => {
  const rig = await startRig(t);
  let posts = 0;
  const target = await serveRaw(t, (socket, head) => {
    if (head.startsWith("POST")) {
      posts += 1;
      socket.destroy();
    } else socket.write(answer("ok"));
  });
  const [first] = await join(rig, target, target);
  assert.ok(first);
  assert.equal((await call(rig.port, "/", { method: "POST", body: "pay" })).status, 502);
  assert.equal(posts, 1);
});

test("bytes after an answer never become the answer to somebody else", async (t) => {
  const rig = await startRig(t);
  const poison = answer("poison");
  let longest = 0;
  const target = await serveRaw(t, (socket, head, count) => {
    longest = Math.max(longest, count);
    socket.write(answer(head.split(" ")[1] ?? "") + poison);
  });
  await join(rig, target);
  const words = Array.from({ length: 20 }, (_, i) => `/${i}`);
  for (const word of words) assert.equal((await call(rig.port, word)).body, word);
  const all = await Promise.all(words.map((word) => call(rig.port, word)));
  assert.deepEqual(
    all.map(({ body }) => body),
    words,
  );
  assert.equal(longest, 1, "such a connection is not used again");
});

test("nothing is lost when the service's keep-alive is shorter than ours", async (t) => {
  const rig = await startRig(t);
  // Without a hint, as many servers do it, and closing right when the next request may come.
  const target = await serveRaw(t, (socket) => {
    socket.write(answer("ok"));
    setTimeout(() => socket.end(), 800);
  });
  await join(rig, target);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const statuses = new Set<number>();
  const client = async (offsetMs: number): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, offsetMs));
      const reply = await call(rig.port, "/", { method: "POST", body: "x", agent });
      statuses.add(reply.status);
    }
  };
  await Promise.all(Array.from({ length: 40 }, (_, i) => client(780 + i)));
  assert.deepEqual([...statuses], [200]);
});

test("a request finds its way around a target that is gone, whatever its method", async (t) => {
  const rig = await startRig(t, { healthCheck: checkedOnce });
  const server = createServer((_, response) => response.end("dying"));
  const dying = await listen(t, server);
  const alive = await serve(t, (request, response) => request.pipe(response));
  await join(rig, dying, alive);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  for (let i = 0; i < 6; i++) {
    const reply = await call(rig.port, "/", { method: "POST", body: "alive" });
    assert.equal(reply.body, "alive");
  }
});

const checkedOnce = {
  path: "/health",
  intervalMs: 1e9,
  timeoutMs: 500,
  healthyThreshold: 1,
  unhealthyThreshold: 1,
};
