import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../test/manual-clock.ts";
import { type Edge, startEdge } from "./edge.ts";
import type { Endpoint } from "./service.ts";

interface Tier {
  readonly endpoint: Endpoint;
  readonly sockets: Set<Socket>;
  readonly server: Server;
  accepted: number;
}

let edge: Edge;
let tiers: Tier[] = [];
let clients: Socket[] = [];
let target: () => Promise<Endpoint>;

async function tier(onSocket: (socket: Socket) => void): Promise<Tier> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    made.accepted += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const made = { endpoint: { host: "127.0.0.1", port }, sockets, server, accepted: 0 };
  tiers.push(made);
  return made;
}

async function client(allowHalfOpen = false): Promise<Socket> {
  const socket = connect({ ...edge.endpoint, allowHalfOpen });
  socket.on("error", () => undefined);
  clients.push(socket);
  await once(socket, "connect");
  return socket;
}

async function all(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

beforeEach(async () => {
  edge = await startEdge({ port: 0, resolve: () => target() });
});
afterEach(async () => {
  for (const socket of clients) socket.destroy();
  for (const { server, sockets } of tiers) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  clients = [];
  tiers = [];
  await edge.stop();
});

const naming = (name: string) => (socket: Socket) => void socket.end(name);
const echoing = (socket: Socket): void => void socket.pipe(socket);

describe("the edge", () => {
  it("listens on loopback, on the port that was asked for; a taken one is an error", async () => {
    assert.equal(edge.endpoint.host, "127.0.0.1");
    const { port } = edge.endpoint;
    const second = startEdge({ port, resolve: () => target() });
    await assert.rejects(second, { code: "EADDRINUSE" });
    await edge.stop();
    edge = await startEdge({ port, resolve: () => target() });
    assert.equal(edge.endpoint.port, port);
  });

  it("sends each new connection where the name leads, and leaves it there", async () => {
    const lambda = await tier(echoing);
    const fargate = await tier(naming("fargate"));
    target = async () => lambda.endpoint;
    const first = await client();
    first.write("one");
    assert.equal(String((await once(first, "data"))[0]), "one");
    target = async () => fargate.endpoint;
    assert.equal(await all(await client()), "fargate");
    first.write("two");
    assert.equal(String((await once(first, "data"))[0]), "two");
  });

  it("passes every byte in both directions, half-closed ends included", async () => {
    const back = await tier(echoing);
    target = async () => back.endpoint;
    const socket = await client(true);
    const sent = Buffer.alloc(3_000_000, "0123456789");
    socket.end(sent);
    assert.equal((await all(socket)).length, sent.length);
    await eventually(() => back.sockets.size === 0, "the tier's side is closed");
  });

  it("lets the client go on when the tier has said its last word", async () => {
    const heard = Promise.withResolvers<string>();
    const back = await tier((socket) => {
      socket.end("ready");
      heard.resolve(all(socket));
    });
    target = async () => back.endpoint;
    const socket = await client(true);
    assert.equal(await all(socket), "ready");
    socket.end("and more");
    assert.equal(await heard.promise, "and more");
  });

  it("gives a slow client everything that the tier said before it closed", async () => {
    const said = "x".repeat(6_000_000);
    const back = await tier((socket) => void socket.resume().on("end", () => socket.end(said)));
    target = async () => back.endpoint;
    const socket = await client(true);
    socket.end("please");
    let got = 0;
    for await (const chunk of socket) {
      got += (chunk as Buffer).length;
      await sleep(1);
    }
    assert.equal(got, said.length);
  });

  it("closes the client's connection when the tier refuses or the name leads nowhere", async () => {
    const gone = await tier(echoing);
    target = async () => gone.endpoint;
    gone.server.close();
    await once(gone.server, "close");
    const refused = await client();
    refused.resume();
    await once(refused, "close");
    target = async () => assert.fail("no such name");
    const lost = await client();
    lost.resume();
    await once(lost, "close");
  });

  it("follows either side when it leaves", async () => {
    const back = await tier(echoing);
    target = async () => back.endpoint;
    for (const leave of ["destroy", "resetAndDestroy"] as const) {
      const leaving = await client();
      leaving.write("hello");
      await once(leaving, "data");
      leaving[leave]();
      await eventually(() => back.sockets.size === 0, "the tier's side is closed");
    }
    const left = await client();
    left.write("hello");
    await once(left, "data");
    left.resume();
    for (const socket of back.sockets) socket.resetAndDestroy();
    await once(left, "close");
  });

  it("asks no tier for a client that left while the name was looked up", async () => {
    const back = await tier(echoing);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Endpoint>();
    target = () => {
      asked.resolve();
      return answer.promise;
    };
    const socket = await client();
    await asked.promise;
    socket.resetAndDestroy();
    await once(socket, "close");
    // The edge has seen the reset once another connection, made after it, is through.
    const other = await tier(naming("other"));
    target = async () => other.endpoint;
    assert.equal(await all(await client()), "other");
    answer.resolve(back.endpoint);
    assert.equal(await all(await client()), "other");
    assert.equal(back.sockets.size, 0);
  });

  it("stops with connections open, in the middle of a look-up too", async () => {
    const back = await tier(echoing);
    target = async () => back.endpoint;
    const open = await client();
    open.write("hello");
    await once(open, "data");
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Endpoint>();
    target = () => {
      asked.resolve();
      return answer.promise;
    };
    const waiting = await client();
    await asked.promise;
    for (const socket of [open, waiting]) socket.resume();
    const closed = Promise.all([once(open, "close"), once(waiting, "close")]);
    await edge.stop();
    answer.resolve(back.endpoint);
    await closed;
    await eventually(() => back.sockets.size === 0, "the tier's side is closed");
    assert.equal(back.accepted, 1);
    edge = await startEdge({ port: 0, resolve: () => target() });
  });
});
