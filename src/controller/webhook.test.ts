import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { SSMClient } from "@aws-sdk/client-ssm";
import { openWebhook, parameterName, type Send, type Webhook } from "./webhook.ts";

const secret = "https://hooks.example.com/T0/secret-token";

/** A webhook whose parameter is answered by a server of its own; tells how often it was asked. */
async function openAt(
  t: { after: (run: () => void) => void },
  value: string,
  send: Send,
  nowMs: () => number = () => 0,
): Promise<{ readonly webhook: Webhook; readonly asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify({ Parameter: { Name: "/a", Type: "SecureString", Value: value } }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new SSMClient({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  });
  t.after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { webhook: openWebhook({ reference: "/a", client, nowMs, send }), asked: () => asked };
}

test("the address is read once in a while and posted to as JSON", async (t) => {
  const sent: { address: string; init: RequestInit }[] = [];
  let nowMs = 0;
  const send: Send = async (address, init) => {
    sent.push({ address, init });
    return { status: 200 };
  };
  const { webhook, asked } = await openAt(t, `${secret}\n`, send, () => nowMs);
  await webhook.post({ text: "one" });
  await webhook.post({ text: "two" });
  assert.equal(asked(), 1);
  nowMs += 10 * 60_000;
  await webhook.post({ text: "three" });
  assert.equal(asked(), 2);
  assert.equal(sent[0]?.address, secret);
  assert.equal(sent[0]?.init.body, '{"text":"one"}');
  assert.equal(sent[0]?.init.redirect, "error");
});

test("no failure tells the address", async (t) => {
  const failing: readonly [string, Send][] = [
    [secret, async () => ({ status: 403 })],
    [secret, async (address) => Promise.reject(new TypeError(`fetch failed: ${address}`))],
    ["http://hooks.example.com/secret-token", async () => ({ status: 200 })],
    ["secret-token", async () => ({ status: 200 })],
    [`https://example.com/${"secret-token".repeat(500)}`, async () => ({ status: 200 })],
  ];
  for (const [value, send] of failing) {
    const { webhook } = await openAt(t, value, send);
    await assert.rejects(webhook.post({ text: "x" }), (error: Error) => {
      assert.match(error.message, /webhook/);
      assert.doesNotMatch(`${error.message}${error.cause}`, /secret-token/);
      return true;
    });
  }
});

test("a secret is read by its name, a parameter as it is called", () => {
  const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:team/hook-a1B2c3";
  assert.equal(parameterName(arn), "/aws/reference/secretsmanager/team/hook");
  assert.equal(parameterName("/team/hook"), "/team/hook");
});
