import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { join, serve, serveUpgrade, startRig, talk, until } from "./rig.test.ts";

const piece = Buffer.alloc(64 * 1024, "x");

test("a slow reader holds the target back instead of filling our memory", async (t) => {
  const rig = await startRig(t);
  let sent = 0;
  let held = false;
  const target = await serve(t, (_, response) => {
    const write = (): void => {
      while (sent < 64 * 1024 * 1024) {
        sent += piece.length;
        held = !response.write(piece);
        if (held) {
          response.once("drain", write);
          return;
        }
      }
      response.end();
    };
    write();
  });
  await join(rig, target);
  const client = connect(rig.port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  await once(client, "readable");
  await settled(() => sent);
  assert.ok(held, "the target waits");
  assert.ok(sent < 24 * 1024 * 1024, `${sent} bytes were taken ahead of the client`);
  let got = 0;
  client.on("data", (chunk: Buffer) => {
    got += chunk.length;
  });
  await once(client, "close");
  assert.ok(got > 64 * 1024 * 1024);
});

test("a slow target holds the client back", async (t) => {
  const rig = await startRig(t);
  let resume = (): void => undefined;
  let received = 0;
  const target = await serve(t, (request, response) => {
    request.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    request.pause();
    resume = () => request.resume();
    request.on("end", () => response.end(String(received)));
  });
  await join(rig, target);
  const total = 64 * 1024 * 1024;
  const where = { host: "127.0.0.1", port: rig.port, method: "POST", agent: false };
  const request = httpRequest({ ...where, headers: { "content-length": total } });
  let sent = 0;
  const write = (): void => {
    while (sent < total) {
      sent += piece.length;
      if (!request.write(piece)) {
        request.once("drain", write);
        return;
      }
    }
    request.end();
  };
  write();
  await settled(() => sent);
  assert.ok(sent < 24 * 1024 * 1024, `${sent} bytes were taken ahead of the target`);
  resume();
  const [response] = await once(request, "response");
  const [body] = await once(response, "data");
  assert.equal(body.toString(), String(total));
});

test("bytes arrive as they are sent, in both directions at once", async (t) => {
  const rig = await startRig(t);
  const target = await serve(t, (request, response) => {
    response.flushHeaders();
    request.pipe(response);
  });
  await join(rig, target);
  const client = connect(rig.port, "127.0.0.1");
  let text = "";
  client.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  await until(() => text.includes("\r\n\r\n"), "the head of the answer");
  for (const word of ["one", "two"]) {
    client.write(`3\r\n${word}\r\n`);
    await until(() => text.includes(word), word);
  }
  client.write("0\r\n\r\n");
  await until(() => text.endsWith("0\r\n\r\n"), "the end");
  client.destroy();
});

test("the target hears when its client has gone", async (t) => {
  const rig = await startRig(t);
  let gone = false;
  const target = await serve(t, (_, response) => {
    response.write("x");
    response.on("close", () => {
      gone = true;
    });
  });
  await join(rig, target);
  const client = connect(rig.port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(client, "data");
  client.destroy();
  await until(() => gone, "the end of the request");
  await until(() => rig.finished.length === 1, "the count");
  assert.equal(rig.finished[0]?.status, 460);
  assert.equal(rig.balancer.targets()[0]?.outstanding, 0);
});

test("pipelined requests are answered in order", async (t) => {
  const rig = await startRig(t);
  const target = await serve(t, (request, response) => {
    const slow = request.url === "/1";
    setTimeout(() => response.end(`<${request.url}>`), slow ? 50 : 0);
  });
  await join(rig, target);
  const all = ["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join("");
  const text = await talk(rig.port, all, (seen) => seen.includes("</3>"));
  assert.deepEqual(text.match(/<.*?>/g), ["</1>", "</2>", "</3>"]);
});

const H = "Host: a\r\n";
const CODED = "Transfer-Encoding: chunked\r\n";
const smuggled: Readonly<Record<string, string>> = {
  "length and coding": `POST / HTTP/1.1\r\n${H}Content-Length: 6\r\n${CODED}\r\n0\r\n\r\nG`,
  "coding and length": `POST / HTTP/1.1\r\n${H}${CODED}Content-Length: 6\r\n\r\n0\r\n\r\nG`,
  "two lengths": `POST / HTTP/1.1\r\n${H}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
  "a list of lengths": `POST / HTTP/1.1\r\n${H}Content-Length: 1, 1\r\n\r\na`,
  "a signed length": `POST / HTTP/1.1\r\n${H}Content-Length: +1\r\n\r\na`,
  "a folded coding": `POST / HTTP/1.1\r\n${H}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
  "a coding with a blank": `POST / HTTP/1.1\r\n${H}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  "two codings": `POST / HTTP/1.1\r\n${H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  "an unknown coding": `POST / HTTP/1.1\r\n${H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  "coding in HTTP/1.0": `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "bare line feeds": `GET / HTTP/1.1\nHost: a\n\n`,
  "a bare carriage return": `GET / HTTP/1.1\r\n${H}A: b\rC: d\r\n\r\n`,
  "a null byte": `GET / HTTP/1.1\r\n${H}A: b\0\r\n\r\n`,
  "two hosts": `GET / HTTP/1.1\r\n${H}Host: b\r\n\r\n`,
  "no host": "GET / HTTP/1.1\r\n\r\n",
  "a host unlike its target": `GET http://b/ HTTP/1.1\r\n${H}\r\n`,
  "a chunk with a bare line feed": `POST / HTTP/1.1\r\n${H}${CODED}\r\n1\na\r\n0\r\n\r\n`,
  "a head that is too long": `GET / HTTP/1.1\r\n${H}A: ${"b".repeat(70_000)}\r\n\r\n`,
};

for (const [name, bytes] of Object.entries(smuggled)) {
  test(`refuses ${name}`, async (t) => {
    const rig = await startRig(t);
    let reached = 0;
    const complete = (): void => {
      reached += 1;
    };
    const target = await serve(t, (request, response) => {
      request.on("end", complete).resume();
      response.end("ok");
    });
    await join(rig, target);
    const text = await talk(rig.port, bytes);
    assert.match(text, /^HTTP\/1.1 (4|501)/);
    assert.equal(text.match(/HTTP\/1.1 /g)?.length, 1, text);
    assert.equal(reached, 0);
  });
}

test("Connection cannot take away the fields that frame a message", async (t) => {
  const rig = await startRig(t);
  await join(rig, await serve(t, (q, r) => q.on("data", (c: Buffer) => r.end(c)).resume()));
  const text = await talk(
    rig.port,
    `POST / HTTP/1.1\r\n${H}Content-Length: 2\r\nConnection: close, content-length, host\r\n\r\nab`,
  );
  assert.match(text, /\r\n\r\n(2\r\n)?ab/);
});

/** Waits until a count has stopped growing. */
async function settled(count: () => number): Promise<void> {
  let last = -1;
  let since = performance.now();
  await until(() => {
    if (count() !== last) since = performance.now();
    last = count();
    return performance.now() - since > 150;
  }, "standstill");
}

test("upgraded connections pass bytes both ways until one side ends", async (t) => {
  const rig = await startRig(t);
  const sockets: Socket[] = [];
  const target = await serveUpgrade(t, sockets);
  await join(rig, target);
  const client = connect(rig.port, "127.0.0.1");
  let text = "";
  client.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  client.write(`GET /chat HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: chat\r\n\r\nearly `);
  await until(() => text.includes("EARLY "), "the first words");
  assert.match(text, /^HTTP\/1.1 101 Switching Protocols\r\n/);
  assert.match(text, /upgrade: chat\r\n/i);
  assert.match(text, /x-forwarded-for=127.0.0.1/);
  client.write("more");
  await until(() => text.endsWith("MORE"), "more words");
  assert.equal(rig.finished[0]?.status, 101);
  assert.equal(rig.balancer.targets()[0]?.outstanding, 1);
  const closed = once(client, "close");
  sockets[0]?.end();
  await closed;
  await until(() => rig.balancer.targets()[0]?.outstanding === 0, "the end");
});

test("a target may decline to upgrade, and h2c is not passed on", async (t) => {
  const rig = await startRig(t);
  await join(rig, await serve(t, (q, r) => r.end(`plain ${q.headers.upgrade}`)));
  const ask = (what: string): Promise<string> =>
    talk(
      rig.port,
      `GET / HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: ${what}\r\n\r\n`,
      (text) => /plain \w+/.test(text),
    );
  assert.match(await ask("chat"), /^HTTP\/1.1 200 OK[\s\S]*plain chat/);
  assert.match(await ask("h2c"), /^HTTP\/1.1 200 OK[\s\S]*plain undefined/);
  assert.equal(rig.finished.length, 2);
});

test("a leaving target takes its tunnels with it after the delay", async (t) => {
  const rig = await startRig(t, { deregistrationDelayMs: 5_000 });
  const [id = ""] = await join(rig, await serveUpgrade(t, []));
  const client = connect(rig.port, "127.0.0.1");
  client.write(`GET / HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: chat\r\n\r\n`);
  await once(client, "data");
  const closed = once(client, "close");
  await rig.balancer.deregister(id);
  await closed;
});
