import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createHttpClient, type HttpClient, HttpError } from "./http-client.ts";

const none = Buffer.alloc(0);
const get = { method: "GET", target: "/", headers: [["host", "x"]] as const, body: none };
const post = { ...get, method: "POST" };
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

interface Peer {
  readonly client: HttpClient;
  /** What arrived, one text per connection. */
  readonly received: string[];
}

/** A peer that runs `onRequest` for each piece that arrives. */
async function peer(
  t: TestContext,
  onRequest: (socket: Socket, connection: number, text: string) => void,
  bodyBytesMax = 1000,
): Promise<Peer> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const connection = received.push("") - 1;
    sockets.add(socket);
    socket.setEncoding("latin1");
    socket.on("error", () => undefined);
    socket.on("data", (text: string) => {
      received[connection] += text;
      onRequest(socket, connection, text);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = createHttpClient({ host: "127.0.0.1", port, bodyBytesMax });
  t.after(() => {
    client.abort("test over");
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { client, received };
}

function failure(exchange: Promise<unknown>): Promise<string> {
  return exchange.then(
    () => "none",
    (error: unknown) => {
      assert(error instanceof HttpError);
      return error.kind;
    },
  );
}

test("one connection serves requests in turn", async (t) => {
  const { client, received } = await peer(t, (socket) => socket.write(ok));
  for (let index = 0; index < 5; index += 1) {
    assert.equal((await client.exchange(get)).body.toString(), "ok");
  }
  assert.equal(received.length, 1);
});

test("a closed connection is noticed before the next request", async (t) => {
  const closed = Promise.withResolvers<void>();
  const { client, received } = await peer(t, (socket) => {
    socket.on("close", () => closed.resolve());
    socket.end(ok);
  });
  await client.exchange(post);
  await closed.promise;
  await client.exchange(post);
  assert.equal(received.length, 2);
});

test("only what may be sent twice is sent twice", async (t) => {
  // The first answer leaves the connection open; the second request finds it broken.
  const { client, received } = await peer(t, (socket, connection) => {
    if (connection > 1 || received[connection]?.match(/ HTTP/g)?.length === 1) socket.write(ok);
    else socket.destroy();
  });
  await client.exchange(get);
  assert.equal((await client.exchange(get)).status, 200);
  assert.equal(received.length, 2);
  assert.equal(await failure(client.exchange(post)), "reset");
  assert.equal(received.length, 2);
});

test("a request that was answered in part is not repeated", async (t) => {
  const { client, received } = await peer(t, (socket) => {
    if (received[0]?.match(/ HTTP/g)?.length === 1) socket.write(ok);
    else socket.end("HTTP/1.1 200");
  });
  await client.exchange(get);
  assert.equal(await failure(client.exchange(get)), "reset");
  assert.equal(received.length, 1);
});

test("each way to fail has its name", async (t) => {
  const nobody = createHttpClient({ host: "127.0.0.1", port: 1, bodyBytesMax: 10 });
  assert.equal(await failure(nobody.exchange(get)), "refused");
  const answers = ["", "garbage\r\n\r\n", `HTTP/1.1 200 OK\r\n\r\n${"x".repeat(2000)}`];
  const { client } = await peer(t, (socket, connection) => socket.end(answers[connection] ?? ""));
  assert.equal(await failure(client.exchange(get)), "reset");
  assert.equal(await failure(client.exchange(get)), "garbage");
  assert.equal(await failure(client.exchange(get)), "too-large");
});

test("an aborted exchange leaves a client that works", async (t) => {
  const { client, received } = await peer(t, (socket, connection) => {
    if (connection === 0) client.abort("enough");
    else socket.write(ok);
  });
  assert.equal(await failure(client.exchange(get)), "aborted");
  assert.equal((await client.exchange(get)).status, 200);
  assert.equal(received.length, 2);
});

test("bytes that nobody asked for end the connection", async (t) => {
  const written = Promise.withResolvers<void>();
  const { client, received } = await peer(t, (socket, connection) => {
    socket.write(ok);
    if (connection > 0) return;
    socket.on("close", () => written.resolve());
    setImmediate(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  });
  await client.exchange(get);
  await written.promise;
  assert.equal((await client.exchange(get)).body.toString(), "ok");
  assert.equal(received.length, 2);
});

test("a slow reader of the body holds the peer back", async (t) => {
  const total = 64 * 1024 * 1024;
  let sent = 0;
  const chunk = Buffer.alloc(1024 * 1024);
  const { client } = await peer(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const more = (): void => {
      let free = true;
      while (free && sent < total) {
        free = socket.write(chunk);
        sent += chunk.length;
      }
    };
    socket.on("drain", more);
    more();
  });
  const gate = Promise.withResolvers<void>();
  let read = 0;
  let sentAtGate = 0;
  const answer = client.exchange(get, {
    onHead: () => undefined,
    onData(bytes) {
      read += bytes.length;
      return gate.promise;
    },
  });
  const stalled = setInterval(() => {
    if (sent > 0 && sent === sentAtGate) gate.resolve();
    sentAtGate = sent;
  }, 50);
  await gate.promise;
  clearInterval(stalled);
  assert.ok(sent < total / 2, `${sent} bytes sent to a reader that took ${read}`);
  await answer;
  assert.equal(read, total);
});

test("an upload is chunked, with trailers, and fails when it is cut off", async (t) => {
  const { client, received } = await peer(t, (socket, connection, text) => {
    if (connection === 1) socket.destroy();
    else if (text.includes("0\r\n")) socket.write(ok);
  });
  const upload = client.upload(post);
  upload.write("abc");
  upload.write(none);
  upload.write(Buffer.alloc(16, "z"));
  assert.equal((await upload.end([["x-sum", "1"]])).status, 200);
  const body = received[0]?.split("\r\n\r\n").slice(1).join("\r\n\r\n");
  assert.equal(body, `3\r\nabc\r\n10\r\n${"z".repeat(16)}\r\n0\r\nx-sum: 1\r\n\r\n`);
  client.abort("a new connection, please");
  const broken = client.upload(post);
  assert.equal(await failure(broken.end([])), "reset");
  assert.throws(() => broken.write("more"), HttpError);
});

test("an answer that comes in pieces is put together", async (t) => {
  const body = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
  const head = Buffer.from("HTTP/1.1 200 OK\r\nX-Name: value\r\nContent-Length: 1000\r\n\r\n");
  const wire = Buffer.concat([head, body]);
  const { client } = await peer(t, async (socket) => {
    for (let at = 0; at < wire.length; at += 37) {
      socket.write(wire.subarray(at, at + 37));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  const whole = await client.exchange(get);
  assert.deepEqual(whole.headers[0], ["X-Name", "value"]);
  assert.deepEqual(whole.body, body);
  const chunks: Buffer[] = [];
  await client.exchange(get, {
    onHead: () => undefined,
    onData(chunk) {
      chunks.push(chunk);
      return undefined;
    },
  });
  assert.ok(chunks.length > 1);
  assert.deepEqual(Buffer.concat(chunks), body);
});
