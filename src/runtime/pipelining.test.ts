import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { createDeadline } from "./deadline.ts";
import { DeadlineError } from "./failures.ts";
import { createRuntimeApi, type RuntimeApi } from "./runtime-api.ts";

interface Stage {
  readonly runtime: RuntimeApi;
  readonly said: string[];
  /** What arrived, one entry per connection and piece. */
  readonly pieces: string[];
  readonly connections: () => number;
}

/** A Lambda that runs `onPiece` for whatever arrives together. */
async function lambda(
  t: TestContext,
  onPiece: (socket: Socket, text: string, count: number) => void,
): Promise<Stage> {
  const pieces: string[] = [];
  const said: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.setEncoding("latin1").on("error", () => undefined);
    socket.on("data", (text: string) => onPiece(socket, text, pieces.push(text)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const runtime = createRuntimeApi(`127.0.0.1:${port}`, {}, (message) => said.push(message));
  t.after(() => {
    runtime.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { runtime, said, pieces, connections: () => sockets.length };
}

const accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\n\r\nokay";
const allowed = "Lambdaflex-Pipelining: 1\r\n";
function event(id: string, extra = allowed): string {
  const head = `HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: ${id}\r\n${extra}`;
  return `${head}Content-Length: ${id.length + 2}\r\n\r\n"${id}"`;
}
const polls = (text: string): boolean => text.includes("GET /2018-06-01/runtime/invocation/next ");
const answers = (text: string): boolean => text.startsWith("POST ");

test("response and poll leave together only where the invocation allows it", async (t) => {
  const extras = [allowed, allowed, "", ""];
  const { runtime, pieces, said, connections } = await lambda(t, (socket, text) => {
    const receipt = answers(text) ? accepted : "";
    const next = polls(text) ? event(`id-${extras.length}`, extras.shift()) : "";
    socket.write(receipt + next);
  });
  for (const id of ["id-4", "id-3", "id-2", "id-1"]) {
    const invocation = await runtime.next();
    assert.equal(invocation?.requestId, id);
    assert.equal(invocation?.event.toString(), `"${id}"`);
    await runtime.respond(id, `{"to":"${id}"}`);
  }
  const shapes = pieces.map((text) => `${answers(text) ? "answer" : ""}${polls(text) ? "+" : ""}`);
  assert.deepEqual(shapes, ["+", "answer+", "answer+", "answer", "+", "answer"]);
  assert.equal(connections(), 1);
  assert.deepEqual(said, []);
});

test("receipt and invocation are told apart however they are cut", async (t) => {
  const both = accepted + event("id-2");
  for (const cut of [1, accepted.length - 1, accepted.length, accepted.length + 1, 90]) {
    const { runtime, said } = await lambda(t, async (socket, text) => {
      if (!answers(text)) return void socket.write(event("id-1"));
      socket.write(both.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 2));
      socket.write(both.slice(cut));
    });
    await runtime.next();
    await runtime.respond("id-1", "{}");
    assert.equal((await runtime.next())?.requestId, "id-2");
    assert.deepEqual(said, []);
    runtime.close();
  }
});

test("a connection lost behind a response costs the receipt, not what follows", async (t) => {
  const { runtime, said, connections } = await lambda(t, (socket, text) => {
    if (answers(text)) socket.destroy();
    else socket.write(event(`id-${connections()}`));
  });
  await runtime.next();
  await runtime.respond("id-1", "{}");
  assert.equal((await runtime.next())?.requestId, "id-2");
  assert.match(said[0] ?? "", /did not take \/invocation\/id-1\/response/);
  assert.equal(said.length, 1);
});

test("a receipt that closes its connection is followed by a new poll", async (t) => {
  const closing = accepted.replace("\r\n", "\r\nConnection: close\r\n");
  const { runtime, said, connections } = await lambda(t, (socket, text) => {
    if (answers(text)) socket.end(closing);
    else socket.write(event(`id-${connections()}`));
  });
  await runtime.next();
  await runtime.respond("id-1", "{}");
  assert.equal((await runtime.next())?.requestId, "id-2");
  assert.deepEqual(said, []);
});

test("closing while the poll behind a response waits loses nothing", async (t) => {
  const arrived = Promise.withResolvers<string>();
  const { runtime, said } = await lambda(t, (socket, text) => {
    if (answers(text)) arrived.resolve(text);
    else socket.write(event("id-1"));
  });
  await runtime.next();
  await runtime.respond("id-1", '{"kept":true}');
  const next = runtime.next();
  runtime.close();
  assert.equal(await next, null);
  assert.match(await arrived.promise, /\{"kept":true\}GET /);
  assert.deepEqual(said, []);
});

test("one timer serves invocations with different deadlines", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let passes = 0;
  const deadline = createDeadline(
    () => Date.now(),
    () => {
      passes += 1;
    },
  );
  deadline.begin(1000);
  t.mock.timers.tick(900);
  deadline.end();
  deadline.begin(1500);
  t.mock.timers.tick(200);
  assert.equal(deadline.passed, false, "the time of the invocation before is of no concern");
  deadline.end();
  deadline.begin(1200);
  const late = deadline.within(new Promise<never>(() => undefined));
  t.mock.timers.tick(100);
  await assert.rejects(late, DeadlineError);
  assert.equal(deadline.passed, true);
  deadline.end();
  for (const none of [null, 0, 1]) {
    deadline.begin(none);
    t.mock.timers.tick(10_000);
    assert.equal(deadline.passed, false);
  }
  assert.equal(passes, 1);
  deadline.close();
});
