/** A probe goes where it is told to, and says there who it wants. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { httpProbe } from "./probe.ts";

test("2xx is an answer, and nothing else; the Host is the real one", async (t) => {
  const hosts: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    hosts.push(request.headers.host);
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { location: "http://127.0.0.1:1/" });
    response.end("x".repeat(100_000));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const probe = (status: number): Promise<boolean> =>
    httpProbe({
      address: "127.0.0.1",
      url: new URL(`http://shop.example.com:${port}/${status}`),
    });
  assert.deepEqual(await Promise.all([200, 204, 301, 404, 503].map(probe)), [
    ...[true, true, false, false, false],
  ]);
  assert.deepEqual(new Set(hosts), new Set([`shop.example.com:${port}`]));
});

test("TLS asks for the real name, whatever the address", async (t) => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (hello) => {
      server.emit("hello", hello);
      socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const hello = once(server, "hello");
  const url = new URL(`https://shop.example.com:${port}/`);
  assert.equal(await httpProbe({ address: "127.0.0.1", url }), false);
  const [bytes] = (await hello) as [Buffer];
  assert.ok(bytes.includes("shop.example.com"));
});

test("nobody there is no answer", async () => {
  const url = new URL("http://shop.example.com:1/");
  assert.equal(await httpProbe({ address: "127.0.0.1", url }), false);
});
