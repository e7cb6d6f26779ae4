import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { answer, call, join, serve, serveRaw, startRig, talk, until } from "./rig.test.ts";

test("goes round between targets that have equally much to do", async (t) => {
  const rig = await startRig(t);
  const names = ["a", "b", "c"];
  await join(rig, ...(await Promise.all(names.map((name) => serve(t, (_, r) => r.end(name))))));
  const seen: string[] = [];
  for (let i = 0; i < 6; i++) seen.push((await call(rig.port, "/")).body);
  assert.deepEqual(seen.slice(0, 3).sort(), names);
  assert.deepEqual(seen.slice(3), seen.slice(0, 3));
});

test("spares a target that is busy", async (t) => {
  const rig = await startRig(t);
  const held: (() => void)[] = [];
  const slow = await serve(t, (_, response) => held.push(() => response.end("slow")));
  const fast = await serve(t, (_, response) => response.end("fast"));
  const [slowId] = await join(rig, slow, fast);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.after(() => agent.destroy());
  const replies = [call(rig.port, "/"), call(rig.port, "/")];
  await until(() => held.length === 1, "a held request");
  for (let i = 0; i < 10; i++) {
    assert.equal((await call(rig.port, "/", { agent })).body, "fast");
  }
  assert.equal(rig.balancer.targets().find(({ id }) => id === slowId)?.outstanding, 1);
  for (const release of held) release();
  await Promise.all(replies);
  assert.ok(rig.balancer.targets().every(({ outstanding }) => outstanding === 0));
});

test("passes fields on in order with duplicates and sets the forwarding ones", async (t) => {
  const rig = await startRig(t);
  let head = "";
  const target = await serveRaw(t, (socket, text) => {
    head = text;
    const fields =
      "Set-Cookie: a=1\r\nX-b: \xe9\r\nset-cookie: b=2\r\nConnection: X-gone\r\nX-Gone: 1\r\n";
    socket.write(answer("ok", fields), "latin1");
  });
  await join(rig, target);
  const text = await talk(
    rig.port,
    "GET /a%2Fb?x=%20&x HTTP/1.1\r\nhost: Shop.Test\r\nX-Forwarded-For: 1.2.3.4\r\nCookie: a\r\n" +
      "x-forwarded-proto: https\r\nForwarded: for=9.9.9.9\r\nX_Forwarded_For: 6.6.6.6\r\n" +
      "X-Real-IP: 6.6.6.6\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nTE: trailers\r\n" +
      "COOKIE: b\r\n\r\n",
  );
  const { port } = rig;
  const trace = /X-Amzn-Trace-Id: Root=1-[0-9a-f]{8}-[0-9a-f]{24}\r\n/;
  assert.match(head, trace);
  assert.equal(
    head.replace(trace, ""),
    "GET /a%2Fb?x=%20&x HTTP/1.1\r\nhost: Shop.Test\r\nCookie: a\r\nCOOKIE: b\r\n" +
      `X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ${port}\r\n\r\n`,
  );
  assert.match(
    text,
    /^HTTP\/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-b: \xe9\r\nset-cookie: b=2\r\nContent-Length: 2\r\n/,
  );
  assert.doesNotMatch(text, /x-gone/i);
});

test("keeps a trace id that came with the request", async (t) => {
  const rig = await startRig(t);
  await join(rig, await serve(t, (q, r) => r.end(q.headers["x-amzn-trace-id"])));
  const id = "Root=1-67891233-abcdef012345678912345678";
  const answered = await call(rig.port, "/", { headers: { "x-amzn-trace-id": id } });
  assert.equal(answered.body, id);
  const forged = await call(rig.port, "/", { headers: { "x-amzn-trace-id": "Root=1-1-1; evil" } });
  assert.match(forged.body, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
});

test("answers for its hosts only, and counts nothing else", async (t) => {
  const rig = await startRig(t, { hosts: ["Shop.test"] });
  await join(rig, await serve(t, (_, response) => response.end("ok")));
  const status = async (host: string) => (await call(rig.port, "/", { headers: { host } })).status;
  assert.equal(await status("shop.TEST:99"), 200);
  for (const host of ["other.test", "127.0.0.1", "shop.test.evil"]) {
    assert.equal(await status(host), 404);
  }
  assert.equal(rig.finished.length, 1);
  assert.equal(await rig.balancer.probe("/", 1_000), true);
  assert.equal(rig.finished.length, 1, "a probe is not counted");
});

const twoLengths = "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n";

test("503 without targets, 502 for nonsense, 504 for silence", async (t) => {
  const rig = await startRig(t, { requestTimeoutMs: 100 });
  assert.equal((await call(rig.port, "/")).status, 503);
  const target = await serveRaw(t, (socket, head) => {
    if (head.startsWith("GET /nonsense")) socket.write("220 smtp ready\r\n\r\n");
    if (head.startsWith("GET /two")) socket.write(twoLengths);
    if (head.startsWith("GET /half")) socket.end("HTTP/1.1 200 O");
  });
  await join(rig, target);
  assert.equal((await call(rig.port, "/nonsense")).status, 502);
  assert.equal((await call(rig.port, "/two")).status, 502);
  assert.equal((await call(rig.port, "/half")).status, 502);
  assert.equal((await call(rig.port, "/silent")).status, 504);
  assert.deepEqual(
    rig.finished.map(({ status }) => status),
    [503, 502, 502, 502, 504],
  );
});

test("an answer that is cut off reaches the client as cut off", async (t) => {
  const rig = await startRig(t);
  const target = await serveRaw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", () => socket.destroy());
  });
  await join(rig, target);
  await assert.rejects(call(rig.port, "/"), /aborted|ECONNRESET/);
  assert.equal(rig.finished[0]?.status, 502);
});

test("HEAD, 204, 304 and answers that end with the connection pass", async (t) => {
  const rig = await startRig(t);
  const target = await serveRaw(t, (socket, head) => {
    if (head.startsWith("HEAD")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n");
    else if (head.includes("/204")) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    else if (head.includes("/304")) socket.write('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n');
    else socket.end("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  });
  await join(rig, target);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const head = await call(rig.port, "/", { method: "HEAD", agent });
  assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "77", ""]);
  assert.equal((await call(rig.port, "/204", { agent })).status, 204);
  assert.equal((await call(rig.port, "/304", { agent })).headers.etag, '"x"');
  assert.equal((await call(rig.port, "/close", { agent })).body, "until the end");
  const old = await talk(rig.port, "GET / HTTP/1.0\r\n\r\n");
  assert.match(old, /until the end$/);
});

test("bodies pass both ways, with a length, in chunks, and with trailers", async (t) => {
  const rig = await startRig(t);
  const target = await serve(t, (request, response) => {
    response.writeHead(200, { trailer: "sum" });
    let length = 0;
    request.on("data", (piece: Buffer) => {
      length += piece.length;
      response.write(piece);
    });
    request.on("end", () => {
      response.addTrailers({ sum: String(length) });
      response.end();
    });
  });
  await join(rig, target);
  const body = "x".repeat(100_000);
  const framings: Record<string, string>[] = [
    { "content-length": "100000" },
    { "transfer-encoding": "chunked" },
  ];
  for (const headers of framings) {
    const reply = await call(rig.port, "/", { method: "POST", headers, body });
    assert.equal(reply.body, body);
    assert.equal(reply.trailers.sum, "100000");
  }
});

test("a client waits with its body until the target asks for it", async (t) => {
  const rig = await startRig(t);
  const order: string[] = [];
  const target = await serveRaw(t, (socket, head) => {
    order.push(/expect: 100-continue/i.test(head) ? "asked" : "not asked");
    socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    socket.once("data", (chunk: Buffer) => {
      order.push(chunk.toString());
      socket.end(answer("thanks", "Connection: close\r\n"));
    });
  });
  await join(rig, target);
  const headers = { expect: "100-continue", "content-length": "4" };
  const where = { host: "127.0.0.1", port: rig.port, method: "PUT", headers, agent: false };
  const request = httpRequest(where);
  request.flushHeaders();
  await once(request, "continue");
  order.push("continue");
  request.end("body");
  const [response] = await once(request, "response");
  response.resume();
  assert.deepEqual(order, ["asked", "continue", "body"]);
  await once(response, "end");
});

test("health decides who gets requests, in both directions", async (t) => {
  const rig = await startRig(t, {
    healthCheck: {
      path: "/state",
      intervalMs: 2_000,
      timeoutMs: 500,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
    },
  });
  let status = 200;
  let checks = 0;
  const moody = await serve(t, (request, response) => {
    if (request.url === "/state") checks += 1;
    response.writeHead(request.url === "/state" ? status : 200).end("moody");
  });
  const steady = await serve(t, (_, response) => response.end("steady"));
  const id = rig.balancer.register(moody);
  assert.equal(rig.balancer.targets()[0]?.state, "initial");
  assert.equal((await call(rig.port, "/")).status, 503, "an initial target gets nothing");
  const state = () => rig.balancer.targets().find((target) => target.id === id)?.state;
  await until(() => state() === "healthy", "healthy");
  assert.ok(checks >= 2);
  await join(rig, steady);

  status = 500;
  await until(() => state() === "unhealthy", "unhealthy");
  for (let i = 0; i < 4; i++) assert.equal((await call(rig.port, "/")).body, "steady");
  assert.equal(rig.balancer.targets()[0]?.reason, "answered 500");
  status = 200;
  await until(() => state() === "healthy", "healthy again");
  const bodies = [await call(rig.port, "/"), await call(rig.port, "/")].map(({ body }) => body);
  assert.ok(bodies.includes("moody"));
});

test("if all targets are unhealthy, all are used", async (t) => {
  const rig = await startRig(t, {
    healthCheck: {
      path: "/nothing",
      intervalMs: 2_000,
      timeoutMs: 50,
      healthyThreshold: 1,
      unhealthyThreshold: 2,
    },
  });
  const sick = await serve(t, (request, response) => {
    response.writeHead(request.url === "/nothing" ? 500 : 200).end("still here");
  });
  rig.balancer.register(sick);
  await until(() => rig.balancer.targets()[0]?.state === "unhealthy", "unhealthy");
  assert.equal((await call(rig.port, "/")).body, "still here");
});

test("a leaving target gets no new request and finishes its last ones", async (t) => {
  const rig = await startRig(t);
  const held: (() => void)[] = [];
  const leaving = await serve(t, (_, response) => held.push(() => response.end("done")));
  const [id] = await join(rig, leaving);
  const reply = call(rig.port, "/");
  await until(() => held.length === 1, "a held request");
  let left = false;
  const leave = rig.balancer.deregister(id ?? "").then(() => {
    left = true;
  });
  assert.equal((await call(rig.port, "/")).status, 503);
  assert.equal(left, false);
  held[0]?.();
  assert.equal((await reply).body, "done");
  await leave;
  assert.deepEqual(rig.balancer.targets(), []);
});

test("the deregistration delay bounds how long a target may take to leave", async (t) => {
  const rig = await startRig(t, { deregistrationDelayMs: 5_000 });
  const [id] = await join(rig, await serve(t, () => undefined));
  const reply = call(rig.port, "/", { method: "POST" });
  await until(() => rig.balancer.targets()[0]?.outstanding === 1, "a request in flight");
  const begunMs = rig.clock.nowMs();
  await rig.balancer.deregister(id ?? "");
  assert.ok(rig.clock.nowMs() - begunMs >= 4_800);
  assert.equal((await reply).status, 502);
});

test("old client connections end with an answer, not with a reset", async (t) => {
  const rig = await startRig(t, { clientKeepAliveMs: 5_000 });
  await join(rig, await serve(t, (_, response) => response.end("ok")));
  const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const socket = connect(rig.port, "127.0.0.1");
  t.after(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const closed = once(socket, "close");
  while (!/connection: close/i.test(text)) {
    text = "";
    socket.write(request);
    await until(() => text.includes("\r\n\r\nok"), "an answer");
    assert.match(text, /^HTTP\/1.1 200/);
  }
  await closed;
  assert.ok(rig.clock.nowMs() >= 5_000);
});

test("idle client connections are closed, waiting ones are not", async (t) => {
  const rig = await startRig(t, { idleTimeoutMs: 150, requestTimeoutMs: 5_000 });
  const slow = await serve(t, (_, response) => setTimeout(() => response.end("late"), 600));
  await join(rig, slow);
  assert.equal((await call(rig.port, "/")).body, "late");
  const idle = connect(rig.port, "127.0.0.1");
  await once(idle, "connect");
  idle.resume();
  await once(idle, "close");
  const stalled = await talk(
    rig.port,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
  );
  assert.equal(stalled, "");
});

test("stop lets a request in flight end first", async (t) => {
  const rig = await startRig(t);
  const held: (() => void)[] = [];
  await join(rig, await serve(t, (_, response) => held.push(() => response.end("done"))));
  const reply = call(rig.port, "/");
  await until(() => held.length === 1, "a held request");
  const stopped = rig.balancer.stop();
  held[0]?.();
  const { body, headers } = await reply;
  assert.deepEqual([body, headers.connection], ["done", "close"]);
  await stopped;
  await assert.rejects(call(rig.port, "/"), /ECONNREFUSED/);
});
