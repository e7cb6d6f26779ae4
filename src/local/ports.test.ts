import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { portTaken, promisePort } from "./ports.ts";

test("promises no port twice, and none that the system would hand out", async () => {
  const promises = await Promise.all(Array.from({ length: 50 }, promisePort));
  const ports = promises.map(({ port }) => port);
  assert.equal(new Set(ports).size, 50);
  assert.ok(ports.every((port) => port >= 20_000 && port < 30_000));
  for (const { giveBack } of promises) giveBack();
});

test("passes over a port on which somebody listens", async (t) => {
  const { port, giveBack } = await promisePort();
  giveBack();
  const server = createServer().listen(port + 1, "0.0.0.0");
  t.after(() => server.close());
  await once(server, "listening");
  const found = await promisePort();
  found.giveBack();
  assert.notEqual(found.port, port + 1);
});

test("knows how services tell that their port was taken", () => {
  for (const line of [
    "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000",
    "listen tcp 127.0.0.1:8080: bind: address already in use",
    "[Errno 98] error while attempting to bind on ('127.0.0.1', 80): address already in use",
    "[ERROR] Connection in use: ('127.0.0.1', 8000)",
    "Web server failed to start. Port 8080 was already in use.",
    "Address already in use - bind(2) for 127.0.0.1:3000 (Errno::EADDRINUSE)",
    "Port 3000 is in use by another program.",
  ]) {
    assert.match(line, portTaken);
  }
  assert.doesNotMatch("12 connections in use, port 3000 is open", portTaken);
});
