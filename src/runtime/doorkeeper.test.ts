import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { startDoorkeeper } from "./doorkeeper.ts";
import { readSettings } from "./variables.ts";

const pieces = 40;
const piece = Buffer.alloc(1_000_000, "x");

test("a long stream waits for its client again and again, and leaves nothing behind", async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const service = createServer(async (_, response) => {
    for (let sent = 0; sent < pieces; sent += 1) {
      if (!response.write(piece)) await once(response, "drain");
    }
    response.end();
  }).listen(0, "127.0.0.1");
  t.after(() => service.close());
  await once(service, "listening");
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));

  const settings = readSettings(
    { AWS_LWA_PORT: String(port), AWS_LWA_INVOKE_MODE: "response_stream" },
    () => undefined,
  );
  const doorkeeper = await startDoorkeeper({
    settings,
    listenHost: "127.0.0.1",
    servicePort: (service.address() as AddressInfo).port,
    onLog: () => undefined,
  });
  t.after(() => doorkeeper.close(0));
  const [answer] = (await once(get({ host: "127.0.0.1", port }), "response")) as [IncomingMessage];
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).length;
  await turn();
  assert.equal(bytes, pieces * piece.length);
  assert.deepEqual(warnings, []);
});
